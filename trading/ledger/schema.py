"""The ledger's tables: one row a recorded signal, one row an outcome, in SQLite.

The signal itself is kept whole in `document`; the other columns say parts of it, for queries.
"""

from operator import attrgetter
from typing import Final

from home.records.signal import Signal

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
    PRIMARY KEY (ticker, session, direction_version, regime_version),
    FOREIGN KEY (ticker, session, direction_version, regime_version)
        REFERENCES signals (ticker, session, direction_version, regime_version)
) STRICT
"""


def column_values(signal: Signal) -> dict[str, str | float]:
    """Return the ledger's columns of a signal, by name."""
    return dict(zip(COLUMNS, _VALUES(signal), strict=True))
