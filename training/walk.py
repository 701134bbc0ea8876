"""Nested walk-forward of a forecast, then the fit that serves. Pure, given frames.

Everything fitted (scaler, selection, calibration, threshold, weights) is fitted inside the training
part of each fold. The final fit uses all rows; what it chooses comes from the out-of-fold values of
the whole window (Decisions 6, 8, 9).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from forecasters.base import Parameters
from home.records.training.evidence import TrainingEvidence
from home.records.training.rank import RankEvidence
from market.arrays import BoolArray, IntArray
from market.bootstrap import MEAN_BLOCK
from market.errors import InputError
from training.evidence import assemble
from training.fit.distribution import Distribution
from training.fit.mixture import Forecaster
from training.frames.folds import Fold, walk_forward
from training.frames.rows import Rows, UnlabelledError, pooled, require_views
from training.judge.out_of_fold import OutOfFold, losses, out_of_fold
from training.judge.rank import newest_rank, rank_evidence
from training.judge.returns import ReturnsTested
from training.settings import Settings
from training.tasks.declare import Fitted, Registered, Task, Trainable
from training.tasks.rank import RANK

#: A test part of fewer than three mean blocks of the bootstrap has no interval worth the name.
MIN_TEST_SESSIONS: Final = 3 * MEAN_BLOCK


@dataclass(frozen=True)
class Recipe:
    """A training taken apart: its rows, and the fit of any training part of them.

    A walk goes forward with it once; the locked window fits one part and tests one, and a
    diagnosis asks how the score depends on the part.

    Attributes
    ----------
    rows
        All labelled rows; `tested` says which are of the ticker and in the window.
    """

    task: Task
    settings: Settings
    rows: Rows

    def fit(self, train: IntArray) -> Forecaster:
        """Fit a training part, given the positions of its rows."""
        return self.task.fit(self.rows, train, self.settings)

    def folds(self) -> tuple[Fold, ...]:
        """Return the walk-forward folds of the window."""
        return window_folds(self.rows, self.settings.n_folds)

    def evaluate(self, fold: Fold) -> OutOfFold:
        """Return what a fit of a fold's training part, and the baselines, say of its test part."""
        with threadpool_limits(limits=1):  # as in training: the same sums, and faster
            return out_of_fold(self.task, self.rows, [fold], [self.fit(fold.train)])


@dataclass(frozen=True)
class FittedBaseline:
    """The gate's baseline fitted on the decided sessions of the window: what may serve instead.

    `first` and `last` are the ends of those sessions, `rows` their number.
    """

    parameters: Parameters
    first: np.datetime64
    last: np.datetime64
    rows: int


@dataclass(frozen=True)
class Trained:
    """A forecaster fitted on all rows, and the evidence of how its recipe does out of fold.

    Attributes
    ----------
    folds
        What each fold's training part fitted.
    losses
        `session`, `fold`, `loss`, `baseline_loss` of every decided test session, in the unit of
        the gate's metric.
    evidence
        As `evidence.assemble` gives it.
    tested
        What was forecast of every test session.
    baseline
        What serves where this and every other version is refuted.
    """

    task: Registered
    settings: Settings
    forecaster: Forecaster | Distribution
    folds: tuple[Forecaster | Distribution, ...]
    losses: pd.DataFrame
    evidence: TrainingEvidence
    tested: OutOfFold | ReturnsTested
    baseline: FittedBaseline

    @property
    def name(self) -> str:
        """Name of the registered model."""
        return f"{self.task.name}_{self.settings.ticker}"


def recipe(
    task: Task,
    frame: pd.DataFrame,
    prices: pd.DataFrame | None,
    settings: Settings,
    window_start: pd.Timestamp | None = None,
) -> Recipe:
    """Return the recipe of a training; parameters and errors as `walk`'s."""
    resolved = task.resolve(settings)
    return Recipe(task, resolved, training_rows(task, frame, prices, resolved, window_start))


