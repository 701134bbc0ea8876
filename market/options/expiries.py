"""When listed options expire and settle: weekly ones on Fridays, monthly ones on third Fridays.

Monthly options on an index settle in the morning, at the opening prices of the day in their symbol,
and trade for the last time on the session before. All others settle at the close of that day.
"""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Shaped

from market.calendar import calendar, close, opening, session_shift, sessions
from market.errors import InputError

WEEKLY: Final = pd.Timedelta(days=57)
MONTHLY: Final = pd.Timedelta(days=185)
WEEK: Final = pd.Timedelta(days=7)
FRIDAY: Final = 4  # Monday is 0
DAYS_OF_YEAR: Final = 365.0
#: Calendar days to the expiries that the terms of a chain are read from.
TERM_WINDOW: Final = (7, 120)
YEAR: Final = pd.Timedelta(days=DAYS_OF_YEAR)
# Indices whose monthly options have a root of their own, and settle in the morning.
MORNING_ROOTS: Final = frozenset({"SPX", "NDX", "RUT"})


def is_monthly(fridays: pd.DatetimeIndex) -> Bool[np.ndarray, " n_fridays"]:
    """Whether a Friday is the third of its month, when monthly options expire."""
    days = fridays.to_numpy("datetime64[D]")
    before = (days - days.astype("datetime64[M]")).astype(np.int64)
    return np.asarray((before >= 14) & (before <= 20))


def expirations(session: pd.Timestamp) -> pd.DatetimeIndex:
    """Last trading days listed at a session: Fridays for eight weeks, then the monthly ones.

    On a holiday it is the session before. What the calendar does not reach is left out.

    Parameters
    ----------
    session
        Midnight without a zone.

    Returns
    -------
    DatetimeIndex
        After the session, ascending; shape (n_expiries,).
    """
    first = session + pd.Timedelta(days=(FRIDAY - session.dayofweek - 1) % 7 + 1)
    weeks = np.arange((MONTHLY - (first - session)) // WEEK + 1) * WEEK.to_timedelta64()
    fridays = pd.DatetimeIndex(first.to_datetime64() + weeks).as_unit("ns")
    listed = _known(fridays[is_monthly(fridays) | (fridays <= session + WEEKLY)])
    days = sessions(session, session + MONTHLY).to_numpy("datetime64[ns]")
    last = days[days.searchsorted(listed.to_numpy(), side="right") - 1]
    return pd.DatetimeIndex(np.unique(last[last > session.to_datetime64()]))


def weekly_expirations(
    days: pd.DatetimeIndex, weeks: int
) -> Shaped[np.ndarray, "n_sessions n_weeks"]:
    """Return the last trading days of the Fridays after sessions, ascending; see `expirations`.

    Parameters
    ----------
    days
        Sessions, midnights without a zone.
    weeks
        How many Fridays; all that lie within eight weeks are listed.

    Returns
    -------
    ndarray
        Times of numpy; one that the calendar does not reach is none, NaT.
    """
    after = (FRIDAY - days.dayofweek.to_numpy() - 1) % 7 + 1 + 7 * np.arange(weeks)[:, None]
    fridays = days.to_numpy("datetime64[D]") + after.astype("timedelta64[D]")
    every = calendar().sessions.to_numpy("datetime64[D]")
    last = every[every.searchsorted(fridays, side="right") - 1]
    last[fridays > every[-1]] = np.datetime64("NaT")
    return np.asarray(last.T)


def monthly_expirations(start: pd.Timestamp, end: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the days in the symbols of monthly options in [start, end]: third Fridays.

    On a holiday it is the session before. What the calendar does not reach is left out.

    Parameters
    ----------
    start, end
        Midnights without a zone.
    """
    fridays = pd.date_range(start, end + pd.Timedelta(days=7), freq="W-FRI")
    days = sessions(start - pd.Timedelta(days=7), end + pd.Timedelta(days=7))
    thirds = _known(fridays[is_monthly(fridays)])
    last = days[days.searchsorted(thirds, side="right") - 1]
    return last[(last >= start) & (last <= end)].as_unit("ns")


def _known(fridays: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the Fridays of which the calendar says whether they are sessions."""
    last: pd.Timestamp = calendar().sessions[-1]
    return fridays[fridays <= last]


def expiry_time(root: str, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the moments in UTC at which the contracts of a root settle.

    The opening in New York for monthly options on an index, else the close, which half days bring
    forward.

    Parameters
    ----------
    root
        As in the symbols: `SPX`, `SPXW`, `SPY`.
    days
        As in the symbols: midnights without a zone; shape (n_expiries,).

    Raises
    ------
    InputError
        If a day is no session, or none on which the root's contracts expire.
    """
    if root not in MORNING_ROOTS:
        return close(days)
    _check_monthly(root, days)
    return opening(days)


def last_trading_day(root: str, days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the sessions on which the contracts of a root trade for the last time.

    Parameters and errors as those of `expiry_time`.
    """
    expiry_time(root, days)
    return session_shift(days, -1 if root in MORNING_ROOTS else 0)


def years_left(quoted: pd.DatetimeIndex, expiry: pd.DatetimeIndex) -> Float64[np.ndarray, " n"]:
    """Return the time from quotes to expiry in years of 365 days; below 0 after it.

    Parameters
    ----------
    quoted, expiry
        Times with a zone; shape (n,), or one of them (1,).
    """
    for name, times in (("quoted", quoted), ("expiry", expiry)):
        if times.tz is None:
            raise InputError(f"{name}: got times without a zone, allowed are those with one")
    left = expiry.to_numpy(dtype="M8[ns]") - quoted.to_numpy(dtype="M8[ns]")  # UTC
    years: Float64[np.ndarray, " n"] = left / YEAR.to_numpy()
    return years


def _check_monthly(root: str, days: pd.DatetimeIndex) -> None:
    """Check that the days are those of monthly options."""
    if not len(days):
        return
    wrong = days[~days.isin(monthly_expirations(days.min(), days.max()))]
    if len(wrong):
        raise InputError(
            f"expiry of {root}: got {wrong[0].date()}, allowed are third Fridays, or the session "
            f"before one that is a holiday; other days have a root of their own, as SPXW"
        )
