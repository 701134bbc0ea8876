"""A paper book taken on session by session: fills at the open, marks and exits at the close. Pure.

What is not known yet is waited for, and told; a session that was left out for good is told and
passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from home.records.paper import (
    Assigned,
    Begun,
    Closed,
    Event,
    Marked,
    Opened,
    PaperEvent,
    Passed,
    Resumed,
    Stopped,
)
from home.records.signal import Signal
from market.calendar import last_complete_session, session_shift, sessions
from market.errors import InputError
from trading.backtest.history import History
from trading.ledger.timing import FILLED_AFTER, fill_time
from trading.paper.book import CENTS, Book, Trade, amount, commission
from trading.paper.fills import fill_of
from trading.paper.walks import Held, Walk, until, walks, worth_leaving

#: What a walk ends by is said in the same words.
HAND: Final = "by hand"
Kind = TypeVar("Kind", bound=Event)


@dataclass
class Log:
    """A book, and the events that were added to it."""

    book: Book
    events: list[PaperEvent] = field(default_factory=list)

    def add(self, kind: type[Any], session: str, cash: int = 0, **fields: object) -> None:
        """Add an event, and take the book on by it."""
        event = kind(
            number=self.book.number + 1,
            session=session,
            cash=cash,
            balance=self.book.cash + cash,
            **fields,
        )
        self.book = self.book.after(event)
        self.events.append(event)


@dataclass(frozen=True)
class Advance:
    """What happened, the book then, and what is waited for, in words."""

    events: tuple[PaperEvent, ...]
    book: Book
    waits: tuple[str, ...] = ()


def begin(capital: float, cap: float, as_of: pd.Timestamp) -> Advance:
    """Return a book that begins at a clock with a capital in USD."""
    log = Log(Book())
    session = str(last_complete_session(as_of).date())
    at = as_of.tz_convert("UTC").isoformat()
    log.add(Begun, session, round(capital * CENTS), as_of=at, cap=cap)
    return Advance(tuple(log.events), log.book)


def advance(
    book: Book, signals: Sequence[Signal], histories: Mapping[str, History], last: pd.Timestamp
) -> Advance:
    """Return what happens in a book up to a session.

    Parameters
    ----------
    signals
        That were recorded in time, in the order they were.
    histories
        By ticker, from before the oldest open position or signal on.
    last
        The last session that is complete, midnight without a zone.
    """
    log, walked, waits = Log(book), dict[int, Walk](), []
    first = session_shift(pd.DatetimeIndex([book.marked]), 1)[0]
    waiting = _by_fill([one for one in signals if one.key not in book.seen])
    for fill in sorted(day for day in waiting if day < str(first.date())):
        for signal in waiting[fill]:
            _pass(log, signal, log.book.session, "its fill had passed when it was recorded here")
    for day in sessions(first, last):
        session = str(day.date())
        due = waiting.get(session, [])
        waits = _unknown(log.book, due, histories, day)
        if waits:
            break
        for signal in due:
            _follow(log, signal, histories, session)
        _close(log, histories, session, walked)
    return Advance(tuple(log.events), log.book, tuple(waits))


def leave(book: Book, number: int, histories: Mapping[str, History], why: str = HAND) -> Advance:
    """Return what happens where a position is left at the last close it was marked at.

    Raises
    ------
    InputError
        If there is none of the number, or nothing prices it.
    """
    log = Log(book)
    _leave(log, number, histories, why)
    return Advance(tuple(log.events), log.book)


def stop_all(book: Book, histories: Mapping[str, History]) -> Advance:
    """Return what happens where all positions are left, and no signal is followed any more.

    A position that nothing prices stays, and is told.
    """
    log, waits = Log(book), []
    for number in book.open:
        try:
            _leave(log, number, histories, "stopped")
        except InputError as error:
            waits.append(str(error))
    if not book.stopped:
        log.add(Stopped, book.session)
    return Advance(tuple(log.events), log.book, tuple(waits))


def resume(book: Book) -> Advance:
    """Return what happens where signals are followed again."""
    log = Log(book)
    if book.stopped:
        log.add(Resumed, book.session)
    return Advance(tuple(log.events), log.book)


def held_by(trade: Trade) -> Held:
    """Return a trade as its walk takes it."""
    opened = trade.opened
    return Held(opened.signal_session, opened.structure, opened.paid, opened.exit)


def _by_fill(signals: Sequence[Signal]) -> dict[str, list[Signal]]:
    found: dict[str, list[Signal]] = {}
    for signal in signals:
        day = session_shift(pd.DatetimeIndex([signal.session]), FILLED_AFTER)[0]
        found.setdefault(str(day.date()), []).append(signal)
    return found


def _unknown(
    book: Book, due: Sequence[Signal], histories: Mapping[str, History], day: pd.Timestamp
) -> list[str]:
    """Return which prices of a session may still come, in words."""
    tickers = {one.opened.ticker for one in book.open.values()}
    tickers |= {signal.ticker for signal in due if signal.structure is not None}
    return [
        f"{ticker}: waits for the prices of {day.date()}"
        for ticker in sorted(tickers)
        if ticker not in histories or histories[ticker].days[-1] < day
    ]


def _follow(log: Log, signal: Signal, histories: Mapping[str, History], session: str) -> None:
    if fill_time(signal.session) <= pd.Timestamp(log.book.as_of):
        _pass(log, signal, session, "its fill had passed when the book began")
        return
    if signal.structure is None:
        _pass(log, signal, session, "it takes no position")
        return
    found = fill_of(log.book, signal, histories[signal.ticker], session)
    if isinstance(found, str):
        _pass(log, signal, session, found)
        return
    legs = len(signal.structure.legs)
    cash = -amount(found.paid, found.contracts) - commission(legs, found.contracts)
    log.add(
        Opened, session, cash, **_signal(signal), trade=len(log.book.trades) + 1,
        structure=signal.structure, **vars(found),
    )  # fmt: skip


def _pass(log: Log, signal: Signal, session: str, why: str) -> None:
    log.add(Passed, session, **_signal(signal), why=why)


def _signal(signal: Signal) -> dict[str, Any]:
    key = signal.key._asdict()
    return {"signal_session": key.pop("session"), **key}


def _close(
    log: Log, histories: Mapping[str, History], session: str, walked: dict[int, Walk]
) -> None:
    """Add what the close of a session does to the open positions."""
    marks, notes, over = {}, [], []
    for number, trade in log.book.open.items():
        ticker = trade.opened.ticker
        if number not in walked:
            walked[number] = walks(histories[ticker], [held_by(trade)])[0]
        walk = walked[number]
        at = int(walk.days.searchsorted(np.datetime64(session)))
        _assign(log, number, walk, histories[ticker], session)
        if at < len(walk.days) and np.isfinite(walk.marks[at]):
            marks[str(number)] = float(walk.marks[at])
        else:
            notes.append(f"trade {number}, {ticker}: nothing prices the close of {session}")
        notes += [f"trade {number}, {note}" for note in walk.notes if note.startswith(session)]
        if walk.column is not None and walk.column <= at:
            over.append((number, walk))
    log.add(Marked, session, marks=marks, notes=notes)
    for number, walk in over:
        _end(log, number, session, walk.worth, str(walk.reason))


def _assign(log: Log, number: int, walk: Walk, history: History, session: str) -> None:
    """Add what short calls lost by early exercise, once the dividend's day is there."""
    trade = log.book.trades[number]
    contracts = trade.opened.contracts
    if round(walk.assigned * CENTS) * contracts <= trade.assigned:
        return
    known = walks(until(history, session), [held_by(trade)])[0]
    lost = round(known.assigned * CENTS) * contracts - trade.assigned
    if lost > 0:
        log.add(Assigned, session, -lost, trade=number)


def _leave(log: Log, number: int, histories: Mapping[str, History], why: str) -> None:
    trade = log.book.open.get(number)
    if trade is None:
        held = ", ".join(map(str, log.book.open)) or "none"
        raise InputError(f"trade {number} is not open: allowed are {held}; see `optrade positions`")
    ticker, session = trade.opened.ticker, log.book.marked
    worth = float("nan")
    if ticker in histories and session > trade.opened.signal_session:
        worth = worth_leaving(histories[ticker], held_by(trade), session)
    if not np.isfinite(worth):
        raise InputError(
            f"trade {number}, {ticker}: nothing prices the close of {session}; run "
            "`optrade settle` once its data is there, and again"
        )
    _end(log, number, session, worth, why)


def _end(log: Log, number: int, session: str, worth: float, why: str) -> None:
    opened = log.book.trades[number].opened
    cost = 0 if why == "expiry" else commission(len(opened.structure.legs), opened.contracts)
    cash = amount(worth, opened.contracts) - cost
    log.add(Closed, session, cash, trade=number, why=why, worth=worth)
