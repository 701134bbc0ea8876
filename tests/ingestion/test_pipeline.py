"""Fetch, gate, land: each table on its own, the report says what is stale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs

from feature_repo.availability import SERIES
from feature_repo.errors import InputError, SchemaViolation, SourceUnavailable
from feature_repo.manifest import current_rows, damaged, read_manifest, read_rows
from feature_repo.markets import sessions
from ingestion import pipeline
from ingestion.build import build_features
from ingestion.lake import Lake
from ingestion.pipeline import TableReport, fetch_all, needed_keys
from ingestion.sources.simulated import Simulated
from ingestion.tables import TABLES

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
AT = pd.Timestamp("2024-06-03T20:30Z")
DAYS = sessions("2024-01-02", "2024-05-31")
END = DAYS[-1]


@dataclass
class Tables:
    """A source that gives fixed frames by table, and fails where it is told to."""

    frames: dict[str, pd.DataFrame]
    origin: str = "live"
    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    name: str = "tables"
    tables: tuple[str, ...] = tuple(TABLES)

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        self.asked.append((table, tuple(keys)))
        for key in (table, *keys):
            if key in self.failing:
                raise self.failing[key]
        frame = self.frames[table]
        return frame[frame[TABLES[table].partition].isin(keys)].reset_index(drop=True)


@pytest.fixture
def source(prices: Frame, index: Frame, macro: Frame) -> Tables:
    tickers = [prices(name, days=list(DAYS.astype(str))) for name in ("SPY", "QQQ", "IWM")]
    indices = [index(name, DAYS) for name in ("VIX", "VXN", "RVX", "VIX3M")]
    return Tables(
        {
            "prices": pd.concat(tickers, ignore_index=True),
            "indices": pd.concat(indices, ignore_index=True),
            "macro_series": macro(DAYS),
        }
    )


def fetch(data: Path, source: Any, *tickers: str, **options: Any) -> dict[str, TableReport]:
    with Lake(data) as lake:
        reports = fetch_all(lake, source, tickers or ("SPY", "QQQ"), None, END, AT, **options)
    return {report.table: report for report in reports}


def test_only_what_the_tickers_need_is_fetched(tmp_path: Path, source: Tables) -> None:
    reports = fetch(tmp_path, source, "QQQ", "QQQ")
    assert source.asked == [
        ("prices", ("QQQ",)),
        ("indices", ("VXN", "VIX3M", "VIX")),
        ("macro_series", tuple(SERIES)),
    ]
    manifest = read_manifest(tmp_path)
    assert manifest.keys("prices") == ("QQQ",)
    assert manifest.keys("indices") == ("VIX", "VIX3M", "VXN")
    assert set(manifest.keys("macro_series")) == set(SERIES)
    rows = len(DAYS)
    assert reports["prices"] == TableReport("prices", 1, rows, 0, 0, 0, (), None)
    assert reports["indices"].rows_new == 3 * rows
    assert reports["prices"].document()["stale_keys"] == []


def test_a_second_fetch_changes_no_byte(tmp_path: Path, source: Tables, tree: Tree) -> None:
    source.frames["prices"].loc[5, "close"] = -1.0
    fetch(tmp_path, source)
    before = tree(tmp_path)
    reports = fetch(tmp_path, source)
    assert tree(tmp_path) == before
    changes = ("rows_new", "rows_corrected", "rows_quarantined")
    assert {getattr(r, name) for r in reports.values() for name in changes} == {0}


def test_bad_rows_go_to_quarantine_and_the_rest_lands(tmp_path: Path, source: Tables) -> None:
    source.frames["prices"].loc[[3, 8], "volume"] = [np.nan, -5.0]
    source.frames["indices"].loc[2, "session"] = pd.Timestamp("2024-01-06")
    reports = fetch(tmp_path, source)
    assert reports["prices"].rows_quarantined == 2
    assert reports["prices"].rows_new == 2 * len(DAYS) - 2
    rows = read_rows(tmp_path, "quarantine/prices")
    assert rows["reason"].to_list() == ["volume: not null", "volume: >= 0 and <= 1e+13"]
    reason = read_rows(tmp_path, "quarantine/indices")["reason"].to_list()
    assert reason == ["session: an XNYS session"]


def test_a_quarantined_session_stays_pending_until_it_is_right(
    tmp_path: Path, source: Tables
) -> None:
    right = source.frames["prices"].copy()
    source.frames["prices"].loc[len(DAYS) - 1, "close"] = np.nan  # SPY's last bar, not complete
    fetch(tmp_path, source)
    assert current_rows(tmp_path, "prices", ["SPY"])["session"].max() == DAYS[-2].date()
    source.frames["prices"] = right
    assert fetch(tmp_path, source)["prices"].rows_new == 1
    assert current_rows(tmp_path, "prices", ["SPY"])["session"].max() == END.date()
    assert len(read_rows(tmp_path, "quarantine/prices")) == 1


def test_rows_after_the_last_complete_session_never_land(tmp_path: Path, source: Tables) -> None:
    with Lake(tmp_path) as lake:
        reports = fetch_all(lake, source, ["SPY"], None, DAYS[-3], AT)
    assert [report.rows_held_back for report in reports][:2] == [2, 2 * 3 - 2]
    for table in TABLES:
        entries = [e for e in read_manifest(tmp_path).entries.values() if e.table == table]
        assert max(entry.last for entry in entries) <= str(DAYS[-3].date())


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_does_not_answer_leaves_the_others_landed(
    tmp_path: Path, source: Tables, table: str
) -> None:
    source.failing[table] = SourceUnavailable("fred did not answer in 10 s")
    with capture_logs() as logs:
        reports = fetch(tmp_path, source)
    assert reports[table].stale == "fred did not answer in 10 s"
    keys = needed_keys(["SPY", "QQQ"])[table]
    assert set(reports[table].stale_keys) == set(keys)
    # Together, then a few alone, and then it is down.
    assert sum(name == table for name, _ in source.asked) == 1 + min(3, len(keys))
    assert reports[table].rows_new == 0
    landed = {name for name, _ in read_manifest(tmp_path).entries}
    assert landed == set(TABLES) - {table}
    warned = [entry for entry in logs if entry["log_level"] == "warning"]
    assert [(entry["table"], entry["stale"]) for entry in warned] == [
        (table, "fred did not answer in 10 s")
    ]
    del source.failing[table]
    assert fetch(tmp_path, source)[table].stale is None


def test_a_key_that_does_not_answer_leaves_the_others_landed(
    tmp_path: Path, source: Tables
) -> None:
    for key in ("QQQ", "DGS2", "DGS10", "UNRATE"):
        source.failing[key] = SourceUnavailable(f"an empty frame for {key}")
    reports = fetch(tmp_path, source, "SPY", "QQQ", "IWM")
    assert reports["prices"].stale_keys == ("QQQ",)
    assert reports["prices"].stale == "an empty frame for QQQ"
    assert (reports["prices"].keys, reports["prices"].rows_new) == (3, 2 * len(DAYS))
    assert reports["macro_series"].stale_keys == ("DGS2", "DGS10", "UNRATE")
    manifest = read_manifest(tmp_path)
    assert manifest.keys("prices") == ("IWM", "SPY")
    assert len(manifest.keys("macro_series")) == len(SERIES) - 3


def test_reports_of_batches_are_one_report(
    tmp_path: Path, source: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 1)
    source.failing["QQQ"] = SourceUnavailable("an empty frame for QQQ")
    source.frames["prices"].loc[0, "close"] = -1.0
    report = fetch(tmp_path, source, "SPY", "QQQ", "IWM")["prices"]
    assert report == TableReport(
        "prices", 3, 2 * len(DAYS) - 1, 0, 1, 0, ("QQQ",), "an empty frame for QQQ"
    )


def test_batches_bound_what_is_fetched_at_once(
    tmp_path: Path, source: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "BATCH", 2)
    steps: list[tuple[str, int, int]] = []
    fetch(tmp_path, source, "SPY", "QQQ", "IWM", progress=lambda *step: steps.append(step))
    assert max(len(keys) for _, keys in source.asked) == 2
    assert steps[0] == ("fetching prices", 1, 2 + 2 + 6)
    assert steps[-1] == ("fetching macro_series", 10, 10)
    assert set(read_manifest(tmp_path).keys("macro_series")) == set(SERIES)


def test_another_shape_stops_and_what_landed_before_stays(tmp_path: Path, source: Tables) -> None:
    source.frames["indices"] = source.frames["indices"].drop(columns="open")
    with pytest.raises(SchemaViolation, match=r"table indices: .*'missing': \['open'\]"):
        fetch(tmp_path, source)
    assert {name for name, _ in read_manifest(tmp_path).entries} == {"prices"}


def test_another_origin_is_refused_before_anything_is_fetched(
    tmp_path: Path, source: Tables
) -> None:
    fetch(tmp_path, source)
    source.asked.clear()
    source.origin = "recorded"
    with pytest.raises(InputError, match="this home holds live data, got recorded data"):
        fetch(tmp_path, source)
    assert source.asked == []


def test_an_unknown_ticker_is_refused_before_anything_is_fetched(
    tmp_path: Path, source: Tables
) -> None:
    with pytest.raises(InputError, match="unknown ticker: got 'MSFT'"):
        fetch(tmp_path, source, "SPY", "MSFT")
    assert source.asked == []


def test_tables_that_a_source_lacks_are_left_out(tmp_path: Path, source: Tables) -> None:
    source.tables = ("prices",)
    assert list(fetch(tmp_path, source)) == ["prices"]


def test_simulated_data_lands_and_builds(tmp_path: Path, tree: Tree) -> None:
    simulated = Simulated(seed=3, signal_strength=0.0, as_of=AT)
    for _ in range(2):
        with Lake(tmp_path) as lake:
            fetched = fetch_all(lake, simulated, ["SPY", "IWM"], None, END, AT)
            built = build_features(lake, ["SPY", "IWM"], AT)
        state = tree(tmp_path)
    assert {report.rows_quarantined for report in fetched} == {0}
    assert {report.stale for report in built} == {None}
    assert {report.last_session for report in built} == {str(END.date())}
    assert {(report.rows_new, report.rows_corrected) for report in built} == {(0, 0)}
    assert tree(tmp_path) == state


# The recorded data.


@pytest.mark.recorded
def test_recorded_tables_land_whole(recordings: Any) -> None:
    found = {
        report.table: (report.rows_new, report.rows_corrected, report.rows_quarantined)
        for report in recordings.fetched
    }
    assert found == {
        "prices": (21088, 0, 0),
        "indices": (18267, 0, 2),
        "macro_series": (104213, 0, 0),
    }
    assert {report.stale for report in recordings.fetched} == {None}
    assert read_manifest(recordings.data).origin == "recorded"
    assert damaged(recordings.data) == []


@pytest.mark.recorded
def test_recorded_data_landed_and_built_twice_changes_no_byte(recordings: Any, tree: Tree) -> None:
    before = tree(recordings.data)
    with Lake(recordings.data) as lake:
        later = recordings.at + pd.Timedelta(days=3)
        tickers = ["SPY", "QQQ", "IWM"]
        fetch_all(lake, recordings.source, tickers, None, recordings.end, later)
        build_features(lake, tickers, later)
    assert tree(recordings.data) == before


@pytest.mark.recorded
def test_recorded_days_land_one_after_another_as_they_would_at_once(
    recordings: Any, tmp_path: Path
) -> None:
    ends = [recordings.end - pd.Timedelta(days=days) for days in (10, 3, 0)]
    for end in ends:
        at = pd.Timestamp(end).tz_localize("UTC") + pd.Timedelta(hours=21)
        with Lake(tmp_path) as lake:
            fetch_all(lake, recordings.source, ["QQQ"], None, end, at)
            build_features(lake, ["QQQ"], at)
    for table, key in (("prices", "QQQ"), ("indices", "VXN"), ("macro_series", "DFF")):
        rows, whole = (read_rows(data, table, [key]) for data in (tmp_path, recordings.data))
        assert rows.drop("landed_at").equals(whole.drop("landed_at"))
    for view in ("technical", "iv", "iv_lags"):
        whole = read_rows(recordings.data, view, ["QQQ"])
        assert read_rows(tmp_path, view, ["QQQ"]).equals(whole)
    # The market starts with the first ticker's prices, so its windows warm up later: the same
    # from the longest of them on.
    macro = read_rows(tmp_path, "macro")
    whole = read_rows(recordings.data, "macro")
    assert macro.tail(macro.height - 60).equals(whole.tail(macro.height - 60))
