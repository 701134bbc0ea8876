"""New generations of a view: whole before readers see them, and known as history was.

After a changed formula or a released quarantine (design, rule (d) of created_timestamp).
"""

import contextlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from structlog.testing import capture_logs

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from feature_repo.features.definition_hash import definition_hash
from home.manifest import MANIFEST, damaged, read_manifest, read_rows
from home.strict_json import signed
from ingestion.build import build, shards
from ingestion.build.build import ViewReport, build_features
from ingestion.gate.expectations import gate
from ingestion.lake import data_folder, record
from ingestion.lake.lake import Lake
from ingestion.lake.quarantine import RELEASED, choose, outdated, refused_rows
from ingestion.tables.catalogue import INDICES, PRICES
from ingestion.tables.frames import CREATED, SESSION
from market.calendar import decision_time, sessions

Frame = Callable[..., pd.DataFrame]
DAYS = sessions("2020-01-02", "2024-12-31")[:40]
TICKERS = ["SPY", "QQQ"]
REFUSED = 20  # the session of VIX whose opening is a misprint
STEPS = (14, 29, 39)

# Killed at the disk's step after so many: the process never comes back from it.
KILLED = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from ingestion.lake import data_folder
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
survived = iter(range(int(sys.argv[2])))
write = data_folder.replace_file
def mortal(path, content):
    if next(survived, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)
    write(path, content)
data_folder.replace_file = mortal
with Lake(Path(sys.argv[1])) as lake:
    build_features(lake, ["SPY", "QQQ"], pd.Timestamp(sys.argv[3]), rebuild=sys.argv[4] == "1")
"""


def at(number: int) -> pd.Timestamp:
    return decision_time(DAYS[[number]])[0]


@dataclass
class Home:
    """A live home of two tickers, landed in three steps, with one row of VIX in quarantine."""

    data: Path
    raw: dict[str, pd.DataFrame]

    def land(self, last: int) -> None:
        with Lake(self.data) as lake:
            for table in (PRICES, INDICES):
                frame = self.raw[table.name]
                part = frame[frame[SESSION] <= DAYS[last]]
                good, bad = gate(table, part, lambda key, name=table.name: lake.stored(name, key))
                lake.land(table, good, "live", at(last), bad)

    def build(self, when: pd.Timestamp, **options: Any) -> dict[str, ViewReport]:
        with Lake(self.data) as lake:
            reports = build_features(lake, TICKERS, when, **options)
        return {report.view: report for report in reports}

    def release(self, when: pd.Timestamp) -> None:
        with Lake(self.data) as lake:
            rows = refused_rows(self.data, lake.manifest, INDICES, "VIX")
            lake.release(INDICES, "VIX", choose(INDICES, "VIX", rows), when, ["iv", "iv_lags"])

    def rows(self, view: str) -> pl.DataFrame:
        return read_rows(self.data, view)

    def generations(self) -> dict[str, int]:
        return {name: state.generation for name, state in read_manifest(self.data).tables.items()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the home is built once, to be copied for each test."""
    return tmp_path_factory.mktemp("template") / "data"


@pytest.fixture
def home(tmp_path: Path, template: Path, prices: Frame, index: Frame) -> Home:
    indices = pd.concat([index(symbol, DAYS) for symbol in ("VIX", "VXN", "VIX3M")])
    indices = indices.reset_index(drop=True)
    indices.loc[REFUSED, "open"] *= 5.0
    priced = [prices(ticker, days=list(DAYS.astype(str))) for ticker in TICKERS]
    raw = {"prices": pd.concat(priced), "indices": indices}
    if not template.exists():
        built = Home(template, raw)
        for step in STEPS:
            built.land(step)
            built.build(at(step))
    shutil.copytree(template, tmp_path / "data")
    return Home(tmp_path / "data", raw)


def changed(group: Group, name: str) -> Group:
    """Return a group with another formula of one feature: 1 more."""
    (old,) = (feature for feature in group.features if feature.name == name)
    new = replace(old)
    # The inputs stay those of the old formula, which the names of its parameters give.
    object.__setattr__(new, "compute", lambda *arrays, **named: old.compute(*arrays, **named) + 1)
    rows = (new if feature is old else feature for feature in group.features)
    return replace(group, features=tuple(rows))


