"""Outcomes: what each recorded signal came to, kept in the ledger beside the signals.

One row for each signal that has been settled, with the signal's key. As with signals, the first
row stays, and a row that has been acknowledged survives a killed process and a power cut.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from market.errors import InputError
from market.targets import FLAT, IvRegime, Label, forecast_class, move_label
from trading.ledger.signals import (
    BUSY_SECONDS,
    COLUMNS,
    check_version,
    explained,
    field_of,
    read_only,
    transaction,
)


class SignalKey(NamedTuple):
    """What the ledger knows a signal by."""

    ticker: str
    session: str
    direction_version: int
    regime_version: int


@dataclass(frozen=True)
class Outcome:
    """What a signal came to, five sessions after its own.

    Attributes
    ----------
    end_session
        The session at whose close it is known, as an ISO date.
    realised_return
        Return of the adjusted close, a fraction.
    direction_hit
        Whether the direction was that of the label; None for FLAT, which no signal forecasts.
    iv_rank
        That of `end_session`, 0 to 100; None where it has none.
    realised_regime, regime_hit
        Its forecast class, and whether that was the one forecast; None without a rank.
    """

    ticker: str
    session: str
    direction_version: int
    regime_version: int
    end_session: str
    realised_return: float
    label: Label
    direction_hit: bool | None
    iv_rank: float | None
    realised_regime: IvRegime | None
    regime_hit: bool | None

    @property
    def key(self) -> SignalKey:
        """The key of its signal."""
        return SignalKey(self.ticker, self.session, self.direction_version, self.regime_version)


_COLUMNS: Final = tuple(field.name for field in fields(Outcome))
_CREATE: Final = """
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
_INSERT: Final = """
INSERT INTO outcomes (
    ticker, session, direction_version, regime_version, end_session, as_of,
    realised_return, label, direction_hit, iv_rank, realised_regime, regime_hit
) VALUES (
    :ticker, :session, :direction_version, :regime_version, :end_session, :as_of,
    :realised_return, :label, :direction_hit, :iv_rank, :realised_regime, :regime_hit
) ON CONFLICT DO NOTHING
"""
_EXISTS: Final = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'outcomes'"
_READ: Final = """
SELECT ticker, session, direction_version, regime_version, end_session,
    realised_return, label, direction_hit, iv_rank, realised_regime, regime_hit
FROM outcomes WHERE ?1 IS NULL OR ticker = ?1 ORDER BY rowid
"""


def signal_key(signal: Mapping[str, Any]) -> SignalKey:
    """Return the key of a signal as the ledger keeps it."""
    values: list[Any] = [field_of(signal, COLUMNS[name]) for name in SignalKey._fields]
    return SignalKey(*values)


def outcome_of(
    signal: Mapping[str, Any], end_session: str, realised_return: float, iv_rank: float | None
) -> Outcome:
    """Return what a recorded signal came to.

    Parameters
    ----------
    signal
        As served.
    end_session
        The session five after the signal's, as an ISO date.
    realised_return
        Return of the adjusted close from one to the other, a fraction.
    iv_rank
        The rank of `end_session`; None where there is none.

    Raises
    ------
    InputError
        If the rank is not a number from 0 to 100.
    """
    went = move_label(realised_return)
    regime = None if iv_rank is None else forecast_class(iv_rank)
    return Outcome(
        *signal_key(signal),
        end_session=end_session,
        realised_return=realised_return,
        label=went,
        direction_hit=None if went == FLAT else signal["direction"] == went,
        iv_rank=iv_rank,
        realised_regime=regime,
        regime_hit=None if regime is None else signal["iv_regime"] == regime,
    )


def record_outcomes(path: Path, outcomes: Sequence[Outcome], as_of: pd.Timestamp) -> int:
    """Write outcomes into a ledger, all or none, and return how many were new; then on disk.

    The outcome of a signal that has one already stays as it was first written.

    Parameters
    ----------
    path
        A ledger that holds the signals.
    as_of
        The clock of the settlement, with a zone.

    Raises
    ------
    InputError
        If there is no ledger, or it lacks the signal of an outcome.
    """
    moment = as_of.tz_convert("UTC").isoformat()
    rows = [{**asdict(outcome), "as_of": moment} for outcome in outcomes]
    with _writer(path) as connection, transaction(connection):
        return sum(connection.execute(_INSERT, row).rowcount for row in rows)


def read_outcomes(path: Path, ticker: str | None = None) -> list[Outcome]:
    """Return the outcomes of a ledger in the order they were settled; none if none was.

    Raises
    ------
    InputError
        If there is no ledger, or the file is none.
    """
    _require_ledger(path)
    with explained(path), closing(read_only(path)) as connection:
        check_version(connection, path)
        exists = connection.execute(_EXISTS).fetchone()[0]
        rows = connection.execute(_READ, (ticker,)).fetchall() if exists else []
    return [_outcome(row) for row in rows]


@contextmanager
def _writer(path: Path) -> Iterator[sqlite3.Connection]:
    _require_ledger(path)
    with explained(path), closing(_connect(path)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        check_version(connection, path)
        connection.execute(_CREATE)
        yield connection


def _connect(path: Path) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _require_ledger(path: Path) -> None:
    if not path.exists():
        raise InputError(f"no ledger at {path}: run `optrade signal-all --record` first")


def _outcome(row: Sequence[Any]) -> Outcome:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in ("direction_hit", "regime_hit"):
        values[name] = None if values[name] is None else bool(values[name])
    return Outcome(**values)
