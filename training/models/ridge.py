"""A linear discriminant whose shrinkage is chosen inside the training part.

Ridge regression of the class on standardised features (Hoerl and Kennard 1970) points where
logistic regression with an L2 penalty does, and one decomposition serves all penalties. Purged
folds of the training part choose the penalty, and from the same forecasts the scale of the
log-odds is read (Platt 1999): each of these fits has nine tenths of the rows, so that their scale
is that of the final one.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import expit

from market.arrays import FloatArray, IntArray
from training.frames.folds import combinatorial
from training.models.calibration import Platt, fit_platt
from training.models.sample import Model, Sample

#: In units of a feature's variance: from next to no shrinkage to the marginal correlations.
PENALTIES: Final[FloatArray] = 10.0 ** np.arange(-2.0, 2.5, 0.5)
INNER_FOLDS: Final = 10


@dataclass(frozen=True)
class Discriminant:
    """Weights of standardised features; `curve` makes log-odds of their weighted sum."""

    mean: FloatArray
    scale: FloatArray
    weights: FloatArray
    curve: Platt


def fit(sample: Sample) -> Discriminant:
    """Return the discriminant with the penalty that ordered the inner test parts best.

    A training part too small for inner folds gets the strongest penalty and its base rate.
    """
    mean, scale, weights = directions(sample.values, sample.labels)
    tested, said = _inner(sample)
    if not len(tested):
        return Discriminant(mean, scale, weights[-1], _base_rate(sample.labels))
    up = sample.labels[tested] == 1
    best = int(np.argmax(agreement(said, up)))
    return Discriminant(mean, scale, weights[best], fit_platt(said[best], up))


def directions(values: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean and scale of features, and weights by penalty; (n_penalties, n_features)."""
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    standard = (values - mean) / scale
    spread, axes = np.linalg.eigh(standard.T @ standard / len(values))
    towards = axes.T @ (standard.T @ (labels - labels.mean())) / len(values)
    shrunk = towards / (np.maximum(spread, 0.0) + PENALTIES[:, None])
    return mean, scale, shrunk @ axes.T


def agreement(said: FloatArray, up: np.ndarray) -> FloatArray:
    """Return the correlation of each penalty's forecasts with the outcome, 0 of a constant."""
    centred = said - said.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    covariance = centred @ (up - up.mean()) / len(up)
    return np.divide(covariance, spread, out=np.zeros(len(said)), where=spread > 0.0)


def decision(found: Discriminant, values: FloatArray) -> FloatArray:
    """Return the log-odds of the second class; shape (n_rows,)."""
    said = ((values - found.mean) / found.scale) @ found.weights
    return np.asarray(found.curve.slope * said + found.curve.intercept, dtype=np.float64)


def probabilities(
    found: Discriminant, values: FloatArray, _n_classes: int, _n_fitted: int
) -> FloatArray:
    """Return the probability of both classes; shape (n_rows, 2), rows sum to 1."""
    up = expit(decision(found, values))
    return np.column_stack([1.0 - up, up])


def parameters(found: Discriminant, names: tuple[str, ...]) -> dict[str, Any]:
    """Return mean, scale, coefficients and intercept of the standardised linear model."""
    return {
        "kind": "linear",
        "features": list(names),
        "mean": found.mean.tolist(),
        "scale": found.scale.tolist(),
        "coef": [(found.curve.slope * found.weights).tolist()],
        "intercept": [found.curve.intercept],
    }


def _inner(sample: Sample) -> tuple[IntArray, FloatArray]:
    """Return positions tested inside the training part, and each penalty's forecast of them."""
    tested, said = [np.zeros(0, dtype=np.int64)], [np.zeros((len(PENALTIES), 0))]
    enough = len(np.unique(sample.sessions)) >= INNER_FOLDS
    folds = combinatorial(sample.sessions, sample.label_ends, INNER_FOLDS, 1) if enough else ()
    for fold in folds:
        if len(np.unique(sample.labels[fold.train])) < 2:
            continue
        mean, scale, weights = directions(sample.values[fold.train], sample.labels[fold.train])
        tested.append(fold.test)
        said.append(weights @ ((sample.values[fold.test] - mean) / scale).T)
    return np.concatenate(tested), np.concatenate(said, axis=1)


def _base_rate(labels: IntArray) -> Platt:
    return fit_platt(np.zeros(len(labels)), labels == 1)


RIDGE: Final = Model(
    "ridge",
    ("direction",),
    fit=fit,
    probabilities=probabilities,
    parameters=parameters,
    decision=decision,
    calibrated=True,
)
