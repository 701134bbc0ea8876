"""A model whose training part lacked a class: rare is not impossible."""

from typing import Annotated, Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import Field, model_validator

from forecasters.base import N_REGIMES, Chances, Parameters, Task
from forecasters.linear import Linear
from forecasters.trees import Trees


class AddOne(Parameters):
    """A model's probabilities of the classes it was fitted on; each other class has a fixed one.

    Attributes
    ----------
    absent
        Codes of the classes that no fitted row had.
    unseen
        The add-one probability of each, as in the transition table: 1 / (rows + classes).
    """

    kind: Literal["add_one"] = "add_one"
    model: Annotated[Linear | Trees, Field(discriminator="kind")]
    absent: Annotated[list[Annotated[int, Field(ge=0, lt=N_REGIMES)]], Field(min_length=1)]
    unseen: Annotated[float, Field(gt=0, lt=1 / N_REGIMES)]

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        if not len(self.absent) == len(set(self.absent)) < N_REGIMES:
            raise ValueError(f"absent: got {self.absent}, allowed are some classes, each once")
        return self

    def names(self) -> tuple[str, ...]:
        """Return the features that are read, each once."""
        return self.model.names()

    def check_task(self, task: Task) -> None:
        """Check that it is a regime, and the model."""
        if task != "regime":
            raise ValueError(f"a model that lacks a class forecasts no {task}")
        self.model.check_task(task)

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the model's probabilities of the classes it knows, scaled to what is left."""
        shares = self.model.chances(values).probabilities
        shares[:, self.absent] = 0.0
        left = 1.0 - self.unseen * len(self.absent)
        chances = left * shares / shares.sum(axis=1, keepdims=True)
        chances[:, self.absent] = self.unseen
        return Chances(chances)


def with_unseen(model: Linear | Trees, absent: list[int], rows: int) -> Linear | Trees | AddOne:
    """Return a model of a regime that gives every class a probability.

    Parameters
    ----------
    absent
        Codes of the classes that none of the rows had.
    rows
        How many it was fitted on.
    """
    if not absent:
        return model
    return AddOne(model=model, absent=absent, unseen=1.0 / (rows + N_REGIMES))
