"""The point-in-time audit on homes of the real pipeline, and with faults planted in them."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from audit.pit import PitReport, audit_pit, session_landings
from feature_repo.features.services import SERVICES
from home.manifest import read_manifest
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import PRICES
from market.calendar import close
from market.errors import InputError
from tests.audit.conftest import DAYS, TICKERS, Built, price_rows

Build = Callable[[str], Built]
WINDOW = DAYS[120:150]


def audited(home: Built, service: str = "direction", **offline: object) -> PitReport:
    return audit_pit(home.store(**offline), home.data, service, TICKERS, WINDOW)


def changed(
    home: Built, view: str, key: str, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    """Write the rows of a view anew, as the lake would."""
    with Lake(home.data) as lake:
        held = lake.manifest.tables[view]
        lake.open_view(view, "market" if view == "macro" else "ticker", held.definition_hash)
        rows = change(lake.stored(view, key))
        lake.write_features(view, key, rows, pd.Timestamp("2014-06-01", tz="UTC"))
        lake.commit()


@pytest.mark.parametrize("service", ["direction", "volatility"])
def test_a_home_of_the_pipeline_is_in_order(service: str, build: Build) -> None:
    report = audited(build("with vintages"), service)
    stored = [name for name in SERVICES[service] if not name.startswith("cross:")]
    assert report.frame.compared == len(stored) * len(WINDOW) * len(TICKERS)
    assert (report.frame.mismatches, report.mismatches) == (0, 0)
    assert (report.not_yet_known, report.on_demand) == (0, ())
    assert (report.first, report.last) == (str(WINDOW[0].date()), str(WINDOW[-1].date()))
    if service == "direction":
        assert report.levels.compared == 2 * len(WINDOW)
    else:
        assert report.levels is None, "no macro feature, no level"


def test_a_home_without_vintages_is_in_order_and_says_what_to_do(build: Build) -> None:
    report = audited(build("without vintages"))
    assert report.mismatches == 0
    assert report.levels.compared > 0
    for row in report.vintages:
        assert (row.vintages, row.differing, row.mean_absolute) == (0, 0, None)
        assert "set FRED_API_KEY" in row.note


def test_a_late_correction_is_not_in_the_frame(build: Build) -> None:
    home = build("corrected")
    rows = pl.read_parquet(read_manifest(home.data).paths(home.data, "technical", ["SPY"])[0])
    assert len(rows) > len(DAYS), "the corrected sessions have a second row"
    assert audited(home).mismatches == 0


def test_a_late_correction_taken_early_is_found(build: Build) -> None:
    home = build("corrected")
    report = audited(home, known_at=False)
    assert report.frame.mismatches > 100
    assert len(report.frame.first) == 20
    first = report.frame.first[0]
    assert (first.ticker, first.session) == ("SPY", str(DAYS[130].date()))
    assert first.got != first.expected
    assert report.mismatches == report.frame.mismatches


def test_an_unreleased_figure_in_the_features_is_found(build: Build) -> None:
    home = build("with vintages")
    day = pd.Timestamp("2013-12-05")  # November's figures come on the 8th

    def early(rows: pl.DataFrame) -> pl.DataFrame:
        following = rows.filter(pl.col("session") == pd.Timestamp("2013-12-09").date())
        figure = following.get_column("unemployment_rate")[0]
        at = pl.col("session") == day.date()
        return rows.with_columns(
            pl.when(at).then(figure).otherwise("unemployment_rate").alias("unemployment_rate")
        )

    changed(home, "macro", "US", early)
    report = audited(home)
    assert report.frame.mismatches == 0, "both readings see the same wrong row"
    assert report.levels.mismatches == 1
    (found,) = report.levels.first
    assert (found.session, found.feature) == ("2013-12-05", "unemployment_rate")
    assert found.got > found.expected


def test_a_row_known_before_its_time_is_found_by_no_reading_but_counted_when_late(
    build: Build,
) -> None:
    home = build("with vintages")

    def later(rows: pl.DataFrame) -> pl.DataFrame:
        at = pl.col("session") == WINDOW[3].date()
        known = pl.col("created_timestamp")
        return rows.with_columns(pl.when(at).then(known + pl.duration(hours=3)).otherwise(known))

    changed(home, "technical", "QQQ", later)
    report = audited(home)
    assert (report.mismatches, report.not_yet_known) == (0, 1)


def test_rows_of_another_session_are_never_carried_over(build: Build) -> None:
    home = build("with vintages")
    changed(home, "technical", "SPY", lambda rows: rows.filter(
        pl.col("session") != WINDOW[5].date()))  # fmt: skip
    assert audited(home).mismatches == 0


def test_an_unknown_service_is_refused(build: Build) -> None:
    home = build("with vintages")
    with pytest.raises(InputError, match=r"got 'moon', allowed are direction, "):
        audited(home, "moon")


def test_the_document_is_json(build: Build) -> None:
    home = build("corrected")
    document = audited(home, known_at=False).document()
    read = json.loads(json.dumps(document, allow_nan=False))
    assert read["mismatches"] == document["frame"]["mismatches"] > 0
    assert set(read["frame"]["first"][0]) == {"ticker", "session", "feature", "got", "expected"}
    assert [row["series"] for row in read["vintages"]] == ["UNRATE", "CPIAUCSL"]


def test_the_landing_of_a_session_without_prices_is_that_of_the_next(tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        prices = price_rows(DAYS[:4])
        kept = prices[prices["session"] != DAYS[1]]
        late = pd.Timestamp("2015-01-05", tz="UTC")
        first = pd.Timestamp("2015-01-01", tz="UTC")
        lake.land(PRICES, kept[kept["session"] < DAYS[2]], "recorded", first)
        lake.land(PRICES, kept[kept["session"] >= DAYS[2]], "recorded", late)
    got = session_landings(tmp_path, DAYS[:4])
    assert got.tolist() == [first, late, late, late]
    assert (got > close(DAYS[:4])).all()
