"""Each check of `optrade doctor` on something in order and on something that is not."""

import dataclasses
import json
import sqlite3
import sys
from pathlib import Path

import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from home.layout import Home
from home.manifest import Entry, Manifest, TableState
from ingestion.lake.lake import Lake
from ingestion.lake.simulation import FIRST, hold
from ingestion.tables.catalogue import MACRO_SERIES, PRICES
from ingestion.views.catalogue import VIEW_OF
from market.errors import InputError
from market.underlyings import MARKET
from optrade.flows.doctor import environment as doctor_environment
from optrade.flows.doctor import signals as doctor_signals
from optrade.flows.doctor import stores as doctor_stores
from optrade.flows.doctor.data import check_data, check_view
from optrade.flows.doctor.environment import (
    calendar_reaches,
    check_environment,
    disk_has_room,
    packages_fit,
    python_fits,
)
from optrade.flows.doctor.examine import examine
from optrade.flows.doctor.models import check_models
from optrade.flows.doctor.signals import check_signals
from optrade.flows.doctor.stores import check_ledger, check_mlflow, check_redis
from optrade.runtime import Runtime
from optrade.settings import Settings
from trading.ledger.signals import Ledger
from training.registry.tracking_database import newest_schema, open_client

NOW = pd.Timestamp("2024-11-18T15:00Z")
LAST = pd.Timestamp("2024-11-15")
REQUIRED = [name for name in GROUPS if name not in OPTIONAL_GROUPS]


def run_at(root: Path, **settings: str) -> Runtime:
    return Runtime(Settings(**settings), Home(root), NOW)


# --- the machine --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "level"), [((3, 10), "error"), ((3, 11), "ok"), ((3, 12), "ok"), ((3, 13), "error")]
)
def test_python_of_the_lock_file(found: tuple[int, int], level: str) -> None:
    assert python_fits(found).level == level


def locked(*rows: str) -> str:
    return "# comment==1\n" + "\n".join(f"{row} \\\n    --hash=sha256:00==11" for row in rows)


def test_packages_as_the_lock_file_says() -> None:
    rows = [f"numpy=={doctor_environment.version('numpy')}", "nowhere==1 ; python_version < '3'"]
    finding = packages_fit(locked(*rows))
    assert (finding.level, finding.found) == ("ok", "1 packages, as requirements.lock says")


def test_package_of_another_version_is_named() -> None:
    finding = packages_fit(locked("numpy==0.1"))
    assert finding.level == "warning"
    assert "numpy" in finding.found
    assert "==0.1" in finding.found
    assert "uv pip install" in finding.found


def test_missing_packages_are_named_and_counted() -> None:
    finding = packages_fit(locked("numpy==0.1", *(f"missing-{n}==1" for n in range(9))))
    assert finding.level == "error"
    assert "missing-0, missing-1" in finding.found
    assert "and 4 more" in finding.found
    assert "sha256" not in finding.found


def test_this_environment_is_that_of_the_lock_file() -> None:
    levels = {
        row.check: row.level for row in check_environment(Path.cwd(), pd.Timestamp.now("UTC"))
    }
    assert levels["calendar"] == levels["python"] == "ok"
    assert "packages" in levels


def test_without_a_lock_file_packages_are_not_judged(tmp_path: Path) -> None:
    found = [row.check for row in check_environment(tmp_path, NOW, tmp_path / "requirements.lock")]
    assert found == ["python", "calendar", "disk"]


@pytest.mark.parametrize(
    ("last", "level"), [("2024-12-17", "error"), ("2024-12-18", "ok"), ("2025-11-18", "ok")]
)
def test_calendar_reaches_the_next_month(last: str, level: str) -> None:
    finding = calendar_reaches(pd.Timestamp(last), NOW)
    assert finding.level == level
    assert last in finding.found


def test_disk_of_a_home_that_is_not_there_yet(tmp_path: Path, monkeypatch) -> None:
    assert disk_has_room(tmp_path / "new" / "home").level == "ok"
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(doctor_environment, "FREE_BYTES", 2**62)
    assert disk_has_room(tmp_path).level == "warning"


def test_home_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = disk_has_room(tmp_path / "file")
    assert (finding.level, "OPTRADE_HOME" in finding.found) == ("error", True)


def test_a_home_where_no_folder_can_be_made() -> None:
    finding = disk_has_room(Path("/proc/x"))
    assert (finding.level, "/proc/x cannot be made" in finding.found) == ("error", True)


# --- data ---------------------------------------------------------------------------------------


