"""Refused rows: counted, chosen, let through as if they had passed, or refused again."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from home.manifest import current_rows, damaged, read_manifest, read_rows
from ingestion.build.build import build_features
from ingestion.gate.expectations import gate
from ingestion.lake.lake import Lake, Landing
from ingestion.lake.quarantine import (
    RELEASED,
    ROW_ID,
    choose,
    outdated,
    refused_rows,
    refused_tables,
    summary,
    vouched,
)
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import INDICES, PRICES, TABLES
from ingestion.tables.declare import Table
from market.calendar import decision_time
from market.errors import InputError
from tests.ingestion.clean_rows import clean

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
AT = pd.Timestamp("2024-07-01T20:30Z")
DAY = pd.Timedelta(days=1)
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def land(data: Path, frame: pd.DataFrame, at: pd.Timestamp = AT, table: Table = PRICES) -> Landing:
    """Land what passes the gate, and quarantine the rest."""
    with Lake(data) as lake:
        good, bad = gate(table, frame, lambda key: lake.stored(table.name, key))
        return lake.land(table, good, "live", at, bad)


def release(
    data: Path,
    at: pd.Timestamp,
    ids: Sequence[str] = (),
    *,
    table: Table = PRICES,
    key: str = "SPY",
    views: Sequence[str] = ("technical",),
) -> Landing:
    with Lake(data) as lake:
        rows = refused_rows(data, lake.manifest, table, key)
        return lake.release(table, key, choose(table, key, rows, ids), at, views)


def refused(data: Path, table: Table = PRICES, key: str = "SPY") -> pl.DataFrame:
    return refused_rows(data, read_manifest(data), table, key)


@pytest.fixture
def broken(prices: Frame) -> pd.DataFrame:
    """Return bars of which two open above their high."""
    frame = prices(count=6)
    frame.loc[[2, 4], "open"] = frame["high"] * 1.1
    return frame


def test_counts_by_reason_and_landing(tmp_path: Path, broken: pd.DataFrame) -> None:
    land(tmp_path, broken)
    broken.loc[3, "close"] = np.nan
    land(tmp_path, broken, AT + DAY)
    rows = summary(tmp_path, read_manifest(tmp_path))
    days = broken["session"].dt.strftime("%Y-%m-%d")
    assert rows.rows() == [
        ("prices", "SPY", "high >= open (to 0.01%)", AT.to_pydatetime(), 2, 0, days[2], days[4]),
        ("prices", "SPY", "close: not null", (AT + DAY).to_pydatetime(), 1, 0, days[3], days[3]),
    ]
    assert refused_tables(read_manifest(tmp_path)) == [(PRICES, "SPY")]


def test_an_empty_home_holds_none(tmp_path: Path) -> None:
    manifest = read_manifest(tmp_path)
    assert summary(tmp_path, manifest).height == 0
    with pytest.raises(InputError, match="got key 'SPY', it holds no row"):
        refused_rows(tmp_path, manifest, PRICES, "SPY")


def test_rows_are_chosen_by_the_text_of_their_reason(tmp_path: Path, broken: pd.DataFrame) -> None:
    broken.loc[4, "close"] = np.nan
    land(tmp_path, broken)
    manifest = read_manifest(tmp_path)
    found = refused_rows(tmp_path, manifest, PRICES, "SPY", "(to 0.01%)")  # a text, no pattern
    assert found.height == 2
    found = refused_rows(tmp_path, manifest, PRICES, "SPY", "close: not null")
    assert found["session"].to_list() == [broken["session"].dt.date[4]]
    with pytest.raises(InputError, match="got key 'QQQ', it holds SPY"):
        refused_rows(tmp_path, manifest, PRICES, "QQQ")


def test_an_id_names_one_row_for_good(tmp_path: Path, broken: pd.DataFrame) -> None:
    land(tmp_path, broken)
    before = refused(tmp_path)[ROW_ID].to_list()
    assert len(set(before)) == 2
    release(tmp_path, AT + DAY, before[:1])
    assert refused(tmp_path)[ROW_ID].to_list() == before


def test_a_released_row_is_known_as_if_it_had_passed(tmp_path: Path, broken: pd.DataFrame) -> None:
    land(tmp_path, broken)
    landing = release(tmp_path, AT + 9 * DAY)
    assert landing == Landing("prices", 2, 0, 0, ("SPY",))
    rows = read_rows(tmp_path, "prices", ["SPY"])
    assert rows["landed_at"].unique().to_list() == [AT.to_pydatetime()]
    assert rows["open"].to_list() == broken["open"].to_list()
    marked = refused(tmp_path)
    assert marked[RELEASED].to_list() == [(AT + 9 * DAY).to_pydatetime()] * 2
    assert damaged(tmp_path) == []
    assert read_manifest(tmp_path).first_live_landing == AT.isoformat()


def test_only_the_chosen_row_lands(tmp_path: Path, broken: pd.DataFrame) -> None:
    land(tmp_path, broken)
    ids = refused(tmp_path)[ROW_ID].to_list()
    assert release(tmp_path, AT + DAY, ids[1:]).rows_new == 1
    assert refused(tmp_path)[RELEASED].null_count() == 1
    assert current_rows(tmp_path, "prices").height == 5
    assert release(tmp_path, AT + 2 * DAY).rows_new == 1  # what is left
    assert refused(tmp_path)[RELEASED].is_sorted(descending=True)


def test_the_vendor_giving_it_again_changes_nothing(
    tmp_path: Path, broken: pd.DataFrame, tree: Tree
) -> None:
    land(tmp_path, broken)
    release(tmp_path, AT + DAY)
    before = tree(tmp_path)
    assert land(tmp_path, broken, AT + 2 * DAY) == Landing("prices", 0, 0, 0, ())
    assert tree(tmp_path) == before


def test_a_later_correction_stays_the_newest(
    tmp_path: Path, prices: Frame, broken: pd.DataFrame
) -> None:
    land(tmp_path, broken)
    land(tmp_path, prices(count=6), AT + DAY)
    landing = release(tmp_path, AT + 2 * DAY)
    assert (landing.rows_new, landing.rows_corrected) == (2, 0)
    assert read_rows(tmp_path, "prices").height == 8
    right = prices(count=6)["open"].to_list()
    assert current_rows(tmp_path, "prices")["open"].to_list() == right
    seen = current_rows(tmp_path, "prices", known_by=AT.to_pydatetime())["open"].to_list()
    assert seen == broken["open"].to_list()


def test_a_correction_of_a_stored_row_is_one_from_its_refusal_on(
    tmp_path: Path, prices: Frame, broken: pd.DataFrame
) -> None:
    land(tmp_path, prices(count=6))
    land(tmp_path, broken, AT + DAY)
    landing = release(tmp_path, AT + 5 * DAY)
    assert (landing.rows_new, landing.rows_corrected) == (0, 2)
    rows = read_rows(tmp_path, "prices").filter(pl.col("session").is_duplicated())
    assert rows["landed_at"].to_list() == [t.to_pydatetime() for t in (AT, AT + DAY)] * 2


def test_a_row_that_repeats_a_landed_one_lands_nothing(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, pd.concat([prices(), prices().tail(1)]))
    assert release(tmp_path, AT + DAY) == Landing("prices", 0, 0, 0, ())
    assert refused(tmp_path)[RELEASED].null_count() == 0


def test_of_two_rows_of_one_key_one_can_be_chosen(tmp_path: Path, prices: Frame) -> None:
    frame = pd.concat([prices(), prices().tail(1)], ignore_index=True)
    frame.loc[5, "close"] *= 1.001
    land(tmp_path, frame)
    with pytest.raises(InputError, match=r"2 of 2 rows that cannot land.*: once"):
        release(tmp_path, AT + DAY)
    ids = refused(tmp_path)[ROW_ID].to_list()
    assert release(tmp_path, AT + DAY, ids[:1]).rows_new == 1
    before = read_manifest(tmp_path)
    with pytest.raises(InputError, match="two rows that differ, both of 2024-07-01"):
        release(tmp_path, AT + DAY, ids[1:])
    assert read_manifest(tmp_path) == before


NEEDED = {
    "volume: not null": {"volume": np.nan},
    "close: > 0 and": {"close": -1.0},
    "open: > 0 and": {"open": np.inf},
    "session: an XNYS session": {"session": pd.Timestamp("2024-07-04")},
    "session: not null": {"session": pd.NaT},
}


@pytest.mark.parametrize(("words", "values"), NEEDED.items(), ids=NEEDED)
def test_what_the_lake_needs_is_refused_again(
    tmp_path: Path, prices: Frame, words: str, values: dict[str, Any]
) -> None:
    frame = prices()
    for column, value in values.items():
        frame.loc[4, column] = value
    land(tmp_path, frame)
    expected = words if "inf" not in str(values) else "open: > 0"
    with pytest.raises(InputError, match="1 of 1 rows that cannot land") as caught:
        release(tmp_path, AT + DAY)
    assert expected.split(" and")[0] in str(caught.value)
    assert refused(tmp_path)[RELEASED].null_count() == 1
    assert current_rows(tmp_path, "prices").height == 4


def test_what_names_no_file_or_was_no_text_is_refused_again(tmp_path: Path, prices: Frame) -> None:
    frame = pd.concat([prices(), prices("../x", count=1), prices(count=1)], ignore_index=True)
    frame.loc[6, "ticker"] = 7
    land(tmp_path, frame)
    with pytest.raises(InputError, match="ticker that can name no file"):
        release(tmp_path, AT + DAY, key="_")
    with pytest.raises(InputError, match="the first breaks: ticker: text"):
        release(tmp_path, AT + DAY, key="7")


def test_choosing_nothing_is_refused(tmp_path: Path, broken: pd.DataFrame) -> None:
    land(tmp_path, broken)
    with pytest.raises(InputError, match="--row: got nowhere, allowed are the ids"):
        release(tmp_path, AT, ["nowhere"])
    release(tmp_path, AT + DAY)
    with pytest.raises(InputError, match="got 2 rows chosen, none of them still to be released"):
        release(tmp_path, AT + DAY)


@every_table
def test_every_table_can_release_its_clean_rows(tmp_path: Path, table: Table) -> None:
    frame = clean(table)
    with Lake(tmp_path) as lake:
        lake.land(table, table.empty(), "live", AT, frame.assign(reason="planted"))
    key = frame[table.partition][0]
    assert refused_tables(read_manifest(tmp_path)) == [(table, key)]
    assert release(tmp_path, AT + DAY, table=table, key=key).rows_new == len(frame)
    rows = current_rows(tmp_path, table.name).select(table.names)
    with Lake(tmp_path) as lake:  # as it would have landed by itself
        assert lake.land(table, frame, "live", AT + DAY).keys == ()
    assert rows.height == len(frame)


def test_a_dividend_that_the_build_would_skip_is_not_released(
    tmp_path: Path, prices: Frame, tree: Tree
) -> None:
    frame = prices(count=6)
    frame.loc[4, "dividend"] = 500.0
    assert land(tmp_path, frame).rows_quarantined == 1
    before = tree(tmp_path)
    with pytest.raises(InputError, match=f"dividend of 500 on {frame['session'][4].date()}, allow"):
        release(tmp_path, AT + DAY)
    assert tree(tmp_path) == before
    assert refused(tmp_path)[RELEASED].null_count() == 1


def test_a_close_that_a_dividend_after_it_needs_is_not_replaced(
    tmp_path: Path, prices: Frame
) -> None:
    frame = prices(count=6)
    frame.loc[4, "dividend"] = 1.0
    low = frame.assign(close=frame["close"].where(frame.index != 3, 0.5))
    with Lake(tmp_path) as lake:
        lake.land(PRICES, frame, "live", AT)
        bad = low.loc[[3]].assign(reason="planted")
        lake.land(PRICES, PRICES.empty(), "live", AT + DAY, bad)
    with pytest.raises(InputError, match=f"dividend of 1 on {frame['session'][4].date()}, allow"):
        release(tmp_path, AT + 2 * DAY)


def test_a_released_dividend_that_was_corrected_since_lands(tmp_path: Path, prices: Frame) -> None:
    frame = prices(count=6)
    wrong = frame.assign(dividend=frame["dividend"].where(frame.index != 4, 500.0))
    land(tmp_path, wrong)
    land(tmp_path, frame, AT + DAY)
    release(tmp_path, AT + 2 * DAY)
    assert current_rows(tmp_path, "prices")["dividend"].to_list() == [0.0] * 6


@every_table
def test_vouching_keeps_keys_types_and_lower_bounds(table: Table) -> None:
    needed = vouched(table)
    assert needed.names == (*table.names, "landed_at")
    assert needed.pairs == ()
    for column, own in zip(needed.columns, table.columns, strict=False):
        assert (column.dtype, column.nullable) == (own.dtype, own.nullable)
        assert (column.minimum, column.allowed) == (own.minimum, own.allowed)


def test_a_file_from_before_releases_is_read_and_added_to(
    tmp_path: Path, broken: pd.DataFrame
) -> None:
    land(tmp_path, broken)
    with Lake(tmp_path) as lake:
        name = "quarantine/prices"
        old = lake.stored(name, "SPY").drop(RELEASED, "replaced")
        lake.open_table(name, lake.manifest.tables[name])
        lake.stage(name, "SPY", name, old, "session", AT.to_pydatetime())
        lake.commit()
    assert summary(tmp_path, read_manifest(tmp_path))["released"].to_list() == [0]
    assert outdated(tmp_path, read_manifest(tmp_path)) == {}
    broken.loc[3, "volume"] = -1.0
    assert land(tmp_path, broken, AT + DAY).rows_quarantined == 1
    assert refused(tmp_path)[RELEASED].to_list() == [None] * 3


def test_a_jump_that_is_vouched_for_lets_later_rows_pass(tmp_path: Path, prices: Frame) -> None:
    frame = prices(count=12)
    frame.loc[5:, ["open", "high", "low", "close"]] /= 2.0
    assert land(tmp_path, frame.head(8)).rows_quarantined == 3
    assert release(tmp_path, AT + DAY).rows_new == 3
    assert land(tmp_path, frame, AT + 2 * DAY) == Landing("prices", 4, 0, 0, ("SPY",))


def test_a_split_told_later_lands_what_was_held(tmp_path: Path, prices: Frame) -> None:
    frame = prices(count=12)
    frame.loc[5:, ["open", "high", "low", "close"]] /= 4.0
    assert land(tmp_path, frame).rows_quarantined == 7
    frame.loc[5, "split"] = 4.0
    assert land(tmp_path, frame, AT + DAY) == Landing("prices", 7, 0, 0, ("SPY",))


def test_a_release_says_which_generations_it_leaves_behind(
    tmp_path: Path, broken: pd.DataFrame
) -> None:
    land(tmp_path, broken)
    assert outdated(tmp_path, read_manifest(tmp_path)) == {}
    days = pl.DataFrame({"ticker": ["SPY"], "session": [AT.date()], "x": [1.0]})
    times = days.with_columns(event_timestamp=pl.lit(AT), created_timestamp=pl.lit(AT))
    with Lake(tmp_path) as lake:
        for view in ("technical", "macro"):
            lake.open_view(view, "ticker", "one")
            lake.write_features(view, "SPY", times, AT)
        lake.commit()
    ids = refused(tmp_path)[ROW_ID].to_list()
    release(tmp_path, AT + DAY, ids[:1], views=["technical", "iv"])
    assert outdated(tmp_path, read_manifest(tmp_path)) == {"technical": 1}
    with Lake(tmp_path) as lake:
        assert lake.open_view("technical", "ticker", "one").generation == 2
        assert lake.open_view("macro", "ticker", "one").generation == 1
        lake.write_features("technical", "SPY", times, AT)
        lake.commit()
        assert lake.open_view("technical", "ticker", "one").generation == 2
    release(tmp_path, AT + DAY, ids[1:], views=["technical", "iv"])
    assert outdated(tmp_path, read_manifest(tmp_path)) == {"technical": 2}


@pytest.mark.recorded
def test_the_recorded_openings_of_vix_can_be_released(recorded_dir: Path, tmp_path: Path) -> None:
    source = Recorded(recorded_dir)
    end = source.last_session()
    at = decision_time(pd.DatetimeIndex([end]))[0]
    start = pd.Timestamp("2004-01-02")
    with Lake(tmp_path) as lake:
        for table, keys in ((PRICES, ["SPY"]), (INDICES, ["VIX", "VIX3M"])):
            good, bad = gate(table, source.fetch(table.name, keys, start, end))
            lake.land(table, good, "recorded", at, bad)
        build_features(lake, ["SPY"], at)
        before = current_rows(tmp_path, "iv")
        rows = refused_rows(tmp_path, lake.manifest, INDICES, "VIX")
        assert rows["session"].cast(pl.String).to_list() == ["2004-11-08", "2006-02-08"]
        assert rows["open"].to_list() == [2.58, 41.6]
        lake.release(INDICES, "VIX", choose(INDICES, "VIX", rows), at + DAY, ["iv", "iv_lags"])
        reports = {report.view: report for report in build_features(lake, ["SPY"], at + DAY)}
    assert {view: reports[view].generation for view in ("technical", "iv", "iv_lags")} == {
        "technical": 1, "iv": 2, "iv_lags": 2,
    }  # fmt: skip
    after = read_rows(tmp_path, "iv")
    assert after.height == before.height  # a new generation, and no correction in it
    closes = dict(zip(after["session"].cast(pl.String), after["vix_close"], strict=True))
    assert (closes["2004-11-08"], closes["2006-02-08"]) == (13.8, 12.83)
    assert before["vix_close"].null_count() - after["vix_close"].null_count() == 2
    known = (after["created_timestamp"] - after["event_timestamp"]).max()
    assert known <= pd.Timedelta(minutes=30)  # by the model of a backfill, not by the release
    assert refused(tmp_path, INDICES, "VIX")[RELEASED].null_count() == 0
