"""The page of all features says what the declarations say, and what was measured still holds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, find, names
from feature_repo.features.declare import Feature, Group
from feature_repo.features.services import SERVICES
from home.manifest import read_manifest
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import TABLES
from market.availability import SERIES
from market.calendar import close, decision_time, sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from optrade.cli.store.catalogue import COMMANDS
from optrade.flows.feature_page import write as catalogue
from optrade.flows.feature_page.measured import Measured, ViewMeasured, read_measured
from optrade.flows.feature_page.page import (
    availability,
    page,
    percent,
    raw_input,
    section,
    series_known,
    services,
    sources,
)

DECLARED = {**GROUPS, **ON_DEMAND}
ROWS = [(group, row) for group in DECLARED.values() for row in group.features]
MARK = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
NOTHING = Measured("simulated", {})
ROUNDING = 0.0005


def cells_of(name: str, measured: Measured = NOTHING) -> list[str]:
    line = next(one for one in page(measured).splitlines() if one.startswith(f"| `{name}` |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_committed_page_is_what_the_declarations_give():
    assert catalogue.out_of_date() is None


def test_the_page_holds_every_feature_once_in_catalogue_order():
    assert MARK.findall(page(NOTHING)) == [row.name for _, row in ROWS]


@pytest.mark.parametrize(("group", "row"), ROWS, ids=lambda one: getattr(one, "name", None))
def test_a_row_says_what_is_declared(group: Group, row: Feature):
    name, formula, unit, lookback, measured, inputs, nulls, safe, held = cells_of(row.name)
    assert name == f"`{row.name}`"
    assert formula.replace("\\", "") == row.formula
    assert unit.replace("\\", "") == row.unit
    assert lookback == str(row.lookback)
    assert (measured, nulls) == ("-", "-")
    assert "when" in inputs or ":" in inputs
    assert safe == ("yes" if row.safe else "**no**")
    assert held


@pytest.mark.parametrize("view", DECLARED)
def test_every_source_leads_to_a_raw_table_or_a_stored_feature(view: str):
    group = DECLARED[view]
    for source in group.sources:
        raw = raw_input(group, source)
        if raw is None:
            assert find(source)[0].name != view
        else:
            assert raw[0] in {**TABLES, **SERIES}


def test_inputs_are_named_down_to_the_raw_tables():
    _, spread = find("iv_hv_spread")
    words = availability(GROUPS["iv"], spread)
    assert f"prices: {TABLES['prices'].known}" in words
    assert f"indices: {TABLES['indices'].known}" in words
    group, row = find("earnings_iv_crush_setup")
    assert all(f"{name}: " in availability(group, row) for name in ("earnings_calendar", "prices"))
    assert "news" not in availability(group, row)


def test_sources_are_found_through_shared_terms():
    group, row = find("rsi_14")
    assert sources(group, row) == {"close"}


def test_inputs_known_alike_are_named_together():
    words = availability(*find("treasury_2y_change_20d"))
    assert words.startswith("DGS2: by vintage where there is one, else at 18:00 New York")
    assert availability(*find("yield_spread_10y_3m")).startswith("DGS10, DGS3MO: ")


@pytest.mark.parametrize("name", SERIES)
def test_a_series_is_known_at_its_hour_and_day(name: str):
    row, words = SERIES[name], series_known(SERIES[name])
    assert f"{row.hour}:00" in words
    assert "feature_repo" not in words
    assert (row.day is None) == ("next federal business day" in words)
    assert row.day is None or f"day {row.day} of the following month" in words
    assert (row.releases_from is not None) == ("one month more" in words)
    other = replace(row, hour=row.hour - 1)
    assert series_known(other) != words


@pytest.mark.parametrize(("group", "row"), ROWS, ids=lambda one: getattr(one, "name", None))
def test_the_services_named_are_those_that_hold_it(group: Group, row: Feature):
    words = services(group.name, row.name).replace("\\*", "*").split(", ")
    named = {
        one for one in SERVICES for word in words
        if one == word or (word == "direction*" and one.startswith("direction"))
    }  # fmt: skip
    assert named == {s for s, refs in SERVICES.items() if f"{group.name}:{row.name}" in refs}


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (None, "-"), (0.0, "0 %"), (0.00001, "< 0.01 %"), (0.0123, "1.23 %"),
        (0.99999, "> 99.99 %"), (1.0, "100 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_to_none_or_all(share: float | None, words: str):
    assert percent(share) == words


def test_a_changed_formula_makes_the_page_out_of_date(tmp_path: Path):
    written = tmp_path / "features.md"
    catalogue.write_page(to=written)
    assert catalogue.out_of_date(written=written) is None
    written.write_text(written.read_text().replace("mean(close, 20)", "mean(close, 21)"))
    fault = catalogue.out_of_date(written=written)
    assert fault is not None
    assert "mean(close, 21)" in fault
    assert "mean(close, 20)" in fault


def test_a_page_with_less_or_none_is_out_of_date(tmp_path: Path):
    written = tmp_path / "features.md"
    assert "not there" in (catalogue.out_of_date(written=written) or "")
    catalogue.write_page(to=written)
    lines = written.read_text().splitlines()
    written.write_text("\n".join(lines[:-1]) + "\n")
    assert catalogue.out_of_date(written=written) is not None


def test_measurements_stand_in_their_columns():
    view = ViewMeasured(
        ("SPY",), 1_000, "2020-01-02", "2024-12-31", {"sma_20": 0.25}, {"sma_20": 7}
    )
    measured = Measured("recorded", {"technical": view})
    text = cells_of("sma_20", measured)
    assert (text[3], text[4], text[6]) == ("20", "7", "25.00 %")
    assert cells_of("sma_50", measured)[4] == "-"
    assert "recorded data: SPY, 1,000 rows, 2020-01-02 to 2024-12-31" in page(measured)
    assert section(GROUPS["iv"], None).startswith("## iv\n")


def test_measurements_survive_a_file(tmp_path: Path):
    view = ViewMeasured(("SPY",), 3, "2020-01-02", "2020-01-06", {"sma_20": 1.0}, {"sma_20": 20})
    measured = Measured("recorded", {"technical": view})
    path = tmp_path / "measured.json"
    path.write_text(measured.text())
    assert read_measured(path) == measured


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"origin": "live", "views": {"iv": {"a": 1}}}'])
def test_a_file_of_something_else_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "measured.json"
    path.write_text(text)
    with pytest.raises(InputError, match="holds no measurements"):
        read_measured(path)
    with pytest.raises(InputError, match="there is no file"):
        read_measured(tmp_path / "other.json")


def features_of(view: str, key: str, days: pd.DatetimeIndex, known: int) -> pl.DataFrame:
    """Rows of a view whose values are 1, null in the first sessions but for the last `known`."""
    times = pl.Series(close(days).tz_localize(None).to_numpy()).cast(pl.Datetime("us"))
    times = times.dt.replace_time_zone("UTC")
    value = [None] * (len(days) - known) + [1.0] * known
    return pl.DataFrame(
        {
            GROUPS[view].entity: [key] * len(days),
            "session": times.dt.date(),
            "event_timestamp": times,
            "created_timestamp": times,
        }
    ).with_columns(pl.Series(name, value, dtype=pl.Float64) for name in names(view))


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(catalogue, "measured_lookbacks", lambda *_: {"sma_20": 20})
    days = sessions("2024-01-02", "2024-01-31")
    landed = decision_time(days[-1:])[0]
    with Lake(tmp_path / "data") as lake:
        for view, known in (("technical", 5), ("iv", 10), ("earnings", 4)):
            lake.open_view(view, "ticker", "hash")
            for key, count in (("SPY", len(days)), ("QQQ", 10)):
                rows = features_of(view, key, days[-count:], known)
                lake.write_features(view, key, rows, landed)
        lake.commit("simulated")
    return tmp_path / "data"


def test_null_shares_are_over_the_rows_of_all_keys(data_dir: Path):
    measured = catalogue.measure(data_dir)
    count = len(sessions("2024-01-02", "2024-01-31")) + 10
    view = measured.views["technical"]
    assert (view.keys, view.rows) == (("QQQ", "SPY"), count)
    assert (view.first, view.last) == ("2024-01-02", "2024-01-31")
    assert view.null_share == pytest.approx(
        dict.fromkeys(names("technical"), 1 - 10 / count), abs=1e-6
    )
    assert dict(view.lookback) == {"sma_20": 20}
    assert "macro" not in measured.views


def test_what_is_on_demand_is_measured_where_its_inputs_are(data_dir: Path):
    shares = catalogue.measure(data_dir).views["cross"].null_share
    assert set(shares) == {"earnings_iv_runup", "earnings_iv_crush_setup"}
    count = len(sessions("2024-01-02", "2024-01-31")) + 10
    assert shares["earnings_iv_runup"] == pytest.approx(1 - 8 / count, abs=1e-6)


def test_a_home_without_features_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="optrade ingest"):
        catalogue.measure(tmp_path)


def test_a_nan_counts_as_null():
    assert catalogue.null_share(pl.Series([None, np.nan, 1.0, 2.0])) == 0.5


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(COMMANDS["catalogue"])
    return app


def test_the_command_writes_and_checks(command: typer.Typer, tmp_path: Path):
    written = str(tmp_path / "features.md")
    run = CliRunner().invoke
    assert run(command, ["--check", "--page", written]).exit_code == 1
    assert run(command, ["--page", written]).exit_code == 0
    assert run(command, ["--check", "--page", written]).exit_code == 0
    assert Path(written).read_text() == catalogue.PAGE.read_text()
    assert isinstance(run(command, ["--check", "--measure"]).exception, InputError)


def test_the_command_measures_a_home(
    command: typer.Typer, data_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPTRADE_HOME", str(data_dir.parent))
    measured, written = data_dir / "measured.json", data_dir / "features.md"
    arguments = ["--measure", "--measured", str(measured), "--page", str(written)]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert json.loads(measured.read_text())["origin"] == "simulated"
    assert "simulated data: QQQ, SPY" in written.read_text()


@pytest.mark.recorded
def test_null_shares_are_those_of_the_recorded_data(recorded_dir: Path, tmp_path: Path):
    source = Recorded(recorded_dir)
    end = source.last_session()
    landed = decision_time(pd.DatetimeIndex([end]))[0]
    with Lake(tmp_path) as lake:
        fetch_all(lake, source, list(UNDERLYINGS), None, end, landed)
        build_features(lake, list(UNDERLYINGS), landed)
    committed = read_measured(catalogue.MEASURED)
    manifest = read_manifest(tmp_path)
    found = catalogue.null_shares(tmp_path, manifest)
    assert set(found) == set(committed.views)
    for view, row in found.items():
        assert row.null_share == pytest.approx(committed.views[view].null_share, abs=ROUNDING)