def manifest_of(rows: dict[tuple[str, str], str], raw: tuple[str, ...] = ("prices",)) -> Manifest:
    """A manifest of (table or view, key) -> last session."""
    entries = {
        (table, key): Entry(
            table, key, 1, f"{'raw' if table in raw else 'features'}/{table}/{key}.parquet",
            1, last, last, "0", "2024-11-15T21:30:00+00:00",
        )
        for (table, key), last in rows.items()
    }  # fmt: skip
    tables = {
        table: TableState(("ticker",), 1, definition_hash() if table in GROUPS else None)
        for table, _ in rows
    }
    return Manifest("simulated", None, tables, entries)


def built(name: str, last: str = "2024-11-15", tickers: tuple[str, ...] = ("SPY", "IWM")):
    keys = (MARKET,) if GROUPS[name].entity == "market" else tickers
    landed = {("prices", ticker): "2024-11-15" for ticker in ("SPY", "IWM")}
    return manifest_of({**landed, **{(name, key): last for key in keys}})


@pytest.mark.parametrize("name", GROUPS)
def test_view_up_to_the_last_session(name: str) -> None:
    finding = check_view(built(name), name, LAST)
    assert (finding.check, finding.level) == (f"view {name}", "ok")
    assert "2024-11-15, 0 sessions behind" in finding.found


@pytest.mark.parametrize("name", GROUPS)
def test_view_behind_says_by_how_much_and_what_to_run(name: str) -> None:
    finding = check_view(built(name, "2024-11-13"), name, LAST)
    assert finding.level == "warning"
    assert "2024-11-13, 2 sessions behind" in finding.found
    assert "optrade ingest --source simulated" in finding.found


def test_view_of_one_session_behind_names_the_ticker() -> None:
    rows = {("technical", "SPY"): "2024-11-15", ("technical", "IWM"): "2024-11-14"}
    finding = check_view(manifest_of({("prices", "SPY"): "2024-11-15", **rows}), "technical", LAST)
    assert "1 session behind the clock (IWM)" in finding.found


@pytest.mark.parametrize("name", REQUIRED)
def test_required_view_that_was_never_built(name: str) -> None:
    finding = check_view(manifest_of({("prices", "SPY"): "2024-11-15"}), name, LAST)
    assert (finding.level, "optrade build-features" in finding.found) == ("error", True)


@pytest.mark.parametrize("name", OPTIONAL_GROUPS)
def test_optional_view_without_its_inputs_is_no_fault(name: str) -> None:
    finding = check_view(manifest_of({("prices", "SPY"): "2024-11-15"}), name, LAST)
    assert finding.level == "ok"
    assert finding.found.startswith("not there, because")
    assert all(table in finding.found for table in VIEW_OF[name].own_tables)


@pytest.mark.parametrize("name", OPTIONAL_GROUPS)
def test_optional_view_not_built_from_inputs_that_landed(name: str) -> None:
    landed = {("prices", "SPY"): "2024-11-15", (VIEW_OF[name].own_tables[0], "key"): "2024-11-15"}
    finding = check_view(manifest_of(landed, raw=("prices", *VIEW_OF[name].own_tables)), name, LAST)
    assert finding.level == "warning"
    assert VIEW_OF[name].own_tables[0] in finding.found
    assert "optrade build-features" in finding.found


@pytest.mark.parametrize("name", OPTIONAL_GROUPS)
def test_optional_view_without_rows_counts_as_not_there(name: str) -> None:
    assert check_view(built(name, last=""), name, LAST).found.startswith("not there")


def test_ticker_with_prices_and_without_features() -> None:
    finding = check_view(built("technical", tickers=("SPY",)), "technical", LAST)
    assert (finding.level, "nothing for IWM" in finding.found) == ("warning", True)


def test_ticker_whose_index_has_not_landed_is_told_apart_from_one_to_build() -> None:
    held = built("iv", tickers=("SPY",))
    landed = {("indices", "VIX"): "2024-11-15", ("indices", "VIX3M"): "2024-11-15"}
    more = manifest_of({**{name: entry.last for name, entry in held.entries.items()}, **landed})
    for origin, cure in {
        "recorded": "--recorded-dir FOLDER --as-of 2024-11-15 --tickers SPY`",
        "live": "run `optrade ingest --source live`",
    }.items():
        finding = check_view(
            dataclasses.replace(held, origin=origin, entries=more.entries), "iv", LAST
        )
        assert finding.level == "warning"
        assert finding.found.startswith(
            "nothing for IWM, as nothing of RVX of indices has landed: "
        )
        assert finding.found.endswith(cure)


def test_view_of_other_definitions() -> None:
    manifest = built("technical")
    states = {**manifest.tables, "technical": TableState(("ticker",), 1, "0" * 64)}
    finding = check_view(dataclasses.replace(manifest, tables=states), "technical", LAST)
    assert (finding.level, "optrade build-features" in finding.found) == ("error", True)


