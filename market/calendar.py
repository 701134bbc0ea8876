"""The sessions of the exchange, their times, and when a signal of one may be given.

Sessions are XNYS trading days (half days included). Times leave this module in UTC.
"""

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from jaxtyping import Shaped

from market.arrays import IntArray
from market.errors import InputError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

NEW_YORK: Final = "America/New_York"
FIRST_SESSION: Final = "1990-01-02"

DECISION_DELAY: Final = pd.Timedelta(minutes=30)
INDEX_DELAY: Final = pd.Timedelta(minutes=15)
SETTLE_TIME: Final = pd.Timedelta(hours=2)


@cache
def calendar() -> "ExchangeCalendar":
    """Return the XNYS calendar, from 1990 to a year ahead."""
    import exchange_calendars

    return exchange_calendars.get_calendar("XNYS", start=FIRST_SESSION)


def sessions(start: str | pd.Timestamp, end: str | pd.Timestamp) -> pd.DatetimeIndex:
    """Return the sessions of [start, end], both included, as midnight without a zone."""
    days: pd.DatetimeIndex = calendar().sessions
    first = days.searchsorted(pd.Timestamp(start).normalize())
    return days[first : days.searchsorted(pd.Timestamp(end).normalize(), side="right")]


@cache
def _days() -> Shaped[np.ndarray, " n_sessions"]:
    """Return every session as nanoseconds; shape (n_sessions,)."""
    return np.asarray(calendar().sessions.to_numpy("datetime64[ns]"))


@cache
def _closes() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(calendar().closes.to_numpy(), tz="UTC").as_unit("ns")


@cache
def _opens() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(calendar().opens.to_numpy(), tz="UTC").as_unit("ns")


def close(session_dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the closing times of sessions in UTC.

    Parameters
    ----------
    session_dates
        Midnights without a zone, in any order; shape (n_sessions,).

    Raises
    ------
    InputError
        If a date is not an XNYS session.
    """
    return _closes()[_places(session_dates)]


def opening(session_dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the opening times of sessions in UTC; parameters and errors as those of `close`."""
    return _opens()[_places(session_dates)]


def _places(session_dates: pd.DatetimeIndex) -> IntArray:
    """Return the places of sessions in the calendar."""
    dates = pd.DatetimeIndex(session_dates)
    if dates.tz is not None:
        raise InputError(
            f"session dates: got the zone {dates.tz}, allowed are dates without a zone"
        )
    days, known = dates.to_numpy("datetime64[ns]"), _days()
    at = np.minimum(known.searchsorted(days), len(known) - 1)
    wrong = known[at] != days
    if wrong.any():
        raise InputError(
            f"not an XNYS session: got {dates[wrong][0].date()}, "
            f"allowed are trading days from {str(known[0])[:10]} to {str(known[-1])[:10]}"
        )
    return at


def decision_time(session_dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return close + 30 minutes in UTC: the entity timestamp of every historical read."""
    return close(session_dates) + DECISION_DELAY


@cache
def _decision_times() -> pd.DatetimeIndex:
    return _closes() + DECISION_DELAY


def read_time(session_dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return decision time + 2 hours in UTC: when a training read of a session stands.

    A signal of a session is given at any time between the two, from what had landed by then. A
    read at the earlier one would miss every row of a home that lands its data minutes later.
    """
    return decision_time(session_dates) + SETTLE_TIME


def last_complete_session(as_of: pd.Timestamp) -> pd.Timestamp:
    """Return the last session whose decision time is not after `as_of`, without a zone.

    Raises
    ------
    InputError
        If `as_of` has no zone, or lies outside the calendar.
    """
    if as_of.tzinfo is None:
        raise InputError(f"as_of: got {as_of} without a zone, allowed is a time with one")
    decisions = _decision_times()
    known = calendar().sessions
    # The day after the last session may be one that this calendar does not know.
    ends = (known[-1] + pd.Timedelta(days=1)).tz_localize(NEW_YORK)
    if not decisions[0] <= as_of < ends:
        raise InputError(
            f"no complete session known at {as_of}: "
            f"allowed are times from the close of {known[0].date()} to {known[-1].date()}"
        )
    found: pd.Timestamp = known[decisions.searchsorted(as_of, side="right") - 1]
    return found


def session_shift(session_dates: pd.DatetimeIndex, count: int) -> pd.DatetimeIndex:
    """Return the session `count` sessions later (earlier if negative), as midnight without a zone.

    NaT past the ends of the calendar, and for a day that is no session.
    """
    known = calendar().sessions.as_unit("ns")
    at = known.get_indexer(pd.DatetimeIndex(session_dates).as_unit("ns"))
    moved = at + count
    inside = (at >= 0) & (moved >= 0) & (moved < len(known))
    values = known.to_numpy()[np.clip(moved, 0, len(known) - 1)]
    return pd.DatetimeIndex(np.where(inside, values, np.datetime64("NaT", "ns")))
