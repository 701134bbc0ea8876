"""Feature rows out of raw rows: what is new, what changed, and from when it was known."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.features.catalogue import GROUPS, names
from feature_repo.features.definition_hash import definition_hash
from home.layout import DataFiles
from home.manifest import Answer, current_rows, damaged, read_manifest, read_rows
from ingestion.build import build, shards
from ingestion.build.build import ViewReport, build_features
from ingestion.lake import record as build_record
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, PRICES
from ingestion.tables.frames import CARRIED, CREATED, EVENT, SESSION
from ingestion.views.raw import Raw
from market.availability import SERIES
from market.calendar import close, decision_time, sessions
from market.errors import InputError

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
DAYS = sessions("2018-01-02", "2024-12-31")[:620]
QUARTER = pd.Timedelta(minutes=15)
VIEWS = {"technical": "SPY", "iv": "SPY", "iv_lags": "SPY", "macro": "US"}


def at(number: int) -> pd.Timestamp:
    """Return the decision time of a session by its number."""
    return decision_time(DAYS[[number]])[0]


@dataclass
class Home:
    """A home that lands the first sessions of fixed raw tables, and builds."""

    data: Path
    raw: dict[str, pd.DataFrame]
    origin: str = "recorded"
    reports: dict[str, ViewReport] = field(default_factory=dict)

    def land(self, last: int, landed_at: pd.Timestamp | None = None, **tables: Any) -> None:
        """Land what is dated up to session number `last`; `tables` replace the fixed ones."""
        raw = {**self.raw, **tables}
        dated = {"prices": SESSION, "indices": SESSION, "macro_series": "observation_date"}
        with Lake(self.data) as lake:
            for table in (PRICES, INDICES, MACRO_SERIES):
                frame = raw[table.name]
                part = frame[frame[dated[table.name]] <= DAYS[last]]
                lake.land(table, part, self.origin, landed_at or at(last))

    def answered(self, last: int) -> None:
        """Let the source of the macro series have answered up to session number `last`."""
        through = Answer(str(DAYS[last].date()))
        with Lake(self.data) as lake:
            lake.answered({("macro_series", series): through for series in SERIES})
            lake.commit()

    def build(self, landed_at: pd.Timestamp, **options: Any) -> dict[str, ViewReport]:
        with Lake(self.data) as lake:
            reports = build_features(lake, ["SPY"], landed_at, **options)
        self.reports = {report.view: report for report in reports}
        return self.reports

    def step(self, last: int, landed_at: pd.Timestamp | None = None, **tables: Any) -> None:
        self.land(last, landed_at, **tables)
        self.build(landed_at or at(last))

    def rows(self, view: str) -> pl.DataFrame:
        return read_rows(self.data, view, [VIEWS[view]])

    def all_rows(self) -> dict[str, pl.DataFrame]:
        return {view: self.rows(view) for view in VIEWS}


@pytest.fixture
def raw(prices: Frame, index: Frame, macro: Frame) -> dict[str, pd.DataFrame]:
    indices = pd.concat([index(symbol, DAYS) for symbol in ("VIX", "VIX3M")], ignore_index=True)
    return {
        "prices": prices("SPY", days=list(DAYS.astype(str))),
        "indices": indices,
        "macro_series": macro(DAYS),
    }


@pytest.fixture
def home(tmp_path: Path, raw: dict[str, pd.DataFrame]) -> Home:
    return Home(tmp_path / "data", raw)


def changed_sessions(before: pl.DataFrame, after: pl.DataFrame, view: str) -> set[Any]:
    """Return the sessions whose features differ between two homes by more than a billionth."""
    columns = list(names(view))
    one, other = before.sort(SESSION), after.sort(SESSION)
    assert one[SESSION].to_list() == other[SESSION].to_list()
    a, b = one.select(columns).to_numpy(), other.select(columns).to_numpy()
    differs = (np.isnan(a) != np.isnan(b)) | (np.abs(a - b) > 1e-9 * np.abs(a))
    return {day for day, moved in zip(one[SESSION], differs.any(axis=1), strict=True) if moved}


def test_a_damaged_file_of_a_ticker_is_named_and_stops_no_other(home: Home) -> None:
    home.step(598)
    with Lake(home.data) as lake:
        path = home.data / lake.manifest.entries["iv", "SPY"].path
        path.write_bytes(b"none")
    for last in (598, 599):
        home.step(last)
        assert "optrade repair" in home.reports["technical"].failed["SPY"]
        assert str(path) in home.reports["iv"].failed["SPY"]
    assert home.reports["macro"].failed == {}
    assert home.reports["macro"].last_session == str(DAYS[599].date())


def test_every_session_has_a_row_in_every_view(home: Home) -> None:
    home.step(599)
    expected = list(DAYS[:600].date)
    for view in VIEWS:
        rows = home.rows(view)
        assert rows[SESSION].to_list() == expected
        entity = GROUPS[view].entity
        provenance = [CARRIED] if view == "macro" else []
        assert rows.columns == [entity, SESSION, EVENT, CREATED, *provenance, *names(view)]
        assert rows[EVENT].to_list() == close(DAYS[:600]).to_pydatetime().tolist()
        report = home.reports[view]
        assert report == ViewReport(view, 1, 1, 600, 0, str(expected[-1]), None)
        assert report.document()["rows_new"] == 600
        last = rows.tail(1).select(names(view))
        assert last.null_count().row(0) == (0,) * len(names(view))
    assert read_manifest(home.data).tables["iv"].definition_hash == definition_hash()
    assert damaged(home.data) == []


def test_backfill_is_known_when_its_newest_input_was(home: Home) -> None:
    home.step(599)
    closes = close(DAYS[:600])
    expected = {"technical": closes, "iv": closes + QUARTER, "iv_lags": closes + QUARTER}
    for view, times in expected.items():
        assert home.rows(view)[CREATED].to_list() == times.to_pydatetime().tolist()
    created = pd.DatetimeIndex(home.rows("macro")[CREATED].to_numpy(), tz="UTC")
    assert (created >= closes).all()
    assert (created <= decision_time(DAYS[:600])).all()


def test_features_are_those_of_the_groups(home: Home) -> None:
    home.step(599)
    prices = home.raw["prices"].iloc[:600]
    log_return = np.log(prices["close"]).diff().to_numpy()
    hv_20 = 100 * pd.Series(log_return).rolling(20).std().to_numpy() * np.sqrt(252)
    assert np.allclose(home.rows("technical")["hv_20"].to_numpy(), hv_20, equal_nan=True)
    vix = home.raw["indices"].query("symbol == 'VIX'")["close"].to_numpy()[:600]
    assert home.rows("iv")["vix_close"].to_list() == vix.tolist()
    low, high = (getattr(pd.Series(vix).rolling(252), name)() for name in ("min", "max"))
    rank = 100 * (vix - low) / (high - low)
    assert np.allclose(home.rows("iv")["iv_rank"].to_numpy(), rank, equal_nan=True)
    lag = home.rows("iv_lags")["iv_rank_lag_5"].to_numpy()
    assert np.allclose(lag, rank.shift(5), equal_nan=True)


def test_a_second_build_changes_no_byte(home: Home, tree: Tree) -> None:
    home.step(599)
    before = tree(home.data)
    home.step(599, at(610))
    assert tree(home.data) == before
    assert {(r.rows_new, r.rows_corrected) for r in home.reports.values()} == {(0, 0)}


@pytest.mark.parametrize("first", [0, 1, 251, 405, 598])
def test_later_sessions_change_no_earlier_row(home: Home, first: int) -> None:
    home.step(first)
    before = home.all_rows()
    home.step(599)
    for view, rows in before.items():
        assert home.rows(view).head(first + 1).equals(rows)
        assert home.reports[view].rows_new == 599 - first
        assert home.reports[view].rows_corrected == 0


def corrected(raw: dict[str, pd.DataFrame], table: str, row: int, column: str) -> pd.DataFrame:
    frame = raw[table].copy()
    frame.loc[row, column] *= 1.01
    return frame


CORRECTIONS = [
    ("prices", 480, "close", {"technical", "iv"}),
    ("prices", 480, "volume", {"technical"}),
    ("indices", 500, "close", {"iv", "iv_lags"}),
    ("macro_series", 600, "value", {"macro"}),
]


@pytest.mark.parametrize(("table", "row", "column", "touched"), CORRECTIONS)
def test_a_correction_brings_one_row_for_each_session_it_changes(
    home: Home, tmp_path: Path, table: str, row: int, column: str, touched: set[str]
) -> None:
    home.step(599)
    before = home.all_rows()
    frame = corrected(home.raw, table, row, column)
    home.step(599, at(605), **{table: frame})
    fresh = Home(tmp_path / "fresh", {**home.raw, table: frame})
    fresh.step(599)
    for view in VIEWS:
        affected = changed_sessions(before[view], fresh.rows(view), view)
        assert bool(affected) is (view in touched)
        rows = home.rows(view)
        new = rows.filter(pl.col(CREATED) == at(605).to_pydatetime())
        assert set(new[SESSION]) == affected
        assert new.height == len(affected) == home.reports[view].rows_corrected
        # What was known stays as it was, and what is known now is what a fresh home holds.
        assert rows.filter(pl.col(CREATED) < at(605).to_pydatetime()).equals(before[view])
        now = current_rows(home.data, view, [VIEWS[view]])
        assert changed_sessions(now, fresh.rows(view), view) == set()


def test_a_correction_is_known_later_than_what_it_corrects(home: Home) -> None:
    home.step(599)
    frame = corrected(home.raw, "prices", 599, "close")
    home.step(599, at(0), prices=frame)  # a clock that went back
    rows = home.rows("technical").filter(pl.col(SESSION) == DAYS[599].date())
    assert rows.height == 2
    assert rows[CREATED][1] > rows[CREATED][0]


def test_a_vendor_adjustment_restated_builds_nothing_new(home: Home, tree: Tree) -> None:
    home.step(599)
    before = tree(home.data)
    restated = home.raw["prices"].assign(adj_close=1.0)
    home.step(599, at(605), prices=restated)
    assert tree(home.data) == before


def without(frame: pd.DataFrame, symbol: str, numbers: Iterable[int]) -> pd.DataFrame:
    gone = (frame["symbol"] == symbol) & frame[SESSION].isin(DAYS[list(numbers)])
    return frame[~gone].reset_index(drop=True)


def test_holes_of_an_index_are_rows_of_nulls(home: Home) -> None:
    home.step(599, indices=without(home.raw["indices"], "VIX", [400, 590]))
    holes = home.rows("iv").filter(pl.col(SESSION).is_in([DAYS[400].date(), DAYS[590].date()]))
    assert holes.height == 2
    # Every feature of the view needs today's value of the index.
    assert holes.select(names("iv")).null_count().row(0) == (2,) * len(names("iv"))
    assert home.rows("technical").height == home.rows("iv").height == 600
    assert home.reports["iv"].stale is None


def test_a_hole_filled_late_is_a_correction(home: Home) -> None:
    home.step(599, indices=without(home.raw["indices"], "VIX", [590]))
    home.step(599, at(603))
    rows = home.rows("iv").filter(pl.col(SESSION) == DAYS[590].date())
    vix = home.raw["indices"].query("symbol == 'VIX'")["close"].to_numpy()
    assert rows["vix_close"].to_list() == [None, vix[590]]
    assert rows[CREATED][1] == at(603).to_pydatetime()


@pytest.mark.parametrize("symbol", ["VIX", "VIX3M"])
def test_sessions_after_the_end_of_an_index_stay_pending(home: Home, symbol: str) -> None:
    home.step(599, indices=without(home.raw["indices"], symbol, [598, 599]))
    assert home.rows("technical").height == 600
    for view in ("iv", "iv_lags"):
        assert home.rows(view)[SESSION].max() == DAYS[597].date()
        assert home.reports[view].stale == "an input of SPY ends before its prices"
        assert home.reports[view].last_session == str(DAYS[597].date())
    home.step(599, at(600))
    assert home.reports["iv"].rows_new == 2
    assert home.reports["iv"].rows_corrected == 0
    assert home.reports["iv"].stale is None


def test_a_key_is_built_again_only_where_something_changed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []
    whole = shards.build_key

    def counted(task: Any, shard: Any, raw: Raw) -> Any:
        built.append(raw.key)
        return whole(task, shard, raw)

    monkeypatch.setattr(shards, "build_key", counted)

    def keys(act: Callable[[], Any]) -> list[str]:
        built.clear()
        act()
        return list(built)

    assert keys(lambda: home.step(598)) == ["SPY", "US"]
    assert keys(lambda: home.step(598)) == []
    assert keys(lambda: home.build(at(598), rebuild=True)) == ["SPY", "US"]
    assert keys(lambda: home.build(at(598))) == []
    # The market's sessions are those of its tickers' prices.
    assert keys(lambda: home.step(599)) == ["SPY", "US"]
    moved = corrected(home.raw, "macro_series", 600, "value")
    assert keys(lambda: home.step(599, at(600), macro_series=moved)) == ["US"]
    moved_index = corrected(home.raw, "indices", 500, "close")
    assert keys(lambda: home.step(599, at(600), macro_series=moved, indices=moved_index)) == ["SPY"]
    # A view that was held back is built when the source of its table answers again.
    home.answered(598)
    assert keys(lambda: home.build(at(601))) == ["US"]
    assert keys(lambda: home.build(at(601))) == []
    home.answered(599)
    assert keys(lambda: home.build(at(601))) == ["US"]
    DataFiles(home.data).built.unlink()
    assert keys(lambda: home.build(at(601))) == ["SPY", "US"]
    monkeypatch.setattr(build_record, "code_fingerprint", lambda *_: "other code")
    assert keys(lambda: home.build(at(601))) == ["SPY", "US"]
    assert keys(lambda: home.build(at(601))) == []


def test_a_build_that_fails_is_not_taken_for_done(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.land(598)
    with monkeypatch.context() as patch:
        patch.setattr(shards, "feature_rows", lambda *_: (_ for _ in ()).throw(
            InputError("out of order")))  # fmt: skip
        assert home.build(at(598))["technical"].failed == {"SPY": "out of order"}
    assert not DataFiles(home.data).built.exists()
    assert home.build(at(598))["technical"].rows_new == 599


def test_features_replaced_since_are_built_again(home: Home) -> None:
    home.step(598)
    with Lake(home.data) as lake:
        lake.open_view("technical", "ticker", definition_hash())
        lake.write_features("technical", "SPY", home.rows("technical").head(500), at(598))
        lake.commit()
    assert home.build(at(599))["technical"].rows_new == 99


def test_a_missing_dividend_found_later_changes_the_sessions_whose_windows_hold_it(
    home: Home,
) -> None:
    ex_date = 560
    home.step(599)
    before = home.rows("technical")
    paid = home.raw["prices"].assign(dividend=np.where(np.arange(len(DAYS)) == ex_date, 0.5, 0.0))
    home.step(599, at(605), prices=paid)
    rows = home.rows("technical")
    known = rows.filter(pl.col(CREATED) < at(605).to_pydatetime())
    assert known.equals(before)
    added = rows.filter(pl.col(CREATED) >= at(605).to_pydatetime())
    # The return of the ex-date is in every longer window from then on, and in none before.
    assert added[SESSION].to_list() == list(DAYS[ex_date:600].date)
    assert (added[CREATED] == at(605).to_pydatetime()).all()
    now = current_rows(home.data, "technical", ["SPY"])
    for name, window in (("log_returns_1d", 1), ("hv_5", 5), ("hv_20", 20)):
        moved = ~np.isclose(now[name].to_numpy(), before[name].to_numpy(), rtol=1e-9, atol=0,
                            equal_nan=True)  # fmt: skip
        assert np.flatnonzero(moved).tolist() == list(range(ex_date, ex_date + window)), name


def test_training_as_known_before_a_dividend_was_found_is_unchanged(home: Home) -> None:
    home.step(599)
    before = {view: current_rows(home.data, view, ["SPY"]) for view in ("technical", "iv")}
    paid = home.raw["prices"].assign(dividend=np.where(np.arange(len(DAYS)) == 560, 0.5, 0.0))
    home.step(603, at(605), prices=paid)
    for view, rows in before.items():
        known = (at(605) - pd.Timedelta(microseconds=1)).to_pydatetime()
        then = current_rows(home.data, view, ["SPY"], known_by=known)
        # Sessions of the later landing count as known at their own time, in a recorded home.
        assert then.filter(pl.col(SESSION) <= DAYS[599].date()).equals(rows)
        assert not current_rows(home.data, view, ["SPY"]).head(600).equals(rows)


def test_views_wait_for_tables_that_never_landed(home: Home, index: Frame) -> None:
    some = home.raw["macro_series"]
    home.step(599, indices=index("VIX", DAYS), macro_series=some[some["series"] != "DGS2"])
    assert home.reports["technical"].keys == 1
    for view, words in (
        ("iv", "not all of prices, indices has landed"),
        ("iv_lags", "not all of prices, indices has landed"),
        ("macro", "not all of macro_series has landed"),
    ):
        assert home.reports[view] == ViewReport(view, 0, 0, 0, 0, None, words)
    home.step(599)
    assert {home.reports[view].keys for view in VIEWS} == {1}


def test_a_view_that_carries_values_forward_waits_for_its_table(home: Home) -> None:
    home.step(598)
    home.answered(598)
    home.land(599)
    reports = home.build(at(599))
    words = f"macro_series could not be fetched: CPIAUCSL since {DAYS[598].date()}, "
    assert reports["macro"].stale.startswith(words)
    assert reports["macro"].last_session == str(DAYS[598].date())
    for view in ("technical", "iv", "iv_lags"):
        assert reports[view].stale is None
        assert reports[view].last_session == str(DAYS[599].date())
    assert home.build(at(600), rebuild=True)["macro"].last_session == str(DAYS[598].date())
    home.answered(599)
    assert home.build(at(600))["macro"].rows_new == 1


def test_a_live_home_knows_a_session_from_its_landing(home: Home) -> None:
    home.origin = "live"
    home.step(590)
    home.step(591, at(591) + pd.Timedelta(hours=1))
    home.step(593, at(593) + pd.Timedelta(hours=2))
    closes = close(DAYS)
    created = home.rows("iv")[CREATED].to_list()
    assert created[:591] == (closes[:591] + QUARTER).to_pydatetime().tolist()
    assert created[591] == at(591) + pd.Timedelta(hours=1)
    assert created[592:] == [at(593) + pd.Timedelta(hours=2)] * 2
    assert home.rows("technical")[CREATED].to_list()[591:] == created[591:]
    macro = home.rows("macro")[CREATED].to_list()
    assert macro[591] == at(591) + pd.Timedelta(hours=1)


def test_a_ticker_added_to_a_live_home_is_backfill_only_before_it_was_live(
    home: Home, prices: Frame
) -> None:
    home.origin = "live"
    home.step(590)
    home.step(593)
    more = prices("QQQ", days=list(DAYS[:594].astype(str)))
    vxn = home.raw["indices"].query("symbol == 'VIX'").assign(symbol="VXN")
    home.land(593, at(593), prices=more, indices=vxn)
    with Lake(home.data) as lake:
        build_features(lake, ["QQQ"], at(593))
    created = read_rows(home.data, "technical", ["QQQ"])[CREATED].to_list()
    assert created[590] == close(DAYS)[590]
    assert created[591:] == [at(593)] * 3


def test_changed_definitions_start_a_generation(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.step(599)
    before = home.all_rows()
    monkeypatch.setattr(build, "definition_hash", lambda: "f" * 64)
    home.build(at(605))
    manifest = read_manifest(home.data)
    for view, key in VIEWS.items():
        assert home.reports[view].generation == 2
        assert manifest.tables[view].definition_hash == "f" * 64
        assert manifest.entries[view, key].path.startswith(f"features/{view}/g2/{key}.")
        # The same definitions under another name: the same rows, known from the same times on.
        assert home.rows(view).equals(before[view])
    home.build(at(606))
    assert home.reports["iv"].generation == 2
    assert not list((home.data / "features" / "iv" / "g2").glob(".*"))


def test_a_new_generation_holds_all_keys_of_the_old_one(home: Home, prices: Frame) -> None:
    home.land(599)
    vxn = home.raw["indices"].query("symbol == 'VIX'").assign(symbol="VXN")
    home.land(599, prices=prices("QQQ", days=list(DAYS[:600].astype(str))), indices=vxn)
    with Lake(home.data) as lake:
        build_features(lake, ["SPY", "QQQ"], at(599))
        reports = build_features(lake, ["SPY"], at(600), rebuild=True)
    found = {report.view: (report.generation, report.keys) for report in reports}
    assert {view: found[view] for view in VIEWS} == {
        "technical": (2, 2), "iv": (2, 2), "iv_lags": (2, 2), "macro": (2, 1),
    }  # fmt: skip


@pytest.mark.parametrize("origin", ["recorded", "live"])
def test_a_rebuild_repeats_history_as_it_was_known(home: Home, origin: str) -> None:
    home.origin = origin
    home.step(580, indices=without(home.raw["indices"], "VIX", [300]))
    home.step(585, indices=corrected(home.raw, "indices", 570, "close"))
    frame = corrected(home.raw, "prices", 577, "close")
    home.step(590, prices=frame)
    home.step(595, prices=frame, macro_series=corrected(home.raw, "macro_series", 600, "value"))
    before = home.all_rows()
    assert all(rows.height > 596 for view, rows in before.items() if view != "iv_lags")
    home.build(at(605), rebuild=True)
    for view, rows in before.items():
        assert home.reports[view].generation == 2
        assert home.rows(view).equals(rows), view


def test_progress_counts_keys(home: Home) -> None:
    home.land(30)
    seen: list[tuple[str, int, int]] = []
    home.build(at(30), progress=lambda *step: seen.append(step))
    assert seen == [("features of SPY", 1, 2), ("features of US", 2, 2)]


def test_without_prices_there_is_nothing_to_build(tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        with pytest.raises(InputError, match="no prices have landed for any ticker"):
            build_features(lake, ["SPY"], at(1))
        with pytest.raises(InputError, match="no prices have landed for any ticker"):
            build_features(lake, [], at(1))


def test_a_ticker_without_a_volatility_index_has_only_views_of_prices(
    home: Home, prices: Frame
) -> None:
    home.land(300, prices=prices("MSFT", days=list(DAYS[:301].astype(str))))
    with Lake(home.data) as lake:
        built = {row.view: row for row in build_features(lake, ["MSFT"], at(300))}
    assert built["technical"].rows_new == 301
    assert read_manifest(home.data).keys("iv") == ()
    assert built["iv"].keys == 0


def test_a_version_that_cannot_be_adjusted_is_skipped_and_quarantined(home: Home) -> None:
    """As of a home that landed it before the gate refused it; its correction mends the home."""
    home.step(50)
    right = home.raw["prices"]
    impossible = right.copy()
    impossible.loc[55, "dividend"] = 1e4
    home.land(60, prices=impossible)
    assert home.build(at(60))["technical"].failed == {}
    assert home.rows("technical").height == 60
    refused = current_rows(home.data, "quarantine/prices", ["SPY"])
    assert refused["session"].to_list() == [right["session"][55].date()]
    assert refused["reason"].to_list() == ["dividend: below the close before"]
    home.land(61, prices=right)
    assert home.build(at(61))["technical"].failed == {}
    assert home.rows("technical")["session"].n_unique() == 62


# The recorded data.


@pytest.mark.recorded
def test_recorded_views_reach_the_last_session(recordings: Any) -> None:
    last = str(recordings.end.date())
    found = {r.view: (r.keys, r.rows_new, r.last_session, r.stale) for r in recordings.built}
    assert found == {
        "technical": (3, 21088, last, None),
        "variance": (3, 21088, last, None),
        "iv": (3, 21088, last, None),
        "iv_lags": (3, 21088, last, None),
        "iv_path": (3, 21088, last, None),
        "macro": (1, 8160, last, None),
        # Mentions were recorded after the last price; reports from 2012 on, IWM has no basket.
        "sentiment": (0, 0, None, None),
        "earnings": (2, 6472, last, None),
        "option_chain": (0, 0, None, None),
    }


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("ticker", "first", "holes"),
    [
        # VIX: four sessions that Cboe lacks less the one before SPY's first, two in quarantine.
        ("SPY", "1993-01-29", 5),
        ("QQQ", "2009-09-14", 8),
        ("IWM", "2019-12-02", 1),
    ],
)
def test_recorded_holes_are_not_filled(
    recordings: Any, ticker: str, first: str, holes: int
) -> None:
    rows = read_rows(recordings.data, "iv", [ticker])
    prices = read_rows(recordings.data, "prices", [ticker])
    assert rows[SESSION].to_list() == prices[SESSION].to_list()
    known = rows.filter(pl.col("vix_close").is_not_null())
    assert str(known[SESSION].min()) == first
    since = rows.filter(pl.col(SESSION) >= known[SESSION].min())
    assert since["vix_close"].null_count() == holes
    empty = since.filter(pl.col("vix_close").is_null())
    own = [name for name in names("iv") if name not in ("vix_term_slope", "vix_contango")]
    assert empty.select(own).null_count().row(0) == (holes,) * len(own)


@pytest.mark.recorded
def test_recorded_rows_are_known_by_their_decision(recordings: Any) -> None:
    for view in (*VIEWS, "earnings"):
        rows = read_rows(recordings.data, view)
        assert (rows[CREATED] >= rows[EVENT]).all()
        assert ((rows[CREATED] - rows[EVENT]) <= pd.Timedelta(minutes=30)).all()
        assert (rows.select(pl.struct(GROUPS[view].entity, SESSION).is_unique())).to_series().all()
    assert damaged(recordings.data) == []
