"""From the feature store to registered models: frame, training, gate, registry."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import structlog

from audit.lookahead import refuse_leaks
from feature_repo.features.definition_hash import definition_hash
from home.manifest import read_manifest
from optrade.flows.train.jobs import Job, landed_prices, training_inputs
from optrade.flows.train.walked import keep_walked
from optrade.flows.train.window import Window
from optrade.periods import training_window
from training.distribution import walk_returns
from training.frames.coverage import require_optional_views
from training.locked.window import locked_sessions
from training.registry.register import Registered, register
from training.registry.tracking_database import DatabaseGone, require_kept, require_writable
from training.tasks.declare import Task
from training.walk import Trained, walk

if TYPE_CHECKING:
    from feast import FeatureStore

    from home.progress import Progress
    from optrade.runtime import Runtime

logger = structlog.get_logger(__name__)


def train_models(
    run: "Runtime", jobs: list[Job], window: Window, progress: "Progress", *, trial: bool = False
) -> list[Registered]:
    """Train, judge and register models, one after the other.

    A trial changes nothing that serves.

    Raises
    ------
    InputError
        If the window or the data does not allow a training, or a feature reads later sessions;
        nothing is registered for it.
    StoreUnavailable
        If MLflow's database cannot be written to.
    """
    require_writable(run.home.mlruns)
    say_if_gone(run)
    resolved = [job.resolved() for job in jobs]
    manifest = read_manifest(run.home.data)
    for job in resolved:
        require_optional_views(job.settings.feature_service, job.settings.ticker, manifest)
    for ticker in dict.fromkeys(job.settings.ticker for job in resolved):
        # Without features there is nothing to look at, and reading them says so.
        if ("technical", ticker) in manifest.entries:
            refuse_leaks(run.home.data, ticker)
    store = run.feature_store(online=False)
    registered = []
    for number, job in enumerate(resolved):
        words = f"{job.settings.model_type} {job.task.name} {job.settings.ticker}"
        progress(f"training {words}", number, len(jobs))
        trained = train_one(run, store, job, window)
        if job.is_preferred:
            keep_walked(run, job, window, trained)
        registered.append(_register(run, trained, trial=trial))
    progress("trained", len(jobs), len(jobs))
    return registered


def say_if_gone(run: "Runtime") -> None:
    """Say in one line that MLflow's database was lost, and what that means for this training."""
    try:
        require_kept(run.home.mlruns, run.home.models)
    except DatabaseGone:
        logger.warning(
            "MLflow's database was lost though models serve: this training begins a new one; the "
            "champions, runs and promotions before it are gone, and versions count from 1 again",
            path=str(run.home.mlflow),
        )


def train_one(run: "Runtime", store: "FeatureStore", job: Job, window: Window) -> Trained:
    """Train one model on the frame that the feature store gives for the window."""
    task, settings = job.task, job.resolved().settings
    entry = landed_prices(run, settings.ticker)
    start, end = training_window(window.period, window.start, window.end, entry.first, entry.last)
    frame, prices = training_inputs(run, store, task, settings, start, end)
    if isinstance(task, Task):
        trained = walk(task, frame, prices, settings, start)
    elif prices is not None:
        trained = walk_returns(frame, prices, settings, start)
    else:
        raise TypeError(f"a {task.name} needs the prices that it is fitted on")
    # Scores over the locked window are no fresh evidence: how many there are is said.
    seen = locked_sessions(trained.tested.sessions, pd.Timestamp(entry.last))
    window_seen = trained.evidence.window.model_copy(update={"locked_sessions": seen})
    evidence = trained.evidence.model_copy(update={"window": window_seen})
    return replace(trained, evidence=evidence)


def _register(run: "Runtime", trained: Trained, *, trial: bool) -> Registered:
    return register(
        trained,
        mlruns_dir=run.home.mlruns,
        models_dir=run.home.models,
        reports_dir=run.home.model_reports,
        definition_hash=definition_hash(),
        trained_at=run.now,
        as_of=run.as_of(),
        tags={"origin": run.home.origin()},
        trial=trial,
    )
