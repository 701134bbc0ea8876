"""A paper book taken on session by session: fills at the open, marks and exits at the close. Pure.

What is not known yet is waited for, and told; a session that was left out for good is told and
passed over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from home.records.structure import ExitRule
from market.calendar import last_complete_session, session_shift, sessions
from market.errors import InputError
from trading.backtest.history import History
from trading.ledger.timing import FILLED_AFTER, fill_time
from trading.paper.book import CENTS, Book, Trade, amount, brought, commission
from trading.paper.fills import fill_of
from trading.paper.seen import seen_from, until
from trading.paper.walks import LEAST, Held, Walk, leaving, walks

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
    log, ways, waits = Log(book), dict[int, Ways](), []
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
        _close(log, histories, session, ways)
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
    return Held(opened.signal_session, opened.structure, opened.paid, opened.exit, opened.on_quotes)


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


@dataclass(frozen=True)
class Ways:
    """A position along all that is known, and as closes that the book has not passed end it."""

    whole: Walk
    ahead: Walk


def _ways(log: Log, number: int, history: History) -> Ways:
    trade = log.book.trades[number]
    held = held_by(trade)
    whole = walks(history, [held])[0]
    passed = log.book.marked
    if passed <= trade.opened.signal_session:
        return Ways(whole, whole)
    first = str(session_shift(pd.DatetimeIndex([passed]), 1)[0].date())
    seen = seen_from(history, held.session, first, held.structure.expiration)
    return Ways(whole, walks(seen, [held])[0])


def _close(log: Log, histories: Mapping[str, History], session: str, ways: dict[int, Ways]) -> None:
    """Add what the close of a session does to the open positions."""
    marks, quoted, notes, over = {}, [], [], []
    for number, trade in log.book.open.items():
        ticker = trade.opened.ticker
        if number not in ways:
            ways[number] = _ways(log, number, histories[ticker])
        walk, ahead = ways[number].whole, ways[number].ahead
        at = int(walk.days.searchsorted(np.datetime64(session)))
        _assign(log, number, histories[ticker], session)
        if at < len(walk.days) and np.isfinite(walk.marks[at]):
            marks[str(number)] = float(walk.marks[at])
            quoted += [number] if walk.quoted[at] else []
        else:
            notes.append(f"trade {number}, {ticker}: nothing prices the close of {session}")
        if ahead.column is not None and ahead.column <= at:
            over.append((number, ahead))
        told = dict.fromkeys((*walk.notes, *ahead.notes))
        notes += [f"trade {number}, {note}" for note in told if note.startswith(session)]
    log.add(Marked, session, marks=marks, notes=notes, quoted=quoted)
    for number, walk in over:
        _end(log, number, session, walk, str(walk.reason))


def _assign(log: Log, number: int, history: History, session: str) -> None:
    """Add what short calls lost by early exercise, once the dividend's day is there."""
    trade = log.book.trades[number]
    held = held_by(trade)
    first, last = pd.Timestamp(held.session), pd.Timestamp(session)
    life = (history.days > first) & (history.days <= last)
    short = any((leg.action, leg.right) == ("sell", "call") for leg in held.structure.legs)
    if not (short and history.dividend[life].any()):
        return
    kept = ExitRule(target=-LEAST, stop_below=None, stop_above=None, last_day=held.exit.last_day)
    known = walks(until(history, session), [replace(held, exit=kept)])[0]
    lost = round(known.assigned * CENTS) * trade.opened.contracts - trade.assigned
    if lost > 0:
        log.add(Assigned, session, -lost, trade=number)


def _leave(log: Log, number: int, histories: Mapping[str, History], why: str) -> None:
    trade = log.book.open.get(number)
    if trade is None:
        held = ", ".join(map(str, log.book.open)) or "none"
        raise InputError(f"trade {number} is not open: allowed are {held}; see `optrade positions`")
    ticker, session = trade.opened.ticker, log.book.marked
    walk = None
    if ticker in histories and session > trade.opened.signal_session:
        walk = leaving(histories[ticker], held_by(trade), session)
    if walk is None:
        raise InputError(
            f"trade {number}, {ticker}: nothing prices the close of {session}; run "
            "`optrade settle` once its data is there, and again"
        )
    _end(log, number, session, walk, why)


def _end(log: Log, number: int, session: str, walk: Walk, why: str) -> None:
    """Add that a position is left; see `trading.paper.book.brought`."""
    opened = log.book.trades[number].opened
    cash = brought(opened, walk.worth, why, expires=walk.expires)
    log.add(
        Closed, session, cash, trade=number, why=why, worth=walk.worth, expires=walk.expires
    )  # fmt: skip
