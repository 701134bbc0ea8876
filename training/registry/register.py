"""Which model serves: versions registered with an alias by the gate (Decision 11)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from home.files import write_durably
from home.strict_json import signed
from market.errors import InputError
from training.judge.against_champion import judged
from training.judge.trials import trials_evidence
from training.registry.artifact import (
    serving_document,
    write_joblib,
    write_serving,
)
from training.registry.champion_history import crown
from training.registry.mlflow_runs import (
    CHALLENGER,
    CHAMPION,
    EVIDENCE,
    REPORT,
    SERVING,
    aliased,
    find_champion,
    new_version,
    open_client,
    read_document,
    read_losses,
    record,
    run,
)
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
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Promoted:
    """A version made champion; `forced` if the gate had refused it."""

    name: str
    version: int
    forced: bool
    serving_path: Path
    evidence: dict[str, Any]


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
    client = open_client(mlruns_dir)
    champion = find_champion(client, trained.name)
    evidence = judged(_with_trials(client, trained), trained.losses, champion)
    alias = CHAMPION if evidence["verdict"]["promoted"] else CHALLENGER
    known = _tags(trained, evidence, alias, definition_hash) | dict(tags or {})
    with run(client, mlruns_dir, trained.task.name, known) as run_id:
        record(client, run_id, trained, evidence)
        version = new_version(client, trained.name, run_id)
        document = serving_document(trained, evidence, version, run_id, alias, definition_hash)
        client.log_dict(run_id, document, SERVING)
        page = report_html(evidence | {"provenance": _provenance(document, trained_at, known)})
        client.log_text(run_id, page, REPORT)
        report_path = reports_dir / f"{trained.name}_v{version}.html"
        write_durably(report_path, page.encode())
        metadata = _metadata(trained, evidence, document, trained_at)
        joblib_path = write_joblib(models_dir, trained, trained_at, metadata)
        if alias == CHAMPION:
            crown(client, trained.name, version, trained_at if as_of is None else as_of)
        else:
            client.set_registered_model_alias(trained.name, alias, str(version))
        serves = alias == CHAMPION or champion is None
        serving_path = write_serving(models_dir, document) if serves else None
    return Registered(
        trained.name, version, run_id, alias, joblib_path, serving_path, report_path, evidence
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
    client = open_client(mlruns_dir)
    chosen = _find_version(client, name, version)
    champion = find_champion(client, name)
    rival = None if champion and champion.version == int(chosen.version) else champion
    losses = read_losses(client, chosen)
    evidence = judged(read_document(client, chosen, EVIDENCE), losses, rival)
    allowed = evidence["verdict"]["promoted"]
    if not (allowed or force):
        raise InputError(
            f"the gate refuses {name} version {chosen.version}: {evidence['verdict']['words']}; "
            "train a better one, or promote --force, which is recorded"
        )
    document = signed(read_document(client, chosen, SERVING) | {"alias": CHAMPION})
    client.set_model_version_tag(name, str(chosen.version), "promoted_at", str(at))
    client.set_model_version_tag(name, str(chosen.version), "forced", str(not allowed).lower())
    crown(client, name, int(chosen.version), at)
    path = write_serving(models_dir, document)
    return Promoted(name, int(chosen.version), not allowed, path, evidence)


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


def _with_trials(client: "MlflowClient", trained: Trained) -> dict[str, Any]:
    settings = asdict(trained.settings)
    others = read_trials(client, trained.task.name, trained.name, settings)
    tried = trials_evidence(trained.losses, others, settings["resamples"], settings["seed"])
    return trained.evidence | {"trials": tried}


def _provenance(
    document: Mapping[str, Any], trained_at: pd.Timestamp, tags: Mapping[str, str]
) -> dict[str, Any]:
    kept = ("name", "version", "alias", "run_id", "definition_hash", "sha256")
    found = {key: document[key] for key in kept} | {"trained_at": str(trained_at)}
    return found | {"origin": tags.get("origin")}


def _tags(
    trained: Trained, evidence: Mapping[str, Any], alias: str, definition_hash: str
) -> dict[str, str]:
    return {
        "mlflow.runName": trained.name,
        "ticker": trained.settings.ticker,
        "task": trained.task.name,
        "alias": alias,
        "proven": str(evidence["verdict"]["proven"]).lower(),
        "verdict": evidence["verdict"]["words"],
        "definition_hash": definition_hash,
    }


def _metadata(
    trained: Trained,
    evidence: Mapping[str, Any],
    document: Mapping[str, Any],
    trained_at: pd.Timestamp,
) -> dict[str, Any]:
    kept = ("name", "version", "run_id", "alias", "definition_hash", "trained", "sha256")
    return {key: document[key] for key in kept} | {
        "trained_at": str(trained_at),
        "settings": asdict(trained.settings),
        "metrics": evidence["pooled"],
        "baselines": evidence["baselines"],
        "difference": evidence["difference"],
        "verdict": evidence["verdict"],
    }
