"""What is kept in MLflow: runs, model versions, aliases, and the documents of a run.

The tracking database is `<mlruns>/mlflow.db`, artifacts lie in `<mlruns>/artifacts`, wherever the
home is now: `run_file`. Only an `MlflowClient` is used, so that no global tracking address is set.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from importlib.metadata import version as installed
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, get_args

import pandas as pd

from home.records.evidence import Standing
from home.records.training.evidence import TrainingEvidence
from home.strict_json import Json
from home.verified import read_regular, verified
from market.errors import DamagedFile, InputError, UnknownName
from training.fit.distribution import ReturnsFit
from training.fit.fit import Fit, Mixed
from training.judge.against_champion import Champion
from training.judge.decide import CHAMPION
from training.registry.tracking_database import ARTIFACTS, artifacts, database_folder
from training.walk import Trained

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

EVIDENCE: Final = "evidence.json"
LOSSES: Final = "losses.parquet"
REPORT: Final = "report.html"
SERVING: Final = "serving.json"
BASELINE: Final = "baseline.json"  # what serves in the place of a refuted version
MODEL: Final = "model"
PARAMETERS: Final = "parameters.json"
# Tags of a version.
STANDING: Final = "standing"
TRIAL: Final = "trial"
MODEL_TYPE: Final = "model"
HASH: Final = "sha256."  # of the tags of a run, each the hash of one of its files


@contextmanager
def run(
    client: "MlflowClient", mlruns_dir: Path, experiment: str, tags: Mapping[str, str]
) -> Iterator[str]:
    """Open a run and give its id; it ends as failed if the body raises."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        folder = artifacts(mlruns_dir)
        experiment_id = client.create_experiment(experiment, artifact_location=folder.as_uri())
    else:
        experiment_id = found.experiment_id
    run_id = client.create_run(experiment_id, tags=dict(tags)).info.run_id
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)


def record(
    client: "MlflowClient", run_id: str, trained: Trained, evidence: TrainingEvidence
) -> None:
    """Log parameters, metrics, evidence, losses and the fitted model to a run."""
    from mlflow.entities import Metric, Param

    params = [Param(key, str(value)) for key, value in evidence.settings.items()]
    metrics = [Metric(key, value, 0, 0) for key, value in figures(evidence).items()]
    client.log_batch(run_id, metrics=metrics, params=params)
    log_document(client, run_id, evidence.document(), EVIDENCE)
    losses = BytesIO()
    trained.losses.to_parquet(losses, index=False)
    log_bytes(client, run_id, losses.getvalue(), LOSSES)
    with TemporaryDirectory() as scratch:
        model = Path(scratch) / MODEL
        _save_model(trained.forecaster.fit, model)
        client.log_artifacts(run_id, str(model), MODEL)


def log_document(
    client: "MlflowClient", run_id: str, document: Mapping[str, Json], file: str
) -> None:
    """Log a JSON document to a run; see `log_bytes`."""
    text = json.dumps(document, indent=2, allow_nan=False)
    log_bytes(client, run_id, text.encode(), file)


def log_bytes(client: "MlflowClient", run_id: str, content: bytes, file: str) -> None:
    """Log a file to a run, and in a tag of the run the hash that `checked_file` wants."""
    client.set_tag(run_id, HASH + file, sha256(content).hexdigest())
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / file
        path.write_bytes(content)
        client.log_artifact(run_id, str(path))


def _save_model(fit: Fit | Mixed | ReturnsFit, folder: Path) -> None:
    """Write a linear model as a scikit-learn pipeline, any other as plain data."""
    from mlflow.sklearn import save_model

    if fit.word == "logistic" and isinstance(fit, Fit):
        needed = [f"scikit-learn=={installed('scikit-learn')}"]
        save_model(fit.estimate.estimator, str(folder), pip_requirements=needed)
        return
    folder.mkdir()
    text = json.dumps(fit.parameters.model_dump(), allow_nan=False)
    (folder / PARAMETERS).write_text(text, "utf-8")


def figures(evidence: TrainingEvidence) -> dict[str, float]:
    """Return the known figures of an evidence as flat metrics, each beside its baseline's."""
    gate, pooled = evidence.gate, evidence.pooled
    baseline = evidence.baselines[gate.baseline]
    low, high = gate.interval or (None, None)
    found = dict(pooled.scores)
    found |= {f"{gate.baseline}.{name}": value for name, value in baseline.items()}
    found |= {f"fold_mean.{name}": value for name, value in pooled.fold_mean.items()}
    found |= {"improvement": gate.improvement, "improvement_bound": gate.bound}
    found |= {"improvement_low": low, "improvement_high": high}
    if trials := evidence.trials:
        found |= {
            "trials": float(trials.count),
            "spa_p": None if trials.spa is None else trials.spa.consistent,
        }
        found |= {"deflated_score": trials.deflated.probability}
    return {name: value for name, value in found.items() if value is not None}


