"""Models made of others, and every kind that a document may hold."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from jaxtyping import Float64, Int64
from pydantic import Field, PrivateAttr, model_validator

from forecasters.base import Chances, Parameters, Task, check_lengths, check_shares
from forecasters.linear import Linear
from forecasters.paths import Paths
from forecasters.returns import Returns
from forecasters.transition_table import Table
from forecasters.trees import Trees
from forecasters.unseen import AddOne

Weights = Annotated[list[float], Field(min_length=1)]


def weighted_mean(
    weights: Sequence[float], members: Sequence[Float64[np.ndarray, "*shape"]]
) -> Float64[np.ndarray, "*shape"]:
    """Return the weighted mean of what members say, each of the same shape."""
    flat = np.dot(weights, [np.ravel(member) for member in members])
    return np.asarray(flat, dtype=np.float64).reshape(members[0].shape)


class _Mixture(Parameters):
    weights: Weights
    _columns: tuple[Int64[np.ndarray, " n_of_member"], ...] = PrivateAttr()

    @abstractmethod
    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        check_lengths(("weights", len(self.weights), len(self.parts())))
        check_shares("weights", np.array(self.weights))
        place = {name: at for at, name in enumerate(self.names())}
        self._columns = tuple(
            np.array([place[name] for name in part.names()]) for part in self.parts()
        )
        return self

    def names(self) -> tuple[str, ...]:
        """Return the features of all members, each once, those of the first member first."""
        return tuple(dict.fromkeys(name for part in self.parts() for name in part.names()))

    def check_task(self, task: Task) -> None:
        """Check every member."""
        for part in self.parts():
            part.check_task(task)

    def check_row(self, row: Float64[np.ndarray, " n_features"]) -> None:
        """Check that every member has a number for it."""
        for part, columns in zip(self.parts(), self._columns, strict=True):
            part.check_row(row[columns])


class Ensemble(_Mixture):
    """The weighted mean of the members' log-odds of UP, calibrated together."""

    kind: Literal["ensemble"] = "ensemble"
    members: list[Annotated[Linear | Trees, Field(discriminator="kind")]]

    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""
        return tuple(self.members)

    def check_task(self, task: Task) -> None:
        """Check that it is a direction, and every member."""
        if task != "direction":
            raise ValueError(f"an ensemble forecasts no {task}")
        super().check_task(task)

    def decision(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the weighted mean of the members' log-odds; shape (n_rows,)."""
        parts = zip(self.members, self._columns, strict=True)
        log_odds = [member.decision(values[:, columns]) for member, columns in parts]
        return weighted_mean(self.weights, log_odds)


class Pool(_Mixture):
    """The weighted mean of the members' probabilities of each regime."""

    kind: Literal["pool"] = "pool"
    members: list[Annotated[Linear | Trees | Table | Paths | AddOne, Field(discriminator="kind")]]

    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""
        return tuple(self.members)

    def check_task(self, task: Task) -> None:
        """Check that it is a regime, and every member."""
        if task != "regime":
            raise ValueError(f"a pool forecasts no {task}")
        super().check_task(task)

    def chances(self, values: Float64[np.ndarray, "n_rows n_features"]) -> Chances:
        """Return the weighted mean, and the ranks of the member that simulates."""
        parts = zip(self.members, self._columns, strict=True)
        chances = [member.chances(values[:, columns]) for member, columns in parts]
        ranks = next((part.ranks for part in chances if part.ranks is not None), None)
        return Chances(weighted_mean(self.weights, [part.probabilities for part in chances]), ranks)


AnyKind = Annotated[
    Linear | Trees | Table | Paths | AddOne | Returns | Ensemble | Pool,
    Field(discriminator="kind"),
]
