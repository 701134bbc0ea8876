"""Nested walk-forward of a forecast, then the fit that serves. Pure, given frames.

Everything fitted (scaler, selection, calibration, threshold) is fitted inside the training
part of each fold. The final fit uses all rows; its calibration and threshold come from the
out-of-fold decision values of the whole window (Decisions 6, 8, 9).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from market.arrays import FloatArray, IntArray
from market.bootstrap import MEAN_BLOCK
from market.errors import InputError
from market.targets import REGIMES
from training.evidence import assemble
from training.fit.fit import fit_rows
from training.fit.mixture import (
    DirectionForecaster,
    Forecaster,
    RegimeForecaster,
    calibrated,
    fit_direction,
    fit_regime,
    member_probabilities,
    weighted,
)
from training.frames.folds import Fold, walk_forward
from training.frames.rows import (
    Rows,
    UnlabelledError,
    direction_rows,
    pooled,
    regime_rows,
    require_views,
)
from training.judge.out_of_fold import OutOfFold, losses, out_of_fold
from training.models import model_type
from training.settings import DirectionSettings, RegimeSettings
from training.tasks.declare import DIRECTION, REGIME, Task

__all__ = ["DirectionSettings", "RegimeSettings", "Trained", "train_direction", "train_regime"]

Said = TypeVar("Said", DirectionForecaster, RegimeForecaster)

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
    tested
        What was forecast of every test session.
    """

    task: Task
    settings: DirectionSettings | RegimeSettings
    forecaster: Forecaster
    folds: tuple[Forecaster, ...]
    losses: pd.DataFrame
    evidence: dict[str, Any]
    tested: OutOfFold

    @property
    def name(self) -> str:
        """Name of the registered model."""
        return f"{self.task.name}_{self.settings.ticker}"


# Fits of this size are slower on many threads than on one, and sums then depend on their number.
@threadpool_limits.wrap(limits=1)
def train_direction(
    frame: pd.DataFrame,
    prices: pd.DataFrame,
    settings: DirectionSettings,
    window_start: pd.Timestamp | None = None,
) -> Trained:
    """Train the direction classifier of one ticker.

    Parameters
    ----------
    frame
        `ticker`, `session` and features (NaN is null), one row a ticker and session.
    prices
        Current raw price rows: `session`, `open`, `high`, `low`, `close`, `volume`, `dividend`,
        `split`, and `ticker` if of several; they may reach beyond the frame on both sides.
    settings
        What to train.
    window_start
        First session tested; rows before it are history. None makes the whole frame the window.

    Raises
    ------
    InputError
        If there are too few sessions, a single class, an empty view or no usable feature.
    """
    model = model_type(DIRECTION.name, settings.model_type)
    criterion = settings.threshold_criterion if settings.optimize_threshold else None
    rows = direction_training_rows(frame, prices, settings, window_start)
    folds = window_folds(rows, settings.n_folds)
    fitted = tuple(
        fit_direction(rows, fold.train, model, settings.n_features, criterion) for fold in folds
    )
    final = calibrated(
        fit_rows(rows, _everything(rows), model, settings.n_features),
        _tested_values(rows, folds, fitted, lambda one, values: one.fit.decision(values)),
        _tested_labels(rows, folds),
        criterion,
    )
    return _trained(DIRECTION, settings, rows, folds, fitted, final)


