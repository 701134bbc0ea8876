"""Moving windows over the last n sessions, the session itself included.

A value depends on the n values of its window alone, to the last bit: windows are joined out of
shorter ones by doubling, never by a running sum. So no rounding residue is carried along, a
window of equal values has a deviation of exactly zero, one null spoils only the windows that
hold it, and the value does not depend on the first date loaded (Decision 18).

Arrays have shape (n_sessions,), oldest first; the first n - 1 values are null.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from feature_repo.features.maths.joins import (
    first_moments,
    join_extremes,
    join_means,
    join_moments,
    join_third_moments,
    join_windows,
)
from market.arrays import BoolArray, BySession


def window_mean(x: BySession, n: int) -> BySession:
    """Mean of the last n values."""
    return join_windows(x, n, join_means)


def widen_mean(mean: BySession, width: int, times: int) -> BySession:
    """Mean of windows `times` as wide, out of means of windows of `width` sessions."""
    return join_windows(mean, times, join_means, width)


def window_max(x: BySession, n: int) -> BySession:
    """Largest of the last n values."""
    return join_extremes(x, n, np.maximum)


def window_min(x: BySession, n: int) -> BySession:
    """Smallest of the last n values."""
    return join_extremes(x, n, np.minimum)


def window_moments(x: BySession, n: int) -> Float64[np.ndarray, "2 n_sessions"]:
    """Mean, and sum of squared deviations from it, of the last n values; shape (2, n_sessions).

    Pairwise update of Chan, Golub and LeVeque (1979), which does not cancel.
    """
    first, width = first_moments(x, n, 2)
    return join_windows(first, n // width, join_moments, width)


def widen_moments(
    moments: Float64[np.ndarray, "2 n_sessions"], width: int, times: int
) -> Float64[np.ndarray, "2 n_sessions"]:
    """Moments of windows `times` as wide, out of moments of windows of `width` sessions."""
    return join_windows(moments, times, join_moments, width)


def deviation(moments: Float64[np.ndarray, "2 n_sessions"], n: int, ddof: int = 1) -> BySession:
    """Deviation (standard) of windows of n values, out of their moments."""
    return np.asarray(np.sqrt(moments[1] / (n - ddof)))


def window_mean_abs_deviation(x: BySession, n: int) -> BySession:
    """Mean absolute deviation from the mean of the last n values."""
    mean = window_mean(x, n)[n - 1 :]
    total, deviations = np.zeros(mean.size), np.empty(mean.size)
    # Age by age: three arrays that stay in the cache, where a block of ages does not.
    for age in range(n):
        np.subtract(x[age : age + mean.size], mean, out=deviations)
        np.abs(deviations, out=deviations)
        total += deviations
    return _aligned(total / n, x.size)


def window_skew(x: BySession, n: int) -> BySession:
    """Skewness of the last n values, adjusted Fisher-Pearson (G1); null if all are equal.

    Joanes and Gill (1998); third moments joined as by Terriberry (2007).
    """
    first, width = first_moments(x, n, 3)
    _, squares, cubes = join_windows(first, n // width, join_third_moments, width)
    # Equal values: 0 / 0, which is null.
    adjustment = n * np.sqrt(n - 1.0) / (n - 2.0)
    return np.asarray(adjustment * cubes / (squares * np.sqrt(squares)))


def window_count_below(x: BySession, n: int) -> BySession:
    """How many of the last n values lie below the newest; null if one of them is null."""
    counts = np.zeros(max(x.size - n + 1, 0), dtype=np.min_scalar_type(n))
    for values in _by_age(x, n, 32):
        below: BoolArray = values < x[n - 1 :]
        counts += below.view(np.uint8).sum(axis=0, dtype=counts.dtype)
    nulls = np.cumsum(np.isnan(x))
    out = _aligned(counts, x.size)
    out[n:][nulls[n:] > nulls[: max(x.size - n, 0)]] = np.nan
    out[:n][nulls[:n] > 0] = np.nan
    return out


def _by_age(
    x: BySession, n: int, at_once: int
) -> Iterator[Float64[np.ndarray, "n_ages n_windows"]]:
    """Values of all windows, oldest of each first; read-only, of shape (at_once, windows)."""
    if x.size >= n:
        windows = sliding_window_view(x, n).T
        for age in range(0, n, at_once):
            yield windows[age : age + at_once]


def _aligned(result: NDArray[np.number], size: int) -> BySession:
    """Put null before the results of complete windows."""
    out = np.full(size, np.nan)
    out[size - result.size :] = result
    return out
