"""Which model serves: versions registered with an alias by the gate (Decisions 11, 20 and 21)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from forecasters.document import NO_MODEL_IS_BETTER
from home.files import write_durably
from home.records.training.evidence import TrainingEvidence
from home.strict_json import Json, signed
from training.judge.decide import BASELINE, Alias, Decision, decide
from training.registry import mlflow_runs
from training.registry.artifact import (
    baseline_document,
    serving_bytes,
    serving_document,
    write_joblib,
)
from training.registry.before import newest_unrefuted, who_was_before
from training.registry.mlflow_runs import (
    MODEL_TYPE,
    REPORT,
    SERVING,
    STANDING,
    TRIAL,
    log_bytes,
    new_version,
    read_served,
    record,
    run,
)
from training.registry.trial_runs import read_trials
from training.registry.what_serves import keep_standby, let_serve, open_registry, served
from training.report.page import report_html
from training.walk import Trained

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True)
class Registered:
    """A registered model version.

    Attributes
    ----------
    alias
        `champion` or `challenger`; None for a refuted version, and for a trial.
    serves
        What serves now, in words.
    serving_path
        The serving file, None where what served goes on.
    evidence
        The final evidence, champion compared.
    """

    name: str
    version: int
    run_id: str
    alias: Alias | None
    serves: str
    joblib_path: Path
    serving_path: Path | None
    report_path: Path
    evidence: TrainingEvidence


def register(
    trained: Trained,
    *,
    mlruns_dir: Path,
    models_dir: Path,
    reports_dir: Path,
    definition_hash: str,
    trained_at: pd.Timestamp,
    as_of: pd.Timestamp | None = None,
    tags: Mapping[str, str] | None = None,
    trial: bool = False,
) -> Registered:
    """Record a training, register its model, and let it serve if it may.

    `decide.place` says which alias it gets, and what serves.

    Parameters
    ----------
    mlruns_dir, models_dir, reports_dir
        Of the home; made if missing.
    definition_hash
        Hash of the feature definitions trained on.
    trained_at
        Time of the training, in the name of the joblib file.
    as_of
        Clock of the home, from when on it is champion if it is; by default `trained_at`.
    tags
        More tags of the run, such as the origin of the data.
    trial
        Judge and register it, count it, and change nothing that serves.

    Raises
    ------
    InputError
        If the out-of-fold losses of the champion or of another trial cannot be read.
    """
    settings = trained.evidence.settings
    with open_registry(mlruns_dir, models_dir) as client:
        before = who_was_before(client, trained.name, settings)
        trials = read_trials(client, trained.task.name, trained.name, settings)
        decision = decide(trained.evidence, trained.losses, before, trials, trial=trial)
        every_tag = _tags(trained, decision, definition_hash) | dict(tags or {})
        with run(client, mlruns_dir, trained.task.name, every_tag) as run_id:
            record(client, run_id, trained, decision.evidence)
            marks = _marks(trained, decision, trial=trial)
            version = new_version(client, trained.name, run_id, marks)
            document = serving_document(
                trained, decision.evidence, version, run_id, decision.place.alias, definition_hash
            )
            made = _Publication(
                trained,
                decision,
                version,
                run_id,
                document,
                trained_at,
                as_of or trained_at,
                every_tag.get("origin"),
                trial,
            )
            return _write(client, made, models_dir, reports_dir)


@dataclass(frozen=True)
class _Publication:
    """A version to be written: `document` is its serving file, `crowned_at` the home's clock."""

    trained: Trained
    decision: Decision
    version: int
    run_id: str
    document: dict[str, Json]
    trained_at: pd.Timestamp
    crowned_at: pd.Timestamp
    origin: str | None
    trial: bool


