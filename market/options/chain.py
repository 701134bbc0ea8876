"""The quotes of an option chain, as arrays; and those of one root and expiry by strike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

#: Chains of a session that are asked, the newest first, until one tells what is asked of it: the
#: newest may be part of a chain.
TRIED: Final = 5


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
    group, strike = group[order], chain.strike[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    fresh = np.diff(strike, prepend=0.0) != 0.0
    fresh[starts] = True
    place = np.cumsum(fresh) - 1
    sign, bid, ask = (column[order] for column in (chain.sign, chain.bid, chain.ask))
    for start, end in zip(starts, [*starts[1:], len(order)], strict=True):
        part = slice(start, end)
        strikes = strike[part][fresh[part]]
        sides = np.full((2, 2, len(strikes)), np.nan)
        of, at = (sign[part] < 0.0).astype(np.int64), place[part] - place[start]
        sides[of, 0, at], sides[of, 1, at] = bid[part], ask[part]
        yield ExpiryQuotes(
            str(roots[root_of[order[start]]]),
            pd.Timestamp(days[day_of[order[start]]]),
            strikes,
            *(Side(bids, asks) for bids, asks in sides),
        )
