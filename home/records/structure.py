"""A priced options position with a defined loss, as a signal shows it."""

from typing import Annotated, Literal

from pydantic import Field

from home.records.evidence import ServedAs, Standing
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
    alias: ServedAs
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
    profit_by_plan
        Chance of a profit after costs held by the exit plan; null in a position from before it was
        told.
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
    profit_by_plan: Share | None = None
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


class Event(Record):
    """What may move the price in a position's life, on a day or between two, both included.

    `FOMC` is the Fed's statement at 14:00 New York, `CPI` the release of the consumer price index
    at 08:30, `ex-dividend` the first day on which a share is traded without its next dividend.
    """

    kind: Literal["FOMC", "CPI", "ex-dividend"]
    first: Day
    last: Day

    def words(self) -> str:
        """Return the event and its days, such as `CPI 2025-07-10 to 2025-07-18`."""
        return f"{self.kind} {self.first}" + ("" if self.first == self.last else f" to {self.last}")


class Assignment(Record):
    """A short call that its holder gains by exercising for a dividend.

    Attributes
    ----------
    strike
        Of the call, in USD.
    eve
        The session after whose close it would be assigned; null where the ex-dividend day is not
        known to the day.
    dividend
        About what a share pays, in USD.
    above
        Close of the underlying in USD from which on exercise gains.
    chance
        Share of the paths that lie there on that eve, whether or not the position is still held;
        null where none are drawn.
    """

    strike: Positive
    eve: Day | None
    dividend: Positive
    above: Positive
    chance: Share | None


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
    events
        That may fall after the close it is entered at, up to its last day, by their first; null
        in a position from before they were told.
    assignments
        Of its short calls before expiry, for a dividend; null likewise.
    notes
        What else is to be known of it.
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
    events: list[Event] | None = None
    assignments: list[Assignment] | None = None
    notes: list[str]
