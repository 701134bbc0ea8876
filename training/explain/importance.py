"""What a forecast rests on: permutation importance on the test parts, and linear weights. Pure.

Importance says what this model reads, not what predicts: of two features that tell the same,
each alone looks idle. Whole views are permuted as well, since within a view many do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from forecasters.linear import Linear
from home.records.training.explained import LinearWeight, Permutation, Rise
from market.arrays import FloatArray, IntArray
from market.bootstrap import MEAN_BLOCK
from training.fit.forecast import Forecast
from training.judge.measures import plain
from training.tasks.scores import row_log_loss

REPEATS: Final = 5
NO_VIEW: Final = "other"
_GROUPS: Final = (*GROUPS.values(), *ON_DEMAND.values())


@dataclass(frozen=True)
class Part:
    """A test part and what was fitted before it.

    Attributes
    ----------
    forecast
        From features (n, n_names) in the order of the names to a forecast of n rows.
    values
        Features of its sessions, in order, one row a session; shape (n_rows, n_names).
    outcome
        Class codes, -1 where not decided; shape (n_rows,).
    reads
        The features that the forecast looks at.
    """

    forecast: Callable[[FloatArray], Forecast]
    values: FloatArray
    outcome: IntArray
    reads: frozenset[str]


def permutation_importance(
    parts: Sequence[Part],
    names: Sequence[str],
    seed: int,
    repeats: int = REPEATS,
    max_rows: int | None = None,
) -> Permutation:
    """Return by how much the log loss rises, in nats, without what a feature or a view says.

    Whole blocks of 20 sessions change places within a test part, so that a feature keeps its
    persistence and its distribution and loses its date. What hardly moves within a part (a
    level of interest rates) looks less important than it is.

    Parameters
    ----------
    names
        Of the columns of every part's values.
    max_rows
        Score at most so many sessions of a part, evenly spaced: for slow forecasts.
    """
    ready = [one for one in (_prepare(part, max_rows) for part in parts) if one is not None]
    column = {name: at for at, name in enumerate(names)}
    reads = sorted(set().union(*(one.part.reads for one in ready)), key=column.__getitem__)
    view_of = {row.name: group.name for group in _GROUPS for row in group.features}
    views: dict[str, list[str]] = {}
    for name in reads:
        views.setdefault(view_of.get(name, NO_VIEW), []).append(name)
    singles = {name: [name] for name in reads}
    return Permutation(
        features=_ranked(ready, singles, column, seed, repeats),
        views=_ranked(ready, views, column, seed, repeats),
    )


def linear_weights(
    final: Linear, folds: Sequence[Linear], classes: Sequence[str]
) -> list[LinearWeight]:
    """Return the weights of a linear model per standard deviation of each feature, in log-odds.

    The largest come first; of two classes the weights are the second's.

    Parameters
    ----------
    final, folds
        One row of weights for two classes, a row a class for more; folds that knew every class.
    classes
        Names of the classes, in the order of their codes.
    """
    labelled = list(classes) if len(classes) > 2 else [classes[1]]
    earlier: dict[str, list[FloatArray]] = {}
    for fold in folds:
        for name, weights in zip(fold.features, fold.coef.T, strict=True):
            earlier.setdefault(name, []).append(weights)
    rows = []
    for name, weights in zip(final.features, final.coef.T, strict=True):
        seen = earlier.get(name, [])
        rows.append(
            LinearWeight(
                name=name,
                weights=_by_class(labelled, weights),
                folds=len(seen),
                low=_by_class(labelled, np.min(seen, axis=0)) if seen else None,
                high=_by_class(labelled, np.max(seen, axis=0)) if seen else None,
            )
        )
    return sorted(rows, key=lambda row: -max(map(abs, row.weights.values())))


def block_order(count: int, rng: np.random.Generator, block: int = MEAN_BLOCK) -> IntArray:
    """Return positions with whole blocks in another order; shape (count,).

    The first block starts anywhere, so that no two repeats cut at the same sessions.
    """
    rolled = np.roll(np.arange(count), -int(rng.integers(count)))
    blocks = np.array_split(rolled, max(2, count // block)) if count > 1 else [rolled]
    return np.concatenate([blocks[at] for at in rng.permutation(len(blocks))])


@dataclass(frozen=True)
class _Ready:
    """A test part without the rows that could not be forecast, and its loss as it is."""

    part: Part
    rows: IntArray
    loss: float

    def without(self, columns: Sequence[int], orders: Sequence[IntArray]) -> FloatArray:
        """Return the mean loss with some columns read in other orders; shape (n_orders,)."""
        # All orders in one forecast: many models take longer to start than to say a row.
        permuted = np.tile(self.part.values[self.rows], (len(orders), 1))
        sources = np.concatenate([order[self.rows] for order in orders])
        permuted[:, columns] = self.part.values[sources][:, columns]
        return _mean_losses(self.part, permuted, self.rows)


def _prepare(part: Part, max_rows: int | None) -> _Ready | None:
    usable = part.forecast(part.values).calls >= 0
    kept = Part(part.forecast, part.values[usable], part.outcome[usable], part.reads)
    rows = np.flatnonzero(kept.outcome >= 0)
    if not len(rows):
        return None
    if max_rows is not None and len(rows) > max_rows:
        rows = rows[np.linspace(0, len(rows) - 1, max_rows).round().astype(np.int64)]
    return _Ready(kept, rows, float(_mean_losses(kept, kept.values[rows], rows)[0]))


def _mean_losses(part: Part, values: FloatArray, rows: IntArray) -> FloatArray:
    """Return the mean loss of each repeat of some rows, one after the other; (n_repeats,)."""
    chance = part.forecast(values).probabilities
    if chance is None:
        raise TypeError("a rule that only calls has no log loss")
    outcome = np.tile(part.outcome[rows], len(values) // len(rows))
    by_repeat = row_log_loss(outcome, chance).reshape(-1, len(rows))
    return np.asarray(by_repeat.mean(axis=1), dtype=np.float64)


def _ranked(
    ready: Sequence[_Ready],
    groups: Mapping[str, Sequence[str]],
    column: Mapping[str, int],
    seed: int,
    repeats: int,
) -> list[Rise]:
    # The same orders for every feature: their differences are the features', not the draw's.
    rng = np.random.default_rng(seed)
    orders = [[block_order(len(one.part.values), rng) for _ in range(repeats)] for one in ready]
    share = np.array([len(one.rows) for one in ready], dtype=np.float64)
    share /= share.sum()
    rows = []
    for name, members in groups.items():
        rise = np.full((len(ready), repeats), np.nan)
        for at, one in enumerate(ready):
            columns = [column[member] for member in members if member in one.part.reads]
            if columns:
                rise[at] = one.without(columns, orders[at]) - one.loss
        pooled = share @ np.nan_to_num(rise)  # a fold that does not read it loses nothing by it
        rows.append(
            Rise(
                name=name,
                increase=float(pooled.mean()),
                spread=float(pooled.std(ddof=1)) if repeats > 1 else None,
                by_fold=[plain(figure) for figure in rise.mean(axis=1)],
            )
        )
    return sorted(rows, key=lambda row: -row.increase)


def _by_class(classes: Sequence[str], weights: FloatArray) -> dict[str, float]:
    return dict(zip(classes, map(float, weights), strict=True))