def new_version(
    client: "MlflowClient", name: str, run_id: str, tags: Mapping[str, str] | None = None
) -> int:
    """Register the model of a run under a name, tagged, and return its version."""
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    source = f"{client.get_run(run_id).info.artifact_uri}/{MODEL}"
    return int(client.create_model_version(name, source, run_id, tags=dict(tags or {})).version)


def find_champion(client: "MlflowClient", name: str) -> Champion | None:
    """Return the champion of a registered model with its losses, None if there is none.

    A refuted one, promoted before there was the word, is none.

    Raises
    ------
    InputError
        If its losses cannot be read.
    """
    at = aliased(client, name, CHAMPION)
    if at is None:
        return None
    chosen = client.get_model_version(name, str(at))
    if standing(client, chosen) == "refuted":
        return None
    return Champion(at, str(chosen.run_id), read_losses(client, chosen))


def standing(client: "MlflowClient", chosen: "ModelVersion") -> Standing:
    """Return the standing of a model version, as it is tagged, or by its evidence.

    Raises
    ------
    InputError
        If it is not tagged, and its evidence cannot be read.
    """
    tagged = next((word for word in get_args(Standing) if chosen.tags.get(STANDING) == word), None)
    return tagged or read_evidence(client, chosen).verdict.standing


def require_registered(client: "MlflowClient", name: str) -> "RegisteredModel":
    """Return the registered model of a name.

    Raises
    ------
    UnknownName
        If there is none; names those there are.
    """
    # Not by a filter: a name with a quote in it would be another question.
    known = {model.name: model for model in client.search_registered_models()}
    if name not in known:
        allowed = sorted(known) or ["none yet"]
        raise UnknownName("--name", name, allowed, "train it first (`optrade train-all`)")
    return known[name]


def aliased(client: "MlflowClient", name: str, alias: str) -> int | None:
    """Return the version that an alias names, None if there is none; a champion has no other."""
    found = client.search_registered_models(f"name = '{name}'")
    aliases = found[0].aliases if found else {}
    at = aliases.get(alias)
    # Of a home of before, whose champions by command were left the alias of the challenger.
    doubled = alias != CHAMPION and at == aliases.get(CHAMPION)
    return None if at is None or doubled else int(at)


def model_type(client: "MlflowClient", name: str, version: int) -> str | None:
    """Return the model type of a version, None where nothing records it."""
    chosen = client.get_model_version(name, str(version))
    if (tagged := chosen.tags.get(MODEL_TYPE)) is not None or not chosen.run_id:
        return tagged
    return client.get_run(str(chosen.run_id)).data.params.get("model_type")


def read_losses(client: "MlflowClient", chosen: "ModelVersion") -> pd.DataFrame:
    """Return the out-of-fold losses of a model version.

    Raises
    ------
    InputError
        If the file of its run is missing or not readable.
    """
    with _readable(chosen, LOSSES):
        return pd.read_parquet(_path(client, chosen, LOSSES))


def read_evidence(client: "MlflowClient", chosen: "ModelVersion") -> TrainingEvidence:
    """Return the evidence of a model version.

    Raises
    ------
    InputError
        If the file of its run is missing or not readable, or lacks what evidence needs.
    """
    with _readable(chosen, EVIDENCE):
        text = read_regular(_path(client, chosen, EVIDENCE))
    source = f"{EVIDENCE} of {chosen.name} version {chosen.version}"
    return TrainingEvidence.from_json(text, source)


def read_served(
    client: "MlflowClient", chosen: "ModelVersion", file: str = SERVING
) -> dict[str, Json]:
    """Return the serving file of a model version, as it was registered.

    Parameters
    ----------
    file
        `SERVING`, or `BASELINE` for what serves in the place of a refuted version.

    Raises
    ------
    InputError
        If the file of its run is missing or not readable.
    """
    with _readable(chosen, file):
        return dict(json.loads(read_regular(_path(client, chosen, file))))


def _path(client: "MlflowClient", chosen: "ModelVersion", file: str) -> Path:
    """Return where a file of a version's run lies, checked."""
    return checked_file(client, client.get_run(str(chosen.run_id)), file)


def checked_file(client: "MlflowClient", run: "Run", file: str) -> Path:
    """Return where a file of a run lies, its bytes those that were logged.

    A run of an earlier version says no hash of its files.

    Raises
    ------
    DamagedFile
        If they are others.
    """
    path = run_file(client, run, file)
    digest = run.data.tags.get(HASH + file)
    return path if digest is None else verified(path, digest, "restore the artifacts of its run")


def run_file(client: "MlflowClient", run: "Run", file: str) -> Path:
    """Return where a file of a run lies: beside the database, read in place.

    The address that MLflow keeps of it is that of the home which the run was made in.
    """
    return database_folder(client) / ARTIFACTS / run.info.run_id / ARTIFACTS / file


@contextmanager
def _readable(chosen: "ModelVersion", file: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except DamagedFile:
        raise  # it names the file and the cure
    except (MlflowException, OSError, ValueError) as error:
        raise InputError(
            f"cannot read {file} of {chosen.name} version {chosen.version}: "
            f"{type(error).__name__}; restore the artifacts of its run, or remove its alias"
        ) from error
