"""Fitting one training part: the model, and what its own inner walk-forward chooses.

Calibration and threshold of a direction, weights of a mixture and the calls of a regime come from
out-of-fold forecasts inside the training part (Decisions 6, 8, 9).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from forecasters.calls import IDENTITY, Calibration, called, called_up
from market.arrays import FloatArray
from market.targets import HORIZON
from training.fit.decisions import call_weights, pool_weights
from training.fit.fit import Fit, Mixed, fit_rows
from training.fit.forecast import Forecast
from training.fit.threshold import Threshold, choose, fixed
from training.frames.folds import walk_forward
from training.frames.rows import Rows
from training.models.calibration import fit_platt
from training.models.sample import Mixture, Model, UnfittableError

INNER_FOLDS: Final = 3  # of a training part; five would leave the first one 30 sessions of 5 years


@dataclass(frozen=True)
class DirectionForecaster:
    """A fit with its calibration and threshold, both from `calibrated_on` out-of-fold rows.

    `centre` is the decision value of an average row of what the decision was fitted on.
    """

    fit: Fit | Mixed
    calibration: Calibration
    threshold: Threshold
    calibrated_on: int
    centre: float = 0.0

    def forecast(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Forecast:
        """Return calibrated probabilities and calls; NaN and -1 for unusable rows."""
        decision = self.fit.decision(values)
        up = self.calibration.probability(decision)
        calls = called_up(up, self.threshold.value)
        lift = self.calibration.lift(decision, self.centre)
        return Forecast(calls, np.column_stack([1.0 - up, up]), decision, lift)


@dataclass(frozen=True)
class RegimeForecaster:
    """A fit of the three forecast classes; a class is called by probability times its weight."""

    fit: Fit | Mixed
    call_weights: tuple[float, ...]
    chosen_on: int

    def forecast(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Forecast:
        """Return class probabilities and the class called; NaN and -1 for unusable rows."""
        chance = self.fit.probabilities(values)
        return Forecast(called(chance, self.call_weights), chance)


Forecaster = DirectionForecaster | RegimeForecaster


def fit_direction(
    rows: Rows,
    train: Int64[np.ndarray, " n_train"],
    model: Model | Mixture,
    n_features: int,
    criterion: str | None,
) -> DirectionForecaster:
    """Fit a training part, its calibration and threshold on its own inner walk-forward.

    Parameters
    ----------
    criterion
        What the threshold is chosen by; None keeps 0.50.
    """
    positions, decision = _inner(
        rows, train, model, n_features, lambda fit, values: fit.decision(values)
    )
    fitted = fit_rows(rows, train, model, n_features)
    found = calibrated(fitted, decision, rows.labels[positions], criterion)
    return centred(found, rows.values[train[rows.labels[train] >= 0]])


def calibrated(
    fitted: Fit | Mixed,
    decision: Float64[np.ndarray, " n_rows"],
    labels: Int64[np.ndarray, " n_rows"],
    criterion: str | None,
) -> DirectionForecaster:
    """Return a fit with calibration and threshold from out-of-fold decision values.

    Rows that are not decided or could not be forecast are left out.
    """
    known = np.isfinite(decision) & (labels >= 0)
    up = labels[known] == 1
    curve = IDENTITY if fitted.model.calibrated else fit_platt(decision[known], up)
    chosen = fixed()
    if criterion is not None:
        chosen = choose(curve.probability(decision[known]), up, criterion)
    return DirectionForecaster(fitted, curve, chosen, int(known.sum()))


def centred(
    forecaster: DirectionForecaster, values: Float64[np.ndarray, "n_rows n_features"]
) -> DirectionForecaster:
    """Return a forecaster whose lift is above what it says of its own training part.

    A decision value of a constant is read off one row: a mean of many would differ from it in the
    last digit, and days would be ranked by that.
    """
    said = forecaster.fit.decision(values)
    known = said[np.isfinite(said)]
    centre = float(known[0] if np.ptp(known) == 0.0 else known.mean())
    return replace(forecaster, centre=centre)


def fit_regime(
    rows: Rows, train: Int64[np.ndarray, " n_train"], model: Model | Mixture, n_features: int
) -> RegimeForecaster:
    """Fit a training part; the weights of a mixture and of calls on its inner walk-forward.

    Everything trained on is forecast there: the rows of one ticker alone are too few to tell one
    rule of calls from another.
    """
    positions, said = _inner(rows, train, model, n_features, member_probabilities, own_only=False)
    fitted = fit_rows(rows, train, model, n_features)
    return weighted(fitted, said, rows.labels[positions])


def weighted(
    fitted: Fit | Mixed,
    said: Float64[np.ndarray, "n_rows n_members n_classes"],
    labels: Int64[np.ndarray, " n_rows"],
) -> RegimeForecaster:
    """Return a fit with its weights from out-of-fold probabilities.

    Parameters
    ----------
    said
        As `member_probabilities` gives them; rows that could not be forecast are left out.
    """
    known = np.isfinite(said).all(axis=(1, 2)) & (labels >= 0)
    chance, outcome = said[known], labels[known]
    weights = pool_weights(chance, outcome)
    if isinstance(fitted, Mixed):
        fitted = replace(fitted, weights=tuple(weights.tolist()))
    pooled = np.einsum("m,nmc->nc", weights, chance)
    return RegimeForecaster(fitted, call_weights(pooled, outcome), int(known.sum()))


def member_probabilities(
    fit: Fit | Mixed, values: Float64[np.ndarray, "n_rows n_features"]
) -> Float64[np.ndarray, "n_rows n_members n_classes"]:
    """Return the probabilities of every member; shape (n_rows, n_members, n_classes)."""
    return np.stack([one.probabilities(values) for one in fit.fits], axis=1)


def _inner(
    rows: Rows,
    train: Int64[np.ndarray, " n_train"],
    model: Model | Mixture,
    n_features: int,
    say: Callable[[Fit | Mixed, FloatArray], FloatArray],
    *,
    own_only: bool = True,
) -> tuple[Int64[np.ndarray, " n_rows"], Float64[np.ndarray, "n_rows ..."]]:
    """Return positions, and what a training part's own walk-forward says of them.

    Rows that may be tested are forecast; without `own_only` history and other underlyings as well,
    one session in five of all, as labels in between overlap. An inner fold too early to be fitted
    (a class has yet to appear) gives none.
    """
    every = not own_only and not rows.tested.all()
    inner = walk_forward(
        rows.sessions[train],
        rows.label_ends[train],
        INNER_FOLDS,
        tested=None if every else rows.tested[train],
    )
    forecast: list[tuple[Int64[np.ndarray, " n_rows"], Float64[np.ndarray, "n_rows ..."]]] = []
    refused = None
    for fold in inner:
        after = train[fold.test]
        if every:
            after = after[np.unique(rows.sessions[after], return_inverse=True)[1] % HORIZON == 0]
        try:
            fitted = fit_rows(rows, train[fold.train], model, n_features)
        except UnfittableError as error:
            refused = error
            continue
        forecast.append((after, say(fitted, rows.values[after])))
    if refused is not None and not forecast:
        raise refused
    positions, said = zip(*forecast, strict=True)
    return np.concatenate(positions), np.concatenate(said)
