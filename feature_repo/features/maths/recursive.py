"""Recursive averages, with TA-Lib's seeding; their whole past counts, ever less.

Arrays have shape (n_sessions,), oldest first; null at the start only.
"""

from typing import Final

import numpy as np
import talib

from market.arrays import BySession

# From this session of loaded history on, a recursive indicator is known: what came before
# the history weighs (27/28)^372, a millionth, in the slowest of them (rsi_28).
SETTLED: Final = 400


def settled(x: BySession) -> BySession:
    """Values from session `SETTLED` of loaded history on; null before."""
    out = x.copy()
    out[: SETTLED - 1] = np.nan
    return out


def ema(x: BySession, span: int) -> BySession:
    """Exponential moving average, weight 2 / (span + 1), seeded with the mean of `span` values.

    It runs on the distance from the first value, so that it is exact on a series of equal values.
    """
    if not x.size:
        return x.copy()
    base = x[_first_known(x)]
    return np.asarray(talib.EMA(x - base, span) + base)


def wilder_mean(x: BySession, n: int) -> BySession:
    """Wilder's average of values >= 0, weight 1 / n, seeded with the mean of the first n values.

    Wilder (1978). TA-Lib has this recursion as its ATR alone: the true range of a session with
    high x, low 0 and previous close 0 is x.
    """
    start = _first_known(x) if x.size else 0
    if not x.size or np.isnan(x[start]):
        return x.copy()
    if not start:
        return wilder_mean(np.concatenate(([np.nan], x)), n)[1:]
    high, zero = x.copy(), np.zeros(x.size)
    # The true range starts with the second session.
    high[start - 1] = 0.0
    return np.asarray(talib.ATR(high, zero, zero, n))


def _first_known(x: BySession) -> int:
    """Place of the first value that is not null; 0 if all are."""
    return int(np.argmin(np.isnan(x)))
