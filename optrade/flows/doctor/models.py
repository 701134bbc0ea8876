"""Checks of the models: what serves is read as serving reads it, and no file may be gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES
from forecasters.base import Task
from forecasters.document import NO_MODEL_IS_BETTER
from home.layout import served_files, serving_models
from market.errors import InputError
from optrade.flows.doctor.finding import Finding
from serving.reading.artifact import load_artifact
from serving.reading.refusal import Refusal
from training.registry.model_files import faults

TASKS: Final[tuple[Task, ...]] = get_args(Task)
REPAIR: Final = "run `optrade repair`, which takes it from the registry"
TRAIN: Final = "run `optrade train-all`"


def check_models(mlruns_dir: Path, models_dir: Path) -> Iterator[Finding]:
    """Yield a finding a model that serves, and one for each model file that is damaged or gone."""
    paths = served_files(serving_models(models_dir))
    names = [path.name.partition(".")[0] for path in paths]
    found = faults(mlruns_dir, models_dir)
    wrong = [fault for fault in found if fault.standby or fault.name not in names]
    if not (paths or wrong):
        yield Finding("models", "warning", f"none serves yet: {TRAIN}")
    for name in names:
        yield check_model(models_dir, name)
    for fault in wrong:
        cure = f"move it away, then {REPAIR}" if fault.unfit else REPAIR
        yield Finding(fault.what, "error", f"{fault.words}: {cure}")


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
    except InputError as error:  # the hash beside it is no file, or may not be read
        return Finding(check, "error", str(error))
    if model.feature_service not in SERVICES:
        words = f"it reads the service {model.feature_service}, which is no longer defined: {TRAIN}"
        return Finding(check, "error", words)
    words = [f"version {model.version}", model.model, model.alias]
    stands = NO_MODEL_IS_BETTER if model.alias == "baseline" else model.evidence.standing
    trained = f"trained on {model.trained.start} to {model.trained.end}"
    return Finding(check, "ok", ", ".join([*words, stands, trained]))
