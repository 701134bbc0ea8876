"""Findings: what a table as a whole lacks is told, and keeps nothing out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from home.records.finding import Finding
from ingestion.gate.expectations import gate
from ingestion.gate.findings import (
    CARRIED,
    CHECK_GAP,
    CHECK_MONTH,
    absent,
    calendar,
    findings,
)
from ingestion.gate.sequences import nothing_stored
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, OPTION_CHAINS, PRICES, TABLES
from ingestion.tables.declare import Table
from ingestion.tables.frames import typed
from tests.ingestion.clean_rows import clean

Frame = Callable[..., pd.DataFrame]
GAPS = "session: every XNYS session from the first row to the last"
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


@every_table
def test_clean_rows_give_no_finding(table: Table) -> None:
    assert findings(table, clean(table), nothing_stored) == []
    assert findings(table, table.empty(), nothing_stored) == []


@every_table
def test_a_share_of_nulls_beyond_the_declared_one_is_told(table: Table) -> None:
    for column in table.columns:
        if column.null_share is None:
            continue
        frame = clean(table, 100)
        allowed = round(column.null_share * 100)
        frame.loc[: allowed - 1, column.name] = None
        assert findings(table, frame, nothing_stored) == []
        frame.loc[:allowed, column.name] = None
        (found,) = findings(table, frame, nothing_stored)
        key = frame[table.partition][0]
        assert (found.table, found.key, found.count) == (table.name, key, allowed + 1)
        assert found.rule == f"{column.name}: at most {column.null_share:.0%} null"
        assert found.detail == f"{allowed + 1}.0% null"


def test_a_number_that_a_file_of_chains_may_lack_is_no_finding() -> None:
    frame = clean(OPTION_CHAINS, 10).assign(gamma=np.nan)
    assert findings(OPTION_CHAINS, frame, nothing_stored) == []


def test_nulls_are_told_by_key(index: Frame, prices: Frame) -> None:
    days = prices(count=10)["session"]
    parts = [index(symbol, pd.DatetimeIndex(days)) for symbol in ("VIX", "RVX", "VXN")]
    parts[1]["open"] = np.nan
    parts[2].loc[:4, "open"] = np.nan
    (found,) = findings(INDICES, pd.concat(parts, ignore_index=True), nothing_stored)
    assert (found.key, found.column, found.count) == (None, "open", 15)
    assert found.detail == "RVX 100% null, VXN 50% null"
    (found,) = findings(INDICES, pd.concat(parts[:2], ignore_index=True), nothing_stored)
    assert (found.key, found.count, found.detail) == ("RVX", 10, "100.0% null")


def test_missing_sessions_are_told_by_ticker(prices: Frame) -> None:
    spy, qqq = prices("SPY", count=9), prices("QQQ", count=9)
    frame = pd.concat([spy.drop(index=[2, 5]), qqq.drop(index=[0, 8])], ignore_index=True)
    days = spy["session"].dt.strftime("%Y-%m-%d")
    assert findings(PRICES, frame, nothing_stored) == [
        Finding("prices", "SPY", "session", GAPS, 2, f"{days[2]}, {days[5]}", CHECK_GAP)
    ]


def test_what_is_stored_fills_a_gap_and_makes_one(prices: Frame) -> None:
    frame = prices(count=9)

    def stored(key: str) -> Any:
        assert key == "SPY"
        return typed(PRICES, frame.iloc[[0, 1, 3]])

    days = frame["session"].dt.strftime("%Y-%m-%d")
    (found,) = findings(PRICES, frame.iloc[[2, 6]], stored)
    assert found.detail == f"{days[4]}, {days[5]}"
    assert calendar(PRICES, frame.iloc[[2, 6]], stored)["landed"].to_list() == [
        True, True, True, True, False, False, True,
    ]  # fmt: skip


def test_many_missing_sessions_are_counted_and_the_first_named(prices: Frame) -> None:
    (found,) = findings(PRICES, prices(count=50).iloc[[0, 49]], nothing_stored)
    assert found.count == 48
    assert found.detail.count(",") == 9
    assert found.detail.endswith(" and 38 more")
    assert json.loads(json.dumps(found.document()))["count"] == 48


def test_an_expected_key_without_a_row_is_told(prices: Frame) -> None:
    held = {"SPY": typed(PRICES, prices(count=3))}
    (found,) = absent(PRICES, ["SPY", "QQQ"], held.get)
    assert (found.table, found.key, found.rule) == ("prices", "QQQ", "at least one row")
    assert found.line().startswith("prices QQQ: expected is at least one row; got no row")


@pytest.mark.parametrize(("month", "action"), [("2025-10", CARRIED), ("2025-05", CHECK_MONTH)])
def test_a_month_that_never_came_is_told(macro: Frame, month: str, action: str) -> None:
    rows = macro(pd.DatetimeIndex(["2025-03-03", "2025-12-31"]))
    rows = rows[rows["series"].isin(["CPIAUCSL", "DFF"])]
    whole = rows[rows["observation_date"].dt.strftime("%Y-%m").ne(month) | rows["series"].eq("DFF")]
    assert findings(MACRO_SERIES, rows, nothing_stored) == []
    (found,) = findings(MACRO_SERIES, whole, nothing_stored)
    assert (found.key, found.column, found.count) == ("CPIAUCSL", "value", 1)
    assert (found.detail, found.action) == (f"no value of {month}", action)


def test_weekends_and_holidays_are_no_gap(index: Frame) -> None:
    days = pd.DatetimeIndex(["2024-03-28", "2024-04-01", "2024-07-03", "2024-07-05"])
    found = findings(INDICES, index("VIX", days[:2]), nothing_stored)
    assert found == []
    assert findings(INDICES, index("VIX", days[2:]), nothing_stored) == []


@pytest.mark.recorded
def test_recorded_holes_are_found_and_no_row_is_held(recorded_dir: Path) -> None:
    source = Recorded(recorded_dir)
    end = source.last_session()
    good, bad = gate(PRICES, source.fetch("prices", ["SPY", "QQQ", "IWM"], None, end))
    assert bad.empty
    # Yahoo's volumes of IWM on a few days, such as 1,200 shares on 2019-07-30.
    assert [(one.key, one.column) for one in findings(PRICES, good, nothing_stored)] == [
        ("IWM", "volume")
    ]
    good, _ = gate(INDICES, source.fetch("indices", ["VIX", "VXN", "RVX", "VIX3M"], None, end))
    found = findings(INDICES, good, nothing_stored)
    gaps = {finding.key: finding for finding in found if finding.rule == GAPS}
    # Eight sessions that Cboe's file lacks; four of VIX and its two rows in quarantine.
    assert {key: finding.count for key, finding in gaps.items()} == {"VIX": 6, "VXN": 8, "RVX": 1}
    assert gaps["VXN"].detail.startswith("2017-02-13, ")
    nulls = [(finding.key, finding.rule) for finding in found if "null" in finding.rule]
    assert nulls == [("RVX", f"{name}: at most 5% null") for name in ("open", "high", "low")]


@pytest.mark.recorded
def test_real_moves_of_88_stocks_are_no_splits(recorded_dir: Path) -> None:
    files = sorted((recorded_dir.parent / "universe").glob("*.csv"))
    assert len(files) == 88
    frames = [universe_prices(path) for path in files]
    good, bad = gate(PRICES, pd.concat(frames, ignore_index=True))
    # The three rows with nulls, and nothing else; AGFS fell by half within a day.
    assert sorted(bad["ticker"]) == ["PTR", "REX", "SNP"]
    assert bad["reason"].str.startswith("open: not null").all()
    gaps = [one for one in findings(PRICES, good, nothing_stored) if one.rule == GAPS]
    assert [(g.key, g.detail) for g in gaps] == [
        (ticker, "2016-06-29") for ticker in ("PTR", "REX", "SNP")
    ]


def universe_prices(path: Path) -> pd.DataFrame:
    file = pd.read_csv(path)
    frame = pd.DataFrame({"ticker": path.stem, "session": pd.to_datetime(file["Date"])})
    for name in ("open", "high", "low", "close", "volume"):
        frame[name] = file[name.title()]
    # The files tell of no dividend, so their adjusted closes cannot be checked against.
    frame = frame.assign(dividend=0.0, split=1.0, adj_close=np.nan)
    return frame.astype(PRICES.dtypes)
