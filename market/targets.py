"""What is to be forecast: the move over five sessions, and the class of the IV rank after them.

Decision 7 (direction) and Decision 3 (IV). Decision 3 keeps two objects apart: *bands* describe
today's iv_rank in words, *forecast classes* are what is predicted for five sessions ahead and what
drives the strategy matrix. Both are half-open intervals of the rank, [cut, next cut).
"""

from bisect import bisect_right
from math import isnan
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from market.calendar import session_shift
from market.errors import InputError

Direction = Literal["DOWN", "UP"]
Label = Literal["DOWN", "UP", "FLAT"]
Band = Literal["LOW", "NORMAL", "ELEVATED", "HIGH"]
IvRegime = Literal["LOW", "NORMAL", "HIGH"]
IvDirection = Literal["EXPANDING", "CONTRACTING", "STABLE"]

HORIZON: Final = 5  # sessions ahead, Decision 7
MOVE: Final = 0.01  # Decision 7: UP above +1 %, DOWN below -1 %
RETURN_DECIMALS: Final = 12  # 101 / 100 - 1 is 0.01 plus rounding, and so no move above 1 %

DOWN: Final = "DOWN"
UP: Final = "UP"
FLAT: Final = "FLAT"
# The classes of the two forecasts in the order of their codes 0, 1, 2. From low to high: the order
# of the regimes is what EXPANDING and CONTRACTING mean.
DIRECTIONS: Final[tuple[Direction, ...]] = (DOWN, UP)
REGIMES: Final[tuple[IvRegime, ...]] = ("LOW", "NORMAL", "HIGH")
UNKNOWN: Final = -1  # the code of a class that is not known
# Decision 3: the lowest rank of every class, and of every band, but the lowest.
REGIME_CUTS: Final = (30.0, 60.0)
BANDS: Final[tuple[Band, ...]] = ("LOW", "NORMAL", "ELEVATED", "HIGH")
BAND_CUTS: Final = (25.0, 50.0, 75.0)


def holding_return(
    first: Float64[np.ndarray, " n_sessions"], last: Float64[np.ndarray, " n_sessions"]
) -> Float64[np.ndarray, " n_sessions"]:
    """Return of holding from one adjusted close to another, a fraction; null where one is.

    Parameters
    ----------
    first, last
        Adjusted closes in USD, of the same shape.
    """
    return np.asarray(np.round(last / first - 1.0, RETURN_DECIMALS), dtype=np.float64)


def session_return(closes: pd.Series, sessions: int) -> pd.Series:
    """Return of holding over some sessions, a fraction, by its first session.

    The other end is found by the XNYS calendar, not by row: across a missing session the
    return is null, never a return over another span. A negative count looks back, and the
    return is then keyed by its last session.

    Parameters
    ----------
    closes
        Adjusted closes in USD by session; shape (n_sessions,).
    """
    here = pd.DatetimeIndex(closes.index)
    there = closes.reindex(session_shift(here, sessions)).to_numpy(np.float64)
    now = closes.to_numpy(np.float64)
    first, last = (now, there) if sessions > 0 else (there, now)
    return pd.Series(holding_return(first, last), index=here)


def move_label(forward_return: float) -> Label:
    """Direction of a return over `HORIZON` sessions, a fraction (Decision 7).

    Raises
    ------
    InputError
        If the return is not known: FLAT would be a statement about it.
    """
    if isnan(forward_return):
        raise InputError(
            "forward return: got nan, allowed is a fraction; a session whose end is not known has "
            "no label"
        )
    if forward_return > MOVE:
        return UP
    return DOWN if forward_return < -MOVE else FLAT


def band(iv_rank: float) -> Band:
    """Band of today's IV rank (index, 0 to 100).

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    return BANDS[bisect_right(BAND_CUTS, _checked(iv_rank))]


def forecast_class(iv_rank: float) -> IvRegime:
    """Forecast class that an IV rank (index, 0 to 100) falls in.

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    return REGIMES[bisect_right(REGIME_CUTS, _checked(iv_rank))]


def regime_codes(iv_rank: Float64[np.ndarray, " n_rows"]) -> Int64[np.ndarray, " n_rows"]:
    """Code of the forecast class of IV ranks: 0 LOW, 1 NORMAL, 2 HIGH, -1 where null."""
    codes = np.searchsorted(REGIME_CUTS, iv_rank, side="right").astype(np.int64)
    return np.where(np.isfinite(iv_rank), codes, UNKNOWN)


def expected_iv_direction(predicted: IvRegime, iv_rank: float) -> IvDirection:
    """Where implied volatility is expected to go, from today's rank to a predicted class.

    Raises
    ------
    InputError
        If the class is unknown or the rank is not a number from 0 to 100.
    """
    if predicted not in REGIMES:
        raise InputError(
            f"unknown IV class: got {predicted!r:.40}, allowed are {', '.join(REGIMES)}"
        )
    step = REGIMES.index(predicted) - REGIMES.index(forecast_class(iv_rank))
    if step == 0:
        return "STABLE"
    return "EXPANDING" if step > 0 else "CONTRACTING"


def _checked(iv_rank: float) -> float:
    if not 0.0 <= iv_rank <= 100.0:
        raise InputError(f"iv_rank: got {iv_rank!r:.40}, allowed is a number from 0 to 100")
    return iv_rank
