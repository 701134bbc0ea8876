"""Nested walk-forward of a forecast, then the fit that serves. Pure, given frames.

Everything fitted (scaler, selection, calibration, threshold) is fitted inside the training
part of each fold. The final fit uses all rows; its calibration and threshold come from the
out-of-fold decision values of the whole window (Decisions 6, 8, 9).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from feature_repo.errors import InputError
from training.bootstrap import MEAN_BLOCK
from training.evidence import assemble
from training.fitting import (
    DirectionForecaster,
    Forecaster,
    RegimeForecaster,
    calibrated,
    fit_direction,
    fit_rows,
)
from training.labels import REGIMES
from training.models import model_type
from training.out_of_fold import losses, out_of_fold
from training.rows import Rows, direction_rows, regime_rows
from training.settings import DirectionSettings, RegimeSettings
from training.tasks import DIRECTION, REGIME, Task
from training.validation import Fold, walk_forward

__all__ = ["DirectionSettings", "RegimeSettings", "Trained", "train_direction", "train_regime"]

#: A test part of fewer than three mean blocks of the bootstrap has no interval worth the name.
MIN_TEST_SESSIONS: Final = 3 * MEAN_BLOCK


@dataclass(frozen=True)
class Trained:
    """A forecaster fitted on all rows, and the evidence of how its recipe does out of fold.

    Attributes
    ----------
    folds
        What each fold's training part fitted.
    losses
        `session`, `fold`, `loss`, `baseline_loss` of every decided test session, in nats.
    evidence
        The plain dict of `evidence.assemble`.
    """

    task: Task
    settings: DirectionSettings | RegimeSettings
    forecaster: Forecaster
    folds: tuple[Forecaster, ...]
    losses: pd.DataFrame
    evidence: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the registered model."""
        return f"{self.task.name}_{self.settings.ticker}"


# Fits of this size are slower on many threads than on one, and sums then depend on their number.
@threadpool_limits.wrap(limits=1)
def train_direction(
    frame: pd.DataFrame, prices: pd.DataFrame, settings: DirectionSettings
) -> Trained:
    """Train the direction classifier of one ticker.

    Parameters
    ----------
    frame
        `ticker`, `session` and features (NaN is null), one row a session.
    prices
        Current raw price rows of the ticker: `session`, `open`, `high`, `low`, `close`,
        `volume`, `dividend`, `split`; they may reach beyond the frame on both sides.
    settings
        What to train.

    Raises
    ------
    InputError
        If there are too few sessions, a single class, an empty view or no usable feature.
    """
    model = model_type(DIRECTION.name, settings.model_type)
    criterion = settings.threshold_criterion if settings.optimize_threshold else None
    rows = direction_rows(frame, prices, settings.ticker, settings.horizon, settings.safe_features)
    folds = _folds(rows, settings.n_folds)
    fitted = tuple(
        fit_direction(rows, fold.train, model, settings.n_features, criterion) for fold in folds
    )
    everything = np.arange(len(rows.sessions))
    final = calibrated(
        fit_rows(rows, everything, model, settings.n_features),
        _decisions(rows, folds, fitted),
        rows.labels,
        criterion,
    )
    return _trained(DIRECTION, settings, rows, folds, fitted, final)


@threadpool_limits.wrap(limits=1)
def train_regime(frame: pd.DataFrame, settings: RegimeSettings) -> Trained:
    """Train the IV regime forecaster of one ticker.

    Parameters
    ----------
    frame
        `ticker`, `session` and features (NaN is null) with `iv_rank` among them.
    settings
        What to train.

    Raises
    ------
    InputError
        If there are too few sessions, a class never occurs, or a view is empty.
    """
    model = model_type(REGIME.name, settings.model_type)
    rows = regime_rows(frame, settings.ticker, settings.horizon)
    _require_every_regime(rows.labels)
    folds = _folds(rows, settings.n_folds)
    fitted = tuple(
        RegimeForecaster(fit_rows(rows, fold.train, model, settings.n_features)) for fold in folds
    )
    everything = np.arange(len(rows.sessions))
    final = RegimeForecaster(fit_rows(rows, everything, model, settings.n_features))
    _require_every_regime(final.fit.estimator.classes_)
    return _trained(REGIME, settings, rows, folds, fitted, final)


def _folds(rows: Rows, n_folds: int) -> tuple[Fold, ...]:
    return walk_forward(rows.sessions, rows.label_ends, n_folds, MIN_TEST_SESSIONS)


def _decisions(
    rows: Rows, folds: Sequence[Fold], fitted: Sequence[DirectionForecaster]
) -> np.ndarray:
    """Return out-of-fold decision values of all rows, NaN before the first test part."""
    decision = np.full(len(rows.sessions), np.nan)
    for fold, forecaster in zip(folds, fitted, strict=True):
        decision[fold.test] = forecaster.fit.decision(rows.values[fold.test])
    return decision


def _trained(
    task: Task,
    settings: DirectionSettings | RegimeSettings,
    rows: Rows,
    folds: tuple[Fold, ...],
    fitted: tuple[Forecaster, ...],
    final: Forecaster,
) -> Trained:
    tested = out_of_fold(task, rows, folds, fitted)
    _require_scored(tested.decided, settings.ticker)
    evidence = assemble(task, settings, rows, folds, fitted, final, tested)
    return Trained(task, settings, final, fitted, losses(task, tested), evidence)


def _require_scored(decided: np.ndarray, ticker: str) -> None:
    if not decided.any():
        raise InputError(
            f"no out-of-fold session of {ticker} could be scored: of {len(decided)} none has all "
            "selected features and a class; train on a period that the features cover"
        )


def _require_every_regime(codes: np.ndarray) -> None:
    seen = [REGIMES[code] for code in np.unique(codes)]
    if len(seen) < len(REGIMES):
        raise InputError(
            f"regimes missing from the usable sessions: got {', '.join(seen)}, "
            f"needed {', '.join(REGIMES)}; train on a longer period (--period, --start)"
        )
