"""What is to be forecast, five sessions ahead: labels, and when each becomes known.

Pure: frames in, frames out. Decision 7 (direction) and Decision 3 (regime).
"""

from typing import Final

import numpy as np
import pandas as pd

from market.adjust import adjust
from market.arrays import FloatArray, IntArray
from market.calendar import session_shift
from market.errors import InputError

HORIZON: Final = 5  # sessions ahead, Decision 7
MOVE: Final = 0.01  # Decision 7: UP above +1 %, DOWN below -1 %
RETURN_DECIMALS: Final = 12  # 101 / 100 - 1 is 0.01 plus rounding, and so no move above 1 %

DOWN: Final = "DOWN"
UP: Final = "UP"
FLAT: Final = "FLAT"
DIRECTIONS: Final = (DOWN, UP)  # classes in the order of their codes 0, 1
REGIMES: Final = ("LOW", "NORMAL", "HIGH")  # Decision 3, forecast classes, codes 0, 1, 2
REGIME_CUTS: Final = (30.0, 60.0)  # half-open: LOW < 30 <= NORMAL < 60 <= HIGH
UNKNOWN: Final = -1  # the code of a class that is not known

RAW_PRICES: Final = ("open", "high", "low", "close", "volume", "dividend", "split")


def adjusted_close(prices: pd.DataFrame) -> pd.Series:
    """Return the adjusted close of one ticker in USD, accumulated forward, by session.

    Parameters
    ----------
    prices
        Current raw rows of one ticker, all from one snapshot: `session` and the columns of
        `RAW_PRICES`; any order of rows.

    Raises
    ------
    InputError
        If a column is missing or a session appears twice.
    """
    missing = [name for name in ("session", *RAW_PRICES) if name not in prices]
    if missing:
        raise InputError(
            f"prices lack columns: got {', '.join(map(str, prices.columns))}, "
            f"needed {', '.join(missing)}; pass the current raw price rows of one ticker"
        )
    rows = prices.sort_values("session")
    index = pd.DatetimeIndex(rows["session"])
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise InputError(
            f"prices hold session {twice.date()} twice, allowed is one row a session; "
            "pass one ticker, and the current rows only"
        )
    adjusted = adjust(**{name: rows[name].to_numpy(np.float64) for name in RAW_PRICES})
    return pd.Series(adjusted["close"], index=index, name="adjusted_close")


def session_return(closes: pd.Series, sessions: int) -> pd.Series:
    """Return the simple return over some sessions (a fraction), by its first session.

    The other end is found by the XNYS calendar, not by row: across a missing session the
    return is null, never a return over another span. A negative count looks back, and the
    return is then keyed by its last session.
    """
    here = pd.DatetimeIndex(closes.index)
    there = closes.reindex(session_shift(here, sessions)).to_numpy(np.float64)
    now = closes.to_numpy(np.float64)
    ahead, behind = (there, now) if sessions > 0 else (now, there)
    return pd.Series(np.round(ahead / behind - 1.0, RETURN_DECIMALS), index=here)


def direction_labels(closes: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Return the direction of the adjusted close over the next sessions (Decision 7).

    Parameters
    ----------
    closes
        Adjusted closes in USD by session, sorted; shape (n_sessions,).
    horizon
        Sessions ahead.

    Returns
    -------
    DataFrame
        By session: `forward_return` (fraction, null where unknown), `label` (UP above 1 %,
        DOWN below -1 %, FLAT between, None where unknown) and `label_end`, the session at
        whose close the label is known.
    """
    forward = session_return(closes, horizon)
    labels = np.full(len(forward), FLAT, dtype=object)
    labels[forward > MOVE] = UP
    labels[forward < -MOVE] = DOWN
    labels[forward.isna()] = None
    return pd.DataFrame(
        {
            "forward_return": forward.to_numpy(np.float64),
            "label": labels,
            "label_end": session_shift(pd.DatetimeIndex(closes.index), horizon),
        },
        index=closes.index,
    )


def regime_class(iv_rank: FloatArray) -> IntArray:
    """Return the forecast class of an IV rank: 0 LOW, 1 NORMAL, 2 HIGH, -1 where null."""
    codes = np.searchsorted(REGIME_CUTS, iv_rank, side="right").astype(np.int64)
    return np.where(np.isfinite(iv_rank), codes, UNKNOWN)


def regime_labels(iv_rank: pd.Series, horizon: int = HORIZON) -> pd.DataFrame:
    """Return the IV regime of the session some sessions ahead (Decision 3).

    Parameters
    ----------
    iv_rank
        IV rank in [0, 100] by session, sorted; null where unknown; shape (n_sessions,).
    horizon
        Sessions ahead, by the XNYS calendar.

    Returns
    -------
    DataFrame
        By session: `label` (LOW, NORMAL, HIGH, None where unknown) and `label_end`.
    """
    ends = session_shift(pd.DatetimeIndex(iv_rank.index), horizon)
    codes = regime_class(iv_rank.reindex(ends).to_numpy(np.float64))
    names = np.array([*REGIMES, None], dtype=object)  # UNKNOWN, -1, is the last place
    return pd.DataFrame({"label": names[codes], "label_end": ends}, index=iv_rank.index)


def codes(labels: pd.Series, classes: tuple[str, ...]) -> IntArray:
    """Return the place of each label in `classes`, -1 for any other (FLAT, None)."""
    return np.asarray(pd.Index(classes).get_indexer(pd.Index(labels)), dtype=np.int64)
