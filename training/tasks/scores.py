"""Scores of forecasts, each as a function of session weights.

A weight is how often a row counts: ones give the score itself, the rows of a bootstrap its
spread. Undefined scores (no row of a class, no call made) are NaN, never a neutral value.
Formulas are scikit-learn's, with `sample_weight`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64

from market.arrays import FloatArray
from training.fit.forecast import Forecast

Codes = Int64[np.ndarray, " n_rows"]
ByRow = Float64[np.ndarray, " n_rows"]
Weights = Float64[np.ndarray, "n_resamples n_rows"]
ByResample = Float64[np.ndarray, " n_resamples"]
ByClass = Float64[np.ndarray, "n_resamples n_classes"]
Counts = Float64[np.ndarray, "n_resamples n_classes n_classes"]

CALIBRATION_BINS: Final = 10
#: Scores where less is better; of all others more is.
LOSSES: Final = frozenset({"log_loss", "brier", "calibration_error"})


def row_log_loss(outcome: Codes, probabilities: Float64[np.ndarray, "n_rows n_classes"]) -> ByRow:
    """Return -log of the probability given to what happened, in nats; shape (n_rows,)."""
    given = probabilities[np.arange(len(outcome)), outcome]
    return np.asarray(-np.log(np.clip(given, np.finfo(np.float64).eps, 1.0)))


def direction_scores(outcome: Codes, forecast: Forecast, weights: Weights) -> dict[str, ByResample]:
    """Return the scores of UP / DOWN forecasts; each of shape (n_resamples,).

    Parameters
    ----------
    outcome
        1 UP, 0 DOWN; shape (n_rows,).
    forecast
        Calls and, where there are any, probabilities of DOWN and UP.
    weights
        Shape (n_resamples, n_rows).

    Notes
    -----
    `auc` is of the probability that is served, above the base rate of its fit; `auc_uncalibrated`
    of the decision value: they differ where calibration found no order and made the probability
    a constant. Without the base rate taken off, days of different folds would be ranked by it,
    and it is low just where later folds must have more UP: a class prior, which orders nothing,
    then scores 0.46 to 0.48. Days ranked within their fold alone score above 0.5 without any
    signal: few sessions, whose mean is known afterwards, look as if they reverted to it.
    """
    counts = confusion(outcome, forecast.calls, weights, 2)
    recall = _recalls(counts)
    found = _probability_scores(outcome, forecast, weights)
    return (
        found
        | _ranking_scores(outcome, forecast, weights)
        | {
            "accuracy": _accuracy(counts),
            "balanced_accuracy": _mean_known(recall),
            "f1": _f1(counts)[:, 1],
            "precision": _precisions(counts)[:, 1],
            "recall": recall[:, 1],
        }
    )


def regime_scores(outcome: Codes, forecast: Forecast, weights: Weights) -> dict[str, ByResample]:
    """Return the scores of LOW / NORMAL / HIGH forecasts; each of shape (n_resamples,).

    Parameters are those of `direction_scores`, with codes 0, 1, 2 and three probabilities.
    Macro scores average over the classes for which they are defined.
    """
    counts = confusion(outcome, forecast.calls, weights, 3)
    f1 = _f1(counts)
    return _probability_scores(outcome, forecast, weights) | {
        "accuracy": _accuracy(counts),
        "balanced_accuracy": _mean_known(_recalls(counts)),
        "macro_f1": _mean_known(f1),
        "macro_precision": _mean_known(_precisions(counts)),
        "f1_low": f1[:, 0],
        "f1_normal": f1[:, 1],
        "f1_high": f1[:, 2],
    }


Scores = Callable[[Codes, Forecast, Weights], dict[str, ByResample]]


def confusion(outcome: Codes, calls: Codes, weights: Weights, n_classes: int) -> Counts:
    """Return weighted counts by outcome and call; (n_resamples, n_classes, n_classes)."""
    cell = np.eye(n_classes**2)[outcome * n_classes + calls]
    counts: Counts = (weights @ cell).reshape(-1, n_classes, n_classes)
    return counts


def auc(outcome: Codes, score: ByRow, weights: Weights) -> ByResample:
    """Return the weighted area under the ROC curve, ties counted half; (n_resamples,)."""
    up = outcome == 1
    down_scores = np.sort(score[~up])
    drawn_downs = weights[:, ~up][:, np.argsort(score[~up], kind="stable")]
    beaten = np.zeros((len(weights), len(down_scores) + 1))
    np.cumsum(drawn_downs, axis=1, out=beaten[:, 1:])
    below = beaten[:, np.searchsorted(down_scores, score[up], side="left")]
    not_above = beaten[:, np.searchsorted(down_scores, score[up], side="right")]
    drawn_ups = weights[:, up]
    wins = np.einsum("ri,ri->r", drawn_ups, below) + np.einsum("ri,ri->r", drawn_ups, not_above)
    return _ratio(0.5 * wins, drawn_ups.sum(axis=1) * beaten[:, -1])


def calibration_error(
    hit: Bool[np.ndarray, " n_rows"], probability: ByRow, weights: Weights
) -> ByResample:
    """Return the expected calibration error over ten equal bins (Naeini 2015); (n_resamples,)."""
    bins = np.minimum((probability * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gap = np.eye(CALIBRATION_BINS)[bins] * (hit - probability)[:, None]
    return _ratio(np.abs(weights @ gap).sum(axis=1), weights.sum(axis=1))


def _probability_scores(
    outcome: Codes, forecast: Forecast, weights: Weights
) -> dict[str, ByResample]:
    chance = forecast.probabilities
    if chance is None:
        return {name: _unknown(weights) for name in ("log_loss", "brier", "calibration_error")}
    happened = np.eye(chance.shape[1])[outcome]
    # The two-class Brier score counts one class (Brier 1950 counts both, which doubles it).
    squares = ((chance - happened) ** 2).sum(axis=1) / (2 if chance.shape[1] == 2 else 1)
    if chance.shape[1] == 2:
        stated, hit = chance[:, 1], outcome == 1
    else:
        stated, hit = chance.max(axis=1), chance.argmax(axis=1) == outcome
    return {
        "log_loss": _mean(row_log_loss(outcome, chance), weights),
        "brier": _mean(squares, weights),
        "calibration_error": calibration_error(hit, stated, weights),
    }


def _ranking_scores(outcome: Codes, forecast: Forecast, weights: Weights) -> dict[str, ByResample]:
    if forecast.probabilities is None:
        return {name: _unknown(weights) for name in ("auc", "auc_uncalibrated")}
    order = forecast.probabilities[:, 1] if forecast.lift is None else forecast.lift
    served = auc(outcome, order, weights)
    if forecast.decision is None:
        return {"auc": served, "auc_uncalibrated": served}
    return {"auc": served, "auc_uncalibrated": auc(outcome, forecast.decision, weights)}


def _mean(figures: ByRow, weights: Weights) -> ByResample:
    return _ratio(weights @ figures, weights.sum(axis=1))


def _accuracy(counts: Counts) -> ByResample:
    return _ratio(np.trace(counts, axis1=1, axis2=2), counts.sum(axis=(1, 2)))


def _recalls(counts: Counts) -> ByClass:
    return _ratio(np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=2))


def _precisions(counts: Counts) -> ByClass:
    return _ratio(np.diagonal(counts, axis1=1, axis2=2), counts.sum(axis=1))


def _f1(counts: Counts) -> ByClass:
    hits = np.diagonal(counts, axis1=1, axis2=2)
    return _ratio(2.0 * hits, counts.sum(axis=1) + counts.sum(axis=2))


def _mean_known(by_class: ByClass) -> ByResample:
    known = np.isfinite(by_class)
    return _ratio(np.where(known, by_class, 0.0).sum(axis=1), known.sum(axis=1).astype(float))


def _ratio(
    over: Float64[np.ndarray, "*shape"], under: Float64[np.ndarray, "*shape"]
) -> Float64[np.ndarray, "*shape"]:
    """Return a quotient, NaN where its denominator is zero."""
    unknown = np.full(np.shape(over), np.nan)
    quotient: FloatArray = np.divide(over, under, out=unknown, where=under != 0)
    return quotient


def _unknown(weights: Weights) -> ByResample:
    return np.full(len(weights), np.nan)
