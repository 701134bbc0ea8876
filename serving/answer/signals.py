"""From a row of features and two models to a signal. Pure: no store, no file, no clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar, cast

import pandas as pd

from forecasters.base import ForecastError
from forecasters.document import NO_MODEL_IS_BETTER, Artifact
from home.origin import Origin
from home.records.signal import (
    BandWord,
    IvContext,
    IvRankForecast,
    Prediction,
    Provenance,
    ServedModel,
    ServedModels,
    Signal,
    SignalEvidence,
    Volatility,
)
from market.iv_rank import IvRegime, band, expected_iv_direction
from market.targets import UP, Direction
from serving.answer.structure import NO_POSITION, NOT_PRICED, Priced, Pricing
from serving.reading.refusal import Refusal
from serving.reading.row import FeatureRow
from trading.strategies.selector import Forecasts, Recommendation, select
from trading.structures.edge import beside, has_edge, without_edge

Answer = TypeVar("Answer")

# What a signal shows of today's implied volatility, whatever the models read.
CONTEXT_FEATURES: Final = ("iv_rank", "iv_hv_spread")


@dataclass(frozen=True)
class Outlook:
    """What implied volatility is expected to be: a class, how sure that is (0 to 1), and why."""

    iv_regime: IvRegime
    confidence: float
    source: str


@dataclass(frozen=True)
class Models:
    """The models that a signal takes; `notes` say of a task why another than usual answers.

    That of the distribution prices chances alone: a signal is one without it.
    """

    direction: Artifact
    regime: Artifact
    notes: Mapping[str, str] = field(default_factory=dict)
    distribution: Artifact | None = None

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
    row: FeatureRow,
    models: Models,
    *,
    as_of: pd.Timestamp,
    origin: Origin,
    pricing: Pricing | None = None,
) -> Signal:
    """Return the signal for a row of features.

    Parameters
    ----------
    row
        Holds every feature of `models.features()`.
    as_of, origin
        The clock (with a zone) and the origin that `provenance` carries.
    pricing
        How positions are priced; None prices none.
    """
    predicted = prediction(row.values, models.direction)
    expected = volatility(row.values, models.regime)
    chosen = select(forecasts(predicted, iv_outlook(expected)), proven=models.proven)
    chosen, position = _with_position(row, models, chosen, pricing)
    return Signal(
        ticker=row.ticker,
        session=str(row.session.date()),
        strategy=chosen.strategy,
        direction=chosen.direction,
        iv_regime=chosen.iv_regime,
        direction_confidence=chosen.direction_confidence,
        iv_confidence=chosen.iv_confidence,
        overall_confidence=chosen.overall_confidence,
        position_size=chosen.position_size,
        reasoning=chosen.reasoning,
        trade_parameters=chosen.trade_parameters,
        prediction=predicted,
        iv_context=iv_context(row.values),
        volatility=expected,
        alternatives=list(chosen.alternatives),
        structure=position.structure,
        structure_note=position.why_none,
        evidence=_evidence(models),
        provenance=_provenance(row, models, as_of, origin),
    )


def _with_position(
    row: FeatureRow, models: Models, chosen: Recommendation, pricing: Pricing | None
) -> tuple[Recommendation, Priced]:
    """Return the position of a recommendation, and what is recommended once it is known."""
    if pricing is None:
        return chosen, Priced(None, NOT_PRICED)
    found = pricing.priced(
        row,
        chosen.strategy,
        chosen.position_size,
        models.distribution,
        models.notes.get("distribution"),
    )
    if found.structure is None:
        return chosen, found
    if pricing.require_edge and not has_edge(found.structure):
        return without_edge(chosen, found.structure), Priced(None, NO_POSITION)
    other = beside(chosen, found.structure)
    return replace(chosen, alternatives=(*chosen.alternatives, other)), found


def prediction(values: Mapping[str, float], model: Artifact) -> Prediction:
    """Return the design's prediction: direction, P(UP), max(p, 1 - p) and the threshold used.

    Raises
    ------
    Refusal
        `not_finite` if the features overflow the model.
    """
    forecast = _forecast(model.direction, values)
    return Prediction(
        direction=cast(Direction, forecast.called),
        probability=forecast.probability,
        confidence=max(forecast.probability, 1.0 - forecast.probability),
        threshold_used=cast(float, model.threshold),
    )


def volatility(values: Mapping[str, float], model: Artifact) -> Volatility:
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
    forecast = _forecast(model.regime, values)
    called = cast(IvRegime, forecast.called)
    ranks = forecast.iv_rank
    return Volatility(
        predicted_regime=called,
        regime_probabilities=cast(dict[IvRegime, float], forecast.probabilities),
        expected_iv_direction=expected_iv_direction(called, values["iv_rank"]),
        confidence=forecast.probabilities[called],
        iv_rank_forecast=None if ranks is None else IvRankForecast(**ranks),
    )


def _forecast(ask: Callable[[Mapping[str, float]], Answer], values: Mapping[str, float]) -> Answer:
    """Return what a model says of features, its refusal as that of a signal."""
    try:
        return ask(values)
    except ForecastError as error:
        raise Refusal(error.error, error.detail) from None


def iv_outlook(expected: Volatility) -> Outlook:
    """Return the outlook of a volatility forecast."""
    words = f"forecast five sessions ahead, probability {expected.confidence:.2f}"
    return Outlook(expected.predicted_regime, expected.confidence, words)


def forecasts(predicted: Prediction, outlook: Outlook) -> Forecasts:
    """Return what the strategy selector reads of a prediction and an outlook."""
    # Decision 6: the probability of the direction chosen, which may lie below one half.
    up = predicted.probability
    return Forecasts(
        direction=predicted.direction,
        direction_confidence=up if predicted.direction == UP else 1.0 - up,
        iv_regime=outlook.iv_regime,
        iv_confidence=outlook.confidence,
    )


def iv_context(values: Mapping[str, float]) -> IvContext:
    """Return today's implied volatility: rank, its band, and the spread over hv_20 (points).

    Raises
    ------
    InputError
        If iv_rank is not from 0 to 100.
    """
    return IvContext(
        iv_rank=values["iv_rank"],
        iv_regime=cast(BandWord, band(values["iv_rank"]).lower()),
        iv_hv_spread=values["iv_hv_spread"],
    )


def _evidence(models: Models) -> SignalEvidence:
    return SignalEvidence(
        proven=models.proven,
        direction=models.direction.evidence,
        regime=models.regime.evidence,
    )


def _provenance(row: FeatureRow, models: Models, as_of: pd.Timestamp, origin: Origin) -> Provenance:
    return Provenance(
        as_of=as_of.tz_convert("UTC").isoformat(),
        origin=origin,
        definition_hash=models.direction.definition_hash,
        models=ServedModels(
            direction=_served(models.direction, models.notes),
            regime=_served(models.regime, models.notes),
        ),
        age_in_sessions=dict(row.ages),
        carried=None if row.carried is None else list(row.carried),
    )


def _served(model: Artifact, notes: Mapping[str, str]) -> ServedModel:
    baseline = NO_MODEL_IS_BETTER if model.alias == "baseline" else None
    return ServedModel(
        name=model.name,
        model=model.model,
        version=model.version,
        alias=model.alias,
        note=notes.get(model.task, baseline),
        run_id=model.run_id,
        artifact_sha256=model.sha256,
        feature_service=model.feature_service,
    )
