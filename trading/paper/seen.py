"""What of a history the walks of positions see: what is unknown, known by then, or told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from market.calendar import sessions
from market.options.chain import ExpiryQuotes
from trading.backtest.history import History

#: A dividend of so many usual ones is a special one: contracts are adjusted for it, and not here.
SPECIAL: Final = 3.0
#: What an unknown session is filled with; the rest of it is not a number.
_UNKNOWN: Final = {"dividend": 0.0, "split": 1.0}


def padded(history: History, last: pd.Timestamp) -> History:
    """Return a history of every session from its first one to the last, unknown ones empty."""
    days = sessions(history.days[0], max(last, history.days[-1]))
    at = history.days.get_indexer(days)
    columns: dict[str, Any] = {"days": days}
    for name, values in vars(history).items():
        if isinstance(values, np.ndarray):
            columns[name] = np.where(at >= 0, values[at], _UNKNOWN.get(name, np.nan))
    return replace(history, **columns)


def until(history: History, session: str) -> History:
    """Return a history as it was known after a session."""
    kept = history.days <= pd.Timestamp(session)
    columns: dict[str, Any] = {
        name: values[kept]
        for name, values in vars(history).items()
        if isinstance(values, np.ndarray | pd.DatetimeIndex)
    }
    last = pd.Timestamp(session)
    quotes = {day: of for day, of in history.quotes.items() if day <= last}
    return replace(history, **columns, quotes=quotes)


def seen_from(history: History, entered: str, session: str, last: str) -> History:
    """Return a history in which no close of a position before a session ends it.

    What a later landing says of a close that a book has passed is no price that it can be left at.
    What it expires at is: that is settled, whenever it is known.

    Parameters
    ----------
    entered
        The session of its signal.
    last
        When it expires.
    """
    days, day = history.days, pd.Timestamp(session)
    hidden = (days > pd.Timestamp(entered)) & (days < min(day, pd.Timestamp(last)))
    return replace(
        history,
        closed=np.where(hidden, np.nan, history.closed),
        index=np.where(hidden, np.nan, history.index),
        quotes={one: quotes for one, quotes in history.quotes.items() if one >= day},
    )


def quotes_by_place(history: History) -> dict[int, Mapping[pd.Timestamp, ExpiryQuotes]]:
    """Return the quotes of a history by the places of their sessions in it."""
    at = history.days.get_indexer(pd.DatetimeIndex([*history.quotes]))
    return {
        int(place): quotes
        for place, quotes in zip(at, history.quotes.values(), strict=True)
        if place >= 0
    }


def notes_of(history: History, places: Sequence[int] | np.ndarray) -> list[str]:
    """Return what befell shares at sessions that contracts are adjusted for: splits, specials."""
    at = np.asarray(places, dtype=np.int64)
    if not ((history.split[at] != 1.0) | (history.dividend[at] > 0.0)).any():
        return []  # of most lives, and there may be many
    usual = history.listing.dividend_share * history.closed[np.maximum(at - 1, 0)]
    split, paid = history.split[at], history.dividend[at]
    special = (paid > SPECIAL * usual) & (usual > 0.0)
    found = []
    for row in map(int, np.flatnonzero((split != 1.0) | special)):
        day = history.days[at[row]].date()
        if split[row] != 1.0:
            found.append(
                f"{day}: split of {split[row]:g} for 1, strikes are kept in shares of before"
            )
        if special[row]:
            found.append(
                f"{day}: a dividend of {paid[row]:.2f} USD is {paid[row] / usual[row]:.0f} times "
                "the usual one; strikes would be adjusted for it, and are not here"
            )
    return found
