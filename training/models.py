"""Every model that can be trained: one row each.

A row builds an estimator with scikit-learn's interface (`fit`, `predict_proba`, `classes_`).
What differs between model types stands in the row: how a decision value is read, and what of
the fitted estimator a server needs to evaluate it without unpickling.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from feature_repo.errors import InputError

FloatArray = npt.NDArray[np.float64]

REGULARISATION: Final = 0.1  # C of the L2 penalty, Decision 8
MAX_ITERATIONS: Final = 1_000  # Decision 8


@dataclass(frozen=True)
class Model:
    """A model type.

    Attributes
    ----------
    tasks
        What it can forecast: `direction`, `regime`.
    build
        Returns an unfitted estimator.
    decision
        Log-odds of the second class from a fitted two-class estimator and features
        (n_rows, n_features); shape (n_rows,).
    parameters
        The fitted estimator as plain numbers, for the serving artifact.
    converged
        Whether the fit reached its optimum.
    """

    word: str
    tasks: tuple[str, ...]
    build: Callable[[], Any]
    decision: Callable[[Any, FloatArray], FloatArray]
    parameters: Callable[[Any], dict[str, list[Any]]]
    converged: Callable[[Any], bool]


def logistic() -> Any:  # noqa: ANN401 - the class is imported when a model is built
    """Return standardisation followed by L2 logistic regression, multinomial over 3 classes."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=REGULARISATION, solver="lbfgs", max_iter=MAX_ITERATIONS)
    return Pipeline([("scaler", StandardScaler()), ("model", regression)])


def linear_decision(estimator: Any, values: FloatArray) -> FloatArray:  # noqa: ANN401
    """Return the log-odds of the second class; shape (n_rows,)."""
    return np.asarray(estimator.decision_function(values), dtype=np.float64)


def linear_parameters(estimator: Any) -> dict[str, list[Any]]:  # noqa: ANN401
    """Return mean, scale, coefficients and intercepts of a standardised linear model."""
    scaler, regression = estimator.named_steps["scaler"], estimator.named_steps["model"]
    return {
        "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(),
        "coef": regression.coef_.tolist(),
        "intercept": regression.intercept_.tolist(),
    }


def linear_converged(estimator: Any) -> bool:  # noqa: ANN401
    """Return whether lbfgs stopped before its last allowed iteration."""
    return bool((estimator.named_steps["model"].n_iter_ < MAX_ITERATIONS).all())


MODELS: Final = {
    row.word: row
    for row in (
        Model(
            "logistic",
            ("direction", "regime"),
            build=logistic,
            decision=linear_decision,
            parameters=linear_parameters,
            converged=linear_converged,
        ),
    )
}


def model_type(task: str, word: str) -> Model:
    """Return the row of a model type.

    Raises
    ------
    InputError
        If the task has no such model.
    """
    row = MODELS.get(word)
    if row is None or task not in row.tasks:
        allowed = ", ".join(known for known, one in MODELS.items() if task in one.tasks)
        raise InputError(f"unknown {task} model type: got {word!r:.40}, allowed: {allowed}")
    return row


def class_probabilities(
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
