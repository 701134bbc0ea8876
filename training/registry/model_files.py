"""Which model files a home ought to have, and which of them are damaged or gone.

MLflow's database is asked without MLflow, which takes seconds to import.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from home.layout import next_model, serving_model, serving_models
from home.served_model import hash_file, read_served
from market.errors import InputError
from training.registry.mlflow_runs import STANDING, TRIAL
from training.registry.tracking_database import (
    BUSY_SECONDS,
    DATABASE,
    check,
    require_kept,
    schema,
    unreadable,
)
from training.registry.trial_runs import recipe_of
from training.registry.what_serves import standby_model

# Versions that the gate let serve, or the baseline in their place: no trial, none cut short.
_VERSIONS: Final = """
    SELECT v.name, v.run_id, s.value
    FROM model_versions v JOIN runs r ON r.run_uuid = v.run_id
    JOIN tags ours ON ours.run_uuid = v.run_id AND ours.key = 'definition_hash'
    LEFT JOIN model_version_tags s
        ON s.name = v.name AND s.version = v.version AND s.key = :standing
    LEFT JOIN model_version_tags t ON t.name = v.name AND t.version = v.version AND t.key = :trial
    WHERE v.current_stage != 'Deleted_Internal' AND coalesce(t.value, 'false') != 'true'
        AND (r.status = 'FINISHED' OR EXISTS (
            SELECT 1 FROM registered_model_aliases a
            WHERE a.name = v.name AND a.version = v.version))
"""
_SETTINGS: Final = "SELECT key, value FROM params WHERE run_uuid = ?"
STANDS_BY: Final = ("proven", "unproven")


@dataclass(frozen=True)
class Fault:
    """A model file that is damaged, or gone.

    Attributes
    ----------
    name
        Registered model, such as `direction_SPY`.
    path
        The file.
    words
        What is wrong with it.
    """

    name: str
    path: Path
    words: str

    @property
    def what(self) -> str:
        """What is faulty, as a report calls it: of a model, one serves and several stand by."""
        return f"model {self.name}" + (f" on standby, {self.path.name}" if self.standby else "")

    @property
    def unfit(self) -> bool:
        """Whether a folder or a pipe stands in its place, which nothing here removes."""
        return any(path.exists() and not path.is_file() for path in files_of(self.path))

    @property
    def standby(self) -> bool:
        """Whether it is one that stands by, and does not serve."""
        return self.path.parent.parent.name == "standby"


def files_of(path: Path) -> tuple[Path, Path, Path]:
    """Return a model file, the one that takes its place, and the hash of both."""
    return path, next_model(path), hash_file(path)


def registry_fault(mlruns_dir: Path, models_dir: Path) -> InputError | None:
    """Return why MLflow's database is of no use, None where it is, or where nothing was trained.

    Its class says whether it is gone, held, of another version of MLflow, or damaged.
    """
    try:
        require_kept(mlruns_dir, models_dir)
        check(mlruns_dir / DATABASE)
        list(_registered(mlruns_dir / DATABASE, models_dir))
    except InputError as error:
        return error
    return None


def faults(mlruns_dir: Path, models_dir: Path) -> list[Fault]:
    """Return every model file that is damaged, or that is gone though its version may serve.

    What is gone is not known where the database is of no use; see `registry_fault`.
    """
    wanted = {*_on_disk(models_dir)}
    if registry_fault(mlruns_dir, models_dir) is None:
        wanted |= {*_registered(mlruns_dir / DATABASE, models_dir)}
    return [found for name, path in sorted(wanted) if (found := _fault(name, path)) is not None]


def _fault(name: str, path: Path) -> Fault | None:
    present = next_model(path) if next_model(path).exists() else path
    try:
        read_served(present)
    except InputError as error:
        return Fault(name, path, str(error).partition(";")[0])
    except FileNotFoundError:
        return Fault(name, path, f"{path.name} is gone")
    return None


def _on_disk(models_dir: Path) -> Iterator[tuple[str, Path]]:
    folder = serving_models(models_dir)
    for pattern in ("*.json", "*.json.next", "*.sha256"):
        for path in folder.glob(pattern):
            name = path.name.partition(".")[0]
            yield name, serving_model(models_dir, name)
    for suffix in ("json", "sha256"):
        for path in folder.glob(f"standby/*/*.{suffix}"):
            yield path.parent.name, path.with_suffix(".json")


def _registered(database: Path, models_dir: Path) -> Iterator[tuple[str, Path]]:
    """Give the files of the versions that may serve, one that serves and one for each recipe."""
    if not database.exists() or schema(database) is None:
        return
    tags = {"standing": STANDING, "trial": TRIAL}
    address = f"{database.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            for name, run_id, standing in connection.execute(_VERSIONS, tags).fetchall():
                yield name, serving_model(models_dir, name)
                if standing in STANDS_BY:
                    settings = dict(connection.execute(_SETTINGS, (run_id,)).fetchall())
                    yield name, standby_model(models_dir, name, recipe_of(settings))
    except sqlite3.Error as error:
        raise unreadable(database, error) from error