def test_empty_home_is_no_fault_and_stays_empty(tmp_path: Path) -> None:
    findings = examine(run_at(tmp_path / "home"))
    assert {row.level for row in findings} == {"ok", "warning"}
    assert not (tmp_path / "home").exists()


def landed_home(root: Path, frame: pd.DataFrame) -> Runtime:
    table = PRICES if "close" in frame else MACRO_SERIES
    with Lake(root / "data") as lake:
        lake.land(table, frame, "simulated", NOW)
    return run_at(root)


@pytest.fixture
def bars() -> pd.DataFrame:
    days = pd.DatetimeIndex(["2024-11-14", "2024-11-15"]).as_unit("ns")
    row = {"open": 1.0, "high": 2.0, "low": 1.0, "close": 1.5, "volume": 9.0, "dividend": 0.0}
    frame = pd.DataFrame({"ticker": "SPY", "session": days, **row, "split": 1.0, "adj_close": 1.5})
    return PRICES.check(frame[list(PRICES.names)])


def by_check(run: Runtime) -> dict[str, tuple[str, str]]:
    return {row.check: (row.level, row.found) for row in examine(run)}


def test_home_with_raw_prices_only(tmp_path: Path, bars: pd.DataFrame) -> None:
    found = by_check(landed_home(tmp_path, bars))
    assert found["data"] == ("ok", "origin simulated, 1 files")
    assert found["files"][0] == "ok"
    assert {found[f"view {name}"][0] for name in REQUIRED} == {"error"}
    assert found["registry"][0] == "warning"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"PAR1")])
def test_damaged_file_is_named(tmp_path: Path, bars: pd.DataFrame, damage) -> None:
    run = landed_home(tmp_path, bars)
    (path,) = (tmp_path / "data" / "raw" / "prices").glob("*.parquet")
    damage(path)
    level, found = by_check(run)["files"]
    assert level == "error"
    assert path.name in found
    assert "run `optrade repair`" in found


SIMULATION = {
    "lost": (None, "is missing"),
    "empty": ("", "no JSON"),
    "damaged": ('{"seed":', "no JSON"),
    "of another shape": ("{}", "seed"),
}


@pytest.mark.parametrize("kind", SIMULATION)
def test_a_simulated_market_that_is_not_known_is_an_error(
    tmp_path: Path, bars: pd.DataFrame, kind: str
) -> None:
    content, words = SIMULATION[kind]
    run = landed_home(tmp_path, bars)
    hold(run.home.data, FIRST, landed=False)
    assert [row.level for row in check_data(run) if row.check == "simulation"] == ["ok"]
    if content is None:
        run.home.files.simulation.unlink()
    else:
        run.home.files.simulation.write_text(content)
    (finding,) = [row for row in check_data(run) if row.check == "simulation"]
    assert (finding.level, words in finding.found) == ("error", True)
    assert "restore it from a copy" in finding.found


def test_home_without_prices_is_told_what_to_run(tmp_path: Path) -> None:
    row = {
        "series": "DGS10",
        "observation_date": "2024-11-14",
        "vintage_date": pd.NaT,
        "value": 4.0,
    }
    run = landed_home(tmp_path, pd.DataFrame([row]).astype(MACRO_SERIES.dtypes))
    level, found = by_check(run)["views"]
    assert (level, "optrade ingest --source simulated" in found) == ("error", True)


def test_broken_manifest_and_broken_registry_are_two_findings(tmp_path: Path) -> None:
    (tmp_path / "data" / "feast").mkdir(parents=True)
    (tmp_path / "data" / "manifest.json").write_text("{")
    (tmp_path / "data" / "feast" / "registry.db").write_bytes(b"\xff")
    found = by_check(run_at(tmp_path))
    assert found["data"][0] == found["registry"][0] == "error"
    assert "optrade materialize" in found["registry"][1]


# --- stores -------------------------------------------------------------------------------------


def test_redis_url_of_another_form_is_not_repeated(tmp_path: Path) -> None:
    level, found = by_check(run_at(tmp_path, REDIS_URL="http://user:pa55word@host"))["redis"]
    assert level == "error"
    assert "pa55word" not in found


@pytest.mark.integration
def test_redis_that_answers_and_one_that_does_not(tmp_path: Path) -> None:
    from optrade.redis import server as redis_server
    from optrade.redis.process import client

    address = redis_server.start(tmp_path)
    try:
        finding = check_redis(address.url, "this home's own")
        assert finding.level == "ok"
        assert "Redis 6." in finding.found or "Redis 7." in finding.found
        assert "noeviction" in finding.found
        client(address).config_set("maxmemory-policy", "allkeys-lru")
        assert check_redis(address.url, "REDIS_URL").level == "warning"
        wrong = address.url.replace(address.password, "another-password")
        assert check_redis(wrong, "REDIS_URL").level == "error"
        assert "another-password" not in check_redis(wrong, "REDIS_URL").found
    finally:
        redis_server.stop(tmp_path)
    assert check_redis(address.url, "REDIS_URL").level == "error"
    assert address.password not in check_redis(address.url, "REDIS_URL").found


