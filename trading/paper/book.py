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
        USD a share at the last close that priced it; at first what was paid.
    closed
        How it was left; None while it is open.
    """

    opened: Opened
    flows: int
    mark: float
    assigned: int = 0
    closed: Closed | None = None

    @property
    def value(self) -> int:
        """What it is worth at its mark, in cents; 0 once it was left."""
        return 0 if self.closed else amount(self.mark, self.opened.contracts)

    @property
    def profit(self) -> int:
        """What it came to so far at its mark, in cents."""
        return self.flows + self.value


def amount(worth: float, contracts: int) -> int:
    """Return what contracts come to in cents at a worth in USD a share."""
    return round(worth * MULTIPLIER * CENTS * contracts)


def commission(legs: int, contracts: int) -> int:
    """Return what one way costs, in cents."""
    return round(COMMISSION * CENTS) * legs * contracts


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
            marks = {int(number): mark for number, mark in event.marks.items()}
            for number in marks:
                _open(book, number, event)
            return replace(
                book,
                marked=event.session,
                trades={
                    number: replace(one, mark=marks.get(number, one.mark))
                    for number, one in book.trades.items()
                },
            )
        case Assigned():
            one = _open(book, event.trade, event)
            lost = replace(one, flows=one.flows + event.cash, assigned=one.assigned - event.cash)
            return replace(book, trades={**book.trades, event.trade: lost})
        case Closed():
            one = _open(book, event.trade, event)
            left = replace(one, flows=one.flows + event.cash, closed=event)
            return replace(book, trades={**book.trades, event.trade: left})
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


def _open(book: Book, number: int, event: PaperEvent) -> Trade:
    one = book.trades.get(number)
    if one is None or one.closed is not None:
        raise _refused(event, f"trade {number} is not open")
    return one


def _refused(event: PaperEvent, why: str) -> InputError:
    return InputError(f"paper book, event {event.number} ({event.kind}, {event.session}): {why}")