@threadpool_limits.wrap(limits=1)
def train_regime(
    frame: pd.DataFrame, settings: RegimeSettings, window_start: pd.Timestamp | None = None
) -> Trained:
    """Train the IV regime forecaster of one ticker.

    Parameters
    ----------
    frame
        `ticker`, `session` and features (NaN is null) with `iv_rank` among them.
    settings
        What to train.
    window_start
        As in `train_direction`.

    Raises
    ------
    InputError
        If there are too few sessions, a class never occurs, or a view is empty.
    """
    model = model_type(REGIME.name, settings.model_type)
    rows = regime_training_rows(frame, settings, window_start)
    folds = window_folds(rows, settings.n_folds)
    fitted = tuple(fit_regime(rows, fold.train, model, settings.n_features) for fold in folds)
    everything = fit_rows(rows, _everything(rows), model, settings.n_features)
    for one in everything.fits:
        # A class that no fitted row has would be missing from what serves.
        _require_every_regime(rows.labels[(rows.labels >= 0) & one.usable(rows.values)])
    final = weighted(
        everything,
        _tested_values(
            rows, folds, fitted, lambda one, values: member_probabilities(one.fit, values)
        ),
        _tested_labels(rows, folds),
    )
    return _trained(REGIME, settings, rows, folds, fitted, final)


def direction_training_rows(
    frame: pd.DataFrame,
    prices: pd.DataFrame,
    settings: DirectionSettings,
    window_start: pd.Timestamp | None,
) -> Rows:
    """Return the rows that `train_direction` trains and tests on; parameters are its."""
    if settings.pooled and "ticker" not in prices:
        raise InputError("prices of a pooled training lack their ticker: got rows of no one's")

    def of_ticker(ticker: str) -> Rows:
        return direction_rows(frame, prices, ticker, settings.horizon, settings.safe_features)

    return _rows(of_ticker, frame, settings, window_start)


def regime_training_rows(
    frame: pd.DataFrame, settings: RegimeSettings, window_start: pd.Timestamp | None
) -> Rows:
    """Return the rows that `train_regime` trains and tests on; parameters are its."""

    def of_ticker(ticker: str) -> Rows:
        return regime_rows(frame, ticker, settings.horizon)

    rows = _rows(of_ticker, frame, settings, window_start)
    _require_every_regime(rows.labels[rows.tested])
    return rows


def window_folds(rows: Rows, n_folds: int) -> tuple[Fold, ...]:
    """Return the walk-forward folds of the rows that may be tested."""
    return walk_forward(
        rows.sessions, rows.label_ends, n_folds, MIN_TEST_SESSIONS, tested=rows.tested
    )


def _rows(
    of_ticker: Callable[[str], Rows],
    frame: pd.DataFrame,
    settings: DirectionSettings | RegimeSettings,
    window_start: pd.Timestamp | None,
) -> Rows:
    """Return the ticker's rows, pooled with those of the frame's other tickers if asked for."""
    start = None if window_start is None else np.datetime64(window_start)
    own = of_ticker(settings.ticker).within(start)
    if not own.tested.any():
        raise InputError(
            f"no labelled session of {settings.ticker} from {start:.10} on: "
            "train on a longer period"
        )
    require_views(own.names, own.values[own.tested])
    if not settings.pooled:
        return own
    others = sorted(set(frame["ticker"]) - {settings.ticker})
    return pooled(own, list(_labelled(of_ticker, others)))


def _labelled(of_ticker: Callable[[str], Rows], tickers: Sequence[str]) -> Iterator[Rows]:
    """Yield the rows of the tickers that have any: an index that began later has none yet."""
    for ticker in tickers:
        try:
            yield of_ticker(ticker)
        except UnlabelledError:
            continue


def _everything(rows: Rows) -> IntArray:
    return np.arange(len(rows.sessions))


def _tested_values(
    rows: Rows,
    folds: Sequence[Fold],
    fitted: Sequence[Said],
    say: Callable[[Said, FloatArray], FloatArray],
) -> FloatArray:
    """Return what each fold's fit says of its own test part, one after the other."""
    pairs = zip(folds, fitted, strict=True)
    return np.concatenate([say(one, rows.values[fold.test]) for fold, one in pairs])


def _tested_labels(rows: Rows, folds: Sequence[Fold]) -> IntArray:
    return np.concatenate([rows.labels[fold.test] for fold in folds])


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
    return Trained(task, settings, final, fitted, losses(task, tested), evidence, tested)


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
