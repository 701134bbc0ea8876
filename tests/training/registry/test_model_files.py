"""Model files that are damaged or gone: found by what the registry knows, and written anew."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from feature_repo.features.definition_hash import definition_hash
from home.layout import Home as HomeFiles
from home.layout import next_model, serving_model
from home.served_model import read_served
from market.errors import DamagedFile, InputError
from optrade.flows.doctor.models import check_models
from optrade.flows.doctor.stores import check_mlflow
from optrade.flows.repair import repair_models
from optrade.flows.train.models import say_if_gone
from optrade.flows.train.trained import require_registry
from optrade.runtime import Runtime
from optrade.settings import Settings
from tests.training.registry.conftest import AT, Home, worse
from training.registry import tracking_database
from training.registry.model_files import faults
from training.registry.promote import promote
from training.registry.restore import restore
from training.registry.what_serves import open_registry
from training.walk import Trained

NAME = "direction_SPY"


def files(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home.models / "serving").rglob("*.*")}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def standby_of(home: Home) -> Path:
    (path,) = (home.models / "serving" / "standby" / NAME).glob("*.json")
    return path


def lose(path: Path) -> None:
    path.unlink()
    path.with_suffix(".sha256").unlink()


SPOILS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a flipped bit": (flip, "is damaged"),
    "nothing left in it": (lambda path: path.write_bytes(b""), "is damaged"),
    "its hash gone": (lambda path: path.with_suffix(".sha256").unlink(), "is damaged"),
    "the file gone": (Path.unlink, "is gone"),
    "both gone": (lose, "is gone"),
}


def mended(home: Home) -> list[str]:
    """Restore every fault, and return what was faulty."""
    found = faults(home.mlruns, home.models)
    assert {restore(home.mlruns, home.models, fault) for fault in found} == {1}
    assert faults(home.mlruns, home.models) == []
    return [fault.what for fault in found]


def test_every_file_of_a_version_is_found_and_restored(home: Home, noise: Trained) -> None:
    home.register(noise)
    good = files(home)
    assert faults(home.mlruns, home.models) == []
    for what in (serving_model(home.models, NAME), standby_of(home)):
        for spoil, words in SPOILS.values():
            spoil(what)
            (fault,) = faults(home.mlruns, home.models)
            assert words in fault.words
            findings = {one.check: one for one in check_models(home.mlruns, home.models)}
            assert findings[fault.what].level == "error"
            if fault.standby or words == "is gone":
                assert "optrade repair" in findings[fault.what].found
            mended(home)
            assert files(home) == good


def test_a_home_that_lost_its_models_folder_has_all_of_them_again(
    home: Home, noise: Trained
) -> None:
    home.register(noise)
    good, standby = files(home), standby_of(home).name
    shutil.rmtree(home.models / "serving")
    assert mended(home) == [f"model {NAME}", f"model {NAME} on standby, {standby}"]
    assert files(home) == good


def test_the_baseline_is_restored_too(home: Home, noise: Trained) -> None:
    home.register(worse(noise))
    good = files(home)
    lose(serving_model(home.models, NAME))
    assert mended(home) == [f"model {NAME}"]
    assert files(home) == good


def test_a_trial_and_what_was_cut_short_lack_nothing(home: Home, noise: Trained) -> None:
    home.register(noise, trial=True)
    home.cut_short(noise)
    assert faults(home.mlruns, home.models) == []


def test_what_is_about_to_serve_and_is_damaged_never_does(home: Home, noise: Trained) -> None:
    home.register(noise)
    good = files(home)
    path = serving_model(home.models, NAME)
    shutil.copy(path, next_model(path))  # as a kill leaves it
    flip(next_model(path))
    with pytest.raises(DamagedFile, match="optrade repair"), open_registry(**home.paths):
        pass
    assert mended(home) == [f"model {NAME}"]
    assert files(home) == good
    assert read_served(path)


def test_what_the_registry_does_not_know_is_lost(home: Home, noise: Trained) -> None:
    home.register(noise)
    stray = standby_of(home).with_name("0123456789abcdef.json")
    shutil.copy(standby_of(home), stray)
    (fault,) = faults(home.mlruns, home.models)
    assert (fault.path, fault.what) == (stray, f"model {NAME} on standby, {stray.name}")
    with pytest.raises(InputError, match=f"no version of {NAME} with these settings: remove"):
        restore(home.mlruns, home.models, fault)


def test_no_registry_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path / "mlruns", tmp_path / "models") == []
    assert list(tmp_path.iterdir()) == []


DATABASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "lost": (Path.unlink, "is missing, though models serve: signals are still given"),
    "empty": (lambda path: path.write_bytes(b""), "is empty, though models serve"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:9000]), "cannot be read"),
    "none": (lambda path: path.write_bytes(b"no database" * 100), "cannot be read"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "is a folder, allowed is a file"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "is a pipe, allowed is a file"),
}


@pytest.mark.parametrize("kind", DATABASES)
def test_a_database_that_is_of_no_use_is_told_while_models_serve(
    home: Home, noise: Trained, kind: str
) -> None:
    home.register(noise)
    spoil, words = DATABASES[kind]
    spoil(home.mlruns / "mlflow.db")
    flip(standby_of(home))
    finding = check_mlflow(home.mlruns, home.models)
    assert (finding.level, words in finding.found) == ("error", True)
    with pytest.raises(InputError, match=words):
        require_registry(HomeFiles(home.models.parent))
    with pytest.raises(InputError, match=words):
        promote(NAME, **home.paths, at=AT)
    told = list(repair_models(Runtime(Settings(), HomeFiles(home.models.parent), AT)))
    standby = f"model {NAME} on standby, {standby_of(home).name}"
    assert [(one.what, one.state) for one in told] == [
        ("mlruns/mlflow.db", "lost"),
        (standby, "lost"),
    ]
    assert words in told[0].words
    findings = {one.check: one.level for one in check_models(home.mlruns, home.models)}
    assert findings == {f"model {NAME}": "error", standby: "error"}


def test_a_database_that_is_held_or_of_another_version_is_not_lost(
    home: Home, noise: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.register(noise)
    path = home.mlruns / "mlflow.db"
    flip(standby_of(home))
    monkeypatch.setattr(tracking_database, "BUSY_SECONDS", 0.01)

    def states() -> list[str]:
        told = list(repair_models(Runtime(Settings(), HomeFiles(home.models.parent), AT)))
        assert told[0].what == "mlruns/mlflow.db"
        return [one.state for one in told]

    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        assert states() == ["locked", "locked"]
        database.execute("ROLLBACK")
        database.execute("UPDATE alembic_version SET version_num = 'other'")
    assert states() == ["other version", "other version"]
    path.unlink()
    assert states() == ["lost", "lost"]


def test_a_training_says_in_one_line_that_it_begins_anew(home: Home, noise: Trained) -> None:
    run = Runtime(Settings(), HomeFiles(home.models.parent), AT)
    home.register(noise)
    with capture_logs() as told:
        say_if_gone(run)
        (home.mlruns / "mlflow.db").unlink()
        say_if_gone(run)
    (line,) = told
    assert "was lost though models serve: this training begins a new one" in line["event"]


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
@pytest.mark.parametrize("suffix", [".json", ".json.next", ".sha256"])
def test_what_is_no_model_file_is_a_finding(home: Home, noise: Trained, make, suffix: str) -> None:
    home.register(noise, definition_hash=definition_hash())
    for path in (serving_model(home.models, NAME), standby_of(home)):
        path = path.with_suffix(suffix)
        path.unlink(missing_ok=True)
        make(path)
    found = [one for one in check_models(home.mlruns, home.models) if one.level == "error"]
    assert ["move it away" in one.found for one in found] == [True, True]
    told = list(repair_models(Runtime(Settings(), HomeFiles(home.models.parent), AT)))
    assert [one.state for one in told] == ["lost", "lost"]
    assert all("move it away; then run `optrade repair` again" in one.words for one in told)
