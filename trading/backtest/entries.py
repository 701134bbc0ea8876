"""Which strikes positions take, and at what bids and asks: synthetic boards of many sessions.

The same strikes and prices as `trading.structures.board` gives session by session.
"""

from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Float64

from market.options.black import black_76
from market.options.costs import model_quotes
from market.options.synthetic_smile import form_of
from market.underlyings import OptionListing
from trading.backtest.lives import Market
from trading.structures.board import DELTA_SLACK, REACH
from trading.structures.legs import CALL, PUT, STRUCTURES, LegPlan

#: The legs that structures are made of, each once: sign and absolute delta.
LEGS: Final = tuple(
    dict.fromkeys((leg.sign, leg.delta) for plan in STRUCTURES.values() for leg in plan.legs)
)
#: Deviations from the forward within which the strikes of all legs lie.
NEAR: Final = 2.6
#: Sessions that are priced together.
CHUNK: Final = 256


class Quoted(NamedTuple):
    """One leg of many positions: USD, NaN where no strike is near enough to its delta."""

    strike: Float64[np.ndarray, " n"]
    bid: Float64[np.ndarray, " n"]
    ask: Float64[np.ndarray, " n"]


def leg_of(plan: LegPlan) -> int:
    """Return the place of a leg's strikes among `LEGS`."""
    return LEGS.index((plan.sign, plan.delta))


def quoted_legs(listing: OptionListing, market: Market) -> list[Quoted]:
    """Return the strikes, bids and asks of every leg of `LEGS`, a value a position.

    Parameters
    ----------
    market
        Of the entries; shape (n,).
    """
    count = len(market.spot)
    parts = [
        _chunk(
            listing, Market(*(column[start : start + CHUNK] for column in vars(market).values()))
        )
        for start in range(0, count, CHUNK)
    ]
    joined = np.concatenate(parts, axis=2) if parts else np.empty((len(LEGS), 3, 0))
    return [Quoted(*leg) for leg in joined]


def _chunk(listing: OptionListing, market: Market) -> Float64[np.ndarray, "n_legs 3 n"]:
    strike, inside = _strikes(listing, market)
    volatility = volatilities(listing, market, strike)
    found = np.full((len(LEGS), 3, len(market.spot)), np.nan)
    rows = np.arange(len(market.spot))
    for sign in (CALL, PUT):
        valued = black_76(
            market.forward[:, None], strike, market.years[:, None], volatility, sign,
            market.discount[:, None],
        )  # fmt: skip
        delta = np.abs(valued.delta * (market.forward / market.spot)[:, None])
        bid, ask = model_quotes(valued.price, listing)
        traded = inside & (bid > 0.0) & (ask >= bid)
        for at, (of, planned) in enumerate(LEGS):
            if of != sign:
                continue
            away = np.where(traded, np.abs(delta - planned), np.inf)
            best = away.argmin(axis=1)
            near = away[rows, best] <= DELTA_SLACK
            for row, values in enumerate((strike, bid, ask)):
                found[at, row, near] = values[rows, best][near]
    return found


def _strikes(
    listing: OptionListing, market: Market
) -> tuple[Float64[np.ndarray, "n n_strikes"], np.ndarray]:
    """Return strikes near the money on the listing's grid, and which of them the board has."""
    step, deviation = listing.strike_step, market.level * np.sqrt(market.years)
    ends = {
        reach: (
            np.ceil(market.forward * np.exp(-reach * deviation) / step),
            np.floor(market.forward * np.exp(reach * deviation) / step),
        )
        for reach in (NEAR, REACH)
    }
    first, last = (np.nan_to_num(end) for end in ends[NEAR])
    grid = first[:, None] + np.arange(int((last - first).max(initial=0)) + 1)
    low, high = ends[REACH]
    inside = (grid >= np.maximum(low, 1.0)[:, None]) & (grid <= np.minimum(high, last)[:, None])
    return np.maximum(grid, 1.0) * step, inside


def volatilities(
    listing: OptionListing, market: Market, strike: Float64[np.ndarray, "n k"]
) -> Float64[np.ndarray, "n k"]:
    """Return volatilities of strikes, a row a moment of `market`, a year, fractions."""
    deviation = (market.level * np.sqrt(market.years))[:, None]
    depth = np.log(strike / market.forward[:, None]) / deviation
    return np.asarray(market.level[:, None] * form_of(listing).shape.ratio(depth))
