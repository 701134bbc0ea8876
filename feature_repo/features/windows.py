"""Moving windows over the last n sessions, the session itself included.

A value depends on the n values of its window alone, to the last bit: windows are joined out of
shorter ones by doubling, never by a running sum. So no rounding residue is carried along, a
window of equal values has a deviation of exactly zero, one null spoils only the windows that
hold it, and the value does not depend on the first date loaded (Decision 18).

Arrays have shape (n_sessions,), oldest first; the first n - 1 values are null.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from feature_repo.features.declare import Array

Join = Callable[[Array, Array, int, int, Array | None], Array]


def window_mean(x: Array, n: int) -> Array:
    """Mean of the last n values."""
    return _join_windows(x, n, _join_means)


def widen_mean(mean: Array, width: int, times: int) -> Array:
    """Mean of windows `times` as wide, out of means of windows of `width` sessions."""
    return _join_windows(mean, times, _join_means, width)


def window_max(x: Array, n: int) -> Array:
    """Largest of the last n values."""
    return _join_extremes(x, n, np.maximum)


def window_min(x: Array, n: int) -> Array:
    """Smallest of the last n values."""
    return _join_extremes(x, n, np.minimum)


def window_moments(x: Array, n: int) -> Array:
    """Mean, and sum of squared deviations from it, of the last n values; shape (2, n_sessions).

    Pairwise update of Chan, Golub and LeVeque (1979), which does not cancel.
    """
    first, width = _first_moments(x, n, 2)
    return _join_windows(first, n // width, _join_moments, width)


def widen_moments(moments: Array, width: int, times: int) -> Array:
    """Moments of windows `times` as wide, out of moments of windows of `width` sessions."""
    return _join_windows(moments, times, _join_moments, width)


def deviation(moments: Array, n: int, ddof: int = 1) -> Array:
    """Deviation (standard) of windows of n values, out of their moments."""
    return np.asarray(np.sqrt(moments[1] / (n - ddof)))


def window_mean_abs_deviation(x: Array, n: int) -> Array:
    """Mean absolute deviation from the mean of the last n values."""
    mean = window_mean(x, n)
    total = np.zeros(max(x.size - n + 1, 0))
    for values in _by_age(x, n, 5):
        deviations = values - mean[n - 1 :]
        total += np.abs(deviations, out=deviations).sum(axis=0)
    return _aligned(total / n, x.size)


def window_skew(x: Array, n: int) -> Array:
    """Skewness of the last n values, adjusted Fisher-Pearson (G1); null if all are equal.

    Joanes and Gill (1998); third moments joined as by Terriberry (2007).
    """
    first, width = _first_moments(x, n, 3)
    _, squares, cubes = _join_windows(first, n // width, _join_third_moments, width)
    # Equal values: 0 / 0, which is null.
    adjustment = n * np.sqrt(n - 1.0) / (n - 2.0)
    return np.asarray(adjustment * cubes / (squares * np.sqrt(squares)))


def window_count_below(x: Array, n: int) -> Array:
    """How many of the last n values lie below the newest; null if one of them is null."""
    counts = np.zeros(max(x.size - n + 1, 0), dtype=np.min_scalar_type(n))
    for values in _by_age(x, n, 32):
        below: NDArray[np.bool_] = values < x[n - 1 :]
        counts += below.view(np.uint8).sum(axis=0, dtype=counts.dtype)
    nulls = np.cumsum(np.isnan(x))
    out = _aligned(counts, x.size)
    out[n:][nulls[n:] > nulls[: max(x.size - n, 0)]] = np.nan
    out[:n][nulls[:n] > 0] = np.nan
    return out


def _first_moments(x: Array, n: int, orders: int) -> tuple[Array, int]:
    """Mean, squares and cubes about it to start joining from, and the sessions they cover.

    Of single values, or of pairs if n is even: these are as cheap and save a step.
    """
    first = np.zeros((orders, x.size))
    if n % 2:
        first[0] = x
        return first, 1
    first[:2, :1] = np.nan
    np.add(x[1:], x[:-1], out=first[0, 1:])
    first[0] *= 0.5
    np.subtract(x[1:], x[:-1], out=first[1, 1:])
    first[1] *= first[1]
    first[1] *= 0.5
    return first, 2


def _by_age(x: Array, n: int, at_once: int) -> Iterator[Array]:
    """Values of all windows, oldest of each first; read-only, of shape (at_once, windows)."""
    if x.size >= n:
        windows = sliding_window_view(x, n).T
        for age in range(0, n, at_once):
            yield windows[age : age + at_once]


def _aligned(result: NDArray[np.number], size: int) -> Array:
    """Put null before the results of complete windows."""
    out = np.full(size, np.nan)
    out[size - result.size :] = result
    return out


def _join_windows(x: Array, n: int, join: Join, width: int = 1) -> Array:
    """Join n neighbouring windows of `width` sessions into one, in about 2 log2(n) steps.

    `join(older, newer, n_older, n_newer, out)` works on the last axis; the lengths it is told
    are in sessions.
    """
    if n == 1:
        return x.copy()
    length = n * width
    out = np.empty(x.shape)
    out[..., : length - width] = np.nan
    complete = out[..., length - width :]
    if not complete.shape[-1]:
        return out
    block, size, result, done = x, width, x, 0
    while done < length:
        if length // size % 2:
            target = complete if done + size == length else None
            result = _neighbours(result, block, done, size, join, target) if done else block
            done += size
        if done < length:
            target = complete if 2 * size == length else None
            block = _neighbours(block, block, size, size, join, target)
            size *= 2
    return out


def _join_extremes(x: Array, n: int, larger: np.ufunc) -> Array:
    """Largest or smallest of n values, of two windows that cover them and may overlap."""
    out = np.full(x.size, np.nan)
    if x.size < n:
        return out
    block, doubled = x, 1
    while 2 * doubled <= n:
        block = larger(block[:-doubled], block[doubled:])
        doubled *= 2
    newest = block[n - doubled :]
    larger(block[: newest.size], newest, out=out[n - 1 :])
    return out


def _neighbours(
    older: Array, newer: Array, n_older: int, n_newer: int, join: Join, out: Array | None
) -> Array:
    """Join each older window, of n_older sessions, with the newer one that starts at its end."""
    later = newer[..., n_older:]
    return join(older[..., : later.shape[-1]], later, n_older, n_newer, out)


def _join_means(older: Array, newer: Array, n_older: int, n_newer: int, out: Array | None) -> Array:
    if n_older == n_newer:
        out = np.add(older, newer, out=out)
        out *= 0.5
    else:
        out = np.subtract(newer, older, out=out)
        out *= n_newer / (n_older + n_newer)
        out += older
    return out


def _join_moments(
    older: Array, newer: Array, n_older: int, n_newer: int, out: Array | None
) -> Array:
    out = np.empty(older.shape) if out is None else out
    _join_means(older[0], newer[0], n_older, n_newer, out[0])
    np.add(older[1], newer[1], out=out[1])
    gap = newer[0] - older[0]
    gap *= gap
    gap *= n_older * n_newer / (n_older + n_newer)
    out[1] += gap
    return out


def _join_third_moments(
    older: Array, newer: Array, n_older: int, n_newer: int, out: Array | None
) -> Array:
    n = n_older + n_newer
    out = np.empty(older.shape) if out is None else out
    _join_moments(older[:2], newer[:2], n_older, n_newer, out[:2])
    gap, cubes = newer[0] - older[0], out[2]
    if n_older == n_newer:
        np.subtract(newer[1], older[1], out=cubes)
        cubes *= 1.5
    else:
        np.multiply(newer[1], 3.0 * n_older / n, out=cubes)
        cubes -= older[1] * (3.0 * n_newer / n)
        cubes += gap * gap * (n_older * n_newer * (n_older - n_newer) / n**2)
    cubes *= gap
    cubes += older[2]
    cubes += newer[2]
    return out
