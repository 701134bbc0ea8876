"""What serves, and the alias that says so, changed as one step.

The new serving file is written beside the old one; from that moment on it is what serves, to every
reader (`home.layout.next_model`). The alias follows it, and then it takes the old one's name. What
a kill leaves in between is finished by the next that opens the registry.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.files import sync_folder, write_durably
from home.layout import NEXT, next_model, serving_model, serving_models, standby_models
from home.records.training.words import Setting
from home.served_model import expect, read_served, settle, write_checked
from home.strict_json import Json, signed
from training.judge.decide import CHALLENGER, CHAMPION
from training.registry.artifact import serving_bytes
from training.registry.champion_history import FROM, crown
from training.registry.tracking_database import reading, tracking
from training.registry.trial_runs import Recipe, recipe_of

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOCK: Final = ".registry.lock"
DIGITS: Final = 16  # of a recipe's hash, in a file name


@contextmanager
def open_registry(mlruns_dir: Path, models_dir: Path) -> Iterator["MlflowClient"]:
    """Give the registry of a home, with nothing half done, to one process at a time."""
    from filelock import FileLock

    models_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(models_dir / LOCK), tracking(mlruns_dir) as client:
        finish(client, models_dir)
        yield client


@contextmanager
def finished_registry(mlruns_dir: Path, models_dir: Path) -> Iterator["MlflowClient"]:
    """Give the registry to look at; nothing is written where nothing is half done."""
    half_done = any(serving_models(models_dir).glob(f"*.json{NEXT}"))
    with open_registry(mlruns_dir, models_dir) if half_done else reading(mlruns_dir) as client:
        yield client


def let_serve(
    client: "MlflowClient", models_dir: Path, document: Mapping[str, Json], at: pd.Timestamp
) -> Path:
    """Let a version serve under the alias that its document says; returns the serving file.

    Parameters
    ----------
    at
        Clock of the home: from when on it is champion, if it is.
    """
    name, version = str(document["name"]), str(document["version"])
    path = serving_model(models_dir, name)
    if document["alias"] == CHAMPION:
        client.set_model_version_tag(name, version, FROM, at.isoformat())
    content = serving_bytes(document)
    expect(path, content)
    write_durably(next_model(path), content)
    _finish(client, next_model(path))
    return path


def finish(client: "MlflowClient", models_dir: Path) -> None:
    """Finish what a killed process began.

    Raises
    ------
    DamagedFile
        If what it was about to let serve is not as it was written.
    """
    for path in sorted(serving_models(models_dir).glob(f"*.json{NEXT}")):
        _finish(client, path)


def served(models_dir: Path, name: str) -> dict[str, Json] | None:
    """Return the document that serves for a model, None where there is none that can be read."""
    try:
        return dict(json.loads(serving_model(models_dir, name).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def keep_standby(
    models_dir: Path, document: Mapping[str, Json], settings: Mapping[str, Setting]
) -> None:
    """Keep an unrefuted version for where what serves cannot answer (Decision 23).

    It answers as no champion, whatever its alias is now.
    """
    path = standby_model(models_dir, str(document["name"]), recipe_of(settings))
    write_checked(path, serving_bytes(signed({**document, "alias": CHALLENGER})))


def standby_model(models_dir: Path, name: str, recipe: Recipe) -> Path:
    """Return the file of the version of a recipe that stands by."""
    stem = hashlib.sha256(json.dumps(sorted(recipe)).encode()).hexdigest()[:DIGITS]
    return standby_models(models_dir, name) / f"{stem}.json"


def _finish(client: "MlflowClient", path: Path) -> None:
    content = read_served(path)
    document = json.loads(content)
    name, version, alias = document["name"], document["version"], document["alias"]
    if alias == CHAMPION:
        since = client.get_model_version(name, str(version)).tags[FROM]
        crown(client, name, version, pd.Timestamp(since))
        if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == str(version):
            client.delete_registered_model_alias(name, CHALLENGER)
    elif alias == CHALLENGER:
        client.set_registered_model_alias(name, CHALLENGER, str(version))
    serving = path.with_name(path.name.removesuffix(NEXT))
    path.rename(serving)
    sync_folder(path.parent)
    settle(serving, content)
