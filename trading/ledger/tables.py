"""The ledger's tables as SQLAlchemy knows them; the migrations lead a file to them.

Readers do without: they ask for whole rows, and `import sqlalchemy` costs more than all they do.
"""

from typing import Final

from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import REAL

from home.records.signal import SignalKey

METADATA: Final = MetaData()
KEY: Final = SignalKey._fields


def _key() -> list[Column[str] | Column[int]]:
    return [
        Column("ticker", Text, nullable=False),
        Column("session", Text, nullable=False),
        Column("direction_version", Integer, nullable=False),
        Column("regime_version", Integer, nullable=False),
    ]


def _place(table: str) -> list[Column[str] | Column[int] | Index]:
    """Return the columns of the chain; unique, so that no two rows follow the same one."""
    position = Column("position", Integer)
    return [position, Column("chain", Text), Index(f"{table}_position", position, unique=True)]


SIGNALS: Final = Table(
    "signals",
    METADATA,
    Column("id", Integer, primary_key=True, nullable=True),  # as SQLite calls its own numbers
    *_key(),
    Column("recorded_at", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("position_size", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("probability", REAL, nullable=False),
    Column("direction_confidence", REAL, nullable=False),
    Column("iv_regime", Text, nullable=False),
    Column("iv_confidence", REAL, nullable=False),
    Column("overall_confidence", REAL, nullable=False),
    Column("proven", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("sha256", Text),
    Column("backfilled", Integer),
    Column("shadow", Integer),
    *_place("signals"),
    UniqueConstraint(*KEY),
    sqlite_strict=True,
)
OUTCOMES: Final = Table(
    "outcomes",
    METADATA,
    *_key(),
    Column("end_session", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("realised_return", REAL, nullable=False),
    Column("label", Text, nullable=False),
    Column("direction_hit", Integer),
    Column("iv_rank", REAL),
    Column("realised_regime", Text),
    Column("regime_hit", Integer),
    Column("sha256", Text),
    *_place("outcomes"),
    PrimaryKeyConstraint(*KEY),
    ForeignKeyConstraint(KEY, [SIGNALS.c[name] for name in KEY]),
    sqlite_strict=True,
)
STRUCTURE_OUTCOMES: Final = Table(
    "structure_outcomes",
    METADATA,
    *_key(),
    Column("as_of", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("end_session", Text, nullable=False),
    Column("profit", REAL, nullable=False),
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    *_place("structure_outcomes"),
    PrimaryKeyConstraint(*KEY),
    ForeignKeyConstraint(KEY, [SIGNALS.c[name] for name in KEY]),
    sqlite_strict=True,
)
PAPER_EVENTS: Final = Table(
    "paper_events",
    METADATA,
    Column("number", Integer, primary_key=True, nullable=True),
    Column("kind", Text, nullable=False),
    Column("trade", Integer),
    Column("ticker", Text),
    Column("session", Text, nullable=False),
    Column("cash", Integer, nullable=False),
    Column("balance", Integer, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    *_place("paper_events"),
    sqlite_strict=True,
)
