"""The drift report on recorded features: quiet in quiet years, an alert after spring 2020."""

from pathlib import Path

import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS, names
from home.manifest import current_rows
from home.records.drift import DriftReport
from home.records.outcome import Outcome
from home.records.signal import Signal
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.sources.recorded.source import Recorded
from market.adjust import RAW_PRICES
from market.calendar import decision_time
from market.underlyings import MARKET
from monitoring.drift.measure import drift_report, windows
from serving.http.examples import SIGNAL_ANSWER
from trading.ledger.settle import outcomes

pytestmark = pytest.mark.recorded

# The views whose sources have a recorded past.
WITH_PAST = ("technical", "iv", "iv_lags", "macro")
VIEWS = {name: group for group in WITH_PAST for name in names(group)}
YEARS = pd.Timedelta(days=5 * 365)


@pytest.fixture(scope="module")
def data_dir(recorded_dir, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("home") / "data"
    source = Recorded(recorded_dir)
    end = source.last_session()
    landed_at = decision_time(pd.DatetimeIndex([end]))[0]
    with Lake(folder) as lake:
        fetch_all(lake, source, ["SPY"], None, end, landed_at)
        build_features(lake, ["SPY"], landed_at)
    return folder


@pytest.fixture(scope="module")
def features(data_dir) -> pd.DataFrame:
    tables = []
    for name in WITH_PAST:
        key = "SPY" if GROUPS[name].entity == "ticker" else MARKET
        rows = current_rows(data_dir, name, [key]).select("session", *names(name)).to_pandas()
        tables.append(rows.set_index("session"))
    return pd.concat(tables, axis=1, join="inner").reset_index()


def report_at(features: pd.DataFrame, last: str) -> DriftReport:
    end = pd.Timestamp(last)
    known = features[features["session"] <= end]
    return drift_report("SPY", *windows(known, end - YEARS, end), VIEWS)


@pytest.mark.parametrize(
    ("last", "alert"),
    [("2019-12-19", False), ("2020-06-22", True), ("2024-12-23", False), ("2025-06-27", False)],
)
def test_an_alert_is_rare_and_comes_after_spring_2020(features, last, alert):
    found = report_at(features, last)
    assert found.current.end == last
    assert found.compared == len(VIEWS)
    assert found.alert is alert
    # A fixed limit of 0.25 would be passed by most features in quiet years too.
    assert sum(row.psi > 0.25 for row in found.features) > 70


def test_recorded_frames_settle_as_they_come_out_of_the_lake(data_dir):
    prices = current_rows(data_dir, "prices", ["SPY"]).to_pandas()
    ranks = current_rows(data_dir, "iv", ["SPY"]).select("ticker", "session", "iv_rank").to_pandas()
    assert set(RAW_PRICES) <= set(prices)
    days = prices["session"].astype("datetime64[ns]").sort_values().iloc[-500:-5]
    forecast = {"ticker": "SPY", "direction": "UP", "iv_regime": "LOW"}
    signal = Signal.parse(SIGNAL_ANSWER | forecast, "signal")
    asked = [signal.model_copy(update={"session": str(day.date())}) for day in days]
    found = outcomes(asked, prices, ranks, pd.Timestamp("2026-01-02", tz="UTC"))
    assert all(isinstance(row, Outcome) for row in found)
    closes = prices.assign(session=prices["session"].astype("datetime64[ns]"))
    vendor = closes.set_index("session")["adj_close"].sort_index()
    expected = (vendor.shift(-5) / vendor - 1).reindex(days)
    # The vendor's own adjusted closes are rounded.
    assert [row.realised_return for row in found] == pytest.approx(expected.tolist(), abs=2e-5)