# Fits of this size are slower on many threads than on one, and sums then depend on their number.
@threadpool_limits.wrap(limits=1)
def walk(
    task: Task,
    frame: pd.DataFrame,
    prices: pd.DataFrame | None,
    settings: Settings,
    window_start: pd.Timestamp | None = None,
) -> Trained:
    """Train a forecaster of one ticker, and judge its recipe out of fold.

    Parameters
    ----------
    frame
        `ticker`, `session` and features (NaN is null), one row a ticker and session.
    prices
        Current raw price rows: `session`, `open`, `high`, `low`, `close`, `volume`, `dividend`,
        `split`, and `ticker` if of several; they may reach beyond the frame on both sides. None
        where no label comes from prices.
    settings
        What to train.
    window_start
        First session tested; rows before it are history. None makes the whole frame the window.

    Raises
    ------
    InputError
        If the task does not have the settings, or there are too few sessions, a class that never
        occurs, an empty view or no usable feature.
    """
    made = recipe(task, frame, prices, settings, window_start)
    rows = made.rows
    folds, forecasters, final = _fitted(task, rows, made.settings)
    tested = out_of_fold(task, rows, folds, forecasters)
    _require_scored(tested.decided, settings.ticker)
    evidence = assemble(task, made.settings, rows, folds, forecasters, final, tested)
    lost = losses(tested)
    baseline = fitted_baseline(task, rows, tested.gate)
    return Trained(task, made.settings, final, forecasters, lost, evidence, tested, baseline)


@threadpool_limits.wrap(limits=1)
def walk_rank(
    frame: pd.DataFrame, settings: Settings, window_start: pd.Timestamp | None = None
) -> RankEvidence:
    """Return how well the paths forecast the rank out of fold, and the newest forecast.

    Parameters
    ----------
    frame, settings, window_start
        As of `walk`; the model type has to be `paths`.

    Raises
    ------
    InputError
        If the model type is another, or there are too few sessions.
    """
    resolved = RANK.resolve(settings)
    rows = training_rows(RANK, frame, None, resolved, window_start)
    folds, fits, final = _fitted(RANK, rows, resolved)
    return rank_evidence(resolved, rows, folds, fits, newest_rank(frame, resolved, final))


def training_rows(
    task: Trainable[Any],
    frame: pd.DataFrame,
    prices: pd.DataFrame | None,
    settings: Settings,
    window_start: pd.Timestamp | None,
) -> Rows:
    """Return the rows that a walk trains and tests on, pooled with other tickers' if asked for."""
    start = None if window_start is None else np.datetime64(window_start)
    rows = task.rows(frame, prices, settings.ticker, settings).within(start)
    if not rows.tested.any():
        raise InputError(
            f"no labelled session of {settings.ticker} from {start:.10} on: "
            "train on a longer period"
        )
    require_views(rows.names, rows.values[rows.tested])
    if settings.pooled:
        rows = pooled(rows, list(_rows_of_others(task, frame, prices, settings)))
    task.require(rows)
    return rows


def fitted_baseline(task: Task, rows: Rows, name: str) -> FittedBaseline:
    """Return a gate's baseline fitted on all rows that it may see."""
    seen = rows.tested & (rows.labels >= 0)
    sessions = rows.sessions[seen]
    parameters = task.gate_baselines[name](rows.labels[seen], rows.today[seen])
    return FittedBaseline(parameters, sessions[0], sessions[-1], len(sessions))


def window_folds(rows: Rows, n_folds: int) -> tuple[Fold, ...]:
    """Return the walk-forward folds of the rows that may be tested."""
    return walk_forward(
        rows.sessions, rows.label_ends, n_folds, MIN_TEST_SESSIONS, tested=rows.tested
    )


def _rows_of_others(
    task: Trainable[Any], frame: pd.DataFrame, prices: pd.DataFrame | None, settings: Settings
) -> Iterator[Rows]:
    """Yield the rows of the other tickers that have any: an index that began later has none yet."""
    for ticker in sorted(set(frame["ticker"]) - {settings.ticker}):
        try:
            yield task.rows(frame, prices, ticker, settings)
        except UnlabelledError:
            continue


def _fitted(
    task: Trainable[Fitted], rows: Rows, settings: Settings
) -> tuple[Sequence[Fold], tuple[Fitted, ...], Fitted]:
    """Return the folds, what each training part fitted, and what all rows did."""
    folds = window_folds(rows, settings.n_folds)
    fits = tuple(task.fit(rows, fold.train, settings) for fold in folds)
    return folds, fits, task.finish(rows, folds, fits, settings)


def _require_scored(decided: BoolArray, ticker: str) -> None:
    if not decided.any():
        raise InputError(
            f"no out-of-fold session of {ticker} could be scored: of {len(decided)} none has all "
            "selected features and a class; train on a period that the features cover"
        )
