"""The ledger as tables: recorded signals with their outcomes, and what their positions came to.

A row that is not to be believed is named, and the others are shown.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from dashboard.queries.documents import NothingYet
from home.garbage import uncollected
from home.records.outcome import Outcome
from home.records.signal import SignalKey
from trading.ledger.checked import (
    DamagedRow,
    RecordedSignal,
    Row,
    outcome_of_row,
    recorded,
    rows_of,
    structure_outcome_of,
)
from trading.ledger.connection import is_new, reading
from trading.ledger.schema import COLUMNS, Table, column_values

KEY: Final = list(SignalKey._fields)
OUTCOME: Final = [name for name in Outcome.model_fields if name not in KEY]
SIGNAL: Final = [*COLUMNS, "recorded_at", "backfilled"]
POSITION: Final = [*KEY, "strategy", "backfilled", "risk"]
CAME_TO: Final = ["end_session", "reason", "profit", "pricing"]
NO_SIGNAL: Final = "No signal has been recorded: run `optrade signal-all --record`."
Parsed = TypeVar("Parsed")


@dataclass(frozen=True)
class History:
    """What the ledger holds.

    Attributes
    ----------
    signals
        A row a signal, oldest first: the ledger's columns (`session` as a date), and those of an
        outcome, null until settled; `direction_hit` and `regime_hit` are nullable booleans.
    positions
        A row a priced position of them: `KEY`, `strategy`, `backfilled`, `risk` (USD that a
        contract can lose, entered at its natural price), and `CAME_TO`, null while it is held
        (`profit` in USD a contract). One whose outcome is damaged is left out.
    damaged
        What is wrong with the rows that were left out.
    """

    signals: pd.DataFrame
    positions: pd.DataFrame
    damaged: tuple[str, ...]


def check_ledger(ledger: Path) -> None:
    """Check that there is a ledger.

    Raises
    ------
    NothingYet
        If there is none.
    """
    if is_new(ledger):
        raise NothingYet(NO_SIGNAL)


def signal_history(ledger: Path) -> History:
    """Return every recorded signal with its outcome, and what its position came to.

    Raises
    ------
    NothingYet
        If no signal has been recorded.
    InputError
        If what is there cannot be used at all.
    """
    check_ledger(ledger)
    damaged: list[tuple[Row, str]] = []
    with reading(ledger) as connection, uncollected():
        signals, positions = _recorded(connection, ledger, damaged)
        outcomes = [
            [getattr(one, name) for name in (*KEY, *OUTCOME)]
            for one in _believed(connection, "outcomes", outcome_of_row, ledger, damaged)
        ]
        before = len(damaged)
        came_to = [
            [getattr(one, name) for name in (*KEY, *CAME_TO)]
            for one in _believed(
                connection, "structure_outcomes", structure_outcome_of, ledger, damaged
            )
        ]
    if not signals and not damaged:
        raise NothingYet(NO_SIGNAL)
    unread = {tuple(row[name] for name in KEY) for row, _ in damaged[before:]}
    positions = [row for row in positions if tuple(row[: len(KEY)]) not in unread]
    return History(
        _with_outcomes(signals, outcomes),
        _with_profits(positions, came_to),
        tuple(words for _, words in damaged),
    )


def _recorded(
    connection: sqlite3.Connection, ledger: Path, damaged: list[tuple[Row, str]]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the values of `SIGNAL` of every signal, and those of `POSITION` of the priced ones."""
    signals, positions = [], []
    for one in _believed(connection, "signals", recorded, ledger, damaged):
        if one.shadow:  # never given: neither it nor what it came to is of these pages
            continue
        told = _columns(one)
        signals.append([told[name] for name in SIGNAL])
        if one.signal.structure is not None:
            told["risk"] = one.signal.structure.natural.max_loss
            positions.append([told[name] for name in POSITION])
    return signals, positions


def _columns(one: RecordedSignal) -> dict[str, Any]:
    return {
        **column_values(one.signal),
        "recorded_at": one.recorded_at,
        "backfilled": one.backfilled,
    }


def _believed(
    connection: sqlite3.Connection,
    table: Table,
    parse: Callable[[Row, Path], Parsed],
    ledger: Path,
    damaged: list[tuple[Row, str]],
) -> Iterator[Parsed]:
    """Yield the rows of a table; what is wrong with others goes to `damaged`."""
    for row in rows_of(connection, table):
        try:
            yield parse(row, ledger)
        except DamagedRow as error:
            damaged.append((row, str(error)))


def _with_outcomes(signals: list[list[Any]], outcomes: list[list[Any]]) -> pd.DataFrame:
    hits = dict.fromkeys(("direction_hit", "regime_hit"), "boolean")
    joined = _joined(signals, SIGNAL, outcomes, OUTCOME)
    return joined.astype({**hits, "realised_return": "float64", "iv_rank": "float64"})


def _with_profits(positions: list[list[Any]], came_to: list[list[Any]]) -> pd.DataFrame:
    joined = _joined(positions, POSITION, came_to, CAME_TO)
    ends = pd.to_datetime(joined["end_session"])
    return joined.assign(end_session=ends).astype({"risk": "float64", "profit": "float64"})


def _joined(
    rows: list[list[Any]], columns: list[str], more: list[list[Any]], others: list[str]
) -> pd.DataFrame:
    """Return rows of signals with what else is known of them, null where nothing is."""
    versions = dict.fromkeys(("direction_version", "regime_version"), "int64")
    left = pd.DataFrame(rows, columns=columns).astype(versions)
    right = pd.DataFrame(more, columns=[*KEY, *others]).astype(versions)
    joined = left.merge(right, on=KEY, how="left", validate="one_to_one")
    return joined.assign(
        session=pd.to_datetime(joined["session"]), backfilled=joined["backfilled"].astype(bool)
    )
