"""Fetch, gate, land: each table on its own, the report says what is stale."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from structlog.testing import capture_logs

from feature_repo.features.earnings.reports import WITHDRAWN
from home.findings import read_findings
from home.layout import DataFiles
from home.manifest import Answer, current_rows, damaged, read_manifest, read_rows
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.landing import batch
from ingestion.landing import land_new as pipeline
from ingestion.landing.batch import needed_keys
from ingestion.landing.land import fetch_all
from ingestion.landing.report import TableReport
from ingestion.sources.later import Later, together
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import EARNINGS_CALENDAR, TABLES
from market.availability import SERIES
from market.baskets import basket_symbols
from market.calendar import decision_time, sessions
from market.errors import (
    DamagedFile,
    InputError,
    MissingCredential,
    NotEntitled,
    SchemaViolation,
    SourceUnavailable,
)

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
AT = pd.Timestamp("2024-06-03T20:30Z")
DAYS = sessions("2024-01-02", "2024-05-31")
END = DAYS[-1]


# What every home has; the gate of each further table costs time.
PRICED = ("prices", "indices", "macro_series")


@dataclass
class Tables:
    """A source that gives fixed frames by table, and fails where it is told to."""

    frames: dict[str, pd.DataFrame]
    origin: str = "live"
    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    starts: dict[str, pd.Timestamp | None] = field(default_factory=dict)
    name: str = "tables"
    tables: tuple[str, ...] = PRICED

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        self.asked.append((table, tuple(keys)))
        self.starts[table] = start
        for key in (table, *keys):
            if key in self.failing:
                raise self.failing[key]
        frame = self.frames[table]
        return frame[frame[TABLES[table].partition].isin(keys)].reset_index(drop=True)


@pytest.fixture(scope="module")
def frames(
    prices: Frame,
    index: Frame,
    macro: Frame,
    news: Frame,
    premium: Frame,
    mentions: Frame,
    earnings: Frame,
    chain: Frame,
) -> dict[str, pd.DataFrame]:
    tickers = ("SPY", "QQQ", "IWM")
    cut_offs = decision_time(DAYS)
    companies = dict.fromkeys(name for ticker in tickers for name in basket_symbols(ticker))
    makers = {
        "prices": [prices(name, days=list(DAYS.astype(str))) for name in tickers],
        "indices": [index(name, DAYS) for name in ("VIX", "VXN", "RVX", "VIX3M")],
        "macro_series": [macro(DAYS)],
        "news": [news(cut_offs)],
        "news_sentiment": [premium(name, cut_offs) for name in tickers],
        "mentions": [mentions(name, cut_offs) for name in tickers],
        "earnings_calendar": [earnings(name, ["2024-02-01", "2024-07-01"]) for name in companies],
        "option_chains": [chain(name, cut_offs[-1:]) for name in tickers],
    }
    return {name: pd.concat(parts, ignore_index=True) for name, parts in makers.items()}


@pytest.fixture
def source(frames: dict[str, pd.DataFrame]) -> Tables:
    return Tables({name: frame.copy() for name, frame in frames.items()})


@pytest.fixture
def everything(source: Tables) -> Tables:
    source.tables = tuple(TABLES)
    return source


def fetch(data: Path, source: Any, *tickers: str, **options: Any) -> dict[str, TableReport]:
    with Lake(data) as lake:
        reports = fetch_all(lake, source, tickers or ("SPY", "QQQ"), None, END, AT, **options)
    return {report.table: report for report in reports}


def landed_tables(data: Path) -> set[str]:
    return {name for name, _ in read_manifest(data).entries}


def test_only_what_the_tickers_need_is_fetched(tmp_path: Path, everything: Tables) -> None:
    reports = fetch(tmp_path, everything, "QQQ", "QQQ")
    assert everything.asked == [
        ("prices", ("QQQ",)),
        ("indices", ("VXN", "VIX3M", "VIX")),
        ("macro_series", tuple(SERIES)),
        ("news", ("market",)),
        ("news_sentiment", ("QQQ",)),
        ("mentions", ("QQQ",)),
        ("earnings_calendar", basket_symbols("QQQ")),
        ("option_chains", ("QQQ",)),
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


def test_rows_are_gated_again_only_where_something_changed(
    tmp_path: Path, everything: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    gated: list[str] = []
    whole = pipeline.gate

    def counted(table: Any, *rest: Any) -> Any:
        gated.append(table.name)
        return whole(table, *rest)

    monkeypatch.setattr(pipeline, "gate", counted)

    def tables(**options: Any) -> list[str]:
        gated.clear()
        fetch(tmp_path, everything, **options)
        return list(gated)

    everything.frames["indices"].loc[2, "session"] = pd.Timestamp("2024-01-06")
    assert tables() == list(TABLES)
    assert tables() == []
    everything.frames["news"].loc[0, "score"] = 0.25
    assert tables() == ["news"]
    # The vendor's answer of before, onto what has landed since, is not the same again.
    everything.frames["news"].loc[0, "score"] = 0.5
    assert tables() == ["news"]
    assert tables() == []
    with Lake(tmp_path) as lake:
        good = everything.frames["prices"].head(1).assign(volume=9.0)
        lake.land(TABLES["prices"], good, "live", AT)
    assert tables() == ["prices"]
    assert current_rows(tmp_path, "prices", ["SPY"])["volume"][0] != 9.0
    DataFiles(tmp_path).landed.unlink()
    assert tables() == list(TABLES)


def test_a_landing_that_failed_is_not_taken_for_done(tmp_path: Path, source: Tables) -> None:
    right = source.frames["indices"]
    source.frames["indices"] = right.drop(columns="open")
    for _ in range(2):
        with pytest.raises(SchemaViolation):
            fetch(tmp_path, source)
    source.frames["indices"] = right
    assert fetch(tmp_path, source)["indices"].rows_new == len(right[right["symbol"] != "RVX"])


def test_what_is_held_back_is_counted_in_every_run(tmp_path: Path, source: Tables) -> None:
    source.tables = ("prices",)
    for end, late in ((-3, 2), (-3, 2), (-2, 1), (-1, 0)):
        with Lake(tmp_path) as lake:
            reports = fetch_all(lake, source, ["SPY"], None, DAYS[end], AT)
        assert reports[0].rows_held_back == late
    assert current_rows(tmp_path, "prices", ["SPY"])["session"].max() == END.date()


@dataclass
class Holding(Tables):
    """A source that holds more than was known by the clock."""

    held: dict[str, Later] = field(default_factory=dict)

    def later(self, table: str, keys: Sequence[str]) -> Later | None:
        return together(self.held[key] for key in keys if key in self.held)


def test_what_lies_after_the_clock_is_told_in_every_run(tmp_path: Path, source: Tables) -> None:
    held = {"QQQ": Later(40, "QQQ", END + pd.Timedelta(days=300)), "IWM": Later(1, "IWM", END)}
    holding = Holding(source.frames, tables=("prices",), held=held)
    for _ in range(2):
        report = fetch(tmp_path, holding)["prices"]
        assert (report.rows_held_back, report.stale, len(report.findings)) == (40, None, 1)
        assert report.findings[0].line() == (
            "prices QQQ session: expected is known by the decision time of the last session asked "
            "for; got rows after that of 2024-05-31, the first QQQ of 2025-03-27 (40): correct the "
            "source where a date is mistyped; else nothing, a later `--as-of` lands them"
        )
        assert read_findings(DataFiles(tmp_path).findings)["prices"] == list(report.findings)
    # What could not be read is not told of.
    holding.failing["QQQ"] = SchemaViolation("cut off")
    assert fetch(tmp_path, holding)["prices"].rows_held_back == 0
    assert read_findings(DataFiles(tmp_path).findings)["prices"] == []


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
    sessional = [name for name, table in TABLES.items() if table.sessional]
    assert sessional == ["prices", "indices", "macro_series"]
    for table in sessional:
        entries = [e for e in read_manifest(tmp_path).entries.values() if e.table == table]
        assert max(entry.last for entry in entries) <= str(DAYS[-3].date())


@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_does_not_answer_leaves_the_others_landed(
    tmp_path: Path, source: Tables, table: str
) -> None:
    source.tables = tuple(dict.fromkeys((*PRICED, table)))
    source.failing[table] = SourceUnavailable("fred did not answer in 10 s")
    with capture_logs() as logs:
        reports = fetch(tmp_path, source)
    assert reports[table].stale == "fred did not answer in 10 s"
    keys = needed_keys(["SPY", "QQQ"])[table]
    assert set(reports[table].stale_keys) == set(keys)
    # Together, then a few alone, and then it is down. A single key is alone at once.
    times = 1 + min(3, len(keys)) if len(keys) > 1 else 1
    assert sum(name == table for name, _ in source.asked) == times
    assert reports[table].rows_new == 0
    assert landed_tables(tmp_path) == set(PRICED) - {table}
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
    monkeypatch.setattr(batch, "BATCH", 1)
    source.tables = ("prices",)
    source.failing["QQQ"] = SourceUnavailable("an empty frame for QQQ")
    source.frames["prices"].loc[0, "close"] = -1.0
    report = fetch(tmp_path, source, "SPY", "QQQ", "IWM")["prices"]
    assert report == TableReport(
        *("prices", 3, 2 * len(DAYS) - 1, 0, 1, 0, ("QQQ",), "an empty frame for QQQ"),
        refused=report.refused,
    )
    assert set(report.refused.values()) == {1}
    assert "close: > 0" in " ".join(report.refused)
    assert report.refused_line().startswith("prices: 1 rows went to quarantine, refused are 1 by")


def test_batches_bound_what_is_fetched_at_once(
    tmp_path: Path, source: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "BATCH", 2)
    steps: list[tuple[str, int, int]] = []
    fetch(tmp_path, source, "SPY", "QQQ", "IWM", progress=lambda *step: steps.append(step))
    assert max(len(keys) for _, keys in source.asked) == 2
    assert steps[0] == ("fetching prices", 1, 2 + 2 + 6)
    assert steps[-1] == ("fetching macro_series", 10, 10)
    assert set(read_manifest(tmp_path).keys("macro_series")) == set(SERIES)


def test_another_shape_stops_and_what_landed_before_stays(tmp_path: Path, source: Tables) -> None:
    source.frames["indices"] = source.frames["indices"].drop(columns="open")
    with pytest.raises(SchemaViolation, match=r"table indices: columns: .*missing.* open"):
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


def test_what_belongs_to_no_session_lands_whatever_its_day(
    tmp_path: Path, everything: Tables, earnings: Frame
) -> None:
    reports = fetch(tmp_path, everything)
    coming = current_rows(tmp_path, EARNINGS_CALENDAR.name, ["AAPL"])["date"].max()
    assert coming == pd.Timestamp("2024-07-01").date() > END.date()
    assert {r.rows_held_back for name, r in reports.items() if not TABLES[name].sessional} == {0}


def test_chains_are_asked_for_at_the_last_session_only(tmp_path: Path, everything: Tables) -> None:
    fetch(tmp_path, everything)
    assert everything.starts == {
        table: END if table == "option_chains" else None for table in TABLES
    }


def test_a_ticker_without_a_basket_needs_no_earnings(tmp_path: Path, everything: Tables) -> None:
    reports = fetch(tmp_path, everything, "IWM")
    assert needed_keys(["IWM"])[EARNINGS_CALENDAR.name] == []
    assert EARNINGS_CALENDAR.name not in reports
    assert not read_manifest(tmp_path).keys(EARNINGS_CALENDAR.name)


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ("news", MissingCredential),
        ("news_sentiment", NotEntitled),
        ("earnings_calendar", NotEntitled),
        ("option_chains", MissingCredential),
    ],
)
def test_a_table_that_needs_a_key_leaves_the_others_landed(
    tmp_path: Path, source: Tables, table: str, error: type[Exception]
) -> None:
    source.tables = (*PRICED, table)
    source.failing[table] = error("Finnhub needs a key: set FINNHUB_API_KEY")
    with capture_logs() as logs:
        reports = fetch(tmp_path, source)
    keys = len(needed_keys(["SPY", "QQQ"])[table])
    assert reports[table] == TableReport(
        table, keys, 0, 0, 0, 0, (), None, "Finnhub needs a key: set FINNHUB_API_KEY"
    )
    assert reports[table].document()["unavailable"] == "Finnhub needs a key: set FINNHUB_API_KEY"
    assert {report.unavailable for name, report in reports.items() if name != table} == {None}
    assert landed_tables(tmp_path) == set(PRICED)
    assert not [entry for entry in logs if entry["log_level"] == "warning"]
    # No key: asked for once. Not in the plan: the first few keys are asked for alone as well.
    alone = min(3, keys) if error is NotEntitled and keys > 1 else 0
    assert sum(name == table for name, _ in source.asked) == 1 + alone


def test_a_company_that_the_plan_does_not_include_is_lost_alone(
    tmp_path: Path, source: Tables
) -> None:
    source.tables = (*PRICED, EARNINGS_CALENDAR.name)
    source.failing["AAPL"] = NotEntitled("Finnhub's plan does not include it (HTTP 403)")
    report = fetch(tmp_path, source, "SPY")[EARNINGS_CALENDAR.name]
    assert (report.stale, report.unavailable) == (None, None)
    (lost,) = (finding for finding in report.findings if finding.key)
    assert (lost.key, lost.detail) == ("AAPL", "Finnhub's plan does not include it (HTTP 403)")
    manifest = read_manifest(tmp_path)
    landed = {*basket_symbols("SPY")} - {"AAPL"}
    assert {*manifest.keys(EARNINGS_CALENDAR.name)} == landed
    assert manifest.answers[EARNINGS_CALENDAR.name, "AAPL"] == Answer(None, refused=True)
    assert manifest.answers[EARNINGS_CALENDAR.name, "MSFT"] == Answer(str(END.date()))
    with Lake(tmp_path) as lake:
        built = {report.view: report for report in build_features(lake, ["SPY"], AT)}
    assert built["earnings"].last_session == str(END.date())


def test_what_failed_to_be_fetched_is_not_carried_to_a_build_of_its_own(
    tmp_path: Path, source: Tables
) -> None:
    """Fetched before the failure, after it, and once the source answers again."""
    ends = []
    for end, failing in ((DAYS[-3], False), (DAYS[-2], True), (DAYS[-1], True), (DAYS[-1], False)):
        source.failing = {"DGS2": SourceUnavailable("fred is down")} if failing else {}
        at = decision_time(pd.DatetimeIndex([end]))[0]
        with Lake(tmp_path) as lake:
            fetch_all(lake, source, ["SPY"], None, end, at)
        with Lake(tmp_path) as lake:
            built = {report.view: report for report in build_features(lake, ["SPY"], at)}
        assert built["technical"].last_session == str(end.date())
        ends.append((built["macro"].last_session, built["macro"].stale is None))
    good, late, last = (str(day.date()) for day in DAYS[[-3, -2, -1]])
    assert ends == [(good, True), (good, False), (good, False), (last, True)]
    assert late not in dict(ends)


def test_who_answered_lands_with_the_rows_or_not_at_all(tmp_path: Path, source: Tables) -> None:
    fetch(tmp_path, source)
    manifest = read_manifest(tmp_path)
    asked = [(table, key) for table, keys in needed_keys(["SPY", "QQQ"]).items() for key in keys]
    carried = {"macro_series", EARNINGS_CALENDAR.name} & set(source.tables)
    answered = {name: Answer(str(END.date())) for name in asked if name[0] in carried}
    assert manifest.answers == answered
    with Lake(tmp_path) as lake:
        fetch_all(lake, source, ["SPY"], None, DAYS[-5], AT)
    assert read_manifest(tmp_path) == manifest  # an earlier session tells nothing of a later one


def test_tables_without_a_key_leave_what_is_priced_to_build(tmp_path: Path, source: Tables) -> None:
    source.tables = tuple(table for table in TABLES if table != "option_chains")
    for table in ("news", "news_sentiment", "earnings_calendar"):
        source.failing[table] = MissingCredential("Finnhub needs a key: set FINNHUB_API_KEY")
    fetch(tmp_path, source)
    with Lake(tmp_path) as lake:
        reports = {report.view: report for report in build_features(lake, ["SPY"], AT)}
    assert {reports[view].keys for view in ("technical", "iv", "macro", "sentiment")} == {1}
    assert reports["earnings"].keys == 0
    assert reports["earnings"].unavailable == "nothing of earnings_calendar has landed"
    assert {report.stale for report in reports.values()} == {None}


def test_reports_to_come_land_and_a_moved_one_is_a_correction(
    tmp_path: Path, source: Tables, earnings: Frame
) -> None:
    source.tables = ("prices", EARNINGS_CALENDAR.name)
    fetch(tmp_path, source)
    calendar = source.frames[EARNINGS_CALENDAR.name]
    others = calendar[calendar["symbol"] != "AAPL"]
    moved = pd.concat([others, earnings("AAPL", ["2024-07-03"])], ignore_index=True)
    source.frames[EARNINGS_CALENDAR.name] = moved
    assert fetch(tmp_path, source)[EARNINGS_CALENDAR.name].rows_corrected == 1
    rows = read_rows(tmp_path, EARNINGS_CALENDAR.name, ["AAPL"])
    assert [str(day) for day in rows["date"]] == ["2024-02-01", "2024-07-01", "2024-07-03"]


def withdrawals(data: Path) -> list[str]:
    rows = current_rows(data, EARNINGS_CALENDAR.name, ["AAPL"]).filter(hour=WITHDRAWN)
    return [str(day) for day in rows["date"]]


def test_a_report_that_is_not_listed_any_more_is_withdrawn(
    tmp_path: Path, source: Tables, earnings: Frame
) -> None:
    source.tables = ("prices", EARNINGS_CALENDAR.name)
    name, past, coming = EARNINGS_CALENDAR.name, "2024-02-01", "2024-07-01"
    source.frames[name] = earnings("AAPL", [past, coming])
    fetch(tmp_path, source)
    # No answer, or one about an earlier session, withdraws nothing.
    source.frames[name] = earnings("AAPL", [past])
    source.failing["AAPL"] = SourceUnavailable("an empty answer")
    fetch(tmp_path, source)
    del source.failing["AAPL"]
    with Lake(tmp_path) as lake:
        fetch_all(lake, source, ["SPY"], None, DAYS[-5], AT)
    assert withdrawals(tmp_path) == []
    assert fetch(tmp_path, source)[name].rows_corrected == 1
    assert withdrawals(tmp_path) == [coming]
    assert fetch(tmp_path, source)[name].rows_corrected == 0
    source.frames[name] = earnings("AAPL", [past, coming])
    assert fetch(tmp_path, source)[name].rows_corrected == 1
    assert withdrawals(tmp_path) == []


@pytest.mark.parametrize(("listed", "gone"), [("2024-01-25", True), ("2024-04-25", False)])
@pytest.mark.parametrize("eps", [np.nan, 1.1])
def test_a_past_report_is_withdrawn_without_results_and_within_reach(
    tmp_path: Path, source: Tables, earnings: Frame, listed: str, gone: bool, eps: float
) -> None:
    source.tables = ("prices", EARNINGS_CALENDAR.name)
    other = earnings("AAPL", [listed]).assign(fiscal_year=2020.0)
    report = earnings("AAPL", ["2024-02-01"], eps_actual=eps)
    source.frames[EARNINGS_CALENDAR.name] = pd.concat([other, report], ignore_index=True)
    fetch(tmp_path, source)
    source.frames[EARNINGS_CALENDAR.name] = other
    fetch(tmp_path, source)
    assert withdrawals(tmp_path) == (["2024-02-01"] if gone and np.isnan(eps) else [])


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


@pytest.mark.parametrize(("seed", "strength"), [(1, 0.0), (2, 0.5), (7, 0.0)])
def test_the_gate_refuses_nothing_of_the_simulated_market(
    tmp_path: Path, seed: int, strength: float
) -> None:
    simulated = Simulated(seed=seed, signal_strength=strength, as_of=AT)
    with Lake(tmp_path) as lake:
        reports = fetch_all(lake, simulated, ["SPY"], None, END, AT)
        assert {report.table for report in reports} == set(TABLES)
        assert not [key for key in lake.manifest.entries if key[0].startswith("quarantine/")]
    assert all(report.rows_new for report in reports)
    assert {(report.rows_quarantined, report.stale_keys) for report in reports} == {(0, ())}


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
        # The rest of what is recorded is of after the last session with prices.
        "mentions": (0, 0, 0),
        # Four reports name no fiscal quarter.
        "earnings_calendar": (891, 0, 4),
        "option_chains": (0, 0, 0),
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


def test_a_stored_split_that_is_told_no_more_stays_and_is_told_of(
    tmp_path: Path, source: Tables
) -> None:
    source.tables = ("prices",)
    scaled = source.frames["prices"]
    spy = scaled.index[scaled["ticker"] == "SPY"]
    traded = scaled.copy()
    traded.loc[spy[:40], ["open", "high", "low", "close"]] *= 2.0
    traded.loc[spy[:40], "volume"] /= 2.0
    traded.loc[spy[40], "split"] = 2.0
    source.frames["prices"] = traded
    assert fetch(tmp_path, source)["prices"].findings == ()
    held = current_rows(tmp_path, "prices", ["SPY"])
    # A split in a row that is refused is told all the same.
    source.frames["prices"] = traded.copy()
    source.frames["prices"].loc[spy[40], "volume"] = -1.0
    assert "split" not in {found.column for found in fetch(tmp_path, source)["prices"].findings}
    source.frames["prices"] = scaled
    (found,) = fetch(tmp_path, source)["prices"].findings
    assert found.line() == (
        "prices SPY split: expected is every split that has landed, told again; got no word of the "
        f"stored 2 on {DAYS[40].date()} (1): nothing where the source lost it, the stored one "
        "stays; where it never was, enter the corrected data in another home (OPTRADE_HOME)"
    )
    assert current_rows(tmp_path, "prices", ["SPY"]).equals(held)
    assert fetch(tmp_path, source)["prices"].rows_new == 0
    assert read_findings(DataFiles(tmp_path).findings)["prices"] == [found]


def test_a_split_of_a_session_without_a_bar_lands_with_the_next_bar_and_is_told(
    tmp_path: Path, source: Tables
) -> None:
    bars = source.frames["prices"]
    spy = bars.index[bars["ticker"] == "SPY"]
    levels = ["open", "high", "low", "close"]
    bars.loc[spy[50:], levels] /= 2.0
    bars.loc[spy[50], "split"] = 2.0
    bars["adj_close"] = np.nan
    whole = bars.copy()
    bars.loc[spy[50], levels] = np.nan
    report = fetch(tmp_path, source, "SPY")["prices"]
    assert (report.rows_new, report.rows_quarantined) == (len(spy) - 1, 1)
    assert any("counted on" in found.detail for found in report.findings)
    # The vendor fills the bar in: the split counts on its own day, and once.
    source.frames["prices"] = whole
    assert fetch(tmp_path, source, "SPY")["prices"].rows_corrected == 1
    held = current_rows(tmp_path, "prices", ["SPY"]).filter(split=2.0)
    assert held["session"].to_list() == [DAYS[50].date()]


def test_the_newest_findings_are_kept_by_table_and_key(tmp_path: Path, source: Tables) -> None:
    bars = source.frames["prices"].set_index("ticker")
    rows = {name: part.reset_index() for name, part in bars.groupby("ticker", sort=False)}
    holed = {name: part.drop(index=[10]) for name, part in rows.items()}
    source.tables = ("prices",)
    source.frames["prices"] = pd.concat([holed["SPY"], holed["QQQ"]], ignore_index=True)
    fetch(tmp_path, source)
    kept = DataFiles(tmp_path).findings

    def keys() -> list[str | None]:
        return [found.key for found in read_findings(kept)["prices"]]

    assert keys() == ["SPY", "QQQ"]
    # What does not land anew keeps its findings, and their file is left alone.
    before = kept.stat().st_mtime_ns
    fetch(tmp_path, source)
    assert (keys(), kept.stat().st_mtime_ns) == (["SPY", "QQQ"], before)
    # A landing of one key says nothing of another.
    source.frames["prices"] = pd.concat([rows["SPY"], holed["QQQ"]], ignore_index=True)
    fetch(tmp_path, source, "SPY")
    assert keys() == ["QQQ"]


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"format": 1, "tables": {"prices": []}}'])
def test_findings_that_were_lost_or_damaged_are_found_again(
    tmp_path: Path, source: Tables, content: bytes | None
) -> None:
    source.tables = ("prices",)
    source.frames["prices"] = source.frames["prices"].drop(index=[10]).reset_index(drop=True)
    fetch(tmp_path, source)
    kept = DataFiles(tmp_path).findings
    whole = kept.read_bytes()
    kept.unlink() if content is None else kept.write_bytes(content)
    if content is not None:
        with pytest.raises(DamagedFile, match="the next `optrade ingest` writes it anew"):
            read_findings(kept)
    fetch(tmp_path, source)
    assert kept.read_bytes() == whole


def test_how_a_source_answers_is_kept_until_it_answers_otherwise(
    tmp_path: Path, source: Tables
) -> None:
    source.tables = ("indices",)
    levels = source.frames["indices"]
    source.frames["indices"] = levels[levels["symbol"] != "VXN"]
    fetch(tmp_path, source)
    kept = DataFiles(tmp_path).findings
    assert [(found.key, found.rule) for found in read_findings(kept)["indices"]] == [
        ("VXN", "at least one row")
    ]
    fetch(tmp_path, source)
    assert len(read_findings(kept)["indices"]) == 1
    source.frames["indices"] = levels
    fetch(tmp_path, source)
    assert read_findings(kept) == {"indices": []}
