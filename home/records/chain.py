"""A session's option chain as it is shown: an expiry a row, and the strikes of one."""

from typing import Annotated, Literal

from pydantic import Field

from home.records.record import Record
from home.records.structure import Day, Positive, Pricing, Share

Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0)]


class Expiry(Record):
    """An expiry; volatilities a year as fractions.

    Attributes
    ----------
    root
        Of the contracts whose quotes are read.
    forward
        Price of the underlying for that day, USD.
    at_the_money
        Volatility at the forward.
    skew
        Volatility of the 25-delta put less that of the 25-delta call.
    curvature
        The mean of both less that at the money.
    strikes
        Strikes with bid and ask, of a call or a put.
    spread
        Median of ask less bid as a share of the mid, out of the money.
    parity
        Share of the strikes near the money whose calls and puts agree on the forward within
        their spreads.
    butterflies
        That could be bought for less than nothing.
    why_none
        Why there is no smile; all that is read of one is null then.
    """

    expiration: Day
    days_to_expiry: Count
    root: str
    forward: Positive | None = None
    at_the_money: Positive | None = None
    skew: float | None = None
    curvature: float | None = None
    strikes: Count | None = None
    spread: NotNegative | None = None
    parity: Share | None = None
    butterflies: Count | None = None
    why_none: str | None = None


class Contract(Record):
    """A contract of one expiry; prices in USD a share.

    Attributes
    ----------
    bid, ask, mid
        Null where there is none.
    implied_volatility
        Ours, of its mid; by a model of the smile where nothing is quoted.
    vendor_volatility
        The vendor's own, null where it gives none.
    delta
        By the smile, by a USD of the underlying.
    extrapolated
        Whether the strike lies beyond the quotes that the smile was fitted to.
    """

    strike: Positive
    right: Literal["call", "put"]
    bid: NotNegative | None
    ask: NotNegative | None
    mid: Positive | None
    implied_volatility: Positive | None
    vendor_volatility: Positive | None
    delta: Annotated[float, Field(ge=-1, le=1)]
    extrapolated: bool


class ChainView(Record):
    """The chain that a position on a ticker would be priced on.

    Attributes
    ----------
    as_of
        The clock, in UTC.
    pricing
        As of a position.
    quoted_on
        Whose quotes they are: the ticker, or the index that it follows; null where it is synthetic.
    quote_time
        In UTC; null likewise.
    age_hours
        Of the quotes at the clock; null likewise.
    spot
        Price of the underlying, USD: its close, or another that its own quotes imply.
    band
        Volatility, a fraction, that all may lie to each side; null where it is quoted.
    contracts
        Of the expiry that was asked for; null where none was.
    notes
        Why a chain before it does not count, and what else is to be known.
    """

    ticker: str
    session: Day
    as_of: str
    pricing: Pricing
    quoted_on: str | None
    quote_time: str | None
    age_hours: float | None
    spot: Positive
    band: Positive | None
    expiries: list[Expiry]
    expiration: Day | None = None
    contracts: list[Contract] | None = None
    notes: list[str]
