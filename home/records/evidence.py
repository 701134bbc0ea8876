"""Evidence in short: how a model fared against its baseline, and the word for it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from home.records.record import Record

Text = Annotated[str, Field(min_length=1)]
Standing = Literal["proven", "unproven", "refuted"]
#: What a model was when it answered; one of a walk-forward was never registered.
ServedAs = Literal["champion", "challenger", "baseline", "walk-forward"]
WALK_FORWARD: Final = "walk-forward"


def standing_of(proven: bool, interval: Sequence[float] | None) -> Standing:
    """Return the word for a model by its figures (Decision 20).

    Parameters
    ----------
    proven
        Whether the bound of the improvement lies above 0, the number of trials survived.
    interval
        Of the improvement over the baseline: wholly below 0, the model is refuted.
    """
    if proven:
        return "proven"
    return "refuted" if interval is not None and interval[-1] < 0.0 else "unproven"


class Evidence(Record):
    """The gate's figure (Decision 11): the improvement over a baseline and its interval.

    `improvement` and `interval` are null where the evaluation could not measure them, and then
    nothing is proven. A document from before there was a `standing` is read by its figures.
    """

    proven: bool
    standing: Standing
    metric: Text
    baseline: Text
    improvement: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    verdict: str

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:  # noqa: ANN401 - whatever a document holds
        if not isinstance(given, dict) or "standing" in given:
            return given
        interval = given.get("interval")
        numbers = isinstance(interval, list) and all(isinstance(n, float) for n in interval)
        known = interval if numbers and interval else None
        return {**given, "standing": standing_of(given.get("proven") is True, known)}

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.proven and (self.improvement is None or self.interval is None):
            raise ValueError("proven without a figure and its interval")
        if (wanted := standing_of(self.proven, self.interval)) != self.standing:
            raise ValueError(f"standing: got {self.standing}, by the figures it is {wanted}")
        return self
