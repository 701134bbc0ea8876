"""The ledger: every recorded signal, in SQLite, kept as it was first written.

One row for each ticker, session and pair of model versions. Recording is idempotent: the first
row stays, a second attempt is reported. An acknowledged row survives a killed process and a power
cut (write-ahead log, synchronous = FULL). Readers open the file read-only.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pandas as pd
from filelock import FileLock, Timeout

from home.strict_json import canonical
from market.errors import InputError

SCHEMA_VERSION: Final = 1
BUSY_SECONDS: Final = 10.0

# Where each column stands in a signal. The signal itself is kept whole in `document`.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "ticker": ("ticker",),
    "session": ("session",),
    "direction_version": ("provenance", "models", "direction", "version"),
    "regime_version": ("provenance", "models", "regime", "version"),
    "as_of": ("provenance", "as_of"),
    "origin": ("provenance", "origin"),
    "strategy": ("strategy",),
    "position_size": ("position_size",),
    "direction": ("direction",),
    "probability": ("prediction", "probability"),
    "direction_confidence": ("direction_confidence",),
    "iv_regime": ("iv_regime",),
    "iv_confidence": ("iv_confidence",),
    "overall_confidence": ("overall_confidence",),
    "proven": ("evidence", "proven"),
}

_CREATE: Final = """
CREATE TABLE signals (
    id INTEGER PRIMARY KEY,
    ticker TEXT NOT NULL,
    session TEXT NOT NULL,
    direction_version INTEGER NOT NULL,
    regime_version INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    as_of TEXT NOT NULL,
    origin TEXT NOT NULL,
    strategy TEXT NOT NULL,
    position_size TEXT NOT NULL,
    direction TEXT NOT NULL,
    probability REAL NOT NULL,
    direction_confidence REAL NOT NULL,
    iv_regime TEXT NOT NULL,
    iv_confidence REAL NOT NULL,
    overall_confidence REAL NOT NULL,
    proven INTEGER NOT NULL,
    document TEXT NOT NULL,
    UNIQUE (ticker, session, direction_version, regime_version)
) STRICT
"""
_INSERT: Final = """
INSERT INTO signals (
    ticker, session, direction_version, regime_version, recorded_at, as_of, origin,
    strategy, position_size, direction, probability, direction_confidence,
    iv_regime, iv_confidence, overall_confidence, proven, document
) VALUES (
    :ticker, :session, :direction_version, :regime_version, :recorded_at, :as_of, :origin,
    :strategy, :position_size, :direction, :probability, :direction_confidence,
    :iv_regime, :iv_confidence, :overall_confidence, :proven, :document
) ON CONFLICT DO NOTHING
"""
_KEPT: Final = """
SELECT recorded_at, document FROM signals
WHERE ticker = :ticker AND session = :session
    AND direction_version = :direction_version AND regime_version = :regime_version
"""
_READ: Final = """
SELECT recorded_at, document FROM signals WHERE ticker = coalesce(?, ticker) ORDER BY id
"""

# Two runs for one session differ in these without saying anything else.
MOMENTARY: Final = ("as_of", "age_in_sessions")


@dataclass(frozen=True)
class Recorded:
    """What became of a signal.

    Attributes
    ----------
    new
        Whether this call wrote the row.
    same
        Whether the row in the ledger says what the signal says, the moment of asking aside.
    recorded_at
        When the row in the ledger was written, UTC.
    """

    new: bool
    same: bool
    recorded_at: pd.Timestamp


class Ledger:
    """The writing side, a context manager; several processes may write at once.

    Raises
    ------
    InputError
        On entering or recording, if the file is no ledger, is of a newer version, or is held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # SQLite does not wait its turn where a new file is switched to WAL by two at once.
        opening = FileLock(f"{self.path}.lock", timeout=BUSY_SECONDS)
        with explained(self.path), opening:
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None
            )
            _prepare(self._connection, self.path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def record(self, signal: Mapping[str, Any], recorded_at: pd.Timestamp) -> Recorded:
        """Write a signal unless its key is there already; on return it is on disk.

        Parameters
        ----------
        signal
            A signal as served.
        recorded_at
            Now, with a zone.

        Raises
        ------
        InputError
            If the signal lacks a field or holds a number that is not finite.
        """
        if self._connection is None:
            raise InputError("the ledger is not open: use it in a `with` block")
        moment = recorded_at.tz_convert("UTC").isoformat()
        row = {**_row(signal), "recorded_at": moment, "document": _canonical(signal)}
        with explained(self.path), transaction(self._connection):
            written = self._connection.execute(_INSERT, row).rowcount == 1
            kept = self._connection.execute(_KEPT, row).fetchone()
        stored_at, document = kept
        same = _content(json.loads(document)) == _content(signal)
        return Recorded(written, same, pd.Timestamp(stored_at))


def read_signals(path: Path, ticker: str | None = None) -> list[dict[str, Any]]:
    """Return the recorded signals, oldest first: `recorded_at` and the `signal` as served.

    Raises
    ------
    InputError
        If there is no ledger, or the file is none.
    """
    if not path.exists():
        raise InputError(f"no ledger at {path}: run `optrade signal-all --record` first")
    with explained(path), closing(read_only(path)) as connection:
        check_version(connection, path)
        rows = connection.execute(_READ, (ticker,)).fetchall()
    return [{"recorded_at": at, "signal": json.loads(document)} for at, document in rows]


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with transaction(connection):
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            connection.execute(_CREATE)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    check_version(connection, path)


def check_version(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose schema is of another version."""
    got = connection.execute("PRAGMA user_version").fetchone()[0]
    if got != SCHEMA_VERSION:
        raise InputError(
            f"ledger {path}: got schema version {got}, allowed is {SCHEMA_VERSION}; "
            "use the optrade version that wrote it"
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what the body does, or nothing of it."""
    # IMMEDIATE: a writer waits for its turn here, and never fails half way through.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of SQLite, or a lock that is held too long, into one that says what to do."""
    try:
        yield
    except (sqlite3.Error, Timeout) as error:
        raise InputError(
            f"ledger {path}: {error}; check that it is a ledger, that the disk has room, "
            "and that no other program holds it"
        ) from error


def _row(signal: Mapping[str, Any]) -> dict[str, Any]:
    return {name: field_of(signal, place) for name, place in COLUMNS.items()}


def field_of(signal: Mapping[str, Any], place: tuple[str, ...]) -> object:
    """Return the value at a place of a signal; none is an error."""
    value: Any = signal
    for step in place:
        if not isinstance(value, Mapping) or value.get(step) is None:
            raise InputError(f"signal: {'.'.join(place)} is missing, so it cannot be recorded")
        value = value[step]
    return value


def _content(signal: Mapping[str, Any]) -> str:
    origin = {k: v for k, v in signal["provenance"].items() if k not in MOMENTARY}
    return _canonical({**signal, "provenance": origin})


def _canonical(document: Mapping[str, Any]) -> str:
    try:
        return canonical(document).decode()
    except ValueError as error:
        raise InputError(f"signal: {error}; only finite numbers are recorded") from error
