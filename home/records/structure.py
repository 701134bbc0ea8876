"""A priced options position with a defined loss, as a signal shows it."""

from typing import Annotated, Literal

from pydantic import Field

from home.records.evidence import Standing
from home.records.record import Record

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
#: `chain` is the underlying's own quotes, `scaled chain` those of the index it follows,
#: `synthetic` a form of the volatility index with a band of a point to each side.
Pricing = Literal["chain", "scaled chain", "synthetic"]


class Leg(Record):
    """An option of the position; prices in USD a share, volatility a year as a fraction."""

    symbol: str
    action: Literal["buy", "sell"]
    right: Literal["call", "put"]
    strike: Positive
    delta: Annotated[float, Field(ge=-1, le=1)]
    bid: Annotated[float, Field(ge=0)]
    ask: Positive
    implied_volatility: Positive
    extrapolated: bool


class Terms(Record):
    """What a contract comes to where it is entered at a price.

    Attributes
    ----------
    net
        USD a share paid; below 0 where it is received.
    max_loss, max_profit
        USD a contract, costs of entry within; no profit is null where nothing limits it.
    breakevens
        Prices of the underlying in USD at expiry.
    credit_of_width
        What is received as a share of the width between strikes; null where it is paid.
    """

    net: float
    max_loss: Positive
    max_profit: float | None
    breakevens: list[float]
    credit_of_width: float | None


class Greeks(Record):
    """Of a contract in USD: by a USD of the underlying (and its square), a day, a vol point."""

    delta: float
    gamma: float
    theta: float
    vega: float


class Costs(Record):
    """Of entering a contract, in USD, and the part that the spread is of the net at mid."""

    spread: Annotated[float, Field(ge=0)]
    commission: Annotated[float, Field(ge=0)]
    spread_of_net: float | None


class ChancesBy(Record):
    """The model of the distribution that chances come from: its type, or the baseline's name."""

    model: str
    version: int
    alias: Literal["champion", "challenger", "baseline"]
    standing: Standing

    def words(self) -> str:
        """Return the model and how it stands, such as `log_har version 1, unproven`."""
        return f"{self.model} version {self.version}, {self.standing}"


class Chances(Record):
    """What the position comes to by a distribution of the underlying's return.

    The forecast of the direction has no part in it.

    Attributes
    ----------
    profit, profit_risk_neutral
        Chance of a profit at expiry entered at the natural price, by our distribution and by the
        smile.
    target, stop
        Chance that the profit target, or the stop, is what ends it.
    expected_value
        USD a contract, held by the exit plan, entered and left across the spread.
    low, high
        The same with the level of volatility a point lower or higher, whichever is worse or better.
    expected_value_of_risk
        Expected value over the largest loss.
    paths
        How many paths `target`, `stop` and the expected value are counted on.
    by
        The model; null in a position from before it was told.
    """

    profit: Share
    profit_risk_neutral: Share
    target: Share
    stop: Share
    expected_value: float
    low: float
    high: float
    expected_value_of_risk: float
    paths: int
    by: ChancesBy | None = None


class ExitRule(Record):
    """When the position is closed.

    Attributes
    ----------
    target
        What closing it has to bring, in USD a share; below 0 where it has to cost no more.
    stop_below, stop_above
        Closes of the underlying in USD that end it; null where that move is not against it.
    last_day
        When it expires.
    """

    target: float
    stop_below: Positive | None
    stop_above: Positive | None
    last_day: Day


class ProfitTable(Record):
    """Profit in USD a contract, entered at mid, by day and price of the underlying."""

    days: list[Day]
    spot: list[Positive]
    profit: list[list[float]]


class Structure(Record):
    """A position: legs, prices, what it can lose, how likely, and at what price the plan ends.

    Attributes
    ----------
    quote_time
        Of the chain, in UTC; null where the smile is synthetic.
    expected_move
        One deviation of the underlying to expiry by the smile, in USD.
    contracts
        How many the capital allows; null where no capital is told.
    notes
        What is to be known of it, such as an early assignment.
    """

    strategy: str
    pricing: Pricing
    root: str
    quote_time: str | None
    expiration: Day
    days_to_expiry: Annotated[int, Field(ge=1)]
    spot: Positive
    forward: Positive
    at_the_money: Positive
    expected_move: Positive
    legs: Annotated[list[Leg], Field(min_length=1)]
    mid: Terms
    natural: Terms
    width: Positive | None
    greeks: Greeks
    costs: Costs
    chances: Chances | None
    exit: ExitRule
    contracts: Annotated[int, Field(ge=1)] | None
    table: ProfitTable
    notes: list[str]
