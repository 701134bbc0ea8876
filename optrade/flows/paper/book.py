"""The paper book of a home: read from the ledger, taken on, and written back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from home.records.paper import PaperEvent
from home.records.signal import Signal
from market.calendar import NEW_YORK, last_complete_session
from market.errors import InputError
from optrade.clock import utc_now
from optrade.flows.paper.histories import histories_of
from optrade.flows.paper.quotes import with_quotes
from trading.backtest.history import History
from trading.ledger.checked import DamagedRow, RecordedSignal
from trading.ledger.connection import is_new
from trading.ledger.read import each_signal, read_events
from trading.ledger.timing import fill_time
from trading.paper.advance import Advance, advance, begin, leave, resume, stop_all
from trading.paper.book import Book, book_of

if TYPE_CHECKING:
    from optrade.runtime import Runtime

NONE_YET = "no paper book yet: run `optrade paper` to begin one"


@dataclass(frozen=True)
class Taken:
    """A book that was taken on, what happened, and what is waited for or could not be read.

    Attributes
    ----------
    damaged
        Rows of the ledger among `told` that are not to be believed.
    """

    book: Book
    done: Advance
    told: tuple[str, ...]
    damaged: tuple[str, ...] = ()


def paper_book(run: "Runtime") -> Book | None:
    """Return the paper book of a home, None where none was begun."""
    if is_new(run.home.ledger):
        return None
    events = read_events(run.home.ledger)
    return book_of(events) if events else None


def begin_book(
    run: "Runtime", capital: float, cap: float, as_of: pd.Timestamp
) -> tuple[PaperEvent, ...]:
    """Begin a paper book, and return its first event."""
    started = begin(capital, cap, as_of)
    _keep(run, started)
    return started.events


def take_on(
    run: "Runtime",
    as_of: pd.Timestamp,
    rows: Sequence[RecordedSignal | DamagedRow] | None = None,
) -> Taken | None:
    """Take the paper book on to a clock; None where none was begun.

    Backfilled signals and shadows are no part of it, and a damaged row leaves the others. `rows`
    are those of `each_signal`, where they are read already.
    """
    book = paper_book(run)
    if book is None:
        return None
    rows = each_signal(run.home.ledger) if rows is None else rows
    damaged = tuple(str(row) for row in rows if isinstance(row, DamagedRow))
    signals = [
        row.signal
        for row in rows
        if not isinstance(row, DamagedRow)
        and not (row.backfilled or row.shadow)
        and fill_time(row.signal.session) > pd.Timestamp(book.as_of)
        and row.signal.key not in book.seen
    ]
    histories, unread = _histories(run, book, signals, as_of)
    done = advance(book, signals, histories, last_complete_session(as_of))
    _keep(run, done)
    due = (_due(signal) for signal in signals if fill_time(signal.session) > as_of)
    told = (*done.waits, *unread.values(), *damaged)
    return Taken(done.book, done, (*told, *due), damaged)


def _due(signal: Signal) -> str:
    day = fill_time(signal.session).tz_convert(NEW_YORK).date()
    return f"{signal.ticker}: the signal of {signal.session} is followed at the open of {day}"


def switch(run: "Runtime", as_of: pd.Timestamp, *, stop: bool) -> Taken:
    """Leave all positions and follow no signal; or follow them again."""
    book = _begun(run)
    unread: Mapping[str, str] = {}
    if stop:
        histories, unread = _histories(run, book, [], as_of)
        done = stop_all(book, histories)
    else:
        done = resume(book)
    _keep(run, done)
    return Taken(done.book, done, (*done.waits, *unread.values()))


def close_trade(run: "Runtime", number: int, as_of: pd.Timestamp) -> Taken:
    """Leave one position at the last close that it was marked at."""
    book = _begun(run)
    histories, unread = _histories(run, book, [], as_of)
    done = leave(book, number, histories)
    _keep(run, done)
    return Taken(done.book, done, tuple(unread.values()))


def _begun(run: "Runtime") -> Book:
    book = paper_book(run)
    if book is None:
        raise InputError(NONE_YET)
    return book


def _histories(
    run: "Runtime", book: Book, signals: Collection[Signal], as_of: pd.Timestamp
) -> tuple[dict[str, History], dict[str, str]]:
    opened = [one.opened for one in book.open.values()]
    mine = [one for one in signals if one.structure is not None]
    tickers = {one.ticker for one in (*opened, *mine)}
    first = min((*(one.signal_session for one in opened), *(one.session for one in mine)),
                default="")  # fmt: skip
    histories, unread = histories_of(run.home.data, sorted(tickers), first, as_of)
    positions = [(one.ticker, one.signal_session, one.structure) for one in opened]
    positions += [(one.ticker, one.session, one.structure) for one in mine if one.structure]
    histories, unquoted = with_quotes(run.home.data, histories, positions, as_of)
    return histories, unread | unquoted


def _keep(run: "Runtime", done: Advance) -> None:
    if done.events:
        from trading.ledger.events import record_events  # SQLAlchemy, where something is written

        record_events(run.home.ledger, done.events, utc_now())
