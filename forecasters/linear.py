"""A standardised linear model: log-odds of UP, or a softmax over the regimes."""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from pydantic import PrivateAttr, model_validator

from forecasters.base import N_REGIMES, Chances, Positive, Single, Task, check_lengths, check_names
from market.arrays import FloatArray


class Linear(Single):
    """One row of coefficients for a direction, one for each class of a regime."""

    kind: Literal["linear"]
    mean: list[float]
    scale: list[Positive]
    coef: list[list[float]]
    intercept: list[float]
    _arrays: tuple[FloatArray, FloatArray, FloatArray, FloatArray] = PrivateAttr()

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        width, rows = len(self.features), len(self.intercept)
        check_names(self.features)
        check_lengths(
            ("mean", len(self.mean), width),
            ("scale", len(self.scale), width),
            ("coef", len(self.coef), rows),
            *(("coef row", len(row), width) for row in self.coef),
        )
        mean, scale, coef, intercept = map(
            np.array, (self.mean, self.scale, self.coef, self.intercept)
        )
        self._arrays = (mean, scale, coef, intercept)
        return self

    def check_task(self, task: Task) -> None:
        """Check the number of rows."""
        check_lengths(("coef", len(self.coef), 1 if task == "direction" else N_REGIMES))

    def decision(self, values: Mapping[str, float]) -> float:
        """Return the log-odds of UP."""
        return float(self._rows(values)[0])

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the softmax of the rows."""
        rows = self._rows(values)
        if not np.isfinite(rows).all():
            return Chances(np.full(len(rows), np.nan))
        weights = np.exp(rows - rows.max())
        return Chances(np.asarray(weights / weights.sum()))

    def _rows(self, values: Mapping[str, float]) -> FloatArray:
        mean, scale, coef, intercept = self._arrays
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(coef @ ((self.inputs(values) - mean) / scale) + intercept)
