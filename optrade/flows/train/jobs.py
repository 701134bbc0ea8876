"""Trainings of a home: what there is to train, the frame that the store gives, labels' prices."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from home.manifest import Entry, read_manifest
from home.records.training.words import Setting
from market.calendar import sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from training.frames.coverage import require_optional_views
from training.frames.dataset import load_frame, load_prices
from training.models.catalogue import words
from training.settings import Settings
from training.tasks.catalogue import REGISTERED, TASKS
from training.tasks.declare import Declared, Registered
from training.walk import Recipe, recipe

if TYPE_CHECKING:
    from feast import FeatureStore

    from optrade.runtime import Runtime


@dataclass(frozen=True)
class Job:
    """One model to train; its feature service may be left to the task."""

    task: Registered
    settings: Settings

    def resolved(self) -> "Job":
        """Return the job with its feature service named.

        Raises
        ------
        InputError
            If the task does not have the settings.
        """
        return replace(self, settings=self.task.resolve(self.settings))

    @property
    def is_preferred(self) -> bool:
        """Whether it is what `train-all` trains last of its task: what a backtest walks with."""
        preferred = next(
            job for job in preferred_jobs(self.settings.ticker) if job.task is self.task
        )
        return self.resolved() == preferred.resolved()

    def document(self) -> dict[str, Setting]:
        """Return the settings as plain values."""
        return self.task.document(self.settings)


def job_of(task: str, ticker: str, model_type: str, *, pooled: bool) -> Job:
    """Return a training by the name of its task, all else by default.

    Raises
    ------
    InputError
        If there is no such task, or it has no such model.
    """
    if task not in TASKS:
        raise InputError(f"--task: got {task!r:.40}, allowed are {', '.join(TASKS)}")
    return Job(TASKS[task], Settings(ticker, model_type, pooled=pooled)).resolved()


def every_job(ticker: str, model_types: str | None = None) -> list[Job]:
    """Return what `train-all` trains of a ticker, the preferred model of each task last.

    Without a champion the newest challenger serves.

    Parameters
    ----------
    model_types
        Words by comma; all if None.

    Raises
    ------
    InputError
        If a word names none of them.
    """
    allowed = list(dict.fromkeys(word for task in REGISTERED for word in words(task)))
    asked = set(allowed)
    if model_types is not None:
        asked = {word.strip() for word in model_types.split(",")}
    if unknown := sorted(asked - set(allowed)):
        raise InputError(
            f"--models: got {', '.join(unknown)!r:.60}, allowed are {', '.join(allowed)}"
        )
    return [
        Job(task, Settings(ticker, word, **task.preset))
        for task in REGISTERED.values()
        for word in words(task.name)
        if word in asked
    ]


def preferred_jobs(ticker: str) -> list[Job]:
    """Return the training of the preferred model of each task."""
    return [*{job.task.name: job for job in every_job(ticker)}.values()]


def landed_prices(run: "Runtime", ticker: str) -> Entry:
    """Return what the home says of the prices of a ticker.

    Raises
    ------
    InputError
        If it has none.
    """
    entry = read_manifest(run.home.data).entries.get(("prices", ticker))
    if entry is None:
        raise InputError(
            f"no prices of {ticker} in this home: run `optrade ingest --tickers {ticker}` first"
        )
    return entry


def home_recipe(run: "Runtime", job: Job, start: pd.Timestamp, end: pd.Timestamp) -> Recipe:
    """Return the recipe of a training on the sessions of [start, end].

    Raises
    ------
    InputError
        If the home lacks what the training reads.
    """
    store = run.feature_store(online=False)
    frame, prices = training_inputs(run, store, job.task, job.settings, start, end)
    return recipe(job.task, frame, prices, job.settings, start)


def training_inputs(
    run: "Runtime",
    store: "FeatureStore",
    task: Declared,
    settings: Settings,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the frame of a training, and raw prices where its labels need them.

    A pooled one holds every underlying that has landed, one with history all sessions up to `end`.

    Parameters
    ----------
    settings
        Resolved: their feature service is named.

    Raises
    ------
    InputError
        If the home lacks what the training reads.
    """
    manifest = read_manifest(run.home.data)
    require_optional_views(settings.feature_service, settings.ticker, manifest)
    others = [ticker for ticker in UNDERLYINGS if ("technical", ticker) in manifest.entries]
    tickers = list(dict.fromkeys([settings.ticker, *(others if settings.pooled else ())]))
    landed = [landed_prices(run, ticker).first for ticker in tickers]
    first = min(pd.Timestamp(day) for day in landed) if settings.history else start
    days = sessions(first, end)
    frame = load_frame(store, settings.feature_service, tickers, days, run.home.data)
    if not task.needs_prices:
        return frame, None
    prices = [load_prices(run.home.data, ticker).assign(ticker=ticker) for ticker in tickers]
    return frame, pd.concat(prices, ignore_index=True)
