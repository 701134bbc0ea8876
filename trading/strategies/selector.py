"""From two forecasts to one strategy: the matrix, its floors, and why nothing else was chosen.

Every strategy has a defined maximum loss; none is naked (Decision 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Final, Literal

from home.records.signal import Alternative, PositionSize
from market.errors import InputError
from market.iv_rank import REGIMES, IvRegime
from market.targets import DIRECTIONS, Direction
from trading.strategies.plans import (
    CONDOR,
    CREDIT_VERTICAL,
    DEBIT_VERTICAL,
    LONG_OPTION,
    NO_POSITION,
    Plan,
)
from trading.strategies.sizing import (
    FULL_CONFIDENCE,
    overall_confidence,
    position_size,
)

Rule = Literal["no edge", "unclear direction", "directional"]

# Decision 5, first match. Below either of the first two nothing is traded; below either of the
# last two no directional trade is made.
MIN_IV_CONFIDENCE: Final = 0.35
MIN_OVERALL_CONFIDENCE: Final = 0.45
MIN_DIRECTION_CONFIDENCE: Final = 0.52
MIN_DIRECTIONAL_OVERALL: Final = 0.55


@dataclass(frozen=True)
class Strategy:
    """A row of the matrix; the first match wins.

    None stands for an unclear direction, or for any IV forecast.
    """

    name: str
    direction: Direction | None
    iv_regime: IvRegime | None
    rationale: str
    plan: Plan
    limit: PositionSize = "full"


# fmt: off
MATRIX: Final = (
    Strategy("Buy Calls", "UP", "LOW",
             "Bullish outlook + cheap options = buy directional calls", LONG_OPTION),
    Strategy("Bull Call Spread", "UP", "NORMAL",
             "Bullish outlook + fairly priced options = defined risk and reward", DEBIT_VERTICAL),
    Strategy("Bull Put Spread", "UP", "HIGH",
             "Bullish outlook + expensive options = sell put premium, wing bought",
             CREDIT_VERTICAL),
    Strategy("Buy Puts", "DOWN", "LOW",
             "Bearish outlook + cheap options = buy directional puts", LONG_OPTION),
    Strategy("Bear Put Spread", "DOWN", "NORMAL",
             "Bearish outlook + fairly priced options = defined risk and reward", DEBIT_VERTICAL),
    Strategy("Bear Call Spread", "DOWN", "HIGH",
             "Bearish outlook + expensive options = sell call premium, wing bought",
             CREDIT_VERTICAL),
    Strategy("Iron Condor", None, "HIGH",
             "Unclear direction + expensive options = sell premium on both sides", CONDOR, "half"),
    Strategy("NO TRADE", None, None,
             "No edge clear of the floors = wait for a better signal", NO_POSITION, "none"),
)
# fmt: on
STRATEGIES: Final = {row.name: row for row in MATRIX}
NO_TRADE: Final = STRATEGIES["NO TRADE"]


@dataclass(frozen=True)
class Forecasts:
    """What the two models say.

    Attributes
    ----------
    direction_confidence
        Calibrated probability of the direction chosen, 0 to 1 (Decision 6).
    iv_confidence
        Probability of the predicted IV class, 0 to 1.

    Raises
    ------
    InputError
        If a word is unknown or a confidence is not a number from 0 to 1.
    """

    direction: Direction
    direction_confidence: float
    iv_regime: IvRegime
    iv_confidence: float

    def __post_init__(self) -> None:
        _one_of("direction", self.direction, DIRECTIONS)
        _one_of("iv_regime", self.iv_regime, REGIMES)
        for name in ("direction_confidence", "iv_confidence"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name}: got {value!r:.40}, allowed is a number from 0 to 1")

    @property
    def overall_confidence(self) -> float:
        """Overall confidence, 0 to 1."""
        return overall_confidence(self.direction_confidence, self.iv_confidence)

    def below_trading(self) -> list[str]:
        """Return the floors of any trade that are missed, in words."""
        return _missed(
            ("IV confidence", self.iv_confidence, MIN_IV_CONFIDENCE),
            ("overall confidence", self.overall_confidence, MIN_OVERALL_CONFIDENCE),
        )

    def below_directional(self) -> list[str]:
        """Return the floors of a directional trade that are missed, in words."""
        return _missed(
            ("direction confidence", self.direction_confidence, MIN_DIRECTION_CONFIDENCE),
            ("overall confidence", self.overall_confidence, MIN_DIRECTIONAL_OVERALL),
        )


@dataclass(frozen=True)
class Recommendation:
    """The chosen strategy: the design's StrategyRecommendation, the rule and the alternatives."""

    strategy: str
    direction: Direction
    iv_regime: IvRegime
    direction_confidence: float
    iv_confidence: float
    overall_confidence: float
    position_size: PositionSize
    reasoning: str
    trade_parameters: dict[str, str]
    rule: Rule
    alternatives: tuple[Alternative, ...]


