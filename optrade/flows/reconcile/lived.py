"""What live came to, by the ledger: the paper book's trade, else what the plan alone came to."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from home.records.paper import PaperEvent
from home.records.signal import Signal
from home.records.structure_outcome import StructureOutcome
from market.calendar import close, session_shift
from market.options.costs import COMMISSION, MULTIPLIER
from trading.ledger.checked import DamagedRow, RecordedSignal
from trading.ledger.read import each_settled_structure, each_signal, recorded_events
from trading.paper.advance import held_by
from trading.paper.book import Trade, book_of
from trading.reconcile.ladder import CENTS, cents_of
from trading.reconcile.profits import Acted, as_priced

#: Ends of a trade that its plan did not ask for.
BY_HAND: Final = ("by hand", "stopped")


@dataclass(frozen=True)
class Lived:
    """A recorded signal, and what became of it.

    Attributes
    ----------
    cents
        A contract; None where it is not known yet, and `why` says so.
    acted
        What was done; None where no position was taken.
    known_by
        The clock at which what it came to was read.
    """

    signal: Signal
    cents: int | None
    acted: Acted | None = None
    known_by: pd.Timestamp | None = None
    why: str = ""


@dataclass(frozen=True)
class LiveSide:
    """What live did, by ticker and session; and what of the ledger is no part of it.

    Attributes
    ----------
    damaged
        Sessions of which nothing can be said.
    left_out
        Recorded signals, by why.
    """

    lived: Mapping[tuple[str, str], Lived]
    damaged: frozenset[str]
    left_out: dict[str, int]


def live_side(ledger: Path, tickers: Sequence[str]) -> LiveSide:
    """Return what live did with the signals of underlyings that could be followed.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used.
    """
    rows = each_signal(ledger)
    settled, unfit = each_settled_structure(ledger)
    damaged = frozenset(unfit) | {row.ticker for row in rows if isinstance(row, DamagedRow)}
    mine = [row for row in rows if isinstance(row, RecordedSignal) and row.signal.ticker in tickers]
    left_out = Counter("backfilled" for row in mine if row.backfilled)
    left_out |= Counter("damaged" for row in rows if isinstance(row, DamagedRow))
    left_out |= Counter({"outcome damaged": len(unfit)})
    events = recorded_events(ledger)
    trades = {
        one.opened.signal: one for one in book_of(event for event, _ in events).trades.values()
    }
    outcomes = {one.key: (one, at) for one, at in settled}
    by_session: dict[tuple[str, str], list[Signal]] = {}
    for row in mine:
        if not row.backfilled and row.signal.ticker not in damaged:
            key = (row.signal.ticker, row.signal.session)
            by_session.setdefault(key, []).append(row.signal)
    found = {}
    for key, signals in by_session.items():
        # What was followed on paper is what live did; else the first that was said.
        followed = [one for one in signals if one.key in trades]
        signal = (followed or signals)[0]
        left_out["another recording of its session"] += len(signals) - 1
        found[key] = _lived(signal, trades.get(signal.key), outcomes.get(signal.key), events)
    return LiveSide(found, damaged, {why: n for why, n in left_out.items() if n})


def _lived(
    signal: Signal,
    trade: Trade | None,
    settled: tuple[StructureOutcome, str] | None,
    events: Sequence[tuple[PaperEvent, str]],
) -> Lived:
    if trade is not None:
        return _traded(signal, trade, events)
    structure = signal.structure
    if structure is None:
        return Lived(signal, 0)
    if settled is None:
        return Lived(signal, None, why="its position is not settled")
    outcome, as_of = settled
    acted = Acted(as_priced(signal.session, structure), "close")
    return Lived(signal, cents_of(outcome.profit), acted, pd.Timestamp(as_of))


def _traded(signal: Signal, trade: Trade, events: Sequence[tuple[PaperEvent, str]]) -> Lived:
    closed = trade.closed
    if closed is None:
        return Lived(signal, None, why=f"trade {trade.opened.trade} of the paper book is open")
    ways = 1.0 if closed.expires or closed.why == "expiry" else 2.0
    commission = ways * COMMISSION * len(trade.opened.structure.legs)
    lost = trade.assigned / trade.opened.contracts / CENTS
    profit = MULTIPLIER * (closed.worth - trade.opened.paid) - lost - commission
    left = closed.session if closed.why in BY_HAND else None
    acted = Acted(held_by(trade), "open", left)
    known_by = clock_of(events, closed.number, signal)
    return Lived(signal, cents_of(profit), acted, known_by)


def clock_of(events: Sequence[tuple[PaperEvent, str]], number: int, signal: Signal) -> pd.Timestamp:
    """Return the clock that the paper book was taken on to when an event was written.

    That of a live home is the time of writing. A recorded or simulated one stands between the last
    session that was written with it and the close of the next.
    """
    at = next(at for event, at in events if event.number == number)
    if signal.provenance.origin == "live":
        return pd.Timestamp(at)
    last = max(event.session for event, other in events if other == at)
    following = session_shift(pd.DatetimeIndex([last]), 1)
    return close(following)[0] - pd.Timedelta(nanoseconds=1)


def first_session(sides: Iterable[tuple[str, str]]) -> str | None:
    """Return the oldest session of keys of a live side, None where there is none."""
    return min((session for _, session in sides), default=None)
