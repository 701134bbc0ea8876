"""Rows of the ledger that are believed only if they are those that were written."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from home.records.outcome import Outcome
from home.records.paper import PaperEvent, paper_event
from home.records.signal import Signal, recorded_signal
from home.records.structure_outcome import StructureOutcome
from market.errors import InputError, StoreUnavailable
from market.iv_rank import forecast_class
from market.targets import move_label
from trading.ledger.chain import breaks
from trading.ledger.connection import version_of
from trading.ledger.schema import CHAINED_FROM, COLUMNS, Table, column_values, row_hash
from trading.ledger.states import Wrong, unusable
from trading.ledger.timing import is_backfilled

Row = Mapping[str, Any]
_HELD: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?"


@dataclass(frozen=True)
class RecordedSignal:
    """A signal as served.

    Attributes
    ----------
    recorded_at
        An ISO time, UTC.
    number
        Of its row: what `optrade replay` knows it by.
    backfilled
        Whether it was written when it could no longer be followed; see `trading.ledger.timing`.
    shadow
        Whether it was never given: what the rivals of the models that served say of the same row,
        written beside what these said.
    """

    recorded_at: str
    signal: Signal
    number: int
    backfilled: bool
    shadow: bool = field(default=False, kw_only=True)


class DamagedRow(StoreUnavailable):
    """A row of the ledger that is not to be believed; the others may be.

    Attributes
    ----------
    ticker
        As its column says.
    """

    def __init__(self, words: str, ticker: str) -> None:
        super().__init__(words, ticker)
        self.ticker = ticker

    def __str__(self) -> str:
        return str(self.args[0])


def rows_of(connection: sqlite3.Connection, table: Table) -> Iterator[Row]:
    """Yield the rows of a table in the order they were written, every column of each."""
    if not connection.execute(_HELD, (table,)).fetchone()[0]:
        return  # nothing was ever written into it
    yield from rows_found(connection.execute(f"SELECT * FROM {table} ORDER BY rowid"))  # noqa: S608 - of CHAINED


def rows_found(found: sqlite3.Cursor) -> Iterator[Row]:
    """Yield what a query finds, by the names of its columns."""
    names = [column[0] for column in found.description]
    for row in found:
        yield dict(zip(names, row, strict=True))


def signal_of(row: Row, path: Path) -> Signal:
    """Return the signal of a row of the ledger at a path.

    Raises
    ------
    DamagedRow
        If it is not the row that was written, names another signal in its document than in its
        columns, or is of a newer optrade; the line names it, and the cure.
    """
    what = f"signal {row['ticker']} {row['session']}"
    whole = _is_signed(row, what, path)
    try:
        signal = recorded_signal(row["document"])
    except (InputError, TypeError) as error:
        # What was written whole and is no signal here is one elsewhere.
        raise _refused(row, path, str(error), "newer" if whole else "damaged") from error
    said = column_values(signal)
    for name in COLUMNS:
        if row[name] != said[name]:
            found = f"{what}: {name} is {row[name]} in its column, {said[name]} in its document"
            raise _refused(row, path, found)
    return signal


def recorded(row: Row, path: Path) -> RecordedSignal:
    """Return the recorded signal of a row; raises as `signal_of`."""
    signal, late = signal_of(row, path), row.get("backfilled")
    if late is None:  # a row that is older than the column
        late = is_backfilled(signal, pd.Timestamp(row["recorded_at"]))
    shadow = bool(row.get("shadow"))  # a row that is older than the column is none
    return RecordedSignal(row["recorded_at"], signal, row["id"], bool(late), shadow=shadow)


def outcome_of_row(row: Row, path: Path) -> Outcome:
    """Return the outcome of a row of the ledger at a path; raises as `signal_of`."""
    what = f"outcome {row['ticker']} {row['session']}"
    _is_signed(row, what, path)
    values = {name: row[name] for name in Outcome.model_fields}
    for name in ("direction_hit", "regime_hit"):
        values[name] = None if values[name] is None else bool(values[name])
    try:
        outcome = Outcome.parse(values, what)
    except InputError as error:
        raise _refused(row, path, str(error)) from error
    rank = outcome.iv_rank
    classes = (move_label(outcome.realised_return), None if rank is None else forecast_class(rank))
    for name, got, due in zip(
        ("label", "realised_regime"), (outcome.label, outcome.realised_regime), classes, strict=True
    ):
        if got != due:
            raise _refused(row, path, f"{what}: {name} is {got}, its own figures say {due}")
    return outcome


def structure_outcome_of(row: Row, path: Path) -> StructureOutcome:
    """Return what a signal's position came to, of a row; raises as `signal_of`."""
    what = f"structure outcome {row['ticker']} {row['session']}"
    _is_signed(row, what, path)
    try:
        return StructureOutcome.from_json(row["document"], what)
    except InputError as error:
        raise _refused(row, path, str(error), "newer") from error


def event_of(row: Row, path: Path) -> PaperEvent:
    """Return an event of the paper book, of a row; raises as `signal_of`."""
    _is_signed(row, f"paper event {row['number']}", path)
    try:
        return paper_event(row["document"])
    except InputError as error:
        raise _refused(row, path, str(error), "newer") from error


#: How a row of each table is read; raises `DamagedRow` where it is not to be believed.
READ: Final[Mapping[Table, Callable[[Row, Path], object]]] = {
    "signals": signal_of,
    "outcomes": outcome_of_row,
    "structure_outcomes": structure_outcome_of,
    "paper_events": event_of,
}


def faults(connection: sqlite3.Connection, path: Path) -> Iterator[StoreUnavailable]:
    """Yield each row that is not to be believed; where there is none, the first break of the chain.

    A row that is damaged breaks the chain too.
    """
    damaged = False
    for table in READ:
        for row in rows_of(connection, table):
            if (fault := fault_of(table, row, path)) is not None:
                damaged = True
                yield fault
    if damaged or version_of(connection) < CHAINED_FROM:
        return
    broken = next(breaks(connection), None)
    if broken is not None:
        yield unusable(path, "tampered", broken)


def fault_of(table: Table, row: Row, path: Path) -> DamagedRow | None:
    """Return why a row of a table is not to be believed, None where it is."""
    try:
        READ[table](row, path)
    except DamagedRow as error:
        return error
    return None


def _is_signed(row: Row, what: str, path: Path) -> bool:
    """Return whether a row carries its hash; one that carries another's is refused."""
    told = row.get("sha256")
    if told is None:
        return False
    same = told == row_hash(row)
    if not same:
        raise _refused(row, path, f"{what}: its bytes are not those that were written")
    return True


def _refused(row: Row, path: Path, found: str, wrong: Wrong = "damaged") -> DamagedRow:
    return DamagedRow(str(unusable(path, wrong, found)), str(row["ticker"]))
