"""What a training forecast out of fold, kept: a backtest trades it without training again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from feature_repo.features.definition_hash import code_fingerprint, definition_hash
from forecasters.document import Artifact
from home.files import write_durably
from home.layout import Home
from home.manifest import read_manifest
from home.records.record import Record
from home.strict_json import Json, canonical
from market.arrays import FloatArray, IntArray
from market.errors import InputError
from optrade.flows.train.jobs import Job, landed_prices
from optrade.flows.train.window import Window
from optrade.periods import training_window
from training.judge.out_of_fold import OutOfFold
from training.registry.artifact import fold_documents
from training.walk import Trained

if TYPE_CHECKING:
    from optrade.runtime import Runtime

#: Whose code and versions decide what a walk forecasts.
CODE: Final = ("training", "forecasters", "feature_repo", "home", "market")
LIBRARIES: Final = ("numpy", "scikit-learn", "scipy")
#: Digits of the hash that a walk is called by; its models name it as their run.
RUN: Final = 32
#: Walks of a model that are kept.
KEPT: Final = 8


@dataclass(frozen=True)
class Walked:
    """The forecasts of the sessions of all test parts, in order, and the models they are of.

    Attributes
    ----------
    fold
        Number of each one's fold, from 0.
    calls, sure
        The class called, -1 for none, and its probability; of a distribution -1 and NaN.
    models
        Each fold's, of version 0: it had not seen its test part, nor anything after it.
    """

    sessions: pd.DatetimeIndex
    fold: IntArray
    calls: IntArray
    sure: FloatArray
    models: tuple[Artifact, ...]

    @classmethod
    def of(cls, trained: Trained, run_id: str) -> "Walked":
        """Return what a training forecast out of fold."""
        tested = trained.tested
        count = len(tested.sessions)
        calls, sure = np.full(count, -1), np.full(count, np.nan)
        if isinstance(tested, OutOfFold) and tested.model.probabilities is not None:
            calls = tested.model.calls
            called = tested.model.probabilities[np.arange(count), np.maximum(calls, 0)]
            sure = np.where(calls >= 0, called, np.nan)
        documents = fold_documents(trained, run_id, definition_hash())
        models = tuple(Artifact.model_validate(one) for one in documents)
        return cls(pd.DatetimeIndex(tested.sessions), tested.fold - 1, calls, sure, models)

    @property
    def starts(self) -> pd.DatetimeIndex:
        """First session of each fold's test part: from then on its model could have served."""
        return self.sessions[np.searchsorted(self.fold, np.arange(len(self.models)))]

    def model_at(self, session: pd.Timestamp) -> Artifact | None:
        """Return the newest model that had not seen a session, None before the first."""
        at = int(self.starts.searchsorted(session, side="right")) - 1
        return self.models[at] if at >= 0 else None

    def document(self, key: str) -> "Kept":
        """Return the forecasts as they are kept under a key."""
        return Kept(
            key=key,
            sessions=[str(day.date()) for day in self.sessions],
            fold=self.fold.tolist(),
            calls=self.calls.tolist(),
            sure=[None if np.isnan(one) else one for one in self.sure.tolist()],
            models=list(self.models),
        )


class Kept(Record):
    """A file of forecasts: what they were made from, and a value a session; see `Walked`."""

    key: str
    sessions: list[str]
    fold: list[int]
    calls: list[int]
    sure: list[float | None]
    models: list[Artifact]

    def walked(self) -> Walked:
        """Return the forecasts."""
        return Walked(
            pd.DatetimeIndex(self.sessions),
            np.array(self.fold, dtype=np.int64),
            np.array(self.calls, dtype=np.int64),
            np.array(self.sure, dtype=np.float64),
            tuple(self.models),
        )


def keep_walked(run: "Runtime", job: Job, window: Window, trained: Trained) -> Walked:
    """Write what a training forecast out of fold, in the place of what was there; return it.

    Of a model the walks that were made last are kept: a backtest's beside a training's, and those
    of before, by which signals that were backfilled are made again.
    """
    walk = _walk_of(run, job.settings.ticker, window)
    found = Walked.of(trained, walk)
    path = _path(run, job, walk)
    write_durably(path, canonical(found.document(_key(job, walk)).document()))
    others = sorted(path.parent.glob(f"{_stem(job)}.*"), key=lambda one: one.stat().st_mtime_ns)
    for old in others[:-KEPT]:
        old.unlink(missing_ok=True)
    return found


def kept_walked(run: "Runtime", job: Job, window: Window) -> Walked | None:
    """Return what was kept of a training; None where what it was made from has changed.

    So it is where the file cannot be read: it is walked again, and written anew.
    """
    walk = _walk_of(run, job.settings.ticker, window)
    kept = _read(_path(run, job, walk))
    return kept.walked() if kept is not None and kept.key == _key(job, walk) else None


def kept_walks(home: Home, walk: str) -> Iterator[Walked]:
    """Yield what is kept of a walk, a model each, whatever has changed since; nothing damaged.

    Parameters
    ----------
    walk
        What its models call their run.
    """
    for path in sorted(_folder(home).glob("*.json")):
        if path.name.endswith(f".{walk}.json") and (kept := _read(path)) is not None:
            yield kept.walked()


def _read(path: Path) -> Kept | None:
    try:
        return Kept.from_json(path.read_bytes(), path.name)
    except (FileNotFoundError, InputError):
        return None


def _folder(home: Home) -> Path:
    return home.files.processed / "walked"


def _stem(job: Job) -> str:
    return f"{job.task.name}_{job.settings.ticker}_{job.settings.model_type}"


def _path(run: "Runtime", job: Job, walk: str) -> Path:
    return _folder(run.home) / f"{_stem(job)}.{walk}.json"


def _key(job: Job, walk: str) -> str:
    """Return the SHA-256 of a walk and of the job that went it."""
    return hashlib.sha256(
        canonical({"job": {**job.resolved().document()}, "walk": walk})
    ).hexdigest()


def _walk_of(run: "Runtime", ticker: str, window: Window) -> str:
    """Return a hash of all that decides what walks over a ticker forecast, but for the job."""
    entry = landed_prices(run, ticker)
    start, end = training_window(window.period, window.start, window.end, entry.first, entry.last)
    manifest = read_manifest(run.home.data)
    made_from: dict[str, Json] = {
        "code": code_fingerprint(CODE, LIBRARIES),
        "window": [str(start.date()), str(end.date())],
        "contents": sorted(
            [table, key, one.sha256] for (table, key), one in manifest.entries.items()
        ),
    }
    return hashlib.sha256(canonical(made_from)).hexdigest()[:RUN]
