"""A training taken apart: its rows, and the fit of any training part of them.

`train` walks forward with it once and registers; the locked window fits one part and tests one,
and a diagnosis asks how the score depends on the part.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from market.arrays import IntArray
from training.fit.mixture import Forecaster, fit_direction, fit_regime
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.judge.out_of_fold import OutOfFold, out_of_fold
from training.models import model_type
from training.settings import DirectionSettings, RegimeSettings
from training.tasks.declare import DIRECTION, REGIME, Task
from training.walk import direction_training_rows, regime_training_rows, window_folds


@dataclass(frozen=True)
class Recipe:
    """What a training is made of.

    Attributes
    ----------
    rows
        All labelled rows; `tested` says which are of the ticker and in the window.
    fit
        Fits a training part, given the positions of its rows, with all that is chosen inside it.
    """

    task: Task
    settings: DirectionSettings | RegimeSettings
    rows: Rows
    fit: Callable[[IntArray], Forecaster]

    def folds(self) -> tuple[Fold, ...]:
        """Return the walk-forward folds of the window."""
        return window_folds(self.rows, self.settings.n_folds)

    def evaluate(self, fold: Fold) -> OutOfFold:
        """Return what a fit of a fold's training part, and the baselines, say of its test part."""
        with threadpool_limits(limits=1):  # as in training: the same sums, and faster
            return out_of_fold(self.task, self.rows, [fold], [self.fit(fold.train)])


def recipe(
    settings: DirectionSettings | RegimeSettings,
    frame: pd.DataFrame,
    prices: pd.DataFrame | None,
    window_start: pd.Timestamp | None = None,
) -> Recipe:
    """Return the recipe of a training.

    Parameters
    ----------
    frame, prices, window_start
        As `train_direction` and `train_regime` take them; a regime needs no prices.

    Raises
    ------
    InputError
        As they do of the frame and the prices.
    """
    if isinstance(settings, DirectionSettings):
        if prices is None:
            raise TypeError("a direction needs the prices that its labels come from")
        return _direction(settings, direction_training_rows(frame, prices, settings, window_start))
    return _regime(settings, regime_training_rows(frame, settings, window_start))


def _direction(settings: DirectionSettings, rows: Rows) -> Recipe:
    model = model_type(DIRECTION.name, settings.model_type)
    criterion = settings.threshold_criterion if settings.optimize_threshold else None
    return Recipe(
        DIRECTION,
        settings,
        rows,
        lambda train: fit_direction(rows, train, model, settings.n_features, criterion),
    )


def _regime(settings: RegimeSettings, rows: Rows) -> Recipe:
    model = model_type(REGIME.name, settings.model_type)
    return Recipe(
        REGIME, settings, rows, lambda train: fit_regime(rows, train, model, settings.n_features)
    )
