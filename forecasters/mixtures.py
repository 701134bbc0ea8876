"""Models made of others, and every kind that a document may hold."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from forecasters.base import Chances, Parameters, Task, check_lengths, check_shares
from forecasters.linear import Linear
from forecasters.paths import Paths
from forecasters.table import Table
from forecasters.trees import Trees

Weights = Annotated[list[float], Field(min_length=1)]


class _Mixture(Parameters):
    weights: Weights

    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        check_lengths(("weights", len(self.weights), len(self.parts())))
        check_shares("weights", self.weights)
        return self

    def names(self) -> tuple[str, ...]:
        """Return the features of all members, each once, those of the first member first."""
        return tuple(dict.fromkeys(name for part in self.parts() for name in part.names()))

    def check_task(self, task: Task) -> None:
        """Check every member."""
        for part in self.parts():
            part.check_task(task)


class Ensemble(_Mixture):
    """The weighted mean of the members' log-odds of UP, calibrated together."""

    kind: Literal["ensemble"]
    members: list[Annotated[Linear | Trees, Field(discriminator="kind")]]

    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""
        return tuple(self.members)

    def check_task(self, task: Task) -> None:
        """Check that it is a direction, and every member."""
        if task != "direction":
            raise ValueError(f"an ensemble forecasts no {task}")
        super().check_task(task)

    def decision(self, values: Mapping[str, float]) -> float:
        """Return the weighted mean of the members' log-odds."""
        said = [member.decision(values) for member in self.members]
        return float(np.dot(self.weights, said))


class Pool(_Mixture):
    """The weighted mean of the members' probabilities of each regime."""

    kind: Literal["pool"]
    members: list[Annotated[Linear | Trees | Table | Paths, Field(discriminator="kind")]]

    def parts(self) -> tuple[Parameters, ...]:
        """Return the members."""
        return tuple(self.members)

    def check_task(self, task: Task) -> None:
        """Check that it is a regime, and every member."""
        if task != "regime":
            raise ValueError(f"a pool forecasts no {task}")
        super().check_task(task)

    def chances(self, values: Mapping[str, float]) -> Chances:
        """Return the weighted mean, and the ranks of the member that simulates."""
        said = [member.chances(values) for member in self.members]
        mean = np.dot(self.weights, [one.probabilities for one in said])
        ranks = next((one.ranks for one in said if one.ranks is not None), None)
        return Chances(np.asarray(mean, dtype=np.float64), ranks)


AnyKind = Annotated[
    Linear | Trees | Table | Paths | Ensemble | Pool,
    Field(discriminator="kind"),
]
