"""What positions of a filled ledger came to, a paper book in it, and a page of a backtest."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from home.records.paper import Assigned, Closed, Marked, Opened, Passed
from home.records.signal import Signal
from home.records.structure_outcome import StructureOutcome
from market.calendar import close, session_shift
from trading.ledger.events import record_events
from trading.ledger.outcomes import record_structure_outcomes
from trading.ledger.read import read_signals
from trading.paper.advance import Log, begin
from trading.paper.book import amount, commission
from trading.report.page import Page, page_html

REASONS = ("target", "stop", "expiry")
VERDICT = "None survives: 42 tried, 12 with too few trades, wins or losses"


def came_to(signal: Signal, held: int, share: float, reason: str = "target") -> StructureOutcome:
    """Return that a position ended after some sessions with a share of its risk as profit."""
    end = session_shift(pd.DatetimeIndex([signal.session]), held)[0]
    return StructureOutcome(
        **signal.key._asdict(),
        strategy=signal.strategy,
        reason=reason,
        end_session=str(end.date()),
        worth=1.0,
        profit=round(share * signal.structure.natural.max_loss, 2),
        assigned=0.0,
        pricing="synthetic",
        notes=[],
    )


def settle(path: Path, signals: Sequence[Signal], as_of: pd.Timestamp, seed: int = 0) -> None:
    """Write made-up outcomes of the positions of signals."""
    random = np.random.default_rng(seed)
    priced = [one for one in signals if one.structure is not None]
    found = [
        came_to(one, int(random.integers(1, 6)), float(random.uniform(-1.0, 0.9)),
                str(random.choice(REASONS)))
        for one in priced
    ]  # fmt: skip
    if found:
        record_structure_outcomes(path, found, as_of)


def fill_book(path: Path) -> None:
    """Begin a paper book in a ledger: a signal passed, a trade closed, one open with a mark."""
    priced = [one.signal for one in read_signals(path) if one.signal.structure is not None]
    first, second, third = (next(s for s in priced if s.session >= day) for day in _days(priced))
    log = Log(begin(100_000.0, 0.06, close(pd.DatetimeIndex([first.session]))[0]).book)
    events = [begin(100_000.0, 0.06, close(pd.DatetimeIndex([first.session]))[0]).events[0]]
    log.add(Passed, _next(first), **_of(first), why="its fill had passed when the book began")
    _open(log, second, 1)
    log.add(Marked, _next(second), marks={"1": second.structure.natural.net + 0.3}, notes=[])
    log.add(Assigned, _next(second, 2), -1234, trade=1)
    worth = second.structure.natural.net + 0.5
    legs = len(second.structure.legs)
    log.add(
        Closed, _next(second, 2), amount(worth, 2) - commission(legs, 2),
        trade=1, why="target", worth=worth,
    )  # fmt: skip
    _open(log, third, 2)
    log.add(
        Marked, _next(third), marks={"2": third.structure.natural.net - 0.4},
        notes=["trade 2, SPY: a split of 2 for 1"],
    )  # fmt: skip
    record_events(path, [*events, *log.events], close(pd.DatetimeIndex([_next(third)]))[0])


def write_backtest(folder: Path, name: str = "SPY_20110103_20250630_open") -> Path:
    """Write a page as a backtest does, without charts."""
    page = Page("Backtest of SPY, 2011-01-03 to 2025-06-30", VERDICT, False, ["more"], ["fact"], [])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.html"
    path.write_text(page_html(page), "utf-8")
    return path


def _days(priced: Sequence[Signal]) -> list[str]:
    """Return three sessions that lie far enough from each other."""
    days = sorted({one.session for one in priced})
    return [days[at * len(days) // 4] for at in (0, 1, 3)]


def _open(log: Log, signal: Signal, trade: int) -> None:
    structure, contracts = signal.structure, 2
    paid = structure.natural.net
    cash = -amount(paid, contracts) - commission(len(structure.legs), contracts)
    log.add(
        Opened, _next(signal), cash, **_of(signal), trade=trade, contracts=contracts, paid=paid,
        exit=structure.exit, risk=round(200 * structure.natural.max_loss), structure=structure,
    )  # fmt: skip


def _of(signal: Signal) -> dict[str, object]:
    key = signal.key._asdict()
    return {"signal_session": key.pop("session"), **key}


def _next(signal: Signal, shift: int = 1) -> str:
    return str(session_shift(pd.DatetimeIndex([signal.session]), shift)[0].date())
