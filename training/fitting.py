"""Fitting one training part: nothing outside the rows named is looked at (Decision 8)."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from training.calibration import Platt, fit_platt
from training.evaluation import Forecast
from training.labels import REGIMES, UNKNOWN
from training.models import Model, class_probabilities
from training.rows import Rows
from training.selection import N_BINS, Selection, UnfittableError, select
from training.threshold import Threshold, choose, fixed
from training.validation import walk_forward

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

INNER_FOLDS: Final = 3  # of a training part; five would leave the first one 30 sessions of 5 years
MIN_ROWS: Final = N_BINS  # fewer rows than bins of the selection tell no feature from another


@dataclass(frozen=True)
class Fit:
    """An estimator and the features chosen for it; `dropped` rows had one of them null."""

    model: Model
    selection: Selection
    estimator: Any
    rows: int
    dropped: int
    first: np.datetime64
    last: np.datetime64

    def usable(self, values: FloatArray) -> BoolArray:
        """Return which rows have every selected feature; shape (n_rows,)."""
        return np.isfinite(values[:, self.selection.columns]).all(axis=1)

    def decision(self, values: FloatArray) -> FloatArray:
        """Return the log-odds of the second class, NaN for unusable rows; shape (n_rows,)."""
        usable = self.usable(values)
        found = np.full(len(values), np.nan)
        if usable.any():
            chosen = values[usable][:, self.selection.columns]
            found[usable] = self.model.decision(self.estimator, chosen)
        return found

    def probabilities(self, values: FloatArray, n_classes: int) -> FloatArray:
        """Return the probability of every class, NaN for unusable rows; (n_rows, n_classes)."""
        usable = self.usable(values)
        chance = np.full((len(values), n_classes), np.nan)
        if usable.any():
            chosen = values[usable][:, self.selection.columns]
            chance[usable] = class_probabilities(self.estimator, chosen, n_classes, self.rows)
        return chance


@dataclass(frozen=True)
class DirectionForecaster:
    """A fit with its calibration and threshold, both from `calibrated_on` out-of-fold rows."""

    fit: Fit
    calibration: Platt
    threshold: Threshold
    calibrated_on: int

    def forecast(self, values: FloatArray) -> Forecast:
        """Return calibrated probabilities and calls; NaN and -1 for unusable rows."""
        decision = self.fit.decision(values)
        up = self.calibration.probability(decision)
        calls = np.where(np.isfinite(up), (up > self.threshold.value).astype(np.int64), UNKNOWN)
        return Forecast(calls, np.column_stack([1.0 - up, up]), decision)


@dataclass(frozen=True)
class RegimeForecaster:
    """A fit of the three forecast classes."""

    fit: Fit

    def forecast(self, values: FloatArray) -> Forecast:
        """Return class probabilities and the likeliest class; NaN and -1 for unusable rows."""
        chance = self.fit.probabilities(values, len(REGIMES))
        known = np.isfinite(chance).all(axis=1)
        calls = np.full(len(values), UNKNOWN, dtype=np.int64)
        calls[known] = chance[known].argmax(axis=1)
        return Forecast(calls, chance)


Forecaster = DirectionForecaster | RegimeForecaster


def fit_rows(rows: Rows, train: IntArray, model: Model, n_features: int) -> Fit:
    """Select features and fit a model on the decided rows of a training part.

    Raises
    ------
    UnfittableError
        If the usable rows are too few or hold fewer than two classes.
    """
    decided = train[rows.labels[train] >= 0]
    _require_classes(rows, decided)
    selection = select(rows.values[decided], rows.names, rows.labels[decided], n_features)
    complete = np.isfinite(rows.values[np.ix_(decided, selection.columns)]).all(axis=1)
    used = decided[complete]
    _require_classes(rows, used)
    estimator = model.build()
    estimator.fit(rows.values[np.ix_(used, selection.columns)], rows.labels[used])
    return Fit(
        model,
        selection,
        estimator,
        len(used),
        int((~complete).sum()),
        rows.sessions[used[0]],
        rows.sessions[used[-1]],
    )


def fit_direction(
    rows: Rows, train: IntArray, model: Model, n_features: int, criterion: str | None
) -> DirectionForecaster:
    """Fit a training part, its calibration and threshold on its own inner walk-forward.

    Parameters
    ----------
    criterion
        What the threshold is chosen by; None keeps 0.50.
    """
    positions, decision = _inner_decisions(rows, train, model, n_features)
    fitted = fit_rows(rows, train, model, n_features)
    return calibrated(fitted, decision, rows.labels[positions], criterion)


def calibrated(
    fitted: Fit, decision: FloatArray, labels: IntArray, criterion: str | None
) -> DirectionForecaster:
    """Return a fit with calibration and threshold from out-of-fold decision values.

    Rows that are not decided or could not be forecast are left out.
    """
    known = np.isfinite(decision) & (labels >= 0)
    up = labels[known] == 1
    curve = fit_platt(decision[known], up)
    chosen = fixed()
    if criterion is not None:
        chosen = choose(curve.probability(decision[known]), up, criterion)
    return DirectionForecaster(fitted, curve, chosen, int(known.sum()))


def _inner_decisions(
    rows: Rows, train: IntArray, model: Model, n_features: int
) -> tuple[IntArray, FloatArray]:
    """Return positions and out-of-fold decision values of a training part.

    An inner fold too early to be fitted (a class has yet to appear) gives none.
    """
    inner = walk_forward(rows.sessions[train], rows.label_ends[train], INNER_FOLDS)
    forecast: list[tuple[IntArray, FloatArray]] = []
    refused = None
    for fold in inner:
        after = train[fold.test]
        try:
            fitted = fit_rows(rows, train[fold.train], model, n_features)
        except UnfittableError as error:
            refused = error
            continue
        forecast.append((after, fitted.decision(rows.values[after])))
    if refused is not None and not forecast:
        raise refused
    positions, decisions = zip(*forecast, strict=True)
    return np.concatenate(positions), np.concatenate(decisions)


def _require_classes(rows: Rows, used: IntArray) -> None:
    classes = len(np.unique(rows.labels[used]))
    if len(used) >= MIN_ROWS and classes >= 2:
        return
    span = "none"
    if len(used):
        span = f"{rows.sessions[used[0]]:.10} to {rows.sessions[used[-1]]:.10}"
    raise UnfittableError(
        f"a training part is too small: got {len(used)} usable rows of {classes} classes "
        f"({span}), needed {MIN_ROWS} rows of 2; train on a longer period (--period, --start)"
    )
