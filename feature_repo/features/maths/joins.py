"""Joining neighbouring windows into wider ones, by doubling.

The last axis runs over sessions. A result depends on the values of its window alone, in an order
that is always the same.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from market.arrays import BySession

Windows = Float64[np.ndarray, "... n_windows"]
Moments = Float64[np.ndarray, "2 n_windows"]
ThirdMoments = Float64[np.ndarray, "3 n_windows"]
# Older windows, newer windows, how many sessions each has, and where to put the result.
Join = Callable[[Windows, Windows, int, int, Windows | None], Windows]


def first_moments(
    x: BySession, n: int, orders: int
) -> tuple[Float64[np.ndarray, "{orders} n_sessions"], int]:
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


def join_windows(x: Windows, n: int, join: Join, width: int = 1) -> Windows:
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


def join_extremes(x: BySession, n: int, larger: np.ufunc) -> BySession:
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
    older: Float64[np.ndarray, "... n_older"],
    newer: Float64[np.ndarray, "... n_newer"],
    n_older: int,
    n_newer: int,
    join: Join,
    out: Windows | None,
) -> Windows:
    """Join each older window, of n_older sessions, with the newer one that starts at its end."""
    later = newer[..., n_older:]
    return join(older[..., : later.shape[-1]], later, n_older, n_newer, out)


def join_means(
    older: Windows, newer: Windows, n_older: int, n_newer: int, out: Windows | None
) -> Windows:
    """Mean of two neighbouring windows, out of their means; exact if they are equal."""
    if n_older == n_newer:
        out = np.add(older, newer, out=out)
        out *= 0.5
    else:
        out = np.subtract(newer, older, out=out)
        out *= n_newer / (n_older + n_newer)
        out += older
    return out


def join_moments(
    older: Moments, newer: Moments, n_older: int, n_newer: int, out: Moments | None
) -> Moments:
    """Mean and sum of squares about it of two neighbouring windows, out of theirs; shape (2, n).

    Chan, Golub and LeVeque (1979).
    """
    out = np.empty(older.shape) if out is None else out
    join_means(older[0], newer[0], n_older, n_newer, out[0])
    np.add(older[1], newer[1], out=out[1])
    gap = newer[0] - older[0]
    gap *= gap
    gap *= n_older * n_newer / (n_older + n_newer)
    out[1] += gap
    return out


def join_third_moments(
    older: ThirdMoments, newer: ThirdMoments, n_older: int, n_newer: int, out: ThirdMoments | None
) -> ThirdMoments:
    """Mean, squares and cubes about it of two neighbouring windows, out of theirs; shape (3, n).

    Terriberry (2007).
    """
    n = n_older + n_newer
    out = np.empty(older.shape) if out is None else out
    join_moments(older[:2], newer[:2], n_older, n_newer, out[:2])
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
