"""`optrade backtest` on a trained home: one document, its page, and nothing trained twice."""

import pytest

from home.records.backtest import BacktestReport

pytestmark = pytest.mark.integration


def test_a_home_is_traded_by_forecasts_that_had_not_seen_it(copied) -> None:
    kept = copied.home / "data" / "processed" / "walked"
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    found = copied.json("backtest", "--tickers", "SPY", "--period", "6y", "--fill", "close")
    report = BacktestReport.parse(found, "backtest")
    assert report.tried == len(report.cells)
    assert report.prices["synthetic"] > 1_000
    assert report.forecasts["SPY"] > 700
    names = [policy.name for policy in report.policies]
    assert names[:2] == ["matrix", "matrix with an edge"]
    assert names[-2:] == ["random", "buy and hold"]
    assert len(names) == 11
    page = (copied.home / "reports" / "backtests").glob("SPY_*_close.html")
    assert [str(path) for path in page] == [report.page]
    after = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    assert before.items() <= after.items()  # direction and regime were trained before
    assert (
        copied("backtest", "--fill", "noon", code=2)
        .stderr.strip()
        .endswith("--fill: got 'noon', allowed are open and close")
    )
