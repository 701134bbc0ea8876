"""A served model whole: what its numbers are for, how it calls, and the evidence for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

import numpy as np
from jaxtyping import Float64
from pydantic import Field, PrivateAttr, model_validator

from forecasters.base import (
    CLASSES,
    ForecastError,
    Positive,
    Strict,
    Task,
    Text,
    check_names,
)
from forecasters.calls import Calibration, called, called_up, sigmoid
from forecasters.mixtures import AnyKind
from forecasters.paths import rank_interval
from forecasters.returns import ReturnDistribution, Returns
from home.records.evidence import WALK_FORWARD, Evidence, ServedAs

FORMAT: Final = 2
#: What a signal says of a baseline that serves itself (Decision 20).
NO_MODEL_IS_BETTER: Final = "baseline: no model is better"


class Trained(Strict):
    """The rows a model was fitted on: first and last session, and their number."""

    start: Text
    end: Text
    rows: Annotated[int, Field(gt=0)]


@dataclass(frozen=True)
class DirectionForecast:
    """The direction called and the calibrated P(UP) (Decision 6)."""

    called: str
    probability: float


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

    `model` is the word it was trained by, or the name of the baseline that serves; how it is
    evaluated, its parameters' kind alone says. One of a walk-forward was never registered, and is
    of version 0.
    """

    format: Literal[2]
    name: Text
    task: Task
    model: Text
    ticker: Text
    version: Annotated[int, Field(ge=0)]
    run_id: Text
    alias: ServedAs
    feature_service: Text
    definition_hash: Text
    features: list[Text]
    parameters: AnyKind
    classes: list[str]
    calibration: Calibration | None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None
    call_weights: list[Positive] | None
    trained: Trained
    evidence: Evidence
    sha256: Text
    _names: tuple[str, ...] = PrivateAttr()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.version == 0) != (self.alias == WALK_FORWARD):
            raise ValueError(
                f"version: got {self.version} of a {self.alias}, allowed is 0 for a model of a "
                "walk-forward, from 1 for any other"
            )
        self._names = self.parameters.names()
        if tuple(self.classes) != CLASSES[self.task]:
            raise ValueError(f"classes: got {self.classes}, allowed {CLASSES[self.task]}")
        self.parameters.check_task(self.task)
        if self.task == "distribution" and not isinstance(self.parameters, Returns):
            raise ValueError(f"a model of kind {self.parameters.kind} forecasts no distribution")
        self._check_features()
        self._check_calls()
        return self

    def _check_features(self) -> None:
        check_names(self.features)
        if unlike := set(self.features) ^ set(self._names):
            raise ValueError(
                f"features: {', '.join(sorted(unlike))!s:.200} stand in features or in parameters, "
                "allowed are names in both"
            )

    def _check_calls(self) -> None:
        direction = self.task == "direction"
        if (self.calibration is not None, self.threshold is not None) != (direction,) * 2:
            raise ValueError("calibration and threshold belong to a direction, to nothing else")
        weights = None if self.call_weights is None else len(self.call_weights)
        if weights != (len(self.classes) if self.task == "regime" else None):
            raise ValueError("call_weights: allowed is one a class of a regime, null otherwise")

    def direction(self, features: Mapping[str, float]) -> DirectionForecast:
        """Return the forecast of a direction model; UP is called above its threshold.

        Raises
        ------
        ValueError
            If this is no direction model.
        ForecastError
            `not_finite` if a feature is not finite or the features overflow the model.
        """
        if self.calibration is None or self.threshold is None:
            raise ValueError(f"{self.name} forecasts no direction: it is no direction model")
        decision = self.parameters.decision(self._row(features))
        log_odds = self.calibration.log_odds(decision)
        self._check_finite("decision value", log_odds)
        probability = sigmoid(log_odds)
        up = called_up(probability, self.threshold)[0]
        return DirectionForecast(self.classes[up], float(probability[0]))

    def probability_up(self, features: Mapping[str, float]) -> float:
        """Return the calibrated P(UP) of a direction model. See `direction`."""
        return self.direction(features).probability

    def regime(self, features: Mapping[str, float]) -> RegimeForecast:
        """Return the forecast of a regime model; the class called has the largest weighted chance.

        Raises
        ------
        ValueError
            If this is no regime model.
        ForecastError
            `not_finite` as for a direction; `out_of_range` if the model has no number for one.
        """
        if self.call_weights is None:
            raise ValueError(f"{self.name} forecasts no regime")
        chances = self.parameters.chances(self._row(features))
        probabilities, ranks = chances.probabilities, chances.ranks
        self._check_finite("probabilities", probabilities)
        return RegimeForecast(
            called=self.classes[called(probabilities, self.call_weights)[0]],
            probabilities=dict(zip(self.classes, probabilities[0].tolist(), strict=True)),
            iv_rank=None if ranks is None else rank_interval(ranks[0]),
        )

    def probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of every class of a regime model; they sum to 1. See `regime`."""
        return self.regime(features).probabilities

    def distribution(self, features: Mapping[str, float]) -> ReturnDistribution:
        """Return the distribution of the log-return over the next sessions.

        Raises
        ------
        ValueError
            If this is no model of a distribution.
        ForecastError
            `not_finite` as for a direction; `out_of_range` if the model has no number for one.
        """
        if not isinstance(self.parameters, Returns):
            raise ValueError(  # noqa: TRY004 - as of the other tasks
                f"{self.name} forecasts no distribution"
            )
        return self.parameters.at(self._row(features)[0])

    def _row(self, features: Mapping[str, float]) -> Float64[np.ndarray, "1 n_features"]:
        """Return what the model reads, all finite; shape (1, n_features).

        An unknown value is no missing branch of a tree.
        """
        row = np.array([features[name] for name in self._names], dtype=np.float64)
        known = np.isfinite(row)
        if not known.all():
            at = int(np.argmin(known))
            raise ForecastError("not_finite", f"{self.name}: {self._names[at]} is {row[at]}")
        self.parameters.check_row(row)
        return row[None]

    def _check_finite(self, what: str, numbers: Float64[np.ndarray, "..."]) -> None:
        if not np.isfinite(numbers).all():
            raise ForecastError(
                "not_finite",
                f"{self.name}: the features overflow it, its {what}: {np.ravel(numbers).tolist()}",
            )
