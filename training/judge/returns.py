"""How good forecast distributions of returns are: scores of quantiles, beside baselines'.

The continuous ranked probability score is twice the mean quantile loss over all probabilities
(Gneiting and Raftery 2007); the log score is of the density between quantiles. Every forecast is
scored by the same quantiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from forecasters.returns import PROBABILITIES, Returns
from home.records.training.measured import Difference, Measured, ScoreBeside
from home.records.training.words import Figures
from market.arrays import DateArray
from market.bootstrap import interval
from training.frames.return_rows import HORIZONS, ReturnRows

METRIC: Final = "crps"
#: Share of returns between the ends of the interval whose coverage is counted.
LEVEL: Final = 0.9
PERCENT: Final = 100.0
#: Every tenth quantile: a density between neighbours would be that of single past returns.
KNOTS: Final = np.arange(9, len(PROBABILITIES), 10)
_ROOTS: Final = np.sqrt(np.array(HORIZONS, dtype=np.float64))


@dataclass(frozen=True)
class ReturnScores:
    """Figures of each forecast session and horizon; each of shape (n_rows, n_horizons).

    Attributes
    ----------
    crps
        In percent of the price.
    log_score
        Log density of what came, per unit of log-return, in nats.
    inside
        Whether the interval of `LEVEL` held what came.
    """

    crps: Float64[np.ndarray, "n_rows n_horizons"]
    log_score: Float64[np.ndarray, "n_rows n_horizons"]
    inside: Bool[np.ndarray, "n_rows n_horizons"]

    @property
    def loss(self) -> Float64[np.ndarray, " n_rows"]:
        """Mean score by the root of its sessions, so that each horizon counts; shape (n_rows,)."""
        return np.asarray((self.crps / _ROOTS).mean(axis=1))

    def columns(self) -> dict[str, Float64[np.ndarray, " n_rows"]]:
        """Return what is averaged, by the name of its score."""
        found = {METRIC: self.loss}
        for name, values in (
            ("crps", self.crps), ("log_score", self.log_score), ("coverage", self.inside),
        ):  # fmt: skip
            for at, horizon in enumerate(HORIZONS):
                found[f"{name}_{horizon}"] = values[:, at].astype(np.float64)
        return found

    def where(self, keep: Bool[np.ndarray, " n_rows"]) -> "ReturnScores":
        """Return the figures of some rows."""
        return ReturnScores(*(getattr(self, one.name)[keep] for one in fields(self)))


@dataclass(frozen=True)
class ReturnsTested:
    """What the model and each baseline came to on every session of the test parts, in order.

    Attributes
    ----------
    fold
        Number of the fold, from 1; shape (n_tested,).
    scored
        Whether a session has every feature; shape (n_tested,).
    model, baselines
        Of the scored sessions.
    """

    sessions: DateArray
    fold: Int64[np.ndarray, " n_tested"]
    scored: Bool[np.ndarray, " n_tested"]
    model: ReturnScores
    baselines: dict[str, ReturnScores]

    @classmethod
    def joined(cls, parts: "Sequence[ReturnsTested]") -> Self:
        """Return several test parts in one."""
        return cls(
            sessions=np.concatenate([part.sessions for part in parts]),
            fold=np.concatenate([part.fold for part in parts]),
            scored=np.concatenate([part.scored for part in parts]),
            model=joined([part.model for part in parts]),
            baselines={
                name: joined([part.baselines[name] for part in parts])
                for name in parts[0].baselines
            },
        )

    @property
    def gate(self) -> str:
        """The baseline of the lowest mean loss, which has to be beaten; the first of equals."""
        return min(self.baselines, key=lambda name: float(self.baselines[name].loss.mean()))

    def of_fold(self, number: int) -> "ReturnsTested":
        """Return the sessions of one fold."""
        return self.where(self.fold == number)

    def where(self, keep: Bool[np.ndarray, " n_tested"]) -> "ReturnsTested":
        """Return some of the sessions."""
        kept = keep[self.scored]
        return ReturnsTested(
            self.sessions[keep],
            self.fold[keep],
            self.scored[keep],
            self.model.where(kept),
            {name: one.where(kept) for name, one in self.baselines.items()},
        )

    def losses(self) -> pd.DataFrame:
        """Return `session`, `fold`, `loss`, `baseline_loss` of each scored session."""
        return pd.DataFrame(
            {
                "session": self.sessions[self.scored],
                "fold": self.fold[self.scored],
                "loss": self.model.loss,
                "baseline_loss": self.baselines[self.gate].loss,
            }
        )


def score_fold(
    number: int, test: ReturnRows, model: Returns, baselines: Mapping[str, Returns]
) -> ReturnsTested:
    """Return what fits of a fold's training part come to on its test part."""
    scored = test.usable
    rows = test.where(scored)
    return ReturnsTested(
        test.sessions,
        np.full(len(scored), number, dtype=np.int64),
        scored,
        score(model, rows),
        {name: score(one, rows) for name, one in baselines.items()},
    )


def crps(
    quantiles: Float64[np.ndarray, "n_rows n_quantiles"], outcome: Float64[np.ndarray, " n_rows"]
) -> Float64[np.ndarray, " n_rows"]:
    """Return the score of each row of quantiles at `PROBABILITIES`, in their unit; 0 is best."""
    beyond = outcome[:, None] - quantiles
    return np.asarray(2.0 * (beyond * (PROBABILITIES - (beyond < 0))).mean(axis=1))