def _write(
    client: "MlflowClient", made: _Publication, models_dir: Path, reports_dir: Path
) -> Registered:
    """Write all that a version leaves behind, in order: the serving file has all else before it."""
    name, version, run_id = made.trained.name, made.version, made.run_id
    decision, page = made.decision, _page(made)
    log_bytes(client, run_id, serving_bytes(made.document), SERVING)
    client.log_text(run_id, page, REPORT)
    report_path = reports_dir / f"{name}_v{version}.html"
    write_durably(report_path, page.encode())
    joblib_path = write_joblib(models_dir, made.trained, made.trained_at, _metadata(made))
    if decision.place.alias is not None:
        keep_standby(models_dir, made.document, decision.evidence.settings)
    serves, serving_path = _serve(client, made, models_dir)
    return Registered(
        name,
        version,
        run_id,
        decision.place.alias,
        serves,
        joblib_path,
        serving_path,
        report_path,
        decision.evidence,
    )


def _serve(client: "MlflowClient", made: _Publication, models_dir: Path) -> tuple[str, Path | None]:
    """Let serve what is to serve; return it in words, and its file if it was changed."""
    name, found = made.trained.name, made.decision.place
    if found.serves == "candidate":
        return "this version", let_serve(client, models_dir, made.document, made.crowned_at)
    if found.serves == "baseline":
        document = baseline_document(made.trained, made.decision.evidence, made.document)
        log_bytes(client, made.run_id, serving_bytes(document), mlflow_runs.BASELINE)
        return NO_MODEL_IS_BETTER, let_serve(client, models_dir, document, made.crowned_at)
    if found.alias is not None:
        client.set_registered_model_alias(name, found.alias, str(made.version))
    if made.decision.verdict.standing == "refuted" and not made.trial:
        return _serve_unrefuted(client, name, models_dir, made.crowned_at)
    return _words(served(models_dir, name)), None


def _serve_unrefuted(
    client: "MlflowClient", name: str, models_dir: Path, at: pd.Timestamp
) -> tuple[str, Path | None]:
    """Let the unrefuted version serve, where a home from before serves a refuted one."""
    found, serving = newest_unrefuted(client, name), served(models_dir, name)
    if found is None or (serving is not None and serving["version"] == int(found[0].version)):
        return _words(serving), None
    document = signed(read_served(client, found[0]) | {"alias": found[1]})
    return _words(document), let_serve(client, models_dir, document, at)


def _words(serving: Mapping[str, Json] | None) -> str:
    if serving is None:
        return "nothing yet"
    if serving["alias"] == BASELINE:
        return NO_MODEL_IS_BETTER
    return f"version {serving['version']} ({serving['model']})"


def _page(made: _Publication) -> str:
    kept = ("name", "version", "alias", "run_id", "definition_hash", "sha256")
    provenance = {key: made.document[key] for key in kept}
    provenance |= {"trained_at": str(made.trained_at), "origin": made.origin}
    return report_html(made.decision.evidence, provenance)


def _marks(trained: Trained, decision: Decision, *, trial: bool) -> dict[str, str]:
    """Return the tags of a version: what is asked of it without its run."""
    return {
        MODEL_TYPE: trained.settings.model_type,
        STANDING: decision.verdict.standing,
        TRIAL: str(trial).lower(),
    }


def _tags(trained: Trained, decision: Decision, definition_hash: str) -> dict[str, str]:
    return {
        "mlflow.runName": trained.name,
        "ticker": trained.settings.ticker,
        "task": trained.task.name,
        "model": trained.settings.model_type,
        "alias": decision.place.alias or "none",
        "proven": str(decision.verdict.proven).lower(),
        "standing": decision.verdict.standing,
        "verdict": decision.verdict.words,
        "definition_hash": definition_hash,
    }


def _metadata(made: _Publication) -> dict[str, Json]:
    kept = ("name", "version", "run_id", "alias", "definition_hash", "trained", "sha256")
    evidence = made.decision.evidence.document()
    return {key: made.document[key] for key in kept} | {
        "trained_at": str(made.trained_at),
        "settings": evidence["settings"],
        "metrics": evidence["pooled"],
        "baselines": evidence["baselines"],
        "difference": evidence["difference"],
        "verdict": evidence["verdict"],
    }
