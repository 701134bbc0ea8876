"""The ledger as a table: one row a recorded signal, its outcome beside it where it is known."""

from dataclasses import fields
from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.documents import NothingYet, read_only
from market.errors import InputError
from trading.ledger.outcomes import Outcome, SignalKey, read_outcomes
from trading.ledger.signals import COLUMNS, SCHEMA_VERSION

KEY: Final = list(SignalKey._fields)
OUTCOME: Final = [field.name for field in fields(Outcome) if field.name not in KEY]
_HISTORY: Final = f"SELECT {', '.join(COLUMNS)}, recorded_at FROM signals ORDER BY id"  # noqa: S608 - names of the ledger's own columns


def check_ledger(ledger: Path) -> None:
    """Check that a file is a ledger of this version.

    Raises
    ------
    NothingYet
        If there is none.
    InputError
        If it is something else.
    """
    if not ledger.exists():
        raise NothingYet("No signal has been recorded: run `optrade signal-all --record`.")
    with read_only(ledger, "ledger") as connection:
        got = connection.execute("PRAGMA user_version").fetchone()[0]
    if got != SCHEMA_VERSION:
        raise InputError(
            f"ledger {ledger}: got schema version {got}, allowed is {SCHEMA_VERSION}; "
            "use the optrade version that wrote it"
        )


def signal_history(ledger: Path) -> pd.DataFrame:
    """Return every recorded signal with its outcome, oldest first.

    Returns
    -------
    DataFrame
        The ledger's columns (`session` as a date), and those of an outcome, null until settled;
        `direction_hit` and `regime_hit` are nullable booleans.

    Raises
    ------
    NothingYet
        If no signal has been recorded.
    InputError
        If the file is no ledger of this version.
    """
    check_ledger(ledger)
    with read_only(ledger, "ledger") as connection:
        rows = connection.execute(_HISTORY).fetchall()
    if not rows:
        raise NothingYet("No signal has been recorded: run `optrade signal-all --record`.")
    history = pd.DataFrame([tuple(row) for row in rows], columns=[*COLUMNS, "recorded_at"])
    settled = pd.DataFrame(
        [[getattr(row, name) for name in (*KEY, *OUTCOME)] for row in read_outcomes(ledger)],
        columns=[*KEY, *OUTCOME],
    ).astype(dict.fromkeys(("direction_version", "regime_version"), "int64"))
    joined = history.merge(settled, on=KEY, how="left", validate="one_to_one")
    hits = dict.fromkeys(("direction_hit", "regime_hit"), "boolean")
    return joined.assign(session=pd.to_datetime(joined["session"])).astype(
        {**hits, "realised_return": "float64", "iv_rank": "float64"}
    )
