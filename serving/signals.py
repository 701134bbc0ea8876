"""From a row of features and two models to a signal. Pure: no store, no file, no clock."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

import pandas as pd

from serving.artifact import Artifact
from trading.regimes import IvRegime, band, expected_iv_direction
from trading.selector import Direction, Forecasts, Recommendation, select

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
    prediction = _prediction(row.values, models.direction)
    volatility = _volatility(row.values, models.regime)
    recommendation = _recommendation(prediction, volatility, proven=models.proven)
    return {
        "ticker": row.ticker,
        "session": str(row.session.date()),
        **_strategy_fields(recommendation),
        "prediction": prediction,
        "iv_context": _iv_context(row.values),
        "volatility": volatility,
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


def _prediction(values: Mapping[str, float], model: Artifact) -> dict[str, Any]:
    if model.threshold is None:
        raise ValueError(f"{model.name} has no threshold: it is no direction model")
    probability = model.probability_up(values)
    return {
        "direction": "UP" if probability > model.threshold else "DOWN",
        "probability": probability,
        "confidence": max(probability, 1.0 - probability),
        "threshold_used": model.threshold,
    }


def _volatility(values: Mapping[str, float], model: Artifact) -> dict[str, Any]:
    chances = model.probabilities(values)
    predicted = max(chances, key=chances.__getitem__)
    return {
        "predicted_regime": predicted,
        "regime_probabilities": chances,
        "expected_iv_direction": expected_iv_direction(
            cast(IvRegime, predicted), values["iv_rank"]
        ),
        "confidence": chances[predicted],
    }


def _recommendation(
    prediction: Mapping[str, Any], volatility: Mapping[str, Any], *, proven: bool
) -> Recommendation:
    direction = cast(Direction, prediction["direction"])
    # Decision 6: the probability of the direction chosen, which may lie below one half.
    up = float(prediction["probability"])
    forecasts = Forecasts(
        direction=direction,
        direction_confidence=up if direction == "UP" else 1.0 - up,
        iv_regime=cast(IvRegime, volatility["predicted_regime"]),
        iv_confidence=float(volatility["confidence"]),
    )
    return select(forecasts, proven=proven)


def _strategy_fields(recommendation: Recommendation) -> dict[str, Any]:
    """Return the seed's StrategyRecommendation, field by field."""
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


def _iv_context(values: Mapping[str, float]) -> dict[str, Any]:
    return {
        "iv_rank": values["iv_rank"],
        "iv_regime": band(values["iv_rank"]).lower(),
        "iv_hv_spread": values["iv_hv_spread"],
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
