"""When listed options expire: weekly ones on Fridays, monthly ones on third Fridays."""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool

from market.calendar import sessions

WEEKLY: Final = pd.Timedelta(days=57)
MONTHLY: Final = pd.Timedelta(days=185)


def is_monthly(fridays: pd.DatetimeIndex) -> Bool[np.ndarray, " n_fridays"]:
    """Whether a Friday is the third of its month, when monthly options expire."""
    return np.asarray((fridays.day >= 15) & (fridays.day <= 21))


def expirations(session: pd.Timestamp) -> pd.DatetimeIndex:
    """Last trading days listed at a session: Fridays for eight weeks, then the monthly ones.

    On a holiday it is the session before.

    Parameters
    ----------
    session
        Midnight without a zone.

    Returns
    -------
    DatetimeIndex
        After the session, ascending; shape (n_expiries,).
    """
    fridays = pd.date_range(session + pd.Timedelta(days=1), session + MONTHLY, freq="W-FRI")
    listed = fridays[is_monthly(fridays) | (fridays <= session + WEEKLY)]
    days = sessions(session, session + MONTHLY)
    last = days[days.searchsorted(listed, side="right") - 1]
    return last[last > session].unique().as_unit("ns")
