"""What is to be forecast of a price: its move over five sessions, and the label of a move.

Decision 7. What is to be forecast of implied volatility stands in `market.iv_rank`.
"""

from math import isnan
from typing import Final, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float64

from market.calendar import session_shift
from market.errors import InputError

Direction = Literal["DOWN", "UP"]
Label = Literal["DOWN", "UP", "FLAT"]

HORIZON: Final = 5  # sessions ahead, Decision 7
MOVE: Final = 0.01  # Decision 7: UP above +1 %, DOWN below -1 %
RETURN_DECIMALS: Final = 12  # 101 / 100 - 1 is 0.01 plus rounding, and so no move above 1 %

DOWN: Final = "DOWN"
UP: Final = "UP"
FLAT: Final = "FLAT"
# In the order of their codes, 0 and 1.
DIRECTIONS: Final[tuple[Direction, ...]] = (DOWN, UP)
UNKNOWN: Final = -1  # the code of a class that is not known


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
