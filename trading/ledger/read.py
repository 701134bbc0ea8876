"""Reading the ledger: recorded signals, their outcomes, and the table of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from home.records.outcome import Outcome
from home.records.signal import Signal, recorded_signal
from trading.ledger.connection import reading
from trading.ledger.schema import COLUMNS

_SIGNALS: Final = """
SELECT recorded_at, document FROM signals WHERE ticker = coalesce(?, ticker) ORDER BY id
"""
_SESSIONS: Final = "SELECT DISTINCT session FROM signals ORDER BY session DESC"
# The newest recording of each ticker, and how many there are of it for the session.
_OF_SESSION: Final = """
SELECT max(id), recorded_at, document, count(*) AS recordings
FROM signals WHERE session = ? GROUP BY ticker ORDER BY ticker
"""
HISTORY: Final = (*COLUMNS, "recorded_at")
_HISTORY: Final = f"SELECT {', '.join(HISTORY)} FROM signals ORDER BY id"  # noqa: S608 - names of the ledger's own columns
_EXISTS: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'outcomes'"
_OUTCOMES: Final = """
SELECT ticker, session, direction_version, regime_version, end_session,
    realised_return, label, direction_hit, iv_rank, realised_regime, regime_hit
FROM outcomes WHERE ?1 IS NULL OR ticker = ?1 ORDER BY rowid
"""


@dataclass(frozen=True)
class RecordedSignal:
    """A signal as served, and when it was recorded: an ISO time, UTC."""

    recorded_at: str
    signal: Signal


@dataclass(frozen=True)
class DailySignal(RecordedSignal):
    """The newest signal of a ticker for a session, and how many the ledger holds for both."""

    recordings: int


def read_signals(path: Path, ticker: str | None = None) -> list[RecordedSignal]:
    """Return the recorded signals, oldest first.

    Raises
    ------
    InputError
        If there is no ledger yet, or a signal lacks a field.
    StoreUnavailable
        If what is there cannot be used.
    """
    with reading(path) as connection:
        rows = connection.execute(_SIGNALS, (ticker,)).fetchall()
    return [RecordedSignal(at, recorded_signal(document)) for at, document in rows]


def recorded_sessions(path: Path) -> list[str]:
    """Return the sessions with a recorded signal as ISO dates, newest first."""
    with reading(path) as connection:
        return [session for (session,) in connection.execute(_SESSIONS)]


def signals_of(path: Path, session: str) -> list[DailySignal]:
    """Return the newest signal of each ticker for a session, by ticker."""
    with reading(path) as connection:
        rows = connection.execute(_OF_SESSION, (session,)).fetchall()
    return [DailySignal(at, recorded_signal(document), n) for _, at, document, n in rows]


def history(path: Path) -> list[tuple[Any, ...]]:
    """Return the columns `HISTORY` of every recorded signal, oldest first."""
    with reading(path) as connection:
        return connection.execute(_HISTORY).fetchall()


def read_outcomes(path: Path, ticker: str | None = None) -> list[Outcome]:
    """Return the outcomes of a ledger in the order they were settled; none if none was.

    Raises
    ------
    InputError
        If there is no ledger yet.
    StoreUnavailable
        If what is there cannot be used.
    """
    with reading(path) as connection:
        exists = connection.execute(_EXISTS).fetchone()[0]
        rows = connection.execute(_OUTCOMES, (ticker,)).fetchall() if exists else []
    return [_outcome(row) for row in rows]


def _outcome(row: Sequence[Any]) -> Outcome:
    values = dict(zip(Outcome.model_fields, row, strict=True))
    for name in ("direction_hit", "regime_hit"):
        values[name] = None if values[name] is None else bool(values[name])
    return Outcome.parse(values, "an outcome in the ledger")
