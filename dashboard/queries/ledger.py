"""The ledger as a table: one row a recorded signal, its outcome beside it where it is known."""

from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.documents import NothingYet
from home.records.outcome import Outcome
from home.records.signal import SignalKey
from trading.ledger.connection import is_new
from trading.ledger.read import HISTORY, history, read_outcomes

KEY: Final = list(SignalKey._fields)
OUTCOME: Final = [name for name in Outcome.model_fields if name not in KEY]
NO_SIGNAL: Final = "No signal has been recorded: run `optrade signal-all --record`."


def check_ledger(ledger: Path) -> None:
    """Check that there is a ledger.

    Raises
    ------
    NothingYet
        If there is none.
    """
    if is_new(ledger):
        raise NothingYet(NO_SIGNAL)


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
        If what is there cannot be used.
    """
    check_ledger(ledger)
    signals = pd.DataFrame(history(ledger), columns=list(HISTORY))
    if signals.empty:
        raise NothingYet(NO_SIGNAL)
    settled = pd.DataFrame(
        [[getattr(row, name) for name in (*KEY, *OUTCOME)] for row in read_outcomes(ledger)],
        columns=[*KEY, *OUTCOME],
    ).astype(dict.fromkeys(("direction_version", "regime_version"), "int64"))
    joined = signals.merge(settled, on=KEY, how="left", validate="one_to_one")
    hits = dict.fromkeys(("direction_hit", "regime_hit"), "boolean")
    return joined.assign(session=pd.to_datetime(joined["session"])).astype(
        {**hits, "realised_return": "float64", "iv_rank": "float64"}
    )
