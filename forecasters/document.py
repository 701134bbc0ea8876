"""A served model whole: what its numbers are for, how it calls, and the evidence for it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from forecasters.base import CLASSES, Names, Positive, Strict, Task, Text, check_names
from forecasters.mixtures import AnyKind
from forecasters.paths import rank_interval
from market.arrays import FloatArray
from serving.reading.refusal import Refusal

FORMAT: Final = 2


class Calibration(Strict):
    """Platt's curve: P(UP) = sigmoid(slope x decision value + intercept)."""

    slope: float
    intercept: float


class Trained(Strict):
    """The rows a model was fitted on: first and last session, and their number."""

    start: Text
    end: Text
    rows: Annotated[int, Field(gt=0)]


class Evidence(Strict):
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


@dataclass(frozen=True)
class RegimeForecast:
    """The class called, the probability of each, and the simulated interval of the IV rank.

    `iv_rank` is None where the model simulates no rank.
    """

    called: str
    probabilities: dict[str, float]
    iv_rank: dict[str, float] | None


class Artifact(Strict):
    """A model of one kind, its classes, calibration, how it calls, and evidence.

    `model` is the word it was trained by; how it is evaluated, its parameters' kind alone says.
    """

    format: Literal[2]
    name: Text
    task: Task
    model: Text
    ticker: Text
    version: Annotated[int, Field(ge=1)]
    run_id: Text
    alias: Literal["champion", "challenger"]
    feature_service: Text
    definition_hash: Text
    features: Names
    parameters: AnyKind
    classes: list[str]
    calibration: Calibration | None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None
    call_weights: list[Positive] | None
    trained: Trained
    evidence: Evidence
    sha256: Text

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if tuple(self.classes) != CLASSES[self.task]:
            raise ValueError(f"classes: got {self.classes}, allowed {CLASSES[self.task]}")
        self.parameters.check_task(self.task)
        self._check_features()
        self._check_calls()
        return self

    def _check_features(self) -> None:
        check_names(self.features)
        if unlike := set(self.features) ^ set(self.parameters.names()):
            raise ValueError(
                f"features: {', '.join(sorted(unlike))!s:.200} stand in features or in parameters, "
                "allowed are names in both"
            )

    def _check_calls(self) -> None:
        direction = self.task == "direction"
        if (self.calibration is not None, self.threshold is not None) != (direction,) * 2:
            raise ValueError("calibration and threshold belong to a direction, to nothing else")
        weights = None if self.call_weights is None else len(self.call_weights)
        if weights != (None if direction else len(self.classes)):
            raise ValueError("call_weights: allowed is one a class of a regime, null otherwise")

    def probability_up(self, features: Mapping[str, float]) -> float:
        """Return the calibrated P(UP) (Decision 6).

        Raises
        ------
        ValueError
            If this is no direction model.
        Refusal
            `not_finite` if a feature is not finite or the features overflow the model.
        """
        if self.calibration is None:
            raise ValueError(f"{self.name} forecasts no direction")
        decision = self.parameters.decision(self._known(features))
        with np.errstate(over="ignore", invalid="ignore"):
            odds = self.calibration.slope * decision + self.calibration.intercept
        self._check_finite("decision value", np.array([odds]))
        # Two forms, so that exp never overflows.
        small = math.exp(-abs(odds))
        return 1.0 / (1.0 + small) if odds >= 0 else small / (1.0 + small)

    def regime(self, features: Mapping[str, float]) -> RegimeForecast:
        """Return the forecast of a regime model; the class called has the largest weighted chance.

        Raises
        ------
        ValueError
            If this is no regime model.
        Refusal
            `not_finite` as for a direction; `out_of_range` if the model has no number for one.
        """
        if self.call_weights is None:
            raise ValueError(f"{self.name} forecasts no regime")
        found = self.parameters.chances(self._known(features))
        self._check_finite("probabilities", found.probabilities)
        called = int(np.argmax(found.probabilities * np.array(self.call_weights)))
        return RegimeForecast(
            called=self.classes[called],
            probabilities=dict(zip(self.classes, found.probabilities.tolist(), strict=True)),
            iv_rank=None if found.ranks is None else rank_interval(found.ranks),
        )

    def probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of every class of a regime model; they sum to 1. See `regime`."""
        return self.regime(features).probabilities

    def _known(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return what the model reads, all finite: an unknown value is no missing branch."""
        known = {name: float(features[name]) for name in self.features}
        for name, value in known.items():
            if not math.isfinite(value):
                raise Refusal("not_finite", f"{self.name}: {name} is {value}")
        return known

    def _check_finite(self, what: str, found: FloatArray) -> None:
        if not np.isfinite(found).all():
            raise Refusal(
                "not_finite", f"{self.name}: the features overflow it, its {what}: {found.tolist()}"
            )
