"""Bounds that hold for all cells together, and Sharpe ratios deflated by the number of trials."""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr, ndtri

from market.bootstrap import LEVEL

EULER: Final = float(np.euler_gamma)


class Together(NamedTuple):
    """Intervals of cells that all hold at once at the level, and half their widths in errors."""

    low: Float64[np.ndarray, " n_cells"]
    high: Float64[np.ndarray, " n_cells"]
    errors: float


def family_wise(
    figure: Float64[np.ndarray, " n_cells"],
    resampled: Float64[np.ndarray, "n_resamples n_cells"],
    tried: int,
) -> Together:
    """Return intervals that hold for every cell at once at 95 %.

    The largest standardised distance of a resample, of all cells, is the one that 95 % of the
    resamples stay within (Romano and Wolf 2005, in one step). Distances count to both sides: of a
    skewed return one side alone holds too seldom.

    Parameters
    ----------
    figure
        Of cells that can be judged.
    tried
        How many were tried in all. More than there are widen the bound as if independent (Sidak).
    """
    error = np.nanstd(resampled, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        away = np.abs(resampled - figure) / error
    largest = np.nanmax(away, axis=1)
    shown = len(figure)
    level = LEVEL ** (shown / max(tried, shown))
    errors = float(np.quantile(largest, level))
    if tried > shown:  # so far out few resamples lie
        errors = max(errors, float(ndtri(0.5 + 0.5 * LEVEL ** (1.0 / tried))))
    return Together(figure - errors * error, figure + errors * error, errors)


def deflated(
    sharpe: Float64[np.ndarray, " n_cells"],
    resampled: Float64[np.ndarray, "n_resamples n_cells"],
    tried: int,
) -> Float64[np.ndarray, " n_cells"]:
    """Return how likely each Sharpe ratio lies above the best that as many trials show of nothing.

    Bailey and Lopez de Prado (2014), with the errors that blocks of days show in the place of
    those of independent returns.

    Parameters
    ----------
    sharpe
        A trade, of cells that can be judged.
    tried
        How many were tried in all.
    """
    error = np.nanstd(resampled, axis=0)
    return np.asarray(ndtr((sharpe - best_of_nothing(tried) * np.median(error)) / error))


def best_of_nothing(tried: int) -> float:
    """Return the expected largest of as many independent standard normal draws; 0 of one."""
    if tried < 2:
        return 0.0
    near, far = ndtri(1.0 - 1.0 / tried), ndtri(1.0 - 1.0 / (tried * np.e))
    return float((1.0 - EULER) * near + EULER * far)
