"""The ledger's tables: one row a recorded signal, one row an outcome, in SQLite.

The signal itself is kept whole in `document`; the other columns say parts of it, for queries.
`sha256` is of the rest of its row; a row that is older than the column has none.
"""

import sqlite3
from collections.abc import Mapping
from operator import attrgetter
from typing import Final, Literal

from home.records.signal import Signal
from home.strict_json import Json, signature

SCHEMA_VERSION: Final = 1

# Where each column stands in a signal.
COLUMNS: Final[dict[str, str]] = {
    "ticker": "ticker",
    "session": "session",
    "direction_version": "provenance.models.direction.version",
    "regime_version": "provenance.models.regime.version",
    "as_of": "provenance.as_of",
    "origin": "provenance.origin",
    "strategy": "strategy",
    "position_size": "position_size",
    "direction": "direction",
    "probability": "prediction.probability",
    "direction_confidence": "direction_confidence",
    "iv_regime": "iv_regime",
    "iv_confidence": "iv_confidence",
    "overall_confidence": "overall_confidence",
    "proven": "evidence.proven",
}
_VALUES: Final = attrgetter(*COLUMNS.values())
CREATE_SIGNALS: Final = """
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
    sha256 TEXT,
    UNIQUE (ticker, session, direction_version, regime_version)
) STRICT
"""
CREATE_OUTCOMES: Final = """
CREATE TABLE IF NOT EXISTS outcomes (
    ticker TEXT NOT NULL,
    session TEXT NOT NULL,
    direction_version INTEGER NOT NULL,
    regime_version INTEGER NOT NULL,
    end_session TEXT NOT NULL,
    as_of TEXT NOT NULL,
    realised_return REAL NOT NULL,
    label TEXT NOT NULL CHECK (label IN ('UP', 'DOWN', 'FLAT')),
    direction_hit INTEGER,
    iv_rank REAL,
    realised_regime TEXT CHECK (realised_regime IN ('LOW', 'NORMAL', 'HIGH')),
    regime_hit INTEGER,
    sha256 TEXT,
    PRIMARY KEY (ticker, session, direction_version, regime_version),
    FOREIGN KEY (ticker, session, direction_version, regime_version)
        REFERENCES signals (ticker, session, direction_version, regime_version)
) STRICT
"""


def column_values(signal: Signal) -> dict[str, str | float]:
    """Return the ledger's columns of a signal, by name."""
    return dict(zip(COLUMNS, _VALUES(signal), strict=True))


def signed_row(row: Mapping[str, Json]) -> dict[str, Json]:
    """Return a row as SQLite gives it back, with its own hash as `sha256`."""
    kept = {name: _kept(value) for name, value in row.items()}
    return {**kept, "sha256": signature(kept)}


def add_hash(connection: sqlite3.Connection, table: Literal["signals", "outcomes"]) -> None:
    """Give a table the column of the hash; call it in a transaction. Older optrades pass it by."""
    columns = connection.execute("SELECT name FROM pragma_table_info(?)", (table,))
    if "sha256" not in {name for (name,) in columns}:
        connection.execute(f"ALTER TABLE {table} ADD COLUMN sha256 TEXT")


def _kept(value: Json) -> Json:
    """Return a value as SQLite keeps it: without booleans, and without a zero below zero."""
    if isinstance(value, bool):
        return int(value)
    return value + 0.0 if isinstance(value, float) else value
