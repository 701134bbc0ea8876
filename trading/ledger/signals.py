"""Recording signals: every one is kept in the ledger as it was first written.

One row for each ticker, session and pair of model versions. Recording is idempotent: the first
row stays, a second attempt is reported. An acknowledged row survives a killed process and a power
cut (write-ahead log, synchronous = FULL).
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pandas as pd
import sqlalchemy as sa

from home.records.signal import Signal
from home.strict_json import Json, canonical
from market.errors import InputError
from trading.ledger.checked import recorded
from trading.ledger.schema import column_values, signed_row
from trading.ledger.tables import KEY, SIGNALS
from trading.ledger.timing import is_backfilled
from trading.ledger.writer import Writer, explaining, writing

# Two runs for one session differ in these without saying anything else.
MOMENTARY: Final = ("as_of", "age_in_sessions")
_KEPT: Final = sa.select(SIGNALS).where(*(SIGNALS.c[name] == sa.bindparam(name) for name in KEY))


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
    number
        Of the row: what `optrade replay` knows it by.
    backfilled
        Whether it was written when it could no longer be followed.
    shadow
        Whether the row in the ledger is a shadow; see `RecordedSignal`.
    """

    new: bool
    same: bool
    recorded_at: pd.Timestamp
    number: int
    backfilled: bool
    shadow: bool = False


class Ledger:
    """The writing side, a context manager; several processes may write at once.

    Raises
    ------
    StoreUnavailable
        On entering or recording, if what is there cannot be used; see `STATES`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stack = ExitStack()
        self._writer: Writer | None = None

    def __enter__(self) -> Self:
        self._writer = self._stack.enter_context(writing(self.path, begin=True))
        return self

    def __exit__(self, *_: object) -> None:
        self._writer = None
        self._stack.close()

    def record(
        self,
        signal: Signal,
        recorded_at: pd.Timestamp,
        *,
        backfilled: bool = False,
        shadow: bool = False,
    ) -> Recorded:
        """Write a signal unless its key is there already; on return it is on disk.

        Parameters
        ----------
        signal
            A signal as served.
        recorded_at
            Now, with a zone.
        backfilled
            It is of the past, whatever the clocks say; see `trading.ledger.timing`.
        shadow
            It is given to nobody; see `RecordedSignal`.

        Raises
        ------
        InputError
            If the ledger is not open, or the signal holds a number that is not finite.
        StoreUnavailable
            If the row that is there already is damaged; it is left as it is.
        """
        if self._writer is None:
            raise InputError("the ledger is not open: use it in a `with` block")
        late = backfilled or is_backfilled(signal, recorded_at)
        row = row_of(signal, recorded_at, backfilled=late, shadow=shadow)
        with explaining(self.path), self._writer.transaction() as rows:
            written = rows.append(SIGNALS, row, KEY)
            kept = rows.connection.execute(_KEPT, row).mappings().one()
        return self._recorded(signal, written, dict(kept))

    def record_all(
        self, signals: Sequence[Signal], recorded_at: pd.Timestamp, *, backfilled: bool
    ) -> list[Recorded]:
        """Write signals as `record` does, all that are new or none of them."""
        if self._writer is None:
            raise InputError("the ledger is not open: use it in a `with` block")
        found = []
        with explaining(self.path), self._writer.transaction() as rows:
            for signal in signals:
                late = backfilled or is_backfilled(signal, recorded_at)
                row = row_of(signal, recorded_at, backfilled=late)
                written = rows.append(SIGNALS, row, KEY)
                kept = rows.connection.execute(_KEPT, row).mappings().one()
                # Reading back what was just written takes as long as all the rest of it.
                found.append(
                    _new(dict(kept)) if written else self._recorded(signal, written, dict(kept))
                )
        return found

    def _recorded(self, signal: Signal, written: bool, kept: dict[str, Any]) -> Recorded:
        """Return what became of a signal, by the row that the ledger has of it."""
        stored = recorded(kept, self.path)
        same = _content(stored.signal) == _content(signal)
        at = pd.Timestamp(stored.recorded_at)
        return Recorded(written, same, at, stored.number, stored.backfilled, stored.shadow)


def _new(row: dict[str, Any]) -> Recorded:
    """Return what became of a signal whose row was written just now."""
    marks = (bool(row[name]) for name in ("backfilled", "shadow"))
    return Recorded(True, True, pd.Timestamp(row["recorded_at"]), row["id"], *marks)


def row_of(
    signal: Signal, recorded_at: pd.Timestamp, *, backfilled: bool, shadow: bool = False
) -> dict[str, Json]:
    """Return the row that a signal is recorded as, signed; it has no place in the chain yet."""
    return signed_row(
        {
            **column_values(signal),
            "recorded_at": recorded_at.tz_convert("UTC").isoformat(),
            "document": _canonical(signal.document()),
            "backfilled": backfilled,
            "shadow": shadow,
        }
    )


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
