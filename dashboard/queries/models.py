"""Model versions and their evidence, out of MLflow's files and the models that serve.

MLflow itself is not imported: its client costs more time than the page has, and would migrate an
older database. The few columns read are those of its model registry, and a database without them
is an error.
"""

from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.documents import NothingYet, parse_json, read_json, read_only
from home.layout import served_files
from home.records.served import ServedModel
from home.records.training.evidence import FoldEvidence, TrainingEvidence
from home.records.training.measured import Difference, ScoreBeside
from home.served_model import read_served
from market.errors import InputError

NOTHING: Final = (
    "No model has been trained: run `optrade train-all`, or `optrade train --ticker SPY` and "
    "`optrade train-volatility --ticker SPY`."
)
EVIDENCE: Final = "evidence.json"
_VERSIONS: Final = "SELECT name, version, run_id, creation_time FROM model_versions"
_ALIASES: Final = "SELECT name, version, alias FROM registered_model_aliases"
_TAGS: Final = "SELECT name, version, key, value FROM model_version_tags"
# Versions of before have no tag of their type; their run names it.
_TYPES: Final = "SELECT run_uuid, value FROM params WHERE key = 'model_type'"


def model_versions(mlflow: Path) -> pd.DataFrame:
    """Return all registered versions, by name and newest first.

    Returns
    -------
    DataFrame
        `name`, `version`, `model` (its type), `standing`, `alias` (empty where none), `trial`,
        `forced` (promoted though unproven), `trained_at` (UTC), `run_id`. A version from before
        standings were kept beside it has none.

    Raises
    ------
    NothingYet
        If nothing has been registered.
    InputError
        If the file is no MLflow database with a model registry.
    """
    if not mlflow.exists():
        raise NothingYet(NOTHING)
    with read_only(mlflow, "MLflow database") as connection:
        rows = [tuple(row) for row in connection.execute(_VERSIONS)]
        aliases = [tuple(row) for row in connection.execute(_ALIASES)]
        tags = {(n, v, key): value for n, v, key, value in connection.execute(_TAGS)}
        types = dict(tuple(row) for row in connection.execute(_TYPES))
    if not rows:
        raise NothingYet(NOTHING)
    found = pd.DataFrame(rows, columns=["name", "version", "run_id", "created"])
    at = list(zip(found["name"], found["version"], strict=True))
    return (
        found.assign(
            alias=[", ".join(sorted(a for n, v, a in aliases if (n, v) == key)) for key in at],
            model=[
                tags.get((*key, "model")) or types.get(run)
                for key, run in zip(at, found["run_id"], strict=True)
            ],
            standing=[tags.get((*key, "standing")) for key in at],
            trial=[tags.get((*key, "trial")) == "true" for key in at],
            forced=[tags.get((*key, "forced")) == "true" for key in at],
            trained_at=pd.to_datetime(found["created"], unit="ms", utc=True),
        )
        .sort_values(["name", "version"], ascending=[True, False], ignore_index=True)
        .reindex(columns=list(_VERSION_COLUMNS))
    )


_VERSION_COLUMNS: Final = (
    "name", "version", "model", "standing", "alias", "trial", "forced", "trained_at", "run_id",
)  # fmt: skip


def serving_models(serving: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the models that serve, one row a file, and what is wrong with those left out.

    Returns
    -------
    tuple
        A frame of `name`, `model` (its type), `version`, `alias`, `standing`, `metric`,
        `baseline`, `improvement`, `low`, `high` (of its 95 % interval), `rows`, `start`, `end`,
        `verdict`; and messages.
    """
    rows, faults = [], []
    for path in served_files(serving):
        try:
            document = parse_json(path, read_served(path))
            rows.append(_serving_row(ServedModel.parse(document, path.name)))
        except ValueError as error:
            faults.append(str(error))
    return pd.DataFrame(rows, columns=list(_SERVING_COLUMNS)), faults


_SERVING_COLUMNS: Final = (
    "name", "model", "version", "alias", "standing", "metric", "baseline", "improvement", "low",
    "high", "rows", "start", "end", "verdict",
)  # fmt: skip


def _serving_row(served: ServedModel) -> dict[str, object]:
    evidence, trained = served.evidence, served.trained
    low, high = evidence.interval or (None, None)
    return {
        "name": served.name,
        "model": served.model,
        "version": served.version,
        "alias": served.alias,
        "standing": evidence.standing,
        "metric": evidence.metric,
        "baseline": evidence.baseline,
        "improvement": evidence.improvement,
        "low": low,
        "high": high,
        "rows": trained.rows,
        "start": trained.start,
        "end": trained.end,
        "verdict": evidence.verdict,
    }


def evidence_path(artifacts: Path, run_id: str) -> Path:
    """Return where the evidence of a run lies."""
    return artifacts / run_id / "artifacts" / EVIDENCE


def read_evidence(path: Path) -> TrainingEvidence:
    """Return the evidence of a training.

    Raises
    ------
    InputError
        If it is missing or no JSON object, or lacks what evidence needs.
    """
    return TrainingEvidence.parse(read_json(path), path.name)


def comparison(evidence: TrainingEvidence) -> pd.DataFrame:
    """Return every pooled score beside its baseline's.

    Returns
    -------
    DataFrame
        `score`, `model`, `baseline`, `baseline_value`, `difference` (positive is better), `low`,
        `high`.
    """
    rows = [
        (row.score, row.model, row.baseline, row.baseline_value, row.difference, *_ends(row))
        for row in evidence.comparison
    ]
    return pd.DataFrame(
        rows,
        columns=["score", "model", "baseline", "baseline_value", "difference", "low", "high"],
    )


def folds(evidence: TrainingEvidence) -> pd.DataFrame:
    """Return the gate's metric fold by fold.

    Returns
    -------
    DataFrame
        `fold`, `train_start`, `train_end`, `test_start`, `test_end`, `train_n`, `test_n`,
        `model`, `baseline_value`, `difference`, `low`, `high`.

    Raises
    ------
    InputError
        If a fold lacks the difference from the gate's baseline.
    """
    return pd.DataFrame([_fold(fold, evidence.gate.baseline) for fold in evidence.folds])


def _fold(fold: FoldEvidence, baseline: str) -> dict[str, object]:
    if baseline not in fold.difference:
        raise InputError(
            f"evidence of fold {fold.fold}: the difference from {baseline} is missing; "
            "train the model again with this version"
        )
    against = fold.difference[baseline]
    low, high = _ends(against)
    return {
        "fold": fold.fold,
        "train_start": fold.train_start,
        "train_end": fold.train_end,
        "test_start": fold.test_start,
        "test_end": fold.test_end,
        "train_n": fold.rows.train,
        "test_n": fold.rows.test,
        "model": against.model,
        "baseline_value": against.baseline_value,
        "difference": against.value,
        "low": low,
        "high": high,
    }


def _ends(row: Difference | ScoreBeside) -> tuple[float | None, float | None]:
    return (None, None) if row.interval is None else (row.interval[0], row.interval[1])
