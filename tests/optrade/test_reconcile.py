"""`optrade reconcile` on a home with each cause planted: every one is called by its name."""

import pytest

from benchmarks.reconciled import CAUSES_PLANTED, PLANTS, missing, planted
from home.records.reconcile import ReconcileReport
from optrade.flows.reconcile.reconcile import report_of
from trading.backtest.result import Rules
from trading.reconcile.ladder import CAUSES

pytestmark = pytest.mark.integration


def test_every_cause_that_was_planted_is_found_and_nothing_else(copied) -> None:
    # Others record in the home that is shared.
    for path in (copied.home / "data").glob("ledger.db*"):
        path.unlink()
    days, found = planted(copied.home)
    assert missing(days, found) == []
    assert set(CAUSES_PLANTED) == set(CAUSES)
    assert len(PLANTS) == 14
    one = found["close"]
    assert sum(share.cents for share in one.causes()) == one.backtest - one.live
    notes = {step.cause: step.note for row in one.ladders for step in row.steps}
    assert notes["exit by hand"] == "left at the close of 2024-11-15"
    assert notes["cannot be made again"].startswith("model gone: direction_SPY version 102")
    later = next(row for row in one.ladders if row.session == days["later"])
    assert later.steps[0].note.startswith("treasury_3m was nan, is ")
    corrected = next(row for row in one.ladders if row.session == days["corrected"])
    assert corrected.steps[0].note.startswith("rsi_14 was ")
    told = ReconcileReport.parse(report_of(one, Rules(fill="close")).document(), "reconciled")
    assert [row.live + sum(step.cents for step in row.steps) for row in told.ladders] == [
        row.backtest for row in told.ladders
    ]
