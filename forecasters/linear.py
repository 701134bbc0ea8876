"""A standardised linear model: log-odds of UP, or a softmax over the regimes."""

from typing import Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import model_validator

from forecasters.base import (
    N_REGIMES,
    Chances,
    Matrix,
    Scale,
    Single,
    Task,
    Text,
    Vector,
    check_lengths,
    check_names,
    check_shape,
)


class Linear(Single):
    """One row of coefficients for a direction, one for each class of a regime.

    Without features it says the same of every row: the class prior is one.
    """

    kind: Literal["linear"] = "linear"
    features: list[Text]
    mean: Vector
    scale: Scale
    coef: Matrix
    intercept: Vector

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        width, rows = len(self.features), len(self.intercept)
        check_names(self.features)
        check_shape("mean", self.mean, (width,))
        check_shape("scale", self.scale, (width,))
        check_shape("coef", self.coef, (rows, width))
        return self

    def check_task(self, task: Task) -> None:
        """Check the number of rows."""
        check_lengths(("coef", len(self.coef), 1 if task == "direction" else N_REGIMES))

    def decision(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the log-odds of UP; shape (n_rows,)."""
        self.check_task("direction")
        return self._log_odds(values)[:, 0]

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the softmax of the rows of coefficients."""
        self.check_task("regime")
        log_odds = self._log_odds(values)
        finite = np.isfinite(log_odds).all(axis=1, keepdims=True)
        log_odds = np.where(finite, log_odds, np.nan)
        weights = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
        return Chances(weights / weights.sum(axis=1, keepdims=True))

    def _log_odds(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, "n_rows n_outputs"]:
        with np.errstate(over="ignore", invalid="ignore"):
            standard = (values - self.mean) / self.scale
            return np.asarray(standard @ self.coef.T + self.intercept)
