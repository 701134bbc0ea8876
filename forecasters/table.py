"""The transition table: regime frequencies given today's IV rank."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from forecasters.base import N_REGIMES, Chances, Single, Task, check_lengths, check_shares

INPUT = "iv_rank"


class Table(Single):
    """Half-open bins of the rank between rising cuts, and a row of shares for each."""

    kind: Literal["table"]
    cuts: Annotated[list[float], Field(min_length=1)]
    probabilities: list[list[float]]

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if self.features != [INPUT]:
            raise ValueError(f"features: got {self.features!s:.60}, allowed is {INPUT} alone")
        if any(low >= high for low, high in pairwise(self.cuts)):
            raise ValueError("cuts: they have to rise")
        check_lengths(
            ("probabilities", len(self.probabilities), len(self.cuts) + 1),
            *(("probabilities row", len(row), N_REGIMES) for row in self.probabilities),
        )
        for row in self.probabilities:
            check_shares("probabilities row", row)
        return self

    def check_task(self, task: Task) -> None:
        """Check that it is a regime."""
        if task != "regime":
            raise ValueError(f"a table forecasts no {task}")

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the row of today's bin."""
        at = int(np.searchsorted(self.cuts, values[INPUT], side="right"))
        return Chances(np.array(self.probabilities[at]))
