"""A signal as it is answered, recorded and shown: one shape from the models to the pages."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from home.origin import Origin
from home.records.evidence import Evidence, ServedAs
from home.records.record import Record, json_value
from home.records.structure import Structure
from home.strict_json import Json
from market.errors import InputError
from market.iv_rank import IvDirection, IvRegime
from market.targets import Direction

PositionSize = Literal["none", "half", "full"]
BandWord = Literal["low", "normal", "elevated", "high"]
Share = Annotated[float, Field(ge=0, le=1)]
Rank = Annotated[float, Field(ge=0, le=100)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class SignalKey(NamedTuple):
    """What the ledger knows a signal by."""

    ticker: str
    session: str
    direction_version: int
    regime_version: int


class Prediction(Record):
    """The direction model's answer; `probability` is P(UP), `confidence` max(p, 1 - p)."""

    direction: Direction
    probability: Share
    confidence: Share
    threshold_used: Share


class IvContext(Record):
    """Implied volatility today: rank (0 to 100), its band, and its spread over hv_20 (points)."""

    iv_rank: Rank
    iv_regime: BandWord
    iv_hv_spread: float


class IvRankForecast(Record):
    """Simulated iv_rank (0 to 100) five sessions ahead: median, and the ends of an interval.

    `level` is the chance that the rank lies between `low` and `high`.
    """

    median: Rank
    low: Rank
    high: Rank
    level: Share


class Volatility(Record):
    """The volatility model's answer: the class of iv_rank five sessions ahead.

    `confidence` is the probability of `predicted_regime`, the class that is called, which need
    not be the likeliest; `iv_rank_forecast` is null where the model simulates no rank.
    """

    predicted_regime: IvRegime
    regime_probabilities: dict[IvRegime, Share]
    expected_iv_direction: IvDirection
    confidence: Share
    iv_rank_forecast: IvRankForecast | None


class Alternative(Record):
    """A neighbouring strategy, and why it was not chosen."""

    strategy: str
    why_not: str


class SignalEvidence(Record):
    """How the models stand; the whole is proven only if both are, refuted is neither."""

    proven: bool
    direction: Evidence
    regime: Evidence


class ServedModel(Record):
    """Which model answered; a signal recorded before there was a `model` and a `note` has none.

    Attributes
    ----------
    model
        Its type, such as `logistic`, or the name of the baseline that serves itself.
    note
        Why it answers, where that is not because it is the model that serves.
    """

    name: str
    model: str | None
    version: int
    alias: ServedAs
    note: str | None
    run_id: str
    artifact_sha256: str
    feature_service: str


class ServedModels(Record):
    """The two models of a signal."""

    direction: ServedModel
    regime: ServedModel


class Provenance(Record):
    """Where a signal comes from: clock, origin, models, and the age of every view read.

    `carried` are the macro series and months without a release of their own, which the month
    before stands in for; null where that is not known, as in a signal of before the field.
    """

    as_of: str
    origin: Origin
    definition_hash: str
    models: ServedModels
    age_in_sessions: dict[str, Annotated[int, Field(ge=0)]]
    carried: list[str] | None


class Signal(Record):
    """A signal: the recommendation, what it rests on, and where it comes from.

    `structure` is null where the strategy takes no position or none can be priced, and
    `structure_note` says why; where there is one it is null. Both are of a signal that is younger
    than structures.
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
    alternatives: list[Alternative]
    structure: Structure | None
    structure_note: str | None
    evidence: SignalEvidence
    provenance: Provenance

    @property
    def key(self) -> SignalKey:
        """What the ledger knows it by."""
        models = self.provenance.models
        return SignalKey(self.ticker, self.session, models.direction.version, models.regime.version)


def recorded_signal(text: str) -> Signal:
    """Return a signal as the ledger holds it; a field that is younger than the row is null.

    Raises
    ------
    InputError
        If it is no JSON object, or a field is missing, unknown or wrong.
    """
    with suppress(ValidationError):  # a row of today: read at once, in two thirds of the time
        return Signal.model_validate_json(text)
    source = "a signal in the ledger"
    document = json_value(text, source)
    if not isinstance(document, dict):
        raise InputError(f"{source} is {text:.40}, allowed is a JSON object")
    if isinstance(volatility := document.get("volatility"), dict):
        volatility.setdefault("iv_rank_forecast", None)
    if isinstance(provenance := document.get("provenance"), dict):
        provenance.setdefault("carried", None)
    document.setdefault("structure_note", None)
    for model in _served(document):
        model.setdefault("model", None)
        model.setdefault("note", None)
    return Signal.parse(
        document, f"signal {document.get('ticker', '?')} {document.get('session', '?')}"
    )


def _served(document: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """Yield what a document says of the models that answered."""
    provenance = document.get("provenance")
    models = provenance.get("models") if isinstance(provenance, dict) else None
    for model in models.values() if isinstance(models, dict) else ():
        if isinstance(model, dict):
            yield model
