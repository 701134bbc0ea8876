"""What positions came to, and the events of the paper book."""

from typing import Final

from alembic import op

revision = "0003"
down_revision = "0002"

_STRUCTURE_OUTCOMES: Final = """
CREATE TABLE structure_outcomes (
    ticker TEXT NOT NULL,
    session TEXT NOT NULL,
    direction_version INTEGER NOT NULL,
    regime_version INTEGER NOT NULL,
    as_of TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('target', 'stop', 'expiry')),
    end_session TEXT NOT NULL,
    profit REAL NOT NULL,
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    position INTEGER,
    chain TEXT,
    PRIMARY KEY (ticker, session, direction_version, regime_version),
    FOREIGN KEY (ticker, session, direction_version, regime_version)
        REFERENCES signals (ticker, session, direction_version, regime_version)
) STRICT
"""
_PAPER_EVENTS: Final = """
CREATE TABLE paper_events (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    trade INTEGER,
    ticker TEXT,
    session TEXT NOT NULL,
    cash INTEGER NOT NULL,
    balance INTEGER NOT NULL,
    recorded_at TEXT NOT NULL,
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    position INTEGER,
    chain TEXT
) STRICT
"""


def upgrade() -> None:
    """Make both tables."""
    connection = op.get_bind()
    for table, create in (
        ("structure_outcomes", _STRUCTURE_OUTCOMES),
        ("paper_events", _PAPER_EVENTS),
    ):
        connection.exec_driver_sql(create)
        op.create_index(f"{table}_position", table, ["position"], unique=True)
