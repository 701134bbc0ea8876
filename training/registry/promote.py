"""Making a registered version the champion by command (Decisions 11, 20 and 21)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from home.records.training.evidence import TrainingEvidence
from home.strict_json import signed
from market.errors import InputError
from training.judge.decide import CHALLENGER, CHAMPION, decide
from training.registry.before import who_was_before
from training.registry.mlflow_runs import (
    TRIAL,
    aliased,
    read_evidence,
    read_losses,
    read_served,
    require_registered,
)
from training.registry.tracking_database import require_database, require_kept
from training.registry.what_serves import keep_standby, let_serve, open_registry

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


@dataclass(frozen=True)
class Promoted:
    """A version made champion; `forced` if the gate had refused it."""

    name: str
    version: int
    forced: bool
    serving_path: Path
    evidence: TrainingEvidence


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
        If there is no such version, it is refuted, or the gate refuses it and `force` is not given.
    """
    require_kept(mlruns_dir, models_dir)
    require_database(mlruns_dir)
    with open_registry(mlruns_dir, models_dir) as client:
        chosen = find_version(client, name, version)
        number = str(chosen.version)
        evidence, losses = read_evidence(client, chosen), read_losses(client, chosen)
        before = who_was_before(client, name, evidence.settings, int(number))
        decision = decide(evidence, losses, before)
        allowed = decision.verdict.promoted
        if decision.verdict.standing == "refuted":
            raise InputError(
                f"{name} version {number} never serves: {decision.verdict.words}; "
                "train a better one, promote --force is for what is unproven"
            )
        if not (allowed or force):
            raise InputError(
                f"the gate refuses {name} version {number}: {decision.verdict.words}; "
                "train a better one, or promote --force, which is recorded"
            )
        document = signed(read_served(client, chosen) | {"alias": CHAMPION})
        client.set_model_version_tag(name, number, "promoted_at", str(at))
        client.set_model_version_tag(name, number, "forced", str(not allowed).lower())
        client.set_model_version_tag(name, number, TRIAL, "false")
        keep_standby(models_dir, document, evidence.settings)
        path = let_serve(client, models_dir, document, at)
        return Promoted(name, int(number), not allowed, path, decision.evidence)


def find_version(client: "MlflowClient", name: str, version: int | None) -> "ModelVersion":
    """Return a version by its number, by default the challenger.

    Raises
    ------
    InputError
        If there is no such model or version.
    """
    require_registered(client, name)
    known = {int(one.version): one for one in client.search_model_versions(f"name = '{name}'")}
    wanted = aliased(client, name, CHALLENGER) if version is None else version
    if wanted is None or wanted not in known:
        listed = ", ".join(map(str, sorted(known))) or "none"
        got = f"has no version {version}" if version else "has no challenger to promote"
        raise InputError(
            f"{name} {got}; known are {listed}: choose one with --version, or train again "
            "(`optrade train-all`)"
        )
    return known[wanted]
