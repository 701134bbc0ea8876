"""What every kind of model data shares: strict parsing, the tasks, and how it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from market.arrays import FloatArray
from market.targets import DIRECTIONS, REGIMES

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]
Task = Literal["direction", "regime"]
CLASSES: Final[dict[Task, tuple[str, ...]]] = {
    "direction": DIRECTIONS,
    "regime": REGIMES,
}
N_REGIMES: Final = len(REGIMES)
#: By how much shares read from a file may miss a sum of 1.
SUM_ROUNDING: Final = 1e-9


class Strict(BaseModel):
    """Types are not converted; unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Chances:
    """The probability of each regime, shape (3,), and what it was counted from.

    `ranks` are simulated IV ranks five sessions ahead, 0 to 100; shape (n_paths,). None where
    nothing was simulated.
    """

    probabilities: FloatArray
    ranks: FloatArray | None = None


class Parameters(Strict):
    """A model of one kind. It answers for the tasks it has a method for."""

    def names(self) -> tuple[str, ...]:
        """Return the features that are read, each once."""
        raise NotImplementedError

    def check_task(self, task: Task) -> None:
        """Check that the numbers are those of a model of a task.

        Raises
        ------
        ValueError
            Saying what was got and what is allowed.
        """
        raise NotImplementedError

    def decision(self, values: Mapping[str, float]) -> float:
        """Return the log-odds of UP, before calibration; not finite where they overflow."""
        raise NotImplementedError

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the probability of each regime; not finite where they overflow."""
        raise NotImplementedError


class Single(Parameters):
    """A model that is no mixture: it names what it reads."""

    features: Names

    def names(self) -> tuple[str, ...]:
        """Return the features that are read, each once."""
        return tuple(self.features)

    def inputs(self, values: Mapping[str, float]) -> FloatArray:
        """Return the features in the model's order; shape (n_features,)."""
        return np.array([values[name] for name in self.features], dtype=np.float64)


def check_lengths(*found: tuple[str, int, int]) -> None:
    """Check lengths, each given as what it is of, what was got and what is allowed.

    Raises
    ------
    ValueError
        Naming the first that is wrong.
    """
    for name, got, want in found:
        if got != want:
            raise ValueError(f"{name}: got {got}, allowed are {want}")


def check_shares(name: str, shares: list[float]) -> None:
    """Check that numbers are shares of 1.

    Raises
    ------
    ValueError
        If one is negative or they do not sum to 1.
    """
    if min(shares) < 0 or abs(sum(shares) - 1.0) > SUM_ROUNDING:
        raise ValueError(f"{name}: got a sum of {sum(shares):.12g}, allowed are shares of 1")


def check_names(features: list[str]) -> None:
    """Check that no name stands twice.

    Raises
    ------
    ValueError
        If one does.
    """
    if len(set(features)) != len(features):
        raise ValueError("features: a name stands twice")
