"""A home that was copied or moved has its own runs' files, and no other home's."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from home.layout import Home as Folders
from market.errors import InputError
from optrade.flows.serve.tools import mlflow_command
from tests.training.registry.conftest import AT, Home
from training.registry.before import who_was_before
from training.registry.mlflow_runs import read_evidence, run_file
from training.registry.promote import promote
from training.registry.restore import restore_served
from training.registry.tracking_database import ADDRESSES, DATABASE, reading
from training.registry.trial_runs import read_trials
from training.walk import Trained


@pytest.fixture
def moved(home: Home, noise: Trained, tmp_path: Path) -> Home:
    """A home with one version, copied, and the original gone."""
    home.register(noise)
    shutil.copytree(home.mlruns.parent, tmp_path / "other")
    shutil.rmtree(home.mlruns.parent)
    return Home(tmp_path / "other")


def addresses(home: Home) -> set[str]:
    """The addresses that MLflow keeps, but for its own experiment, which nothing uses."""
    with closing(sqlite3.connect(home.mlruns / DATABASE)) as database:
        return {
            found
            for table, column in ADDRESSES
            for (found,) in database.execute(f"SELECT {column} FROM {table}")  # noqa: S608
            if found and "/artifacts" in found
        }


def test_it_reads_its_own_files(moved: Home) -> None:
    with reading(moved.mlruns) as client:
        chosen = client.get_model_version("direction_SPY", "1")
        settings = read_evidence(client, chosen).settings
        run = client.get_run(chosen.run_id)
        assert run_file(client, run, "model").is_relative_to(moved.mlruns)
        other = {**settings, "n_features": 3}
        assert len(read_trials(client, "direction", "direction_SPY", other)) == 1
        assert who_was_before(client, "direction_SPY", settings).unrefuted


def test_a_lost_model_is_restored_from_it(moved: Home) -> None:
    path = moved.models / "serving" / "direction_SPY.json"
    good = path.read_bytes()
    path.unlink()
    assert restore_served(moved.mlruns, moved.models, "direction_SPY") == 1
    assert path.read_bytes() == good


def test_what_it_writes_stays_in_it(moved: Home, noise: Trained, tmp_path: Path) -> None:
    promote("direction_SPY", at=AT, version=1, force=True, **moved.paths)
    newer = moved.register(noise)
    assert newer.evidence.champion.version == 1
    assert (moved.mlruns / "artifacts" / newer.run_id / "artifacts" / "evidence.json").is_file()
    assert not (tmp_path / "home").exists()
    assert all(one.startswith(moved.mlruns.as_uri()) for one in addresses(moved))


def test_a_copy_reads_its_own_where_the_original_has_changed(
    home: Home, noise: Trained, tmp_path: Path
) -> None:
    home.register(noise)
    copy = Home(tmp_path / "other")
    shutil.copytree(home.mlruns.parent, copy.mlruns.parent)
    for path in home.mlruns.rglob("evidence.json"):
        path.write_text("{}")
    with reading(home.mlruns) as client, pytest.raises(InputError, match="damaged"):
        read_evidence(client, client.get_model_version("direction_SPY", "1"))
    with reading(copy.mlruns) as client:
        read_evidence(client, client.get_model_version("direction_SPY", "1"))


def test_mlflows_own_pages_read_there(moved: Home) -> None:
    assert any(not one.startswith(moved.mlruns.as_uri()) for one in addresses(moved))
    mlflow_command(Folders(moved.mlruns.parent), "127.0.0.1", 5000)
    assert all(one.startswith(moved.mlruns.as_uri()) for one in addresses(moved))
