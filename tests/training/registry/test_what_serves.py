"""Serving file and alias change as one step, whenever the process dies."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow import MlflowClient

from home.layout import served_files, serving_models
from home.served_model import read_served
from home.strict_json import Json, signed
from training.registry.champion_history import Reign, history
from training.registry.mlflow_runs import aliased
from training.registry.tracking_database import open_client
from training.registry.what_serves import keep_standby, let_serve, open_registry, served

NAME = "direction_SPY"
MONDAY, TUESDAY = (pd.Timestamp(f"2024-11-{day} 21:30", tz="UTC") for day in (25, 26))
# What the disk and the database are changed by: a process may die before any of these.
STEPS = (
    (os, "fsync"),
    (Path, "replace"),
    (Path, "rename"),
    (MlflowClient, "set_model_version_tag"),
    (MlflowClient, "set_registered_model_alias"),
    (MlflowClient, "set_registered_model_tag"),
)


class Died(BaseException):
    """Stands for a killed process: no handler of errors sees it."""


def begun(mlruns: Path) -> MlflowClient:
    """A registry of two versions."""
    client = open_client(mlruns)
    if client.search_registered_models(f"name = '{NAME}'"):
        client.delete_registered_model(NAME)
    client.create_registered_model(NAME)
    for _ in range(2):
        client.create_model_version(NAME, "memory://nowhere")
    return client


def document(version: int, alias: str) -> dict[str, Json]:
    return signed({"name": NAME, "version": version, "alias": alias, "model": "logistic"})


def dies_after(steps: int, patched: pytest.MonkeyPatch) -> None:
    """Let the process die at the step after so many."""
    remaining = iter(range(steps))

    def mortal(step: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            if next(remaining, None) is None:
                raise Died
            return step(*arguments, **named)

        return run

    for owner, name in STEPS:
        patched.setattr(owner, name, mortal(getattr(owner, name)))


def seen(models: Path) -> tuple[int, str]:
    """Return the version and alias that a reader of the serving files sees."""
    (path,) = served_files(serving_models(models))
    found = json.loads(read_served(path))
    return found["version"], found["alias"]


@pytest.mark.parametrize("alias", ["champion", "challenger", "baseline"])
def test_every_step_of_a_change_can_be_the_last(
    tmp_path: Path, mlruns: Path, monkeypatch: pytest.MonkeyPatch, alias: str
) -> None:
    outcomes = []
    for survived in range(100):
        models, client = tmp_path / str(survived), begun(mlruns)
        let_serve(client, models, document(1, "challenger"), MONDAY)
        died = False
        with monkeypatch.context() as patched:
            dies_after(survived, patched)
            try:
                let_serve(client, models, document(2, alias), TUESDAY)
            except Died:
                died = True
        after_the_kill = seen(models)
        with open_registry(mlruns, models) as reader:
            version = served(models, NAME)["version"]
            told = {word: aliased(reader, NAME, word) for word in ("champion", "challenger")}
            reigns = history(reader, NAME)
        assert seen(models) == after_the_kill, "who looked before is not contradicted"
        left = sorted(path.suffix for path in serving_models(models).glob("direction*"))
        assert left == [".json", ".sha256"]
        new = version == 2
        assert told["champion"] == (2 if new and alias == "champion" else None)
        assert told["challenger"] == (2 if new and alias == "challenger" else 1)
        assert reigns == ((Reign(2, TUESDAY),) if told["champion"] else ())
        outcomes.append(version)
        if not died:
            break
    assert outcomes[0] == 1
    assert outcomes == sorted(outcomes), "once it serves, it serves"
    assert outcomes.count(2) > 1, "and is finished where the alias had not followed"


def test_the_newest_unrefuted_version_of_each_recipe_is_kept(tmp_path: Path) -> None:
    settings = {"model_type": "ridge", "seed": 0, "pooled": False}
    keep_standby(tmp_path, document(1, "champion"), settings)
    keep_standby(tmp_path, document(2, "challenger"), settings | {"seed": 7})
    keep_standby(tmp_path, document(3, "challenger"), settings | {"pooled": True})
    kept = [json.loads(path.read_bytes()) for path in tmp_path.rglob("*.json")]
    assert sorted(one["version"] for one in kept) == [2, 3]
    assert {one["alias"] for one in kept} == {"challenger"}
    assert all(signed(one) == one for one in kept)
    assert served_files(serving_models(tmp_path)) == [], "they are not what serves"
