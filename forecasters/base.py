"""What the parameters of every kind of model share: strict parsing, the tasks, how they are asked.

Parameters are frozen. Training builds them of arrays, serving parses them of JSON, and both ask
them the same: a batch of rows; a served row is a batch of one.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from market.arrays import FloatArray
from market.errors import InputError
from market.iv_rank import REGIMES
from market.targets import DIRECTIONS

Text = Annotated[str, Field(min_length=1)]
Names = Annotated[list[Text], Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]
Task = Literal["direction", "regime", "distribution"]
#: The classes of each task by code; a distribution has none.
CLASSES: Final[dict[Task, tuple[str, ...]]] = {
    "direction": DIRECTIONS,
    "regime": REGIMES,
    "distribution": (),
}
N_REGIMES: Final = len(REGIMES)
#: By how much shares read from a file may miss a sum of 1.
SUM_ROUNDING: Final = 1e-9


class ForecastError(InputError):
    """No forecast of these features: the model has no number for them.

    Attributes
    ----------
    error
        The reason in one word, for programs: `not_finite`, `out_of_range`.
    detail
        The reason in a sentence, for people: what was got, what is allowed.
    """

    def __init__(self, error: str, detail: str) -> None:
        super().__init__(f"{error}: {detail}")
        self.error = error
        self.detail = detail


@dataclass(frozen=True)
class _Lists:
    """Reads an array from (nested) lists of a document, strictly, and writes it as such.

    An array, as a fit gives it, is taken as it is.
    """

    of: Any

    def __get_pydantic_core_schema__(
        self, _source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(
            _array,
            handler.generate_schema(self.of),
            serialization=core_schema.plain_serializer_function_ser_schema(np.ndarray.tolist),
        )


def _array(value: object, read: Callable[[object], list[Any]]) -> FloatArray:
    if isinstance(value, np.ndarray):
        return value
    numbers = read(value)
    if len({len(row) for row in numbers if isinstance(row, list)}) > 1:
        raise ValueError("got rows of several lengths, allowed is one")
    return np.array(numbers, dtype=np.float64)


Vector = Annotated[FloatArray, _Lists(list[float])]
Scale = Annotated[FloatArray, _Lists(list[Positive])]
Matrix = Annotated[FloatArray, _Lists(list[list[float]])]


class Strict(BaseModel):
    """Types are not converted; unknown fields and numbers that are not finite are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True)
class Chances:
    """The probability of each regime, shape (n_rows, 3), and what it was counted from.

    `ranks` are simulated IV ranks five sessions ahead, 0 to 100; shape (n_rows, n_paths). None
    where nothing was simulated.
    """

    probabilities: Float64[np.ndarray, "n_rows n_classes"]
    ranks: Float64[np.ndarray, "n_rows n_paths"] | None = None


class Parameters(Strict):
    """A model of one kind. It answers for the tasks it has a method for.

    `values` are rows of known features in the order of `names`; shape (n_rows, n_features).
    """

    kind: str

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Return the features that are read, each once."""

    @abstractmethod
    def check_task(self, task: Task) -> None:
        """Check that the numbers are those of a model of a task.

        Raises
        ------
        ValueError
            Saying what was got and what is allowed.
        """

    def check_row(self, row: Float64[np.ndarray, " n_features"]) -> None:
        """Check that there is a number for a row; shape (n_features,). Nothing to check by default.

        Raises
        ------
        ForecastError
            `out_of_range`, naming the feature.
        """

    def decision(
        self,
        values: Float64[np.ndarray, "n_rows n_features"],  # noqa: ARG002
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the log-odds of UP before calibration, not finite on overflow; shape (n_rows,)."""
        raise TypeError(f"a model of kind {self.kind} forecasts no direction")

    def chances(
        self,
        values: Float64[np.ndarray, "n_rows n_features"],  # noqa: ARG002
    ) -> Chances:
        """Return the probability of each regime, NaN where they overflow."""
        raise TypeError(f"a model of kind {self.kind} forecasts no regime")


class Single(Parameters):
    """A model that is no mixture: it names what it reads."""

    features: Names

    def names(self) -> tuple[str, ...]:
        """Return the features that are read, each once."""
        return tuple(self.features)


def check_shape(name: str, array: Float64[np.ndarray, "..."], shape: tuple[int, ...]) -> None:
    """Check the shape of an array.

    Raises
    ------
    ValueError
        If it is another.
    """
    if array.shape != shape:
        raise ValueError(f"{name}: got shape {array.shape}, allowed is {shape}")


def check_lengths(*lengths: tuple[str, int, int]) -> None:
    """Check lengths, each given as what it is of, what was got and what is allowed.

    Raises
    ------
    ValueError
        Naming the first that is wrong.
    """
    for name, got, allowed in lengths:
        if got != allowed:
            raise ValueError(f"{name}: got {got}, allowed are {allowed}")


def check_shares(name: str, shares: Float64[np.ndarray, "... n_shares"]) -> None:
    """Check that numbers are shares of 1; along the last axis of an array of any shape.

    Raises
    ------
    ValueError
        If one is negative or they do not sum to 1.
    """
    sums = shares.sum(axis=-1)
    if not (shares >= 0).all() or not (np.abs(sums - 1.0) <= SUM_ROUNDING).all():
        worst = float(np.ravel(sums)[np.argmax(np.abs(np.ravel(sums) - 1.0))])
        raise ValueError(
            f"{name}: got a sum of {worst:.12g}, allowed are shares of 1, none negative"
        )


def check_names(features: list[str]) -> None:
    """Check that no name stands twice.

    Raises
    ------
    ValueError
        If one does.
    """
    if len(set(features)) != len(features):
        raise ValueError("features: a name stands twice")
