"""Means and Sharpe ratios of cells, resampled by blocks of days that all cells share."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from jaxtyping import Float64

from market.arrays import DateArray
from market.bootstrap import MEAN_BLOCK, RESAMPLES, resample_weights
from trading.judgement.trades import Trades

#: A block holds as many lives of a usual trade: what overlaps is not independent.
LIVES: Final = 2
#: Days of a grid at most; beyond, a place of the grid is several days.
PLACES: Final = 6_000


@dataclass(frozen=True)
class Resampled:
    """Figures of cells, and the same in every resample.

    Attributes
    ----------
    mean, sharpe
        Of the returns of a cell's trades, and over their deviation.
    means, sharpes
        By resample; NaN where none of a cell's trades was drawn.
    """

    mean: Float64[np.ndarray, " n_cells"]
    sharpe: Float64[np.ndarray, " n_cells"]
    means: Float64[np.ndarray, "n_resamples n_cells"]
    sharpes: Float64[np.ndarray, "n_resamples n_cells"]


@dataclass(frozen=True)
class Grid:
    """Days of entry, and how often each resample draws each of them."""

    days: DateArray
    weights: Float64[np.ndarray, "n_resamples n_days"]

    @classmethod
    def of(cls, trades: Trades, seed: int, resamples: int = RESAMPLES) -> Self:
        """Return the grid of trades, resampled by blocks that hold the lives of usual ones."""
        days = _days(trades)
        step = max(1, int((days[1] - days[0]).astype(int))) if len(days) > 1 else 1
        block = max(MEAN_BLOCK, LIVES * usual_life(trades) // step)
        block = min(block, max(len(days) // 2, 1))
        return cls(days, resample_weights(len(days), seed, resamples, int(block)))

    def resample(self, trades: Trades, labels: np.ndarray, names: list[str]) -> Resampled:
        """Return the means and Sharpe ratios of what trades are labelled as.

        Parameters
        ----------
        labels
            Of each trade.
        names
            That labels take, in the order of the result.
        """
        place = self.days.searchsorted(trades.entered, side="right") - 1
        at = {name: column for column, name in enumerate(names)}
        column = np.array([at[name] for name in labels.tolist()])
        returns = trades.returns
        sums = np.zeros((3, len(self.days), len(names)))
        for row, values in enumerate((np.ones(len(trades)), returns, returns**2)):
            np.add.at(sums[row], (place, column), values)
        drawn = np.stack([self.weights @ part for part in sums])
        return Resampled(*_figures(sums.sum(axis=1)), *_figures(drawn))


def _figures(sums: Float64[np.ndarray, "..."]) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and Sharpe ratio from counts, sums and sums of squares."""
    count, total, squares = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
        return mean, mean / deviation


def _days(trades: Trades) -> DateArray:
    """Return the grid of days: without weekends where nothing was entered on one."""
    first, last = trades.entered.min(), trades.entered.max()
    days = np.arange(first, last + 1, dtype="datetime64[D]")
    if np.is_busday(trades.entered).all():
        days = days[np.is_busday(days)]
    return days[:: -(-len(days) // PLACES)]


def usual_life(trades: Trades) -> int:
    """Return how many days a usual trade is held."""
    return int(np.median((trades.left - trades.entered).astype(int)))
