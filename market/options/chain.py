"""The quotes of an option chain, as arrays; and those of one root and expiry by strike."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64


@dataclass(frozen=True, eq=False)
class Chain:
    """Quotes of the options of an underlying at a moment, one contract a place.

    Two are equal where they are one: comparing quotes is no question of ours.

    Attributes
    ----------
    underlying
        Whose options they are.
    quote_time
        When they stood, in UTC.
    spot
        Price of the underlying in USD; NaN where it is not known to be of that moment.
    root
        The first part of the contract's symbol: SPX settles in the morning, SPXW in the afternoon.
    expiration
        Last trading day of each.
    strike
        In USD, above 0.
    sign
        1 for a call, -1 for a put.
    bid, ask
        In USD; NaN where there is none.
    vendor_volatility
        The vendor's own, a year, a fraction; NaN where it gives none. Nothing is priced by it.
    """

    underlying: str
    quote_time: pd.Timestamp
    spot: float
    root: np.ndarray
    expiration: np.ndarray
    strike: Float64[np.ndarray, " n_contracts"]
    sign: Float64[np.ndarray, " n_contracts"]
    bid: Float64[np.ndarray, " n_contracts"]
    ask: Float64[np.ndarray, " n_contracts"]
    vendor_volatility: Float64[np.ndarray, " n_contracts"] | None = None


@dataclass(frozen=True)
class Side:
    """Bids and asks of the calls, or of the puts, of one root and expiry, in USD by strike."""

    bid: Float64[np.ndarray, " n_strikes"]
    ask: Float64[np.ndarray, " n_strikes"]

    @property
    def two_sided(self) -> Bool[np.ndarray, " n_strikes"]:
        """Whether a strike can be bought and sold: both prices, and not crossed."""
        return np.asarray((self.bid > 0.0) & (self.ask >= self.bid))

    @property
    def mid(self) -> Float64[np.ndarray, " n_strikes"]:
        """Mean of bid and ask; NaN where one of them is none."""
        return np.asarray((self.bid + self.ask) / 2.0)

    @property
    def half_spread(self) -> Float64[np.ndarray, " n_strikes"]:
        """Half of ask less bid; NaN where one of them is none."""
        return np.asarray((self.ask - self.bid) / 2.0)


@dataclass(frozen=True)
class ExpiryQuotes:
    """The quotes of one root and expiry.

    Attributes
    ----------
    expiration
        Last trading day, midnight without a zone.
    strike
        In USD, ascending; at least one of the sides is quoted there.
    """

    root: str
    expiration: pd.Timestamp
    strike: Float64[np.ndarray, " n_strikes"]
    calls: Side
    puts: Side


def by_expiry(chain: Chain) -> Iterator[ExpiryQuotes]:
    """Yield the quotes of every root and expiry, by expiry and root.

    A contract that is there twice counts with its last quote.
    """
    roots, root_of = np.unique(chain.root, return_inverse=True)
    days, day_of = np.unique(chain.expiration.astype("datetime64[D]"), return_inverse=True)
    group = day_of * len(roots) + root_of
    order = np.lexsort((chain.strike, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        rows = order[start:end]
        strike, place = np.unique(chain.strike[rows], return_inverse=True)
        yield ExpiryQuotes(
            str(roots[root_of[rows[0]]]),
            pd.Timestamp(days[day_of[rows[0]]]),
            strike,
            *(_side(chain, rows, place, len(strike), sign) for sign in (1.0, -1.0)),
        )


def _side(chain: Chain, rows: np.ndarray, place: np.ndarray, count: int, sign: float) -> Side:
    of = chain.sign[rows] == sign
    bid, ask = np.full(count, np.nan), np.full(count, np.nan)
    bid[place[of]], ask[place[of]] = chain.bid[rows[of]], chain.ask[rows[of]]
    return Side(bid, ask)
