"""What a backtest came to, as it is printed: the verdict, the books of policies, the cells."""

from typing import Annotated, Literal

from pydantic import Field

from home.origin import Origin
from home.records.record import Record

Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class RulesUsed(Record):
    """How positions were taken; capital in USD, the others as shares."""

    fill: Literal["open", "close"]
    crossing: float
    capital: float
    cap: float


class PolicyRow(Record):
    """A policy's book: fractions, and ratios of a year.

    Attributes
    ----------
    trades, won
        How many it took, and the share with a profit; null of what is held.
    mean
        Of its trades' profits, as a share of the most that each could lose.
    range
        Of random books, the total return that 5 % and 95 % of them stayed below.
    skipped
        Signals it did not take, by why.
    """

    name: str
    total: float
    yearly: float
    deviation: float
    sharpe: float | None
    sortino: float | None
    drawdown: float
    longest: int
    trades: int | None
    won: float | None
    mean: float | None
    range: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    skipped: dict[str, int]


class CellRow(Record):
    """A cell; returns as shares of the most that a trade could lose, see `trading.judgement`."""

    name: str
    n: int
    days: int
    mean: float
    won: float
    worst: float
    drawdown: float
    worst_level: float
    low: float | None
    high: float | None
    low_of_all: float | None
    high_of_all: float | None
    deflated: float | None
    group: str | None
    over: float | None
    low_over: float | None
    high_over: float | None
    survives: bool


class BacktestCell(CellRow):
    """A direction and regime of an underlying by structure.

    Attributes
    ----------
    matrix
        Whether the matrix takes this structure there.
    """

    matrix: bool


class BacktestReport(Record):
    """A backtest.

    Attributes
    ----------
    origin
        Of the data: what a simulated market shows says nothing about a real one.
    verdict
        In words; the first line is sufficient.
    tried
        How many cells were.
    forecasts
        By underlying, sessions with forecasts of models that had not seen them.
    prices
        By what priced them, how many trades.
    page
        The tearsheet; null where none was written.
    """

    origin: Origin
    verdict: list[str]
    tried: int
    first: Day
    last: Day
    rules: RulesUsed
    forecasts: dict[str, int]
    prices: dict[Literal["chain", "synthetic"], int]
    policies: list[PolicyRow]
    cells: list[BacktestCell]
    page: str | None
