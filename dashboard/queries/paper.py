"""The paper book of a ledger: its equity over time, its positions, and what it passed over."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.documents import NothingYet
from home.records.paper import Assigned, Marked, PaperEvent, Passed, Resumed, Stopped
from market.errors import InputError
from trading.judgement.returns import falls
from trading.ledger.checked import event_of, rows_of
from trading.ledger.connection import is_new, reading
from trading.paper.book import CENTS, Book

NO_BOOK: Final = (
    "No paper book was begun: run `optrade paper` to follow recorded signals with money of no one; "
    "`optrade settle` takes it on."
)


@dataclass(frozen=True)
class Paper:
    """A paper book as the ledger has it.

    Attributes
    ----------
    book
        After its last event.
    equity
        After the last event of each session: `session`, `equity` and `cash` in USD, `drawdown`
        (how far equity lies below its height before, a fraction from 0).
    marked_at
        By number of a trade, the session of its last mark; none before its first.
    passed
        Signals that were not followed, the newest first: `session`, `ticker`, `signal`, `why`.
    told
        What else happened, the newest first: `session`, `what`.
    damaged
        Why the book ends before its last row; None where it does not.
    """

    book: Book
    equity: pd.DataFrame
    marked_at: dict[int, str]
    passed: pd.DataFrame
    told: pd.DataFrame
    damaged: str | None


def paper_book(ledger: Path) -> Paper:
    """Return the paper book of a ledger.

    An event that is not to be believed ends it: what follows rests on it.

    Raises
    ------
    NothingYet
        If none was begun.
    InputError
        If what is there cannot be used at all.
    """
    if is_new(ledger):
        raise NothingYet(NO_BOOK)
    book, damaged = Book(), None
    closes: dict[str, tuple[int, int]] = {}
    events: list[PaperEvent] = []
    with reading(ledger) as connection:
        found = (event_of(row, ledger) for row in rows_of(connection, "paper_events"))
        try:
            for event in found:
                book = book.after(event)
                events.append(event)
                closes[event.session] = book.equity, book.cash
        except InputError as error:
            damaged = str(error)
    if not events:
        raise NothingYet(NO_BOOK) if damaged is None else InputError(damaged)
    marks = {
        int(number): event.session
        for event in events
        if isinstance(event, Marked)
        for number in event.marks
    }
    passed = [_passed(event) for event in reversed(events) if isinstance(event, Passed)]
    told = [(event.session, what) for event in reversed(events) for what in _told(event)]
    return Paper(
        book,
        _equity(closes),
        marks,
        pd.DataFrame(passed, columns=["session", "ticker", "signal", "why"]),
        pd.DataFrame(told, columns=["session", "what"]),
        damaged,
    )


def _equity(closes: dict[str, tuple[int, int]]) -> pd.DataFrame:
    table = pd.DataFrame(list(closes.values()), columns=["equity", "cash"]) / CENTS
    fallen = falls(table["equity"].to_numpy())
    return table.assign(session=pd.to_datetime(list(closes)), drawdown=fallen)


def _passed(event: Passed) -> tuple[str, str, str, str]:
    return event.session, event.ticker, event.signal_session, event.why


def _told(event: PaperEvent) -> Iterator[str]:
    match event:
        case Marked():
            yield from event.notes
        case Assigned():
            lost = f"{-event.cash / CENTS:,.2f} USD"
            yield f"trade {event.trade}: early exercise of a short call for a dividend cost {lost}"
        case Stopped():
            yield "stopped: every position left, no signal followed"
        case Resumed():
            yield "signals are followed again"