def select(forecasts: Forecasts, *, proven: bool) -> Recommendation:
    """Return the recommendation for two forecasts (Decisions 4, 5 and 11).

    Parameters
    ----------
    forecasts
        What the two models say.
    proven
        Whether both models have beaten their baselines; otherwise the size is capped.
    """
    rule, strategy = _first_match(forecasts)
    overall = forecasts.overall_confidence
    size = position_size(overall, strategy.limit, proven=proven)
    because = _because(rule, forecasts)
    return Recommendation(
        strategy=strategy.name,
        direction=forecasts.direction,
        iv_regime=forecasts.iv_regime,
        direction_confidence=forecasts.direction_confidence,
        iv_confidence=forecasts.iv_confidence,
        overall_confidence=overall,
        position_size=size,
        reasoning=f"{strategy.rationale}. Rule '{rule}': {because}. "
        f"{_size_words(size, overall, strategy, proven=proven)}.",
        trade_parameters=strategy.plan.texts(),
        rule=rule,
        alternatives=tuple(_alternatives(forecasts, strategy)),
    )


def taken(forecasts: Forecasts, *, proven: bool) -> tuple[str, PositionSize]:
    """Return strategy and size of `select` alone: a backtest asks it of every session."""
    _, strategy = _first_match(forecasts)
    return strategy.name, position_size(forecasts.overall_confidence, strategy.limit, proven=proven)


def cell(direction: Direction | None, iv_regime: IvRegime) -> Strategy:
    """Return the first row of a direction, None where it is unclear, and an IV forecast."""
    return next(r for r in MATRIX if r.direction == direction and r.iv_regime in (iv_regime, None))


def _first_match(forecasts: Forecasts) -> tuple[Rule, Strategy]:
    """Decision 5: the first rule that applies, and its strategy."""
    if forecasts.below_trading():
        return "no edge", NO_TRADE
    if forecasts.below_directional():
        return "unclear direction", cell(None, forecasts.iv_regime)
    return "directional", cell(forecasts.direction, forecasts.iv_regime)


def _because(rule: Rule, forecasts: Forecasts) -> str:
    """Return in words why a rule applies."""
    seen = f"{forecasts.direction} with IV forecast {forecasts.iv_regime}"
    if rule == "no edge":
        return f"{seen}, but {' and '.join(forecasts.below_trading())}"
    if rule == "unclear direction":
        return f"{seen}, but {' and '.join(forecasts.below_directional())}"
    passed = (
        f"direction confidence {shown(forecasts.direction_confidence)}",
        f"IV confidence {shown(forecasts.iv_confidence)}",
        f"overall confidence {shown(forecasts.overall_confidence)}",
    )
    return f"{seen}; every floor is passed by {', '.join(passed)}"


def _size_words(size: PositionSize, overall: float, strategy: Strategy, *, proven: bool) -> str:
    if strategy.limit == "none":
        return "Size none"
    if strategy.limit == "half":
        return f"Size {size}: the largest for {strategy.name}"
    if overall < FULL_CONFIDENCE:
        return f"Size {size}: overall confidence {shown(overall)} < {FULL_CONFIDENCE:.2f}"
    if not proven:
        return f"Size {size}: capped, as the models have not both beaten their baselines"
    return f"Size {size}: overall confidence {shown(overall)} >= {FULL_CONFIDENCE:.2f}"


def _alternatives(forecasts: Forecasts, chosen: Strategy) -> list[Alternative]:
    """Return the choices one step away, the condor and no trade, without the chosen one."""
    # Without a directional trade, the steps to other cells would miss the same floors.
    reach = 0 if chosen.direction is None else 1
    near = [r for r in MATRIX if r.direction is None or _steps(forecasts, r) <= reach]
    return [
        Alternative(strategy=row.name, why_not=_why_not(forecasts, row))
        for row in near
        if row is not chosen
    ]


def _steps(forecasts: Forecasts, row: Strategy) -> int:
    turned = row.direction is not None and row.direction != forecasts.direction
    moved = 0
    if row.iv_regime is not None:
        moved = abs(REGIMES.index(row.iv_regime) - REGIMES.index(forecasts.iv_regime))
    return moved + turned


def _why_not(forecasts: Forecasts, row: Strategy) -> str:
    barred, unclear = forecasts.below_trading(), forecasts.below_directional()
    if row is NO_TRADE:
        return "the floors of any trade are passed" if unclear else "every floor is passed"
    reasons = []
    if row.direction not in (None, forecasts.direction):
        reasons.append(f"needs direction {row.direction}, the forecast is {forecasts.direction}")
    if row.iv_regime != forecasts.iv_regime:
        reasons.append(f"needs IV forecast {row.iv_regime}, it is {forecasts.iv_regime}")
    if row.direction is None and not unclear:
        reasons.append("is for an unclear direction, and the direction passes its floors")
    return "; ".join(reasons + (barred or (unclear if row.direction else [])))


def _missed(*floors: tuple[str, float, float]) -> list[str]:
    return [
        f"{name} {shown(value)} < {floor:.2f}" for name, value, floor in floors if value < floor
    ]


def shown(value: float) -> str:
    """Return a confidence in words, cut and not rounded: 0.54999 must not read as 0.55."""
    return str(Decimal(repr(float(value))).quantize(Decimal("0.0001"), ROUND_FLOOR))


def _one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise InputError(f"{name}: got {value!r:.40}, allowed are {', '.join(allowed)}")
