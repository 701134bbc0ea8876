"""What the positions of recorded signals came to, into the ledger of a home."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from home.records.structure_outcome import StructureOutcome
from optrade.flows.paper.histories import histories_of
from optrade.flows.paper.quotes import with_quotes
from trading.ledger.checked import DamagedRow, RecordedSignal
from trading.ledger.outcomes import record_structure_outcomes
from trading.ledger.read import settled_before
from trading.ledger.settle import Pending
from trading.paper.came_to import structure_outcomes

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def settle_structures(
    run: "Runtime", rows: Sequence[RecordedSignal | DamagedRow], as_of: pd.Timestamp
) -> tuple[tuple[StructureOutcome, ...], tuple[Pending, ...], dict[str, str]]:
    """Write what positions came to that have ended by a clock; return these, and the others.

    A damaged row leaves the others to be settled: that of a signal is named by who settles these,
    that of an outcome here, by ticker.
    """
    before, damaged = settled_before(run.home.ledger, "structure_outcomes")
    waiting = [
        row.signal
        for row in rows
        if isinstance(row, RecordedSignal)
        and row.signal.structure is not None
        and row.signal.key not in before
    ]
    if not waiting:
        return (), (), damaged
    tickers = sorted({one.ticker for one in waiting})
    first = min(one.session for one in waiting)
    histories, unread = histories_of(run.home.data, tickers, first, as_of)
    positions = [(one.ticker, one.session, one.structure) for one in waiting if one.structure]
    histories, unquoted = with_quotes(run.home.data, histories, positions, as_of)
    found, pending = structure_outcomes(waiting, histories)
    if found:
        record_structure_outcomes(run.home.ledger, found, as_of)
    why = unread | unquoted
    held = [Pending(signal.key, why.get(signal.ticker, reason)) for signal, reason in pending]
    return tuple(found), tuple(held), damaged
