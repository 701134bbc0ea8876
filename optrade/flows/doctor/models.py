"""Checks of the models that serve: each is read as serving reads it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES
from forecasters.base import Task
from forecasters.document import NO_MODEL_IS_BETTER
from home.layout import served_files, serving_models
from optrade.flows.doctor.finding import Finding
from serving.reading.artifact import load_artifact
from serving.reading.refusal import Refusal

TASKS: Final[tuple[Task, ...]] = get_args(Task)
TRAIN: Final = "run `optrade train-all`"


def check_models(models_dir: Path) -> Iterator[Finding]:
    """Yield one finding a model file: whether it is whole and fits the feature definitions."""
    folder = serving_models(models_dir)
    paths = served_files(folder)
    if not paths:
        yield Finding("models", "warning", f"none serves yet: {TRAIN}")
    for path in paths:
        yield check_model(models_dir, path.name.partition(".")[0])


def check_model(models_dir: Path, name: str) -> Finding:
    """Return whether the model of a name, `<task>_<ticker>`, can serve."""
    check = f"model {name}"
    task, _, ticker = name.partition("_")
    known = next((word for word in TASKS if word == task), None)
    if known is None or not ticker:
        words = f"unknown file: allowed are {' and '.join(f'{word}_TICKER' for word in TASKS)}"
        return Finding(check, "warning", f"{words}, nothing reads it")
    try:
        model = load_artifact(models_dir, known, ticker, definition_hash())
    except Refusal as refusal:
        return Finding(check, "error", refusal.detail)
    if model.feature_service not in SERVICES:
        words = f"it reads the service {model.feature_service}, which is no longer defined: {TRAIN}"
        return Finding(check, "error", words)
    words = [f"version {model.version}", model.model, model.alias]
    stands = NO_MODEL_IS_BETTER if model.alias == "baseline" else model.evidence.standing
    trained = f"trained on {model.trained.start} to {model.trained.end}"
    return Finding(check, "ok", ", ".join([*words, stands, trained]))
