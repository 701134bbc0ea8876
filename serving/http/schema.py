"""What goes in and out over HTTP: strict, nothing extra, every number finite."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from market.targets import Direction, IvDirection, IvRegime
from trading.strategies.sizing import PositionSize

Share = Annotated[float, Field(ge=0, le=1)]
Rank = Annotated[float, Field(ge=0, le=100)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
# More than there are underlyings, and few enough to answer within the time that a request has.
MAX_TICKERS: Final = 50


class Strict(BaseModel):
    """Types are not converted, unknown fields and NaN are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class SignalRequest(Strict):
    """Which ticker a signal is wanted for."""

    ticker: str


class SignalsRequest(Strict):
    """Which tickers signals are wanted for: in this order, twice if named twice."""

    tickers: Annotated[list[str], Field(min_length=1, max_length=MAX_TICKERS)]


class PredictRequest(Strict):
    """The design's prediction input: the features of a ticker and session, by name."""

    ticker: str
    date: Day
    features: dict[str, float]


class Problem(Strict):
    """Why there is no signal: one word for programs, one sentence for people."""

    error: str
    detail: str


class TickerProblem(Problem):
    """Why there is no signal of one ticker of several."""

    ticker: str


class Prediction(Strict):
    """The direction model's answer; `probability` is P(UP), `confidence` max(p, 1 - p)."""

    direction: Direction
    probability: Share
    confidence: Share
    threshold_used: Share


class IvContext(Strict):
    """Implied volatility today: rank (0 to 100), its band, and its spread over hv_20 (points)."""

    iv_rank: Rank
    iv_regime: Literal["low", "normal", "elevated", "high"]
    iv_hv_spread: float


class IvRankForecast(Strict):
    """Simulated iv_rank (0 to 100) five sessions ahead: median, and the ends of an interval.

    `level` is the chance that the rank lies between `low` and `high`.
    """

    median: Rank
    low: Rank
    high: Rank
    level: Share


class Volatility(Strict):
    """The volatility model's answer: the class of iv_rank five sessions ahead.

    `confidence` is the probability of `predicted_regime`; `iv_rank_forecast` is null where the
    model simulates no rank.
    """

    predicted_regime: IvRegime
    regime_probabilities: dict[IvRegime, Share]
    expected_iv_direction: IvDirection
    confidence: Share
    iv_rank_forecast: IvRankForecast | None


class AlternativeChoice(Strict):
    """A neighbouring strategy, and why it was not chosen."""

    strategy: str
    why_not: str


class GateEvidence(Strict):
    """The gate's figure of one model: improvement over a baseline, with its interval."""

    proven: bool
    metric: str
    baseline: str
    improvement: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    verdict: str


class SignalEvidence(Strict):
    """Whether the models are proven; the whole is proven only if both are."""

    proven: bool
    direction: GateEvidence
    regime: GateEvidence


class ServedModel(Strict):
    """Which model answered."""

    name: str
    version: int
    alias: Literal["champion", "challenger"]
    run_id: str
    artifact_sha256: str
    feature_service: str


class ServedModels(Strict):
    """The two models of a signal."""

    direction: ServedModel
    regime: ServedModel


class Provenance(Strict):
    """Where a signal comes from: clock, origin, models, and the age of every view read."""

    as_of: str
    origin: Literal["live", "recorded", "simulated"]
    definition_hash: str
    models: ServedModels
    age_in_sessions: dict[str, Annotated[int, Field(ge=0)]]


class Signal(Strict):
    """A signal: the recommendation, what it rests on, and where it comes from.

    `structure` is null until legs are priced.
    """

    ticker: str
    session: Day
    strategy: str
    direction: Direction
    iv_regime: IvRegime
    direction_confidence: Share
    iv_confidence: Share
    overall_confidence: Share
    position_size: PositionSize
    reasoning: str
    trade_parameters: dict[str, str]
    prediction: Prediction
    iv_context: IvContext
    volatility: Volatility
    alternatives: list[AlternativeChoice]
    structure: dict[str, Any] | None
    evidence: SignalEvidence
    provenance: Provenance


class SignalsAnswer(RootModel[list[Signal | TickerProblem]]):
    """One entry for each ticker, in the order asked: its signal, or why there is none."""


class StrategySuggestion(Strict):
    """A position in words, and the rule that chose it."""

    primary: str
    reasoning: str


class PredictAnswer(Strict):
    """The design's prediction output."""

    ticker: str
    date: Day
    prediction: Prediction
    iv_context: IvContext
    strategy_suggestion: StrategySuggestion
