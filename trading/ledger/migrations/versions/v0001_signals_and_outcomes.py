"""Signals and outcomes, each with its hash: a ledger of version 1, whatever it has of that.

Such a one was written by code that knew no migrations: it may lack the outcomes, where nothing was
settled, and the hashes, where it is older than they are.
"""

from typing import Final

from alembic import op

revision = "0001"
down_revision = None

_SIGNALS: Final = """
CREATE TABLE IF NOT EXISTS signals (
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
_OUTCOMES: Final = """
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


def upgrade() -> None:
    """Make what is not there yet."""
    connection = op.get_bind()
    for table, create in (("signals", _SIGNALS), ("outcomes", _OUTCOMES)):
        connection.exec_driver_sql(create)
        columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").mappings()
        if "sha256" not in {column["name"] for column in columns}:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN sha256 TEXT")
