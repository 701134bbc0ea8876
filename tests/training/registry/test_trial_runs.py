from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from mlflow.entities import Param

from market.errors import InputError
from training.registry import trial_runs
from training.registry.mlflow_runs import run
from training.registry.tracking_database import open_client
from training.registry.trial_runs import read_trials

if TYPE_CHECKING:
    from mlflow import MlflowClient

SETTINGS = {"ticker": "SPY", "n_features": 40, "seed": 0, "resamples": 2_000}
Trained = Callable[..., str]


@pytest.fixture(scope="module")
def client(mlruns: Path) -> "MlflowClient":
    return open_client(mlruns)


@pytest.fixture
def keep(client: "MlflowClient", mlruns: Path, tmp_path: Path) -> Trained:
    """Record a run of a model as a training does; its loss tells it from the others."""

    def make(name: str, settings: Mapping[str, Any], loss: float) -> str:
        file = tmp_path / "losses.parquet"
        pd.DataFrame({"session": [pd.Timestamp("2020-01-02")], "loss": loss}).to_parquet(file)
        with run(client, mlruns, "direction", {"mlflow.runName": name}) as run_id:
            params = [Param(key, str(value)) for key, value in settings.items()]
            client.log_batch(run_id, params=params)
            client.log_artifact(run_id, str(file))
        return run_id

    return make


def read(client: "MlflowClient", name: str, settings: Mapping[str, Any]) -> list[float]:
    frames = read_trials(client, "direction", name, settings)
    return [float(frame["loss"].iloc[0]) for frame in frames]


def test_a_trial_is_other_settings_by_its_newest_run(
    client: "MlflowClient", keep: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial_runs, "PAGE", 2)  # more runs than a page holds
    keep("A", SETTINGS, 0.1)
    keep("A", SETTINGS | {"seed": 1, "resamples": 100}, 0.2)
    keep("A", SETTINGS | {"n_features": 10}, 0.3)
    keep("A", SETTINGS | {"n_features": 10, "seed": 5}, 0.4)
    keep("A", SETTINGS | {"n_features": 20}, 0.5)
    keep("B", SETTINGS | {"n_features": 30}, 0.6)
    assert read(client, "A", SETTINGS) == [0.5, 0.4]
    assert read(client, "A", SETTINGS | {"n_features": 10, "seed": 9}) == [0.5, 0.2]
    assert read(client, "A", SETTINGS | {"n_features": 11}) == [0.5, 0.4, 0.2]


def test_a_run_that_failed_is_no_trial(client: "MlflowClient", mlruns: Path, keep: Trained) -> None:
    keep("C", SETTINGS, 0.1)
    with (
        pytest.raises(InputError, match="stopped"),
        run(client, mlruns, "direction", {"mlflow.runName": "C"}) as run_id,
    ):
        client.log_batch(run_id, params=[Param("n_features", "3")])
        raise InputError("stopped")
    assert read(client, "C", SETTINGS) == []


def test_a_task_never_trained_has_no_trials(client: "MlflowClient") -> None:
    assert read_trials(client, "regime", "regime_SPY", SETTINGS) == []


def test_lost_losses_are_an_error_that_names_the_run(
    client: "MlflowClient", mlruns: Path, keep: Trained
) -> None:
    run_id = keep("D", SETTINGS, 0.1)
    next(mlruns.rglob(f"{run_id}/**/losses.parquet")).write_bytes(b"")
    with pytest.raises(InputError, match=f"run {run_id}, a trial of D.*delete the run"):
        read(client, "D", SETTINGS | {"n_features": 1})
