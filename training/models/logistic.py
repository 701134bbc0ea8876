"""Logistic regression on standardised features (Decision 8), multinomial over three classes."""

from typing import Any, Final

import numpy as np

from forecasters.linear import Linear
from forecasters.unseen import with_unseen
from training.models.sample import Estimate, Model, Sample

REGULARISATION: Final = 0.1  # C of the L2 penalty, Decision 8
MAX_ITERATIONS: Final = 1_000  # Decision 8


def pipeline() -> Any:  # noqa: ANN401 - the class is imported when a model is built
    """Return standardisation followed by L2 logistic regression, unfitted."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=REGULARISATION, solver="lbfgs", max_iter=MAX_ITERATIONS)
    return Pipeline([("scaler", StandardScaler()), ("model", regression)])


def fit(sample: Sample) -> Estimate:
    """Return the fitted model and its pipeline."""
    fitted = pipeline().fit(sample.values, sample.labels)
    model = with_unseen(linear(fitted, sample), sample.absent, len(sample.labels))
    return Estimate(model, fitted, converged(fitted))


def linear(fitted: Any, sample: Sample) -> Linear:  # noqa: ANN401
    """Return the parameters of a fitted pipeline, one row of coefficients a class of a regime."""
    scaler, regression = fitted.named_steps["scaler"], fitted.named_steps["model"]
    coef, intercept = regression.coef_, regression.intercept_
    if sample.n_classes > 2 and sample.absent:
        # Of two classes, the second's log-odds against the first: a softmax with a row of zeros.
        codes = regression.classes_[-len(coef) :]
        known, constants = coef, intercept
        coef = np.zeros((sample.n_classes, len(sample.names)))
        intercept = np.zeros(sample.n_classes)
        coef[codes], intercept[codes] = known, constants
    return Linear(
        features=list(sample.names),
        mean=scaler.mean_,
        scale=scaler.scale_,
        coef=coef,
        intercept=intercept,
    )


def converged(fitted: Any) -> bool:  # noqa: ANN401
    """Return whether lbfgs stopped before its last allowed iteration."""
    return bool((fitted.named_steps["model"].n_iter_ < MAX_ITERATIONS).all())


LOGISTIC: Final = Model("logistic", ("direction", "regime"), fit)
