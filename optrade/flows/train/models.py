"""From the feature store to registered models: frame, training, gate, registry."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from audit.lookahead import refuse_leaks
from feature_repo.features.definition_hash import definition_hash
from home.manifest import read_manifest
from optrade.flows.train.recipes import SETTINGS, Settings, landed_prices, training_inputs
from optrade.periods import training_window
from training.frames.coverage import require_optional_views
from training.locked.window import locked_sessions
from training.registry.register import Registered, register
from training.settings import DirectionSettings
from training.walk import Trained, train_direction, train_regime

if TYPE_CHECKING:
    from feast import FeatureStore

    from home.progress import Progress
    from optrade.runtime import Runtime


@dataclass(frozen=True)
class Job:
    """One model to train: its task, ticker, and the settings that differ from the defaults."""

    task: str
    ticker: str
    choices: dict[str, Any]


@dataclass(frozen=True)
class Window:
    """The training window as asked for: a length, or explicit first and last sessions."""

    period: str = "5y"
    start: str | None = None
    end: str | None = None


def train_models(
    run: "Runtime", jobs: list[Job], window: Window, progress: "Progress"
) -> list[Registered]:
    """Train, judge and register models, one after the other.

    Raises
    ------
    InputError
        If the window or the data does not allow a training, or a feature reads later sessions;
        nothing is registered for it.
    """
    settings = [_settings(job) for job in jobs]
    manifest = read_manifest(run.home.data)
    for chosen in settings:
        require_optional_views(chosen.feature_service, chosen.ticker, manifest)
    for ticker in dict.fromkeys(chosen.ticker for chosen in settings):
        # Without features there is nothing to look at, and reading them says so.
        if ("technical", ticker) in manifest.entries:
            refuse_leaks(run.home.data, ticker)
    store = run.feature_store(online=False)
    registered = []
    for number, chosen in enumerate(settings):
        progress(
            f"training {chosen.model_type} {jobs[number].task} {chosen.ticker}", number, len(jobs)
        )
        trained = train_one(run, store, chosen, window)
        registered.append(_register(run, trained))
    progress("trained", len(jobs), len(jobs))
    return registered


def train_one(
    run: "Runtime",
    store: "FeatureStore",
    settings: Settings,
    window: Window,
) -> Trained:
    """Train one model on the frame that the feature store gives for the window."""
    entry = landed_prices(run, settings.ticker)
    start, end = training_window(window.period, window.start, window.end, entry.first, entry.last)
    frame, prices = training_inputs(run, store, settings, start, end)
    if isinstance(settings, DirectionSettings):
        if prices is None:
            raise TypeError("a direction has no labels without prices")
        trained = train_direction(frame, prices, settings, start)
    else:
        trained = train_regime(frame, settings, start)
    # Scores over the locked window are no fresh evidence: how many there are is said.
    seen = locked_sessions(trained.tested.sessions, pd.Timestamp(entry.last))
    trained.evidence["window"]["locked_sessions"] = seen
    return trained


def _settings(job: Job) -> Settings:
    return SETTINGS[job.task](ticker=job.ticker, **job.choices)


def _register(run: "Runtime", trained: Trained) -> Registered:
    return register(
        trained,
        mlruns_dir=run.home.mlruns,
        models_dir=run.home.models,
        reports_dir=run.home.reports / "models",
        definition_hash=definition_hash(),
        trained_at=run.now,
        as_of=run.as_of(),
        tags={"origin": run.home.origin()},
    )
