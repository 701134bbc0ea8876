"""Which expiry a position takes, and the sessions that it lives through (Decision 16)."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pandas as pd

from market.calendar import close, sessions
from market.errors import InputError
from market.options.expiries import expiry_time, weekly_expirations, years_left
from trading.strategies.plans import EXPIRY_TARGET_DAYS, EXPIRY_WINDOW_DAYS
from trading.structures.board import Board
from trading.structures.price import Life

#: The board of an expiry, and a position's life to it.
Offer = tuple[Board, Life]


def nearest_first(session: pd.Timestamp, listed: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return expiries of 14 to 28 days, the nearest to the target of 21 first; the earlier of two.

    Parameters
    ----------
    session
        Midnight without a zone.
    listed
        Expiries there are, in any order.

    Raises
    ------
    InputError
        If none lies in the window.
    """
    days = (listed - session).to_numpy() // np.timedelta64(1, "D")
    first, last = EXPIRY_WINDOW_DAYS
    inside = (days >= first) & (days <= last)
    if not inside.any():
        raise _none_lies(session, len(listed))
    listed, days = listed[inside], days[inside]
    return listed[np.lexsort((days, np.abs(days - EXPIRY_TARGET_DAYS)))]


def _none_lies(session: pd.Timestamp, listed: int) -> InputError:
    first, last = EXPIRY_WINDOW_DAYS
    return InputError(
        f"expiries: none lies {first} to {last} days after {session.date()}, {listed} are listed"
    )


def choose_expiry(session: pd.Timestamp, listed: pd.DatetimeIndex) -> pd.Timestamp:
    """Return the first of `nearest_first`."""
    return nearest_first(session, listed)[0]


def boards_of(
    expiries: pd.DatetimeIndex, make: Callable[[pd.Timestamp], Offer]
) -> Iterator[Offer | InputError]:
    """Yield what is made of expiries, in their order, or why nothing is made of one."""
    for expiration in expiries:
        try:
            found = make(expiration)
        except InputError as error:
            yield error
        else:
            yield found


def first_of(offers: Iterable[Offer | InputError]) -> Offer:
    """Return the first that was made.

    Raises
    ------
    InputError
        Why nothing was made of the first, if of none.
    """
    refused: list[InputError] = []
    for offer in offers:
        if not isinstance(offer, InputError):
            return offer
        refused.append(offer)
    raise refused[0]


def usual_expiry(session: pd.Timestamp) -> pd.Timestamp:
    """Return the expiry that is taken where no chain says which are listed."""
    return usual_expiries(pd.DatetimeIndex([session]))[0]


def usual_expiries(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the same of many sessions: `choose_expiry` of what is listed, all at once.

    Raises
    ------
    InputError
        If none lies in the window of a session: the calendar does not reach it.
    """
    listed = weekly_expirations(days, EXPIRY_WINDOW_DAYS[1] // 7 + 1)
    away = (listed - days.to_numpy("datetime64[D]")[:, None]).astype(np.float64)
    away[np.isnat(listed)] = np.nan
    first, last = EXPIRY_WINDOW_DAYS
    with np.errstate(invalid="ignore"):
        inside = (away >= first) & (away <= last)
    # Days are whole: of two that are equally near the earlier is so by half a day.
    apart = np.where(inside, np.abs(away - EXPIRY_TARGET_DAYS + 0.25), np.inf)
    if len(lacking := np.flatnonzero(~inside.any(axis=1))):
        raise _none_lies(days[lacking[0]], int((~np.isnat(listed[lacking[0]])).sum()))
    found = listed[np.arange(len(days)), apart.argmin(axis=1)]
    return pd.DatetimeIndex(found.astype("datetime64[ns]"))


def life_of(session: pd.Timestamp, root: str, expiration: pd.Timestamp) -> tuple[Life, float]:
    """Return a position's sessions, and its years from the close of the first, for a root.

    Raises
    ------
    InputError
        If it has expired, or its root does not expire on that day.
    """
    ends = expiry_time(root, pd.DatetimeIndex([expiration]))
    days = sessions(session, expiration)
    left = years_left(close(days), ends)
    alive = left >= 0.0
    if len(days) < 2 or days[0] != session or alive.sum() < 2:
        raise InputError(f"{root} {expiration.date()}: has no session left after {session.date()}")
    days, left = days[alive], left[alive]
    return Life(session, days[1:], left[1:]), float(left[0])
