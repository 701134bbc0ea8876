"""Reading the ledger: recorded signals, and what came of them.

Every reader checks the rows that it gives; see `trading.ledger.checked`.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from home.garbage import uncollected
from home.records.outcome import Outcome
from home.records.paper import PaperEvent
from home.records.signal import SignalKey
from home.records.structure_outcome import StructureOutcome
from market.errors import InputError
from trading.ledger.checked import (
    DamagedRow,
    RecordedSignal,
    Row,
    event_of,
    fault_of,
    outcome_of_row,
    recorded,
    rows_found,
    rows_of,
    structure_outcome_of,
)
from trading.ledger.connection import reading

_NUMBERED: Final = "SELECT * FROM signals WHERE id = ?"
_SESSIONS: Final = "SELECT DISTINCT session FROM signals ORDER BY session DESC"


@dataclass(frozen=True)
class DailySignal(RecordedSignal):
    """The newest signal of a ticker for a session, and how many the ledger holds for both."""

    recordings: int


def each_signal(path: Path, *, shadows: bool = False) -> list[RecordedSignal | DamagedRow]:
    """Return the recorded signals, oldest first, in the place of a damaged one what is wrong.

    Shadows, which were given to nobody, are left out unless they are asked for; so every reader
    of signals does here, but for that of one by its number. Of a damaged row it is not known.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used at all.
    """
    with reading(path) as connection, uncollected():
        found = [_recorded(row, path) for row in rows_of(connection, "signals")]
    return [row for row in found if shadows or isinstance(row, DamagedRow) or not row.shadow]


def read_signals(
    path: Path, ticker: str | None = None, *, shadows: bool = False
) -> list[RecordedSignal]:
    """Return the recorded signals, oldest first; of one ticker if it is named.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used, or a row of any ticker is damaged.
    """
    rows = [_believed(row) for row in each_signal(path, shadows=shadows)]
    return [row for row in rows if ticker in (None, row.signal.ticker)]


def read_signal(path: Path, number: int) -> RecordedSignal:
    """Return the recorded signal of a number; a row of another that is damaged is no matter.

    Raises
    ------
    InputError
        If there is no ledger, or no signal of the number.
    StoreUnavailable
        If what is there cannot be used, or its row is damaged.
    """
    with reading(path) as connection:
        found = list(rows_found(connection.execute(_NUMBERED, (number,))))
        last = connection.execute("SELECT max(id) FROM signals").fetchone()[0]
    if not found:
        allowed = "none, as no signal was recorded" if last is None else f"1 to {last}"
        raise InputError(f"signal {number}: the ledger has none, allowed are {allowed}")
    return recorded(found[0], path)


def recorded_sessions(path: Path) -> list[str]:
    """Return the sessions with a recorded signal as ISO dates, newest first."""
    with reading(path) as connection:
        return [session for (session,) in connection.execute(_SESSIONS)]


def signals_of(path: Path, session: str) -> tuple[list[DailySignal], list[DamagedRow]]:
    """Return the newest signal of each ticker for a session, by ticker, and what is damaged of it.

    A row whose session was changed is missed by neither name. A ticker with a damaged row has no
    signal: which is its newest is not known.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used at all.
    """
    mine: dict[str, list[RecordedSignal]] = {}
    damaged: list[DamagedRow] = []
    with reading(path) as connection:
        for row in rows_of(connection, "signals"):
            if row["session"] == session or f'"session":"{session}"' in str(row["document"]):
                found = _recorded(row, path)
                if isinstance(found, DamagedRow):
                    damaged.append(found)
                elif not found.shadow:
                    mine.setdefault(found.signal.ticker, []).append(found)
    spoiled = {row.ticker for row in damaged}
    newest = [
        DailySignal(**vars(rows[-1]), recordings=len(rows))
        for ticker, rows in sorted(mine.items())
        if ticker not in spoiled
    ]
    return newest, damaged


def settled_before(
    path: Path, table: Literal["outcomes", "structure_outcomes"]
) -> tuple[set[SignalKey], dict[str, str]]:
    """Return what has a row of a table, and what is wrong with rows that are damaged, by ticker.

    A damaged row stays in its place, so it is there too.
    """
    with reading(path) as connection:
        rows = list(rows_of(connection, table))
    keys = {SignalKey(*(row[name] for name in SignalKey._fields)) for row in rows}
    found = (fault_of(table, row, path) for row in rows)
    return keys, {one.ticker: str(one) for one in found if one is not None}


def read_structure_outcomes(path: Path) -> list[StructureOutcome]:
    """Return what positions came to, in the order they were settled; as `read_signals`."""
    return [outcome for outcome, _ in settled_structures(path)]


def read_events(path: Path) -> list[PaperEvent]:
    """Return the events of the paper book, the first one first; raises as `read_signals`."""
    return [event for event, _ in recorded_events(path)]


def settled_structures(path: Path) -> list[tuple[StructureOutcome, str]]:
    """Return what positions came to, each with the clock it was settled at, an ISO time, UTC."""
    with reading(path) as connection:
        rows = list(rows_of(connection, "structure_outcomes"))
    return [(structure_outcome_of(row, path), row["as_of"]) for row in rows]


def each_settled_structure(
    path: Path,
) -> tuple[list[tuple[StructureOutcome, str]], dict[str, str]]:
    """Return the same of rows that are whole, and what is wrong with the others, by ticker."""
    with reading(path) as connection:
        rows = list(rows_of(connection, "structure_outcomes"))
    found, damaged = [], {}
    for row in rows:
        try:
            found.append((structure_outcome_of(row, path), row["as_of"]))
        except DamagedRow as error:
            damaged[error.ticker] = str(error)
    return found, damaged


def recorded_events(path: Path) -> list[tuple[PaperEvent, str]]:
    """Return the events of the paper book, each with the time it was written, ISO, UTC."""
    with reading(path) as connection:
        rows = list(rows_of(connection, "paper_events"))
    return [(event_of(row, path), row["recorded_at"]) for row in rows]


def read_outcomes(path: Path, ticker: str | None = None) -> list[Outcome]:
    """Return the outcomes in the order they were settled, none if none was; as `read_signals`."""
    with reading(path) as connection:
        found = [outcome_of_row(row, path) for row in rows_of(connection, "outcomes")]
    return [row for row in found if ticker in (None, row.ticker)]


def each_outcome(path: Path) -> tuple[list[Outcome], dict[str, int]]:
    """Return the outcomes of rows that are whole, and how many are not, by ticker."""
    found: list[Outcome] = []
    damaged: Counter[str] = Counter()
    with reading(path) as connection:
        for row in rows_of(connection, "outcomes"):
            try:
                found.append(outcome_of_row(row, path))
            except DamagedRow as error:
                damaged[error.ticker] += 1
    return found, damaged


def _recorded(row: Row, path: Path) -> RecordedSignal | DamagedRow:
    try:
        return recorded(row, path)
    except DamagedRow as error:
        return error


def _believed(row: RecordedSignal | DamagedRow) -> RecordedSignal:
    if isinstance(row, DamagedRow):
        raise row
    return row
