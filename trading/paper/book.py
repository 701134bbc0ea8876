"""A paper book: what its events come to, and that not a cent is unexplained. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from home.records.paper import (
    Assigned,
    Begun,
    Closed,
    Marked,
    Opened,
    PaperEvent,
    Passed,
    Resumed,
    Stopped,
)
from home.records.signal import SignalKey
from home.records.structure_outcome import MarkedBy
from market.errors import InputError
from market.options.costs import COMMISSION, MULTIPLIER

CENTS: Final = 100


@dataclass(frozen=True)
class Trade:
    """A position of the book.

    Attributes
    ----------
    opened
        As it was taken.
    flows
        Cents that it has brought, below 0 where it cost.
    assigned
        Cents of them that short calls lost by early exercise.
    mark
        USD a share at the last close that priced it; at first what was paid, in the end what
        leaving it brought.
    closed
        How it was left; None while it is open.
    marked, quoted
        How many closes marked it, and how many of them by quotes.
    """

    opened: Opened
    flows: int
    mark: float
    assigned: int = 0
    closed: Closed | None = None
    marked: int = 0
    quoted: int = 0

    @property
    def value(self) -> int:
        """What it is worth at its mark, in cents; 0 once it was left."""
        return 0 if self.closed else amount(self.mark, self.opened.contracts)

    @property
    def profit(self) -> int:
        """What it came to so far at its mark, in cents."""
        return self.flows + self.value

    @property
    def pricing(self) -> MarkedBy:
        """What its closes so far were marked by."""
        return marked_by(self.quoted, self.marked, on_quotes=self.opened.on_quotes)


def marked_by(quoted: int, marked: int, *, on_quotes: bool) -> MarkedBy:
    """Return what closes were marked by; where none was, what priced the entry.

    Parameters
    ----------
    quoted, marked
        How many closes were marked by quotes, and by anything.
    """
    if not marked:
        return "chain" if on_quotes else "synthetic"
    return "synthetic" if not quoted else "chain" if quoted == marked else "mixed"


def amount(worth: float, contracts: int) -> int:
    """Return what contracts come to in cents at a worth in USD a share."""
    return round(worth * MULTIPLIER * CENTS * contracts)


def commission(legs: int, contracts: int) -> int:
    """Return what one way costs, in cents."""
    return round(COMMISSION * CENTS) * legs * contracts


def brought(opened: Opened, worth: float, why: str, *, expires: bool) -> int:
    """Return what leaving a position brings in cents: its worth, less the commission of closing.

    What is settled at expiry costs none, nor what is left to expire since nobody would close it.
    """
    settled = expires or why == "expiry"
    cost = 0 if settled else commission(len(opened.structure.legs), opened.contracts)
    return amount(worth, opened.contracts) - cost


@dataclass(frozen=True)
class Book:
    """A paper book after some events.

    Attributes
    ----------
    capital, cash
        In cents.
    cap
        Share of the equity that all open positions together may lose.
    number
        Of the last event; 0 before the first.
    session
        Of the last event.
    seen
        Signals that were followed or passed.
    """

    capital: int = 0
    cash: int = 0
    cap: float = 0.0
    as_of: str = ""
    number: int = 0
    session: str = ""
    marked: str = ""
    stopped: bool = False
    trades: Mapping[int, Trade] = field(default_factory=dict)
    seen: frozenset[SignalKey] = frozenset()

    @property
    def open(self) -> dict[int, Trade]:
        """The open positions by number."""
        return {number: one for number, one in self.trades.items() if one.closed is None}

    @property
    def equity(self) -> int:
        """Cash, and open positions at their marks, in cents."""
        return self.cash + sum(one.value for one in self.open.values())

    @property
    def risk(self) -> int:
        """Cents that all open positions together can lose."""
        return sum(one.opened.risk for one in self.open.values())

    @property
    def unexplained(self) -> int:
        """Cents of cash that neither the capital nor a position accounts for: always 0."""
        return self.cash - self.capital - sum(one.flows for one in self.trades.values())

    def after(self, event: PaperEvent) -> "Book":
        """Return the book after an event.

        Raises
        ------
        InputError
            If it cannot follow, or its cash does not add up to the cent.
        """
        if event.number != self.number + 1 or (self.number == 0) != isinstance(event, Begun):
            raise _refused(event, f"event {self.number + 1} was due")
        if event.session < self.session:
            raise _refused(event, f"the book is at {self.session} already")
        if event.balance != self.cash + event.cash:
            raise _refused(event, f"{self.cash} and {event.cash} cents are not {event.balance}")
        moved = replace(self, number=event.number, session=event.session, cash=event.balance)
        found = _happened(moved, event)
        if found.unexplained:
            raise _refused(event, f"{found.unexplained} cents are unexplained")
        return found


def book_of(events: Iterable[PaperEvent]) -> Book:
    """Return the book that events lead to; one without events has not begun."""
    book = Book()
    for event in events:
        book = book.after(event)
    return book


def _happened(book: Book, event: PaperEvent) -> Book:
    match event:
        case Begun():
            return replace(
                book, capital=event.cash, cap=event.cap, as_of=event.as_of, marked=event.session
            )
        case Opened():
            return _opened(book, event)
        case Passed():
            return replace(book, seen=book.seen | {event.signal})
        case Marked():
            return _marked(book, event)
        case Assigned():
            one = _open(book, event.trade, event)
            lost = replace(one, flows=one.flows + event.cash, assigned=one.assigned - event.cash)
            return replace(book, trades={**book.trades, event.trade: lost})
        case Closed():
            return _closed(book, event)
        case Stopped() | Resumed():
            return replace(book, stopped=isinstance(event, Stopped))


def _opened(book: Book, event: Opened) -> Book:
    if event.trade != len(book.trades) + 1:
        raise _refused(event, f"trade {len(book.trades) + 1} was due")
    if any(one.opened.ticker == event.ticker for one in book.open.values()):
        raise _refused(event, f"a position of {event.ticker} is open")
    due = -amount(event.paid, event.contracts) - commission(
        len(event.structure.legs), event.contracts
    )
    if event.cash != due:
        raise _refused(event, f"{event.cash} cents were moved, its price says {due}")
    trade = Trade(event, event.cash, event.paid)
    return replace(
        book, seen=book.seen | {event.signal}, trades={**book.trades, event.trade: trade}
    )


def _marked(book: Book, event: Marked) -> Book:
    marks = {int(number): mark for number, mark in event.marks.items()}
    if strange := {*event.quoted} - marks.keys():
        raise _refused(event, f"trade {min(strange)} is quoted and has no mark")
    trades = dict(book.trades)
    for number, mark in marks.items():
        one = _open(book, number, event)
        quoted = one.quoted + (number in event.quoted)
        trades[number] = replace(one, mark=mark, marked=one.marked + 1, quoted=quoted)
    return replace(book, marked=event.session, trades=trades)


def _closed(book: Book, event: Closed) -> Book:
    one = _open(book, event.trade, event)
    due = brought(one.opened, event.worth, event.why, expires=event.expires)
    if event.cash != due:
        raise _refused(event, f"{event.cash} cents were moved, its price says {due}")
    left = replace(one, flows=one.flows + event.cash, mark=event.worth, closed=event)
    return replace(book, trades={**book.trades, event.trade: left})


def _open(book: Book, number: int, event: PaperEvent) -> Trade:
    one = book.trades.get(number)
    if one is None or one.closed is not None:
        raise _refused(event, f"trade {number} is not open")
    return one


def _refused(event: PaperEvent, why: str) -> InputError:
    return InputError(f"paper book, event {event.number} ({event.kind}, {event.session}): {why}")
