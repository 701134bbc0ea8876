"""Model versions and their evidence, out of MLflow's files and the models that serve.

MLflow itself is not imported: its client costs more time than the page has, and would migrate an
older database. The few columns read are those of its model registry, and a database without them
is an error.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from dashboard.queries.documents import NothingYet, interval, known, pick, read_json, read_only

NOTHING: Final = (
    "No model has been trained: run `optrade train-all`, or `optrade train --ticker SPY` and "
    "`optrade train-volatility --ticker SPY`."
)
EVIDENCE: Final = "evidence.json"
_VERSIONS: Final = "SELECT name, version, run_id, creation_time FROM model_versions"
_ALIASES: Final = "SELECT name, version, alias FROM registered_model_aliases"
_FORCED: Final = (
    "SELECT name, version FROM model_version_tags WHERE key = 'forced' AND value = 'true'"
)


def model_versions(mlflow: Path) -> pd.DataFrame:
    """Return all registered versions, by name and newest first.

    Returns
    -------
    DataFrame
        `name`, `version`, `alias` (empty where none), `forced` (promoted against the gate),
        `trained_at` (UTC), `run_id`.

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
        forced = {tuple(row) for row in connection.execute(_FORCED)}
    if not rows:
        raise NothingYet(NOTHING)
    found = pd.DataFrame(rows, columns=["name", "version", "run_id", "created"])
    at = list(zip(found["name"], found["version"], strict=True))
    return (
        found.assign(
            alias=[", ".join(sorted(a for n, v, a in aliases if (n, v) == key)) for key in at],
            forced=[key in forced for key in at],
            trained_at=pd.to_datetime(found["created"], unit="ms", utc=True),
        )
        .sort_values(["name", "version"], ascending=[True, False], ignore_index=True)
        .reindex(columns=["name", "version", "alias", "forced", "trained_at", "run_id"])
    )


def serving_models(serving: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the models that serve, one row a file, and what is wrong with those left out.

    Returns
    -------
    tuple
        A frame of `name`, `version`, `alias`, `proven`, `metric`, `baseline`, `improvement`,
        `low`, `high` (of its 95 % interval), `rows`, `start`, `end`, `verdict`; and messages.
    """
    rows, faults = [], []
    for path in sorted(serving.glob("*.json")):
        try:
            rows.append(_serving_row(read_json(path), path.name))
        except ValueError as error:
            faults.append(str(error))
    return pd.DataFrame(rows, columns=list(_SERVING_COLUMNS)), faults


_SERVING_COLUMNS: Final = (
    "name", "version", "alias", "proven", "metric", "baseline", "improvement", "low", "high",
    "rows", "start", "end", "verdict",
)  # fmt: skip


def _serving_row(document: Mapping[str, Any], source: str) -> dict[str, Any]:
    low, high = interval(pick(document, "evidence", dict, source), source)
    return {
        "name": pick(document, "name", str, source),
        "version": pick(document, "version", int, source),
        "alias": pick(document, "alias", str, source),
        "proven": pick(document, "evidence.proven", bool, source),
        "metric": pick(document, "evidence.metric", str, source),
        "baseline": pick(document, "evidence.baseline", str, source),
        "improvement": known(document, "evidence.improvement", float, source),
        "low": low,
        "high": high,
        "rows": pick(document, "trained.rows", int, source),
        "start": pick(document, "trained.start", str, source),
        "end": pick(document, "trained.end", str, source),
        "verdict": pick(document, "evidence.verdict", str, source),
    }


def evidence_path(artifacts: Path, run_id: str) -> Path:
    """Return where the evidence of a run lies."""
    return artifacts / run_id / "artifacts" / EVIDENCE


def read_evidence(path: Path) -> dict[str, Any]:
    """Return the evidence of a training.

    Raises
    ------
    InputError
        If it is missing or no JSON object.
    """
    return read_json(path)


def gate_row(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """Return the gate's figure: metric, value, baseline's value, better by, interval, verdict.

    Raises
    ------
    InputError
        If a field is missing.
    """
    source = "evidence"
    low, high = interval(pick(evidence, "gate", dict, source), source)
    return {
        "metric": pick(evidence, "gate.metric", str, source),
        "baseline": pick(evidence, "gate.baseline", str, source),
        "value": known(evidence, "gate.value", float, source),
        "baseline_value": known(evidence, "gate.baseline_value", float, source),
        "improvement": known(evidence, "gate.improvement", float, source),
        "low": low,
        "high": high,
        "n": pick(evidence, "window.tested_decided", int, source),
        "proven": pick(evidence, "verdict.proven", bool, source),
        "promoted": pick(evidence, "verdict.promoted", bool, source),
        "words": pick(evidence, "verdict.words", str, source),
    }


def comparison(evidence: Mapping[str, Any]) -> pd.DataFrame:
    """Return every pooled score beside its baseline's.

    Returns
    -------
    DataFrame
        `score`, `model`, `baseline`, `baseline_value`, `difference` (positive is better), `low`,
        `high`.

    Raises
    ------
    InputError
        If a field is missing.
    """
    rows = [_compared(row, "evidence") for row in pick(evidence, "comparison", list, "evidence")]
    return pd.DataFrame(
        rows,
        columns=["score", "model", "baseline", "baseline_value", "difference", "low", "high"],
    )


def _compared(row: Mapping[str, Any], source: str) -> dict[str, Any]:
    low, high = interval(row, source)
    return {
        "score": pick(row, "score", str, source),
        "model": known(row, "model", float, source),
        "baseline": pick(row, "baseline", str, source),
        "baseline_value": known(row, "baseline_value", float, source),
        "difference": known(row, "difference", float, source),
        "low": low,
        "high": high,
    }


def folds(evidence: Mapping[str, Any]) -> pd.DataFrame:
    """Return the gate's metric fold by fold.

    Returns
    -------
    DataFrame
        `fold`, `train_start`, `train_end`, `test_start`, `test_end`, `train_n`, `test_n`,
        `model`, `baseline_value`, `difference`, `low`, `high`.

    Raises
    ------
    InputError
        If a field is missing.
    """
    baseline = pick(evidence, "gate.baseline", str, "evidence")
    return pd.DataFrame([_fold(row, baseline) for row in pick(evidence, "folds", list, "evidence")])


def _fold(row: Mapping[str, Any], baseline: str) -> dict[str, Any]:
    source = "evidence of a fold"
    dates = ("train_start", "train_end", "test_start", "test_end")
    against = pick(row, f"difference.{baseline}", dict, source)
    low, high = interval(against, source)
    return {
        "fold": pick(row, "fold", int, source),
        **{name: pick(row, name, str, source) for name in dates},
        "train_n": pick(row, "rows.train", int, source),
        "test_n": pick(row, "rows.test", int, source),
        "model": known(against, "model", float, source),
        "baseline_value": known(against, "baseline_value", float, source),
        "difference": known(against, "value", float, source),
        "low": low,
        "high": high,
    }