def change_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a feature of technical have another formula, with the hash that tells."""
    groups = {**GROUPS, "technical": changed(GROUPS["technical"], NAME)}
    monkeypatch.setattr(shards, "GROUPS", groups)
    monkeypatch.setattr(build, "definition_hash", lambda: "f" * 64)


NAME = GROUPS["technical"].features[0].name


def test_a_changed_formula_rebuilds_history_as_it_was_known(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = home.rows("technical")
    assert before[CREATED].n_unique() > 3  # landed over time, and kept so
    change_formula(monkeypatch)
    reports = home.build(at(39) + pd.Timedelta(days=3))
    assert reports["technical"].generation == 2
    after = home.rows("technical")
    for column in ("ticker", SESSION, CREATED):
        assert after[column].equals(before[column])
    assert (after[NAME] - before[NAME]).drop_nulls().round(9).unique().to_list() == [1.0]
    assert read_manifest(home.data).tables["technical"].definition_hash == "f" * 64


def test_readers_see_the_old_generation_until_the_new_one_is_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, generations = home.rows("technical"), home.generations()
    seen = []

    def read(_what: str, _done: int, _total: int) -> None:
        seen.append(home.rows("technical").equals(before) and home.generations() == generations)

    change_formula(monkeypatch)
    home.build(at(39), progress=read)
    assert seen
    assert all(seen)
    assert not home.rows("technical").equals(before)
    assert home.generations()["technical"] == 2


def test_a_reader_under_way_keeps_its_generation(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, before = read_manifest(home.data), home.rows("technical")
    change_formula(monkeypatch)
    home.build(at(39))
    assert read_rows(home.data, "technical", manifest=manifest).equals(before)


def test_a_release_rebuilds_the_views_of_its_table_and_no_other(home: Home) -> None:
    before = {view: home.rows(view) for view in ("technical", "iv", "iv_lags")}
    day = DAYS[REFUSED].date()
    assert before["iv"].filter(ticker="SPY", session=day)["vix_close"].to_list() == [None]
    home.release(at(39) + pd.Timedelta(days=1))
    assert all(home.rows(view).equals(rows) for view, rows in before.items())
    reports = home.build(at(39) + pd.Timedelta(days=1))
    assert {view: reports[view].generation for view in before} == {
        "technical": 1, "iv": 2, "iv_lags": 2,
    }  # fmt: skip
    after = home.rows("iv")
    close = home.raw["indices"].loc[REFUSED, "close"]
    assert after.filter(ticker="SPY", session=day)["vix_close"].to_list() == [close]
    assert home.rows("technical").equals(before["technical"])
    # As if it had passed: known when it came, no correction of the sessions around it.
    for column in ("ticker", SESSION, CREATED):
        assert after[column].equals(before["iv"][column])


def test_after_the_rebuild_builds_add_nothing(home: Home) -> None:
    home.release(at(39))
    home.build(at(39))
    manifest = read_manifest(home.data)
    reports = home.build(at(39) + pd.Timedelta(days=1))
    assert {report.rows_new + report.rows_corrected for report in reports.values()} == {0}
    assert read_manifest(home.data) == manifest


@pytest.mark.parametrize("survived", [0, 2, 4])
def test_a_killed_rebuild_leaves_the_old_generation(home: Home, survived: int) -> None:
    before, generations = home.rows("iv"), home.generations()
    home.release(at(39))
    kill(home, survived, rebuild=False)
    assert home.rows("iv").equals(before)
    assert home.generations() == generations
    assert damaged(home.data) == []
    # What the release asked for is not forgotten: any build takes it up.
    assert outdated(home.data, read_manifest(home.data)) == {"iv": 1, "iv_lags": 1}
    reports = home.build(at(39) + pd.Timedelta(days=1))
    assert (reports["iv"].generation, reports["technical"].generation) == (2, 1)
    assert home.rows("iv")["vix_close"].null_count() == before["vix_close"].null_count() - 1


def test_a_killed_rebuild_that_was_asked_for_leaves_the_old_generation(home: Home) -> None:
    before = {view: home.rows(view) for view in ("technical", "iv", "iv_lags")}
    kill(home, 5, rebuild=True)
    assert all(home.rows(view).equals(rows) for view, rows in before.items())
    assert set(home.generations().values()) == {1}
    home.build(at(39), rebuild=True)
    assert all(home.rows(view).equals(rows) for view, rows in before.items())
    assert home.generations()["technical"] == 2


def kill(home: Home, survived: int, *, rebuild: bool) -> None:
    """Let another process build, and die at the step on the disk after so many."""
    arguments = [str(home.data), str(survived), str(at(39)), "1" if rebuild else "0"]
    done = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, timeout=60)
    assert done.returncode == -9


@pytest.mark.parametrize("step", ["replace_file", "sync_folder"])
def test_a_release_is_whole_or_not_at_all(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    from ingestion.lake import data_folder

    manifest = read_manifest(home.data)
    original = getattr(data_folder, step)
    for survived in range(20):
        left = iter(range(survived))

        def mortal(*arguments: Any, left: Any = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt
            original(*arguments)

        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(data_folder, step, mortal)
            home.release(at(39))
            raise KeyboardInterrupt  # it got through
        rows = refused_rows(home.data, read_manifest(home.data), INDICES, "VIX")
        landed = read_rows(home.data, "indices", ["VIX"]).filter(session=DAYS[REFUSED].date())
        assert landed.height == rows[RELEASED].count()
        assert damaged(home.data) == []
        if landed.height:
            break
        assert read_manifest(home.data) == manifest
    assert landed.height == 1


def test_the_hash_of_the_real_definitions_is_the_one_built(home: Home) -> None:
    assert read_manifest(home.data).tables["technical"].definition_hash == definition_hash()


def of_an_earlier_version(home: Home) -> None:
    """Let the home be as code of other definitions left it."""
    document = json.loads((home.data / MANIFEST).read_text())
    for view in GROUPS.keys() & document["tables"].keys():
        document["tables"][view]["definition_hash"] = "e" * 64
    (home.data / MANIFEST).write_text(json.dumps(signed(document)))


def redefined(home: Home, days: int = 1) -> list[dict[str, Any]]:
    """What a build says of other definitions."""
    with capture_logs() as logs:
        home.build(at(39) + pd.Timedelta(days=days))
    return [line for line in logs if "other feature definitions" in line["event"]]


def test_a_home_of_other_definitions_is_built_anew_and_says_so_in_one_line(home: Home) -> None:
    views = ("technical", "variance", "iv", "iv_lags", "iv_path")
    before = {view: home.rows(view) for view in views}
    assert redefined(home) == []
    of_an_earlier_version(home)
    (line,) = redefined(home)
    assert line["log_level"] == "warning"
    assert "a new generation; train its models again with `optrade train-all`" in line["event"]
    assert line["views"] == ",".join(before)
    assert {view: home.generations()[view] for view in before} == dict.fromkeys(before, 2)
    assert all(home.rows(view).equals(rows) for view, rows in before.items())
    assert redefined(home, 2) == []


class Died(BaseException):
    """Stands for a killed process: no handler of errors sees it."""


def dies_after(steps: int, patched: pytest.MonkeyPatch) -> None:
    """Let the process die at the step on the disk after so many."""
    remaining = iter(range(steps))

    def mortal(step: Callable[..., None]) -> Callable[..., None]:
        def run(*arguments: object) -> None:
            if next(remaining, None) is None:
                raise Died
            step(*arguments)

        return run

    for module, name in (
        (data_folder, "replace_file"),
        (data_folder, "sync_folder"),
        (data_folder, "sweep"),
        (record, "write_durably"),
    ):
        patched.setattr(module, name, mortal(getattr(module, name)))


def test_a_rebuild_killed_at_any_step_is_finished_by_the_next_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {view: home.rows(view) for view in ("technical", "iv")}
    of_an_earlier_version(home)
    old, generations = home.data, set()
    for survived in range(0, 200, 3):
        home.data = old.with_name(str(survived))
        shutil.copytree(old, home.data)
        with monkeypatch.context() as patched:
            dies_after(survived, patched)
            with contextlib.suppress(Died):
                home.build(at(39))
                generations.add("built")
        generations.add(home.generations()["technical"])
        assert damaged(home.data) == []
        home.build(at(39) + pd.Timedelta(days=1))
        assert home.generations()["technical"] == 2
        assert all(home.rows(view).equals(rows) for view, rows in before.items())
        assert redefined(home, 2) == []
        if "built" in generations:
            break
    assert generations == {1, 2, "built"}
