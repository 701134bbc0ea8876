"""The transition table: regime frequencies given today's IV rank."""

from typing import Final, Literal, Self

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike
from pydantic import model_validator

from forecasters.base import (
    N_REGIMES,
    Chances,
    Matrix,
    Single,
    Task,
    Vector,
    check_shape,
    check_shares,
)

INPUT: Final = "iv_rank"


def rank_bin(
    iv_rank: Float64[np.ndarray, " n_rows"], cuts: ArrayLike
) -> Int64[np.ndarray, " n_rows"]:
    """Return the half-open bin of an IV rank between rising cuts, from 0; shape (n_rows,)."""
    return np.searchsorted(cuts, iv_rank, side="right").astype(np.int64)


class Table(Single):
    """Half-open bins of the rank between rising cuts, and a row of shares for each."""

    kind: Literal["table"] = "table"
    cuts: Vector
    probabilities: Matrix

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if self.features != [INPUT]:
            raise ValueError(f"features: got {self.features!s:.60}, allowed is {INPUT} alone")
        if not len(self.cuts) or (np.diff(self.cuts) <= 0).any():
            raise ValueError("cuts: allowed are one or more that rise")
        check_shape("probabilities", self.probabilities, (len(self.cuts) + 1, N_REGIMES))
        check_shares("probabilities row", self.probabilities)
        return self

    def check_task(self, task: Task) -> None:
        """Check that it is a regime."""
        if task != "regime":
            raise ValueError(f"a table forecasts no {task}")

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the row of today's bin."""
        return Chances(self.probabilities[rank_bin(values[:, 0], self.cuts)])
