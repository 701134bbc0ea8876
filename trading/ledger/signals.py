"""Recording signals: every one is kept in the ledger as it was first written.

One row for each ticker, session and pair of model versions. Recording is idempotent: the first
row stays, a second attempt is reported. An acknowledged row survives a killed process and a power
cut (write-ahead log, synchronous = FULL).
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import pandas as pd
from filelock import FileLock

from home.files import write_durably
from home.records.signal import Signal
from home.strict_json import Json, canonical
from market.errors import InputError
from trading.ledger.checked import rows_found, signal_of
from trading.ledger.connection import (
    BUSY_SECONDS,
    check_ours,
    check_whole,
    explained,
    is_empty,
    require_file,
    text_of,
    transaction,
)
from trading.ledger.schema import (
    CREATE_SIGNALS,
    SCHEMA_VERSION,
    add_hash,
    column_values,
    signed_row,
)

_INSERT: Final = """
INSERT INTO signals (
    ticker, session, direction_version, regime_version, recorded_at, as_of, origin,
    strategy, position_size, direction, probability, direction_confidence,
    iv_regime, iv_confidence, overall_confidence, proven, document, sha256
) VALUES (
    :ticker, :session, :direction_version, :regime_version, :recorded_at, :as_of, :origin,
    :strategy, :position_size, :direction, :probability, :direction_confidence,
    :iv_regime, :iv_confidence, :overall_confidence, :proven, :document, :sha256
) ON CONFLICT DO NOTHING
"""
_KEPT: Final = """
SELECT * FROM signals
WHERE ticker = :ticker AND session = :session
    AND direction_version = :direction_version AND regime_version = :regime_version
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
    StoreUnavailable
        On entering or recording, if what is there cannot be used; see `STATES`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        require_file(self.path)
        # SQLite does not wait its turn where a new file is switched to WAL by two at once.
        opening = FileLock(f"{self.path}.lock", timeout=BUSY_SECONDS)
        with explained(self.path), opening:
            if not self.path.exists():
                write_durably(self.path, _blank())
            self._connection = sqlite3.connect(
                self.path, timeout=BUSY_SECONDS, isolation_level=None
            )
            self._connection.text_factory = text_of
            _prepare(self._connection, self.path)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def record(self, signal: Signal, recorded_at: pd.Timestamp) -> Recorded:
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
            If the ledger is not open, or the signal holds a number that is not finite.
        StoreUnavailable
            If the row that is there already is damaged; it is left as it is.
        """
        if self._connection is None:
            raise InputError("the ledger is not open: use it in a `with` block")
        moment = recorded_at.tz_convert("UTC").isoformat()
        document = _canonical(signal.document())
        row = signed_row({**column_values(signal), "recorded_at": moment, "document": document})
        with explained(self.path), transaction(self._connection):
            written = self._connection.execute(_INSERT, row).rowcount == 1
            (kept,) = rows_found(self._connection.execute(_KEPT, row))
        stored = signal_of(kept, self.path)
        same = _content(stored) == _content(signal)
        return Recorded(written, same, pd.Timestamp(kept["recorded_at"]))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    new = is_empty(connection)
    if not new:
        # Before anything is written: another program's database stays as it is.
        check_ours(connection, path)
        check_whole(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    with transaction(connection):
        if new:
            _begin(connection)
        add_hash(connection, "signals")


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute(CREATE_SIGNALS)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _blank() -> bytes:
    """Return the bytes of a ledger without a row: put in place whole, so that none is empty."""
    with closing(sqlite3.connect(":memory:")) as connection:
        _begin(connection)
        return connection.serialize()


def _content(signal: Signal) -> Json:
    """Return what a signal says without the fields that are of the moment."""
    return _lasting(signal.document())


def _lasting(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _lasting(part) for name, part in value.items() if name not in MOMENTARY}
    return [_lasting(part) for part in value] if isinstance(value, list) else value


def _canonical(document: Json) -> str:
    try:
        return canonical(document).decode()
    except ValueError as error:
        raise InputError(f"signal: {error}; only finite numbers are recorded") from error
