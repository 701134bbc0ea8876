"""Evidence in short: how a model fared against its baseline."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from home.records.record import Record

Text = Annotated[str, Field(min_length=1)]


class Evidence(Record):
    """The gate's figure (Decision 11): the improvement over a baseline and its interval.

    `improvement` and `interval` are null where the evaluation could not measure them, and then
    nothing is proven.
    """

    proven: bool
    metric: Text
    baseline: Text
    improvement: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    verdict: str

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.proven and (self.improvement is None or self.interval is None):
            raise ValueError("proven without a figure and its interval")
        return self
