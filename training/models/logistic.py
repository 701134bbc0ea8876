"""Logistic regression on standardised features (Decision 8), multinomial over three classes."""

from typing import Any, Final

import numpy as np

from market.arrays import FloatArray
from training.models.sample import Model, Sample

REGULARISATION: Final = 0.1  # C of the L2 penalty, Decision 8
MAX_ITERATIONS: Final = 1_000  # Decision 8


def pipeline() -> Any:  # noqa: ANN401 - the class is imported when a model is built
    """Return standardisation followed by L2 logistic regression, unfitted."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=REGULARISATION, solver="lbfgs", max_iter=MAX_ITERATIONS)
    return Pipeline([("scaler", StandardScaler()), ("model", regression)])


def fit(sample: Sample) -> Any:  # noqa: ANN401
    """Return a fitted pipeline."""
    return pipeline().fit(sample.values, sample.labels)


def decision(estimator: Any, values: FloatArray) -> FloatArray:  # noqa: ANN401
    """Return the log-odds of the second class; shape (n_rows,)."""
    return np.asarray(estimator.decision_function(values), dtype=np.float64)


def probabilities(
    estimator: Any,  # noqa: ANN401
    values: FloatArray,
    n_classes: int,
    n_fitted: int,
) -> FloatArray:
    """Return the probability of every class; shape (n_rows, n_classes), rows sum to 1.

    A class that the training part did not hold gets the add-one probability
    1 / (n_fitted + n_classes), as in the transition table: rare is not impossible.
    """
    known = np.asarray(estimator.classes_, dtype=np.int64)
    unseen = 1.0 / (n_fitted + n_classes)
    chance = np.full((len(values), n_classes), unseen)
    share = 1.0 - unseen * (n_classes - len(known))
    chance[:, known] = share * estimator.predict_proba(values)
    return chance


def parameters(estimator: Any, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ANN401
    """Return mean, scale, coefficients and intercepts of the standardised linear model."""
    steps = estimator.named_steps
    scaler, regression = steps["scaler"], steps["model"]
    return {
        "kind": "linear",
        "features": list(names),
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coef": regression.coef_.tolist(),
        "intercept": regression.intercept_.tolist(),
    }


def converged(estimator: Any) -> bool:  # noqa: ANN401
    """Return whether lbfgs stopped before its last allowed iteration."""
    return bool((estimator.named_steps["model"].n_iter_ < MAX_ITERATIONS).all())


LOGISTIC: Final = Model(
    "logistic",
    ("direction", "regime"),
    fit=fit,
    probabilities=probabilities,
    parameters=parameters,
    decision=decision,
    converged=converged,
)
