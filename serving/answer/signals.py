"""From a row of features and two models to a signal. Pure: no store, no file, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar, cast

import pandas as pd

from forecasters.base import ForecastError
from market.targets import UP, Direction, IvRegime, band, expected_iv_direction
from serving.reading.artifact import Artifact
from serving.reading.refusal import Refusal
from trading.strategies.selector import Forecasts, Recommendation, select

Answer = TypeVar("Answer")

# What a signal shows of today's implied volatility, whatever the models read.
CONTEXT_FEATURES: Final = ("iv_rank", "iv_hv_spread")


@dataclass(frozen=True)
class FeatureRow:
    """The features of one ticker and session, as the online store holds them.

    Attributes
    ----------
    session
        Midnight of the session, without a zone.
    values
        Every feature by name; all finite.
    ages
        Sessions completed since, by view.
    """

    ticker: str
    session: pd.Timestamp
    values: Mapping[str, float]
    ages: Mapping[str, int]


@dataclass(frozen=True)
class Outlook:
    """What implied volatility is expected to be: a class, how sure that is (0 to 1), and why."""

    iv_regime: IvRegime
    confidence: float
    source: str


@dataclass(frozen=True)
class Models:
    """The two models that a signal takes."""

    direction: Artifact
    regime: Artifact

    @property
    def proven(self) -> bool:
        """Whether both have beaten their baselines."""
        return self.direction.evidence.proven and self.regime.evidence.proven

    def features(self) -> list[str]:
        """Return every feature that a signal reads, each once."""
        return list(
            dict.fromkeys([*self.direction.features, *self.regime.features, *CONTEXT_FEATURES])
        )


def build_signal(
    row: FeatureRow, models: Models, *, as_of: pd.Timestamp, origin: str
) -> dict[str, Any]:
    """Return the signal for a row of features.

    Parameters
    ----------
    row
        Holds every feature of `models.features()`.
    as_of, origin
        The clock (with a zone) and the origin that `provenance` carries.
    """
    predicted = prediction(row.values, models.direction)
    expected = volatility(row.values, models.regime)
    recommendation = select(forecasts(predicted, iv_outlook(expected)), proven=models.proven)
    return {
        "ticker": row.ticker,
        "session": str(row.session.date()),
        **_strategy_fields(recommendation),
        "prediction": predicted,
        "iv_context": iv_context(row.values),
        "volatility": expected,
        "alternatives": [asdict(choice) for choice in recommendation.alternatives],
        "structure": None,
        "evidence": _evidence(models),
        "provenance": {
            "as_of": as_of.tz_convert("UTC").isoformat(),
            "origin": origin,
            "definition_hash": models.direction.definition_hash,
            "models": {
                "direction": _served(models.direction),
                "regime": _served(models.regime),
            },
            "age_in_sessions": dict(row.ages),
        },
    }


def prediction(values: Mapping[str, float], model: Artifact) -> dict[str, Any]:
    """Return the design's prediction: direction, P(UP), max(p, 1 - p) and the threshold used.

    Raises
    ------
    Refusal
        `not_finite` if the features overflow the model.
    """
    forecast = _forecast(model.direction, values)
    return {
        "direction": forecast.called,
        "probability": forecast.probability,
        "confidence": max(forecast.probability, 1.0 - forecast.probability),
        "threshold_used": model.threshold,
    }


def volatility(values: Mapping[str, float], model: Artifact) -> dict[str, Any]:
    """Return the forecast class of iv_rank, the chance of each, and the way from today's class.

    `confidence` is the chance of the class that is called, which need not be the likeliest;
    `iv_rank_forecast` the interval of the rank itself, null where the model simulates none.

    Raises
    ------
    Refusal
        `not_finite` if the features overflow the model, `out_of_range` if it has no number for one.
    InputError
        If today's iv_rank is not from 0 to 100.
    """
    found = _forecast(model.regime, values)
    return {
        "predicted_regime": found.called,
        "regime_probabilities": found.probabilities,
        "expected_iv_direction": expected_iv_direction(
            cast(IvRegime, found.called), values["iv_rank"]
        ),
        "confidence": found.probabilities[found.called],
        "iv_rank_forecast": found.iv_rank,
    }


def _forecast(ask: Callable[[Mapping[str, float]], Answer], values: Mapping[str, float]) -> Answer:
    """Return what a model says of features, its refusal as that of a signal."""
    try:
        return ask(values)
    except ForecastError as error:
        raise Refusal(error.error, error.detail) from None


def iv_outlook(expected: Mapping[str, Any]) -> Outlook:
    """Return the outlook of a volatility forecast."""
    confidence = float(expected["confidence"])
    words = f"forecast five sessions ahead, probability {confidence:.2f}"
    return Outlook(cast(IvRegime, expected["predicted_regime"]), confidence, words)


def forecasts(predicted: Mapping[str, Any], outlook: Outlook) -> Forecasts:
    """Return what the strategy selector reads of a prediction and an outlook."""
    direction = cast(Direction, predicted["direction"])
    # Decision 6: the probability of the direction chosen, which may lie below one half.
    up = float(predicted["probability"])
    return Forecasts(
        direction=direction,
        direction_confidence=up if direction == UP else 1.0 - up,
        iv_regime=outlook.iv_regime,
        iv_confidence=outlook.confidence,
    )


def iv_context(values: Mapping[str, float]) -> dict[str, Any]:
    """Return today's implied volatility: rank, its band, and the spread over hv_20 (points).

    Raises
    ------
    InputError
        If iv_rank is not from 0 to 100.
    """
    return {
        "iv_rank": values["iv_rank"],
        "iv_regime": band(values["iv_rank"]).lower(),
        "iv_hv_spread": values["iv_hv_spread"],
    }


def _strategy_fields(recommendation: Recommendation) -> dict[str, Any]:
    """Return the design's StrategyRecommendation, field by field."""
    return {
        "strategy": recommendation.strategy,
        "direction": recommendation.direction,
        "iv_regime": recommendation.iv_regime,
        "direction_confidence": recommendation.direction_confidence,
        "iv_confidence": recommendation.iv_confidence,
        "overall_confidence": recommendation.overall_confidence,
        "position_size": recommendation.position_size,
        "reasoning": recommendation.reasoning,
        "trade_parameters": recommendation.trade_parameters,
    }


def _evidence(models: Models) -> dict[str, Any]:
    return {
        "proven": models.proven,
        "direction": models.direction.evidence.model_dump(),
        "regime": models.regime.evidence.model_dump(),
    }


def _served(model: Artifact) -> dict[str, Any]:
    return {
        "name": model.name,
        "version": model.version,
        "alias": model.alias,
        "run_id": model.run_id,
        "artifact_sha256": model.sha256,
        "feature_service": model.feature_service,
    }
