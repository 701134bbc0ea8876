"""What a row of the ledger is: its columns, its hash, and the version of them all.

A signal or an event is kept whole in `document`; other columns repeat parts of it, for queries.
`sha256` is of the rest of its row; a row that is older than the column has none. `position` and
`chain` say where it was written; see `trading.ledger.chain`.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, Literal, get_args

from home.records.signal import Signal
from home.strict_json import Json, signature

#: One migration leads to each, see `migrations/versions`.
SCHEMA_VERSION: Final = 4
#: The first that was; a ledger of any between the two is read as it is, and led on when written.
OLDEST_VERSION: Final = 1
#: From here on rows are chained.
CHAINED_FROM: Final = 2
Table = Literal["signals", "outcomes", "structure_outcomes", "paper_events"]
#: The rows of all of them stand in one chain.
CHAINED: Final[tuple[Table, ...]] = get_args(Table)

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
#: What SQLite or the chain says of a row, and is no part of what was written.
_OF_PLACE: Final = ("id", "position", "chain", "sha256")
#: Columns that are younger than some signed rows; in those they are null, and no part of the hash.
_YOUNGER: Final = ("backfilled", "shadow")


def column_values(signal: Signal) -> dict[str, str | float]:
    """Return the ledger's columns of a signal, by name."""
    return dict(zip(COLUMNS, _VALUES(signal), strict=True))


def signed_row(row: Mapping[str, Json]) -> dict[str, Json]:
    """Return a row as SQLite gives it back, with its own hash as `sha256`."""
    kept = {name: _kept(value) for name, value in row.items()}
    return {**kept, "sha256": row_hash(kept)}


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a row says; of bytes that are no text, their digits count."""
    return signature(
        {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in row.items()
            if name not in _OF_PLACE and not (name in _YOUNGER and value is None)
        }
    )


def _kept(value: Json) -> Json:
    """Return a value as SQLite keeps it: without booleans, and without a zero below zero."""
    if isinstance(value, bool):
        return int(value)
    return value + 0.0 if isinstance(value, float) else value
