"""The model as data: what serving reads, written atomically, and the joblib beside it.

The serving file holds numbers only: nothing in it can run.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from forecasters.document import FORMAT
from home.files import write_durably
from home.records.evidence import Evidence
from home.records.training.evidence import TrainingEvidence
from home.served_model import write_served
from home.strict_json import Json, signed
from training.fit.fit import Fit
from training.fit.mixture import DirectionForecaster
from training.walk import Trained


def serving_document(
    trained: Trained,
    evidence: TrainingEvidence,
    version: int,
    run_id: str,
    alias: str,
    definition_hash: str,
) -> dict[str, Json]:
    """Return a trained model as plain data, signed with its own hash.

    Parameters
    ----------
    evidence
        The final evidence, champion compared.
    version, run_id, alias
        Of the registered model.
    definition_hash
        Hash of the feature definitions it was trained on.
    """
    forecaster, fit = trained.forecaster, trained.forecaster.fit
    document: dict[str, Json] = {
        "format": FORMAT,
        "name": trained.name,
        "task": trained.task.name,
        "model": fit.word,
        "ticker": trained.settings.ticker,
        "version": version,
        "run_id": run_id,
        "alias": alias,
        "feature_service": trained.settings.feature_service,
        "definition_hash": definition_hash,
        "features": list(fit.selection.names),
        "parameters": fit.parameters.model_dump(),
        "classes": list(trained.task.classes),
        "calibration": None,
        "threshold": None,
        "call_weights": None,
        "trained": {
            "start": str(pd.Timestamp(fit.first).date()),
            "end": str(pd.Timestamp(fit.last).date()),
            "rows": fit.rows,
        },
        "evidence": _summary(evidence).document(),
    }
    if isinstance(forecaster, DirectionForecaster):
        document["calibration"] = forecaster.calibration.model_dump()
        document["threshold"] = forecaster.threshold.value
    else:
        document["call_weights"] = list(forecaster.call_weights)
    return signed(document)


def write_serving(models_dir: Path, name: str, document: Mapping[str, Json]) -> Path:
    """Replace the file that serving reads for the model of a name; returns its path."""
    return write_served(models_dir, name, serving_bytes(document))


def serving_bytes(document: Mapping[str, Json]) -> bytes:
    """Return a model's document as its files hold it."""
    text = json.dumps(document, sort_keys=True, indent=1, allow_nan=False)
    return f"{text}\n".encode()


def write_joblib(
    models_dir: Path, trained: Trained, trained_at: pd.Timestamp, metadata: Mapping[str, Json]
) -> Path:
    """Write the fitted objects for people who load them in Python; returns the path.

    The file holds `model`, `scaler` (null where features are taken as they are), or `members` with
    both of each, `feature_names`, `optimal_threshold`, `calibration` and `metadata`. Serving never
    reads it.
    """
    import joblib

    forecaster, fit = trained.forecaster, trained.forecaster.fit
    stem = f"{trained.task.file_stem}_{fit.word}_{trained_at:%Y%m%d_%H%M%S}"
    models = {one.word: _fitted(one) for one in fit.fits}
    direction = isinstance(forecaster, DirectionForecaster)
    buffer = io.BytesIO()
    joblib.dump(
        {
            **(next(iter(models.values())) if len(models) == 1 else {"members": models}),
            "feature_names": list(fit.selection.names),
            "optimal_threshold": forecaster.threshold.value if direction else None,
            "calibration": forecaster.calibration if direction else None,
            "metadata": dict(metadata),
        },
        buffer,
    )
    path = models_dir / trained.settings.ticker / f"{stem}.joblib"
    write_durably(path, buffer.getvalue())
    return path


def _fitted(fit: Fit) -> dict[str, object]:
    steps = getattr(fit.estimate.estimator, "named_steps", None)
    if steps is None:
        return {"model": fit.estimate.estimator, "scaler": None}
    return {"model": steps["model"], "scaler": steps["scaler"]}


def _summary(evidence: TrainingEvidence) -> Evidence:
    gate, verdict = evidence.gate, evidence.verdict
    return Evidence(
        proven=verdict.proven,
        metric=gate.metric,
        baseline=gate.baseline,
        improvement=gate.improvement,
        interval=gate.interval,
        verdict=verdict.words,
    )
