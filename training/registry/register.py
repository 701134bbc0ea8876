"""Which model serves: versions registered with an alias by the gate (Decision 11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from home.files import write_durably
from home.records.training.evidence import TrainingEvidence
from home.strict_json import Json, signed
from market.errors import InputError
from training.judge.decide import CHALLENGER, CHAMPION, Decision, decide
from training.registry.artifact import (
    serving_bytes,
    serving_document,
    write_joblib,
    write_serving,
)
from training.registry.champion_history import crown
from training.registry.mlflow_runs import (
    REPORT,
    SERVING,
    aliased,
    find_champion,
    log_bytes,
    new_version,
    read_evidence,
    read_losses,
    read_served,
    record,
    run,
)
from training.registry.tracking_database import reading, tracking
from training.registry.trial_runs import read_trials
from training.report.page import report_html
from training.walk import Trained

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Registered:
    """A registered model version.

    Attributes
    ----------
    alias
        `champion` or `challenger`.
    serving_path
        The serving file, None where the champion goes on serving.
    evidence
        The final evidence, champion compared.
    """

    name: str
    version: int
    run_id: str
    alias: str
    joblib_path: Path
    serving_path: Path | None
    report_path: Path
    evidence: TrainingEvidence


@dataclass(frozen=True)
class Promoted:
    """A version made champion; `forced` if the gate had refused it."""

    name: str
    version: int
    forced: bool
    serving_path: Path
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
) -> Registered:
    """Record a training, register its model, and let it serve if it may.

    It becomes `champion` if the gate says so, otherwise `challenger`. A challenger serves only
    as long as there is no champion.

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

    Raises
    ------
    InputError
        If the out-of-fold losses of the champion or of another trial cannot be read.
    """
    with tracking(mlruns_dir) as client:
        champion = find_champion(client, trained.name)
        settings = trained.evidence.settings
        trials = read_trials(client, trained.task.name, trained.name, settings)
        decision = decide(trained.evidence, trained.losses, champion, trials)
        every_tag = _tags(trained, decision, definition_hash) | dict(tags or {})
        with run(client, mlruns_dir, trained.task.name, every_tag) as run_id:
            record(client, run_id, trained, decision.evidence)
            version = new_version(client, trained.name, run_id)
            document = serving_document(
                trained, decision.evidence, version, run_id, decision.alias, definition_hash
            )
            publication = _Publication(
                trained,
                decision,
                version,
                run_id,
                document,
                trained_at,
                as_of or trained_at,
                every_tag.get("origin"),
            )
            return _write(client, publication, models_dir, reports_dir)


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
    if decision.alias == CHAMPION:
        crown(client, name, version, made.crowned_at)
    else:
        client.set_registered_model_alias(name, decision.alias, str(version))
    serving_path = write_serving(models_dir, name, made.document) if decision.serves else None
    return Registered(
        name,
        version,
        run_id,
        decision.alias,
        joblib_path,
        serving_path,
        report_path,
        decision.evidence,
    )


def promote(
    name: str,
    *,
    mlruns_dir: Path,
    models_dir: Path,
    at: pd.Timestamp,
    version: int | None = None,
    force: bool = False,
) -> Promoted:
    """Make a registered version the champion, and let it serve.

    Parameters
    ----------
    name
        Registered model, such as `direction_SPY`.
    at
        Clock of the home, recorded on the version and in the champions' history.
    version
        By default the challenger's.
    force
        Promote against the gate's verdict; recorded on the version.

    Raises
    ------
    InputError
        If there is no such version, or the gate refuses it and `force` is not given.
    """
    with reading(mlruns_dir) as client:
        chosen = _find_version(client, name, version)
        champion = find_champion(client, name)
        rival = None if champion and champion.version == int(chosen.version) else champion
        losses = read_losses(client, chosen)
        decision = decide(read_evidence(client, chosen), losses, rival)
        allowed = decision.verdict.promoted
        if not (allowed or force):
            raise InputError(
                f"the gate refuses {name} version {chosen.version}: {decision.verdict.words}; "
                "train a better one, or promote --force, which is recorded"
            )
        document = signed(read_served(client, chosen) | {"alias": CHAMPION})
        client.set_model_version_tag(name, str(chosen.version), "promoted_at", str(at))
        client.set_model_version_tag(name, str(chosen.version), "forced", str(not allowed).lower())
        crown(client, name, int(chosen.version), at)
        path = write_serving(models_dir, name, document)
        return Promoted(name, int(chosen.version), not allowed, path, decision.evidence)


def _find_version(client: "MlflowClient", name: str, version: int | None) -> "ModelVersion":
    known = {int(one.version): one for one in client.search_model_versions(f"name = '{name}'")}
    wanted = aliased(client, name, CHALLENGER) if version is None else version
    if wanted is None or wanted not in known:
        listed = ", ".join(map(str, sorted(known))) or "none"
        raise InputError(
            f"no version of {name} to promote: got {version or 'the challenger'}, "
            f"known are {listed}; train it first (optrade train)"
        )
    return known[wanted]


def _page(made: _Publication) -> str:
    kept = ("name", "version", "alias", "run_id", "definition_hash", "sha256")
    provenance = {key: made.document[key] for key in kept}
    provenance |= {"trained_at": str(made.trained_at), "origin": made.origin}
    return report_html(made.decision.evidence, provenance)


def _tags(trained: Trained, decision: Decision, definition_hash: str) -> dict[str, str]:
    return {
        "mlflow.runName": trained.name,
        "ticker": trained.settings.ticker,
        "task": trained.task.name,
        "alias": decision.alias,
        "proven": str(decision.verdict.proven).lower(),
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
