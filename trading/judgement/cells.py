"""What each cell of trades came to, and whether any of them survives the number that was tried."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import Float64

from market.arrays import DateArray
from market.bootstrap import LEVEL, interval
from trading.judgement.bounds import deflated, family_wise
from trading.judgement.resampled import LIVES, Grid, Resampled, usual_life
from trading.judgement.trades import Trades

#: Trades, and days of entry, of which a cell can be judged at all.
FEWEST: Final = 30
#: Times that it has to have won, and lost, apart from each other by more than a life. A loss that
#: comes seldom enough is not in the resamples either.
EPISODES: Final = 10
#: Share of the trades that "worst" is the mean of.
WORST: Final = 0.05
SEED: Final = 20_141
#: A point of volatility takes the mean away; its Sharpe ratio is no more than luck shows; all of
#: what it is a part of does as well.
Against = Literal["band", "luck", "group"]


@dataclass(frozen=True)
class Cell:
    """What the trades of a cell came to; returns are shares of the risk, or USD without one.

    Attributes
    ----------
    n, days
        Trades, and days on which they were entered.
    mean, worst, drawdown
        Of the returns: their mean, the mean of the worst 5 %, and the deepest fall of their sum in
        the order in which they were left.
    won
        Share with a profit.
    profit
        In USD, of all.
    worst_level
        The mean at the worst level of the band.
    low, high
        95 % interval of the mean by itself; None where it cannot be judged.
    low_of_all, high_of_all
        The same for all that was tried together.
    sharpe
        Of a trade; None where all returned the same.
    deflated
        How likely that is more than the best of as many trials of nothing.
    group, over
        What it is a part of, and how much more its mean is than that of all of it; None where it is
        all of it.
    low_over, high_over
        95 % interval of that difference for all that was tried together.
    """

    name: str
    n: int
    days: int
    mean: float
    won: float
    worst: float
    drawdown: float
    profit: float
    worst_level: float
    sharpe: float | None = None
    low: float | None = None
    high: float | None = None
    low_of_all: float | None = None
    high_of_all: float | None = None
    deflated: float | None = None
    group: str | None = None
    over: float | None = None
    low_over: float | None = None
    high_over: float | None = None

    @property
    def judged(self) -> bool:
        """Whether there were enough trades to say anything."""
        return self.low_of_all is not None

    @property
    def above_nothing(self) -> bool:
        """Whether its interval for all cells together lies above 0."""
        return self.low_of_all is not None and self.low_of_all > 0.0

    @property
    def survives(self) -> bool:
        """Whether nothing speaks against it."""
        return self.above_nothing and self.against is None

    @property
    def against(self) -> Against | None:
        """What speaks against a mean above 0: first the band, then luck, then its group."""
        if self.low_of_all is None or self.low_of_all <= self.mean - self.worst_level:
            return "band"
        if self.deflated is None or self.deflated <= LEVEL:
            return "luck"
        return "group" if self.low_over is not None and self.low_over <= 0.0 else None


def judge_cells(trades: Trades, tried: int, seed: int = SEED) -> list[Cell]:
    """Return what each cell came to, the best mean first among those that can be judged.

    Parameters
    ----------
    tried
        How many cells were tried; at least those that there are count.
    """
    names = sorted(set(trades.cell.tolist()))
    if not names:
        return []
    cells = [_described(trades.where(trades.cell == name), name) for name in names]
    life = np.timedelta64(usual_life(trades), "D")
    enough = [name for name in names if _enough(trades.where(trades.cell == name), life)]
    if enough:
        judged = _judged(trades, cells, enough, max(tried, len(names)), seed)
        cells = [judged.get(cell.name, cell) for cell in cells]
    return sorted(cells, key=lambda cell: (not cell.judged, -cell.mean, cell.name))


def _enough(trades: Trades, life: np.timedelta64) -> bool:
    """Whether a cell has trades, and wins and losses apart from each other, to be judged by."""
    if len(np.unique(trades.entered)) < FEWEST:
        return False
    ends = (trades.returns > 0.0, trades.returns < 0.0)
    return all(_episodes(trades.entered[kind], life) >= EPISODES for kind in ends)


def _episodes(days: DateArray, life: np.timedelta64) -> int:
    """Return how many groups of days lie further apart than a life; a long one counts by blocks.

    Trades that win and lose every day are one group, and no less sure for that.
    """
    if not len(days):
        return 0
    days = np.unique(days)
    gaps = np.flatnonzero(np.diff(days) > life)
    first, last = days[np.append(0, gaps + 1)], days[np.append(gaps, len(days) - 1)]
    block = LIVES * max(life, np.timedelta64(1, "D"))
    return int((1 + (last - first) // block).sum())


def _judged(
    trades: Trades, cells: list[Cell], names: list[str], tried: int, seed: int
) -> dict[str, Cell]:
    grid = Grid.of(trades, seed)
    kept = trades.where(np.isin(trades.cell, names))
    found = grid.resample(kept, kept.cell, names)
    together = family_wise(found.mean, found.means, tried)
    chances = deflated(found.sharpe, found.sharpes, tried)
    over = _over_groups(trades, grid, names, found, tried)
    by_name = {cell.name: cell for cell in cells}
    judged = {}
    for at, name in enumerate(names):
        alone = interval(found.means[:, at])
        if alone is None or not np.isfinite(found.sharpe[at]):
            continue
        judged[name] = replace(
            by_name[name],
            sharpe=float(found.sharpe[at]),
            low=alone.low,
            high=alone.high,
            low_of_all=float(together.low[at]),
            high_of_all=float(together.high[at]),
            deflated=float(chances[at]),
            **over.get(name, {}),
        )
    return judged


def _over_groups(
    trades: Trades, grid: Grid, names: list[str], found: Resampled, tried: int
) -> dict[str, dict[str, Any]]:
    """Return how much more cells came to than what they are a part of, by their fields."""
    group_of = dict(zip(trades.cell.tolist(), trades.group.tolist(), strict=True))
    sizes = Counter(trades.group.tolist())
    mine = Counter(trades.cell.tolist())
    parts = [name for name in names if mine[name] < sizes[group_of[name]]]
    if not parts:
        return {}
    groups = sorted({group_of[name] for name in parts})
    kept = trades.where(np.isin(trades.group, groups))
    whole = grid.resample(kept, kept.group, groups)
    cells = np.array([names.index(name) for name in parts])
    of = np.array([groups.index(group_of[name]) for name in parts])
    mean = found.mean[cells] - whole.mean[of]
    together = family_wise(mean, found.means[:, cells] - whole.means[:, of], tried)
    return {
        name: {
            "group": group_of[name],
            "over": float(mean[at]),
            "low_over": float(together.low[at]),
            "high_over": float(together.high[at]),
        }
        for at, name in enumerate(parts)
    }


def _described(trades: Trades, name: str) -> Cell:
    returns = trades.returns
    return Cell(
        name=name,
        n=len(trades),
        days=len(np.unique(trades.entered)),
        mean=float(returns.mean()),
        won=float((returns > 0.0).mean()),
        worst=worst_mean(returns),
        drawdown=deepest_fall(returns[np.lexsort((trades.entered, trades.left))]),
        profit=float(trades.profit.sum()),
        worst_level=trades.worst_mean,
    )


def worst_mean(returns: Float64[np.ndarray, " n"]) -> float:
    """Return the mean of the worst 5 % of returns, of one at least."""
    count = max(1, int(np.ceil(WORST * len(returns))))
    return float(np.sort(returns)[:count].mean())


def deepest_fall(returns: Float64[np.ndarray, " n"]) -> float:
    """Return the deepest fall of the sum of returns from its height before, from 0."""
    sums = np.concatenate([[0.0], np.cumsum(returns)])
    return float((np.maximum.accumulate(sums) - sums).max())
