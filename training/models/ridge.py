"""A linear discriminant whose shrinkage is chosen inside the training part.

Ridge regression of the class on standardised features (Hoerl and Kennard 1970) points where
logistic regression with an L2 penalty does, and one decomposition serves all penalties. Purged
folds of the training part choose the penalty, and from the same forecasts the scale of the
log-odds is read (Platt 1999): each of these fits has nine tenths of the rows, so that their scale
is that of the final one.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64

from forecasters.calls import Calibration
from forecasters.linear import Linear
from training.frames.folds import combinatorial
from training.models.calibration import fit_platt
from training.models.sample import Estimate, Model, Sample

ByFeature = Float64[np.ndarray, " n_features"]

#: In units of a feature's variance: from next to no shrinkage to the marginal correlations.
PENALTIES: Final[Float64[np.ndarray, " n_penalties"]] = 10.0 ** np.arange(-2.0, 2.5, 0.5)
INNER_FOLDS: Final = 10


def fit(sample: Sample) -> Estimate:
    """Return the discriminant, its log-odds those of the curve."""
    mean, scale, weights, curve = discriminant(sample)
    model = Linear(
        features=list(sample.names),
        mean=mean,
        scale=scale,
        coef=curve.slope * weights[None],
        intercept=np.array([curve.intercept]),
    )
    return Estimate(model, model)


def discriminant(sample: Sample) -> tuple[ByFeature, ByFeature, ByFeature, Calibration]:
    """Return mean, scale and weights of the features, and the curve from their sum to log-odds.

    The penalty is the one that ordered the inner test parts best. A training part too small for
    inner folds gets the strongest penalty and its base rate.
    """
    mean, scale, weights = directions(sample.values, sample.labels)
    tested, sums = _inner(sample)
    if not len(tested):
        return mean, scale, weights[-1], _base_rate(sample.labels)
    up = sample.labels[tested] == 1
    best = int(np.argmax(agreement(sums, up)))
    return mean, scale, weights[best], fit_platt(sums[best], up)


def directions(
    values: Float64[np.ndarray, "n_rows n_features"], labels: Int64[np.ndarray, " n_rows"]
) -> tuple[ByFeature, ByFeature, Float64[np.ndarray, "n_penalties n_features"]]:
    """Return mean and scale of features, and weights by penalty; (n_penalties, n_features)."""
    mean, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    standard = (values - mean) / scale
    spread, axes = np.linalg.eigh(standard.T @ standard / len(values))
    towards = axes.T @ (standard.T @ (labels - labels.mean())) / len(values)
    shrunk = towards / (np.maximum(spread, 0.0) + PENALTIES[:, None])
    return mean, scale, shrunk @ axes.T


def agreement(
    said: Float64[np.ndarray, "n_penalties n_rows"], up: Bool[np.ndarray, " n_rows"]
) -> Float64[np.ndarray, " n_penalties"]:
    """Return the correlation of each penalty's forecasts with the outcome, 0 of a constant."""
    centred = said - said.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1)
    covariance = centred @ (up - up.mean()) / len(up)
    agreed = np.zeros(len(said))
    np.divide(covariance, spread, out=agreed, where=spread > 0.0)
    return agreed


def _inner(
    sample: Sample,
) -> tuple[Int64[np.ndarray, " n_rows"], Float64[np.ndarray, "n_penalties n_rows"]]:
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


def _base_rate(labels: Int64[np.ndarray, " n_rows"]) -> Calibration:
    return fit_platt(np.zeros(len(labels)), labels == 1)


RIDGE: Final = Model("ridge", ("direction",), fit, calibrated=True)
