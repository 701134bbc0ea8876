"""What crossing the spread costs, where nobody quotes: by tick and the root of the price."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from market.underlyings import OptionListing

#: USD a contract and way, as a broker asks.
COMMISSION: Final = 0.65
#: Shares that a contract is on.
MULTIPLIER: Final = 100.0


def half_spread(
    mid: Float64[np.ndarray, "*n"], factor: float, tick: float
) -> Float64[np.ndarray, "*n"]:
    """Return half of ask less bid in USD a share: max(tick / 2, factor sqrt(mid)).

    Parameters
    ----------
    mid
        Prices in USD a share, at least 0.
    factor
        Of the underlying: 0.05 SPX, 0.012 SPY, 0.018 QQQ; measured on chains, see docs/options.md.
    tick
        The least change of a price, in USD.
    """
    return np.asarray(np.maximum(tick / 2.0, factor * np.sqrt(mid)))


def model_quotes(
    mid: Float64[np.ndarray, "*n"], listing: OptionListing
) -> tuple[Float64[np.ndarray, "*n"], Float64[np.ndarray, "*n"]]:
    """Return bids and asks around prices in USD, on ticks: half a spread to each side.

    What is worth less than half a spread has no bid, and nothing is sold for nothing.
    """
    tick = listing.tick
    half = half_spread(mid, listing.spread_factor, tick)
    bid = _on_ticks(np.maximum(mid - half, 0.0), tick)
    return bid, np.maximum(_on_ticks(mid + half, tick), tick)


def _on_ticks(price: Float64[np.ndarray, "*n"], tick: float) -> Float64[np.ndarray, "*n"]:
    """Return the nearest prices that can be quoted, in USD, without the noise of a product."""
    return np.asarray((np.rint(price / tick) * tick).round(4))