def test_mlflow_database_of_the_installed_version(tmp_path: Path) -> None:
    assert "no database yet" in check_mlflow(tmp_path, tmp_path).found
    assert list(tmp_path.iterdir()) == []
    open_client(tmp_path).create_registered_model("direction_SPY")
    finding = check_mlflow(tmp_path, tmp_path)
    assert finding.level == "ok"
    assert finding.found.startswith("1 registered models")


def test_mlflow_database_of_another_version_and_none_at_all(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("CREATE TABLE registered_models (name TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0123456789ab')")
    connection.close()
    finding = check_mlflow(tmp_path, tmp_path)
    assert (finding.level, "0123456789ab" in finding.found) == ("error", True)
    path.write_bytes(b"no database" * 100)
    assert check_mlflow(tmp_path, tmp_path).level == "error"
    path.write_bytes(b"")
    assert check_mlflow(tmp_path, tmp_path).level == "error"


def test_mlflow_is_not_imported_to_look_at_its_database() -> None:
    assert newest_schema()
    assert "mlflow" not in vars(doctor_stores)


def test_ledger_absent_whole_and_broken(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    assert check_ledger(path).level == "ok"
    assert not path.exists()
    with Ledger(path):
        pass
    assert check_ledger(path).found == "0 recorded signals; no row yet"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "schema version 99" in check_ledger(path).found
    path.write_bytes(b"no ledger" * 100)
    assert check_ledger(path).level == "error"


# --- models -------------------------------------------------------------------------------------


def test_no_model_yet(tmp_path: Path) -> None:
    (finding,) = check_models(tmp_path / "mlruns", tmp_path)
    assert (finding.level, "optrade train-all" in finding.found) == ("warning", True)


@pytest.mark.parametrize(
    ("name", "content", "level", "words"),
    [
        ("direction_SPY", "{", "error", "no JSON document"),
        ("regime_SPY", json.dumps({"sha256": "0"}), "error", "SHA-256"),
        ("notes", "{}", "warning", "unknown file"),
        ("volatility_SPY", "{}", "warning", "direction_TICKER"),
    ],
)
def test_model_file_that_cannot_serve(
    tmp_path: Path, name: str, content: str, level: str, words: str
) -> None:
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / f"{name}.json").write_text(content)
    (finding,) = check_models(tmp_path / "mlruns", tmp_path)
    assert (finding.check, finding.level) == (f"model {name}", level)
    assert words in finding.found


def test_a_damaged_feature_is_named_in_the_home_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(run: Runtime, say: object) -> None:
        raise InputError(f"{run.home.data}/features/SPY.parquet is damaged")

    monkeypatch.setattr(doctor_signals, "read_manifest", lambda _: built("technical"))
    monkeypatch.setattr(doctor_signals, "ready_store", refuse)
    found = [row.found for row in check_signals(run_at(tmp_path / "own"))]
    assert len(found) == 2
    for words in found:
        assert f": {tmp_path}/own/data/features/SPY.parquet is damaged" in words


# --- the command --------------------------------------------------------------------------------


@pytest.mark.integration
def test_command_ends_with_1_at_an_error_and_0_at_a_warning(optrade) -> None:
    assert "run `optrade ingest --source simulated`" in " ".join(optrade("doctor").stdout.split())
    data = optrade.home / "data"
    data.mkdir(parents=True)
    (data / "manifest.json").write_text("[]")
    findings = json.loads(optrade("doctor", "--json", code=1).stdout)
    assert {"check", "level", "found"} == set(findings[0])
    assert "error" in {row["level"] for row in findings}


@pytest.mark.integration
def test_models_of_a_trained_home(trained_home) -> None:
    found = {row["check"]: row for row in trained_home.json("doctor")}
    for name in ("direction_SPY", "regime_SPY", "direction_IWM", "regime_IWM"):
        assert found[f"model {name}"]["level"] == "ok"
        assert "trained on" in found[f"model {name}"]["found"]
    assert found["registry"]["level"] == found["mlflow"]["level"] == "ok"


def test_settings_that_are_wrong_stop_before_any_check(monkeypatch: pytest.MonkeyPatch) -> None:
    from optrade.settings import load_settings

    monkeypatch.setenv("OPTRADE_SETTLE_MINUTES", "soon")
    with pytest.raises(InputError, match="OPTRADE_SETTLE_MINUTES"):
        load_settings()


def test_python_of_these_tests_is_found() -> None:
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in python_fits(sys.version_info[:2]).found
