"""What a materialization would write against the historical read, without a Redis."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from audit.parity import audit_parity
from feature_repo.asof_store import AsofOfflineStore
from tests.audit.conftest import DAYS, TICKERS, Built

Build = Callable[[str], Built]


@pytest.mark.parametrize("name", ["with vintages", "corrected"])
def test_a_home_in_order_reads_alike(name: str, build: Build) -> None:
    home = build(name)
    report = audit_parity(home.store(), home.data, TICKERS, DAYS[-65:], None, [])
    assert (report.mismatches, report.online) == (0, None)
    assert report.history.compared > 65 * 100 * len(TICKERS)
    assert [row.what for row in report.not_checked] == ["online store"]


def test_a_materialization_that_reads_a_session_too_far_is_found(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_far(*args: object) -> object:
        return pull(*args[:-1], args[-1] + timedelta(days=1))

    pull = AsofOfflineStore.pull_latest_from_table_or_query
    monkeypatch.setattr(AsofOfflineStore, "pull_latest_from_table_or_query", staticmethod(too_far))
    home = build("with vintages")
    report = audit_parity(home.store(), home.data, ["SPY"], DAYS[-9:], None, [])
    assert report.mismatches > 0
    assert {row.ticker for row in report.history.first} == {"SPY"}
