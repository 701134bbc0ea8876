"""Elementwise arithmetic under the null rules: unknown in, unknown out; never divided by zero.

NaN is null. Arrays run over sessions, oldest first, shape (n_sessions,).
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

from market.arrays import BySession, HoldsBySession

# Relative differences below this are rounding: real prices differ by a tick, 1e-7 and more.
ROUNDING: Final = 1e-9


def shift(x: BySession, n: int) -> BySession:
    """Value n sessions earlier; null in the first n sessions."""
    out = np.full_like(x, np.nan)
    if n < x.size:
        out[n:] = x[: x.size - n]
    return out


def ratio(
    numerator: Float64[np.ndarray, "*shape"], denominator: Float64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape"]:
    """Quotient of two arrays of one shape, whatever it is; null where the denominator is zero."""
    out = np.asarray(numerator / denominator)
    np.copyto(out, np.nan, where=denominator == 0)
    return out


def change(x: BySession, base: BySession) -> BySession:
    """Relative change x / base - 1; null where the base is zero."""
    out = ratio(x, base)
    out -= 1.0
    return out


def ratio_over(x: BySession, n: int) -> BySession:
    """Quotient of a value and that n sessions earlier; null in the first n sessions."""
    out = np.full(x.size, np.nan)
    out[n:] = ratio(x[n:], x[: max(x.size - n, 0)])
    return out


def change_over(x: BySession, n: int) -> BySession:
    """Relative change from the value n sessions earlier; null in the first n sessions."""
    out = ratio_over(x, n)
    out -= 1.0
    return out


def difference_over(x: BySession, n: int) -> BySession:
    """Difference from the value n sessions earlier; null in the first n sessions."""
    out = np.full(x.size, np.nan)
    np.subtract(x[n:], x[: max(x.size - n, 0)], out=out[n:])
    return out


def direction(relative_change: BySession) -> BySession:
    """Sign of a relative change, -1, 0 or 1; a change within rounding is none.

    Equal prices multiplied by an adjustment factor may differ in the last bit. Without the
    allowance a value would depend on the price level and on the first date loaded (Decision 18).
    """
    out = np.asarray(np.sign(relative_change))
    np.copyto(out, 0.0, where=np.abs(relative_change) <= ROUNDING)
    return out


def flag(condition: HoldsBySession, *inputs: BySession) -> BySession:
    """1 where a condition holds, else 0; null where any of the inputs it was made of is null."""
    out = condition.astype(np.float64)
    for values in inputs:
        np.copyto(out, np.nan, where=np.isnan(values))
    return out
