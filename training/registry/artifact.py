"""The model as data: what serving reads, written atomically, and the joblib beside it.

The serving file holds numbers only: nothing in it can run.
"""

import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from forecasters.calls import IDENTITY
from forecasters.document import FORMAT, NO_MODEL_IS_BETTER
from home.files import write_durably
from home.records.evidence import WALK_FORWARD, Evidence, ServedAs
from home.records.training.evidence import TrainingEvidence
from home.strict_json import Json, signed
from training.fit.distribution import Distribution, ReturnsFit
from training.fit.fit import Fit
from training.fit.mixture import DirectionForecaster, Forecaster
from training.fit.threshold import DEFAULT
from training.judge.decide import BASELINE, Alias
from training.judge.then import standings
from training.walk import Trained


def serving_document(
    trained: Trained,
    evidence: TrainingEvidence,
    version: int,
    run_id: str,
    alias: Alias | None,
    definition_hash: str,
) -> dict[str, Json]:
    """Return a trained model as plain data, signed with its own hash.

    Parameters
    ----------
    evidence
        The final evidence, champion compared.
    version, run_id, alias
        Of the registered model; what has no alias cannot serve.
    definition_hash
        Hash of the feature definitions it was trained on.
    """
    return _document(
        trained, trained.forecaster, _summary(evidence), version, run_id, alias, definition_hash
    )


def fold_documents(trained: Trained, run_id: str, definition_hash: str) -> list[dict[str, Json]]:
    """Return each fold's fit as a model that could have served when the fold began.

    Its evidence is what was known of the recipe by then. It is of no registered version.
    """
    stood = standings(trained.task, trained.settings, trained.tested)
    return [
        _document(trained, one, evidence, 0, run_id, WALK_FORWARD, definition_hash)
        for one, evidence in zip(trained.folds, stood, strict=True)
    ]


def _document(
    trained: Trained, forecaster: Forecaster | Distribution, evidence: Evidence, version: int,
    run_id: str, alias: ServedAs | None, definition_hash: str,
) -> dict[str, Json]:  # fmt: skip
    fit = forecaster.fit
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
        "trained": _trained(fit.first, fit.last, fit.rows),
        "evidence": evidence.document(),
    }
    if isinstance(forecaster, DirectionForecaster):
        document["calibration"] = forecaster.calibration.model_dump()
        document["threshold"] = forecaster.threshold.value
    elif not isinstance(forecaster, Distribution):
        document["call_weights"] = list(forecaster.call_weights)
    return signed(document)


def baseline_document(
    trained: Trained, evidence: TrainingEvidence, document: Mapping[str, Json]
) -> dict[str, Json]:
    """Return the gate's baseline as what serves, since a version and all others are refuted.

    Parameters
    ----------
    document
        Of the version that it serves instead of: it keeps its name, its number and its run.
    """
    fitted, gate = trained.baseline, evidence.gate
    direction, regime = (trained.task.name == name for name in ("direction", "regime"))
    instead = f"version {document['version']} ({document['model']}) is {evidence.verdict.words}"
    short = Evidence(
        proven=False,
        standing="unproven",
        metric=gate.metric,
        baseline=gate.baseline,
        improvement=None,
        interval=None,
        verdict=f"{NO_MODEL_IS_BETTER}; {instead}",
    )
    return signed(
        {
            **document,
            "model": gate.baseline,
            "alias": BASELINE,
            "features": list(fitted.parameters.names()),
            "parameters": fitted.parameters.model_dump(),
            "calibration": IDENTITY.model_dump() if direction else None,
            "threshold": DEFAULT if direction else None,
            "call_weights": [1.0] * len(trained.task.classes) if regime else None,
            "trained": _trained(fitted.first, fitted.last, fitted.rows),
            "evidence": short.document(),
        }
    )


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


def _trained(first: np.datetime64, last: np.datetime64, rows: int) -> dict[str, Json]:
    start, end = (str(pd.Timestamp(day).date()) for day in (first, last))
    return {"start": start, "end": end, "rows": rows}


def _fitted(fit: Fit | ReturnsFit) -> dict[str, object]:
    steps = getattr(fit.estimate.estimator, "named_steps", None)
    if steps is None:
        return {"model": fit.estimate.estimator, "scaler": None}
    return {"model": steps["model"], "scaler": steps["scaler"]}


def _summary(evidence: TrainingEvidence) -> Evidence:
    gate, verdict = evidence.gate, evidence.verdict
    return Evidence(
        proven=verdict.proven,
        standing=verdict.standing,
        metric=gate.metric,
        baseline=gate.baseline,
        improvement=gate.improvement,
        interval=gate.interval,
        verdict=verdict.words,
    )
