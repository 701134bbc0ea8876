"""Outcomes: what each recorded signal came to, kept in the ledger beside the signals.

One row for each signal that has been settled, with the signal's key. As with signals, the first
row stays, and a row that has been acknowledged survives a killed process and a power cut.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from home.records.outcome import Outcome
from home.records.signal import Signal
from home.records.structure_outcome import StructureOutcome
from home.strict_json import Json, canonical
from market.iv_rank import forecast_class
from market.targets import FLAT, move_label
from trading.ledger.schema import signed_row
from trading.ledger.tables import KEY, OUTCOMES, STRUCTURE_OUTCOMES
from trading.ledger.writer import writing


def outcome_of(
    signal: Signal, end_session: str, realised_return: float, iv_rank: float | None
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
        **signal.key._asdict(),
        end_session=end_session,
        realised_return=realised_return,
        label=went,
        direction_hit=None if went == FLAT else signal.direction == went,
        iv_rank=iv_rank,
        realised_regime=regime,
        regime_hit=None if regime is None else signal.iv_regime == regime,
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
    rows = [signed_row({**outcome.document(), "as_of": moment}) for outcome in outcomes]
    return _written(path, OUTCOMES, rows)


def record_structure_outcomes(
    path: Path, outcomes: Sequence[StructureOutcome], as_of: pd.Timestamp
) -> int:
    """Write what positions came to into a ledger; as `record_outcomes`."""
    moment = as_of.tz_convert("UTC").isoformat()
    rows = [
        signed_row(
            {
                **outcome.key._asdict(),
                "as_of": moment,
                "reason": outcome.reason,
                "end_session": outcome.end_session,
                "profit": outcome.profit,
                "document": canonical(outcome.document()).decode(),
            }
        )
        for outcome in outcomes
    ]
    return _written(path, STRUCTURE_OUTCOMES, rows)


def _written(path: Path, table: sa.Table, rows: Sequence[Mapping[str, Json]]) -> int:
    with writing(path) as ledger, ledger.transaction() as written:
        return written.append_new(table, rows, KEY)