def log_score(
    quantiles: Float64[np.ndarray, "n_rows n_quantiles"], outcome: Float64[np.ndarray, " n_rows"]
) -> Float64[np.ndarray, " n_rows"]:
    """Return the log density of what came, in nats; more is better.

    The density is even between knots, every tenth quantile, and exponential beyond the outer two,
    with the mean distance of the quantiles beyond from these.
    """
    knots = quantiles[:, KNOTS]
    tail = PROBABILITIES[KNOTS[0]]
    low, high = knots[:, 0], knots[:, -1]
    below = low - quantiles[:, : KNOTS[0]].mean(axis=1)
    above = quantiles[:, KNOTS[-1] + 1 :].mean(axis=1) - high
    bins = np.log(np.diff(PROBABILITIES[KNOTS]) / np.diff(knots, axis=1))
    at = (outcome[:, None] >= knots).sum(axis=1)
    rows = np.arange(len(outcome))
    inside = bins[rows, np.clip(at - 1, 0, bins.shape[1] - 1)]
    found = np.where(at == 0, np.log(tail / below) - (low - outcome) / below, inside)
    beyond = np.log(tail / above) - (outcome - high) / above
    return np.asarray(np.where(at == len(KNOTS), beyond, found))


def covered(
    quantiles: Float64[np.ndarray, "n_rows n_quantiles"],
    outcome: Float64[np.ndarray, " n_rows"],
    level: float = LEVEL,
) -> Bool[np.ndarray, " n_rows"]:
    """Return whether the central interval of a level held what came."""
    tail = (1.0 - level) / 2.0
    ends = [_quantile(quantiles, probability) for probability in (tail, 1.0 - tail)]
    return np.asarray((outcome >= ends[0]) & (outcome <= ends[1]))


def score(model: Returns, rows: ReturnRows) -> ReturnScores:
    """Return the figures of a model on rows that have every feature."""
    values = rows.values[:, [rows.names.index(name) for name in model.features]]
    every = [model.quantiles(values, horizon) for horizon in HORIZONS]
    pairs = [(said, rows.returns[:, at]) for at, said in enumerate(every)]
    return scores_of(pairs)


def scores_of(
    pairs: list[tuple[Float64[np.ndarray, "n_rows n_quantiles"], Float64[np.ndarray, " n_rows"]]],
) -> ReturnScores:
    """Return the figures of quantiles and what came, a pair for each horizon."""
    return ReturnScores(
        crps=np.column_stack([PERCENT * crps(*pair) for pair in pairs]),
        log_score=np.column_stack([log_score(*pair) for pair in pairs]),
        inside=np.column_stack([covered(*pair) for pair in pairs]),
    )


def joined(parts: list[ReturnScores]) -> ReturnScores:
    """Return the figures of several test parts in one."""
    names = [one.name for one in fields(ReturnScores)]
    return ReturnScores(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in names)
    )


def measure_returns(
    model: ReturnScores,
    baselines: Mapping[str, ReturnScores],
    gate: str,
    weights: Float64[np.ndarray, "n_draws n_rows"],
) -> Measured:
    """Return the mean figures beside the baselines', differences with their intervals.

    Parameters
    ----------
    weights
        A row of ones, then resamples (`measures.session_weights`) of the scored sessions.
    """
    means = {name: _means(one, weights) for name, one in baselines.items()}
    own = _means(model, weights)
    return Measured(
        scores=_points(own),
        baselines={name: _points(one) for name, one in means.items()},
        difference={name: _headline(own, one) for name, one in means.items()},
        comparison=[_beside(name, own, means[gate], gate) for name in own],
    )


_Spread = dict[str, Float64[np.ndarray, " n_draws"]]


def _means(scores: ReturnScores, weights: Float64[np.ndarray, "n_draws n_rows"]) -> _Spread:
    total = weights.sum(axis=1)
    return {name: weights @ values / total for name, values in scores.columns().items()}


def _points(means: _Spread) -> Figures:
    return {name: float(figures[0]) for name, figures in means.items()}


def _gain(name: str, model: _Spread, baseline: _Spread) -> Float64[np.ndarray, " n_draws"]:
    """Return by how much the model is better: coverage by its distance from `LEVEL`."""
    if name.startswith("coverage"):
        return np.asarray(np.abs(baseline[name] - LEVEL) - np.abs(model[name] - LEVEL))
    gain = baseline[name] - model[name]
    return np.asarray(-gain if name.startswith("log_score") else gain)


def _beside(name: str, model: _Spread, baseline: _Spread, gate: str) -> ScoreBeside:
    gain = _gain(name, model, baseline)
    spread = interval(gain[1:])
    return ScoreBeside(
        score=name,
        model=float(model[name][0]),
        baseline=gate,
        baseline_value=float(baseline[name][0]),
        difference=float(gain[0]),
        interval=None if spread is None else [spread.low, spread.high],
    )


def _headline(model: _Spread, baseline: _Spread) -> Difference:
    gain = _gain(METRIC, model, baseline)
    spread = interval(gain[1:])
    return Difference(
        metric=METRIC,
        model=float(model[METRIC][0]),
        baseline_value=float(baseline[METRIC][0]),
        value=float(gain[0]),
        interval=None if spread is None else [spread.low, spread.high],
        bound=None if spread is None else spread.bound,
    )


def _quantile(
    quantiles: Float64[np.ndarray, "n_rows n_quantiles"], probability: float
) -> Float64[np.ndarray, " n_rows"]:
    """Return a quantile between two of those given, linearly."""
    place = probability * len(PROBABILITIES) - 0.5
    low = int(place)
    part = place - low
    return np.asarray((1.0 - part) * quantiles[:, low] + part * quantiles[:, low + 1])
