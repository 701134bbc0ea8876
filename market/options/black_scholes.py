"""European option prices: Black and Scholes (1973) with Merton's dividend yield (1973)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr


class Contracts(NamedTuple):
    """Contracts of a session, one a place: strike in USD, years left, and 1 = call, -1 = put."""

    strike: Float64[np.ndarray, " n_contracts"]
    years: Float64[np.ndarray, " n_contracts"]
    sign: Float64[np.ndarray, " n_contracts"]


class Market(NamedTuple):
    """What prices contracts: USD, and rates and yields a year, continuously compounded."""

    spot: float
    rate: float
    dividend_yield: float


class Quotes(NamedTuple):
    """Price in USD, delta and gamma per USD; each of the shape of the contracts."""

    price: Float64[np.ndarray, " n_contracts"]
    delta: Float64[np.ndarray, " n_contracts"]
    gamma: Float64[np.ndarray, " n_contracts"]


def black_scholes(
    contracts: Contracts, market: Market, volatility: Float64[np.ndarray, " n_contracts"]
) -> Quotes:
    """Price in USD of European options, delta and gamma (Black and Scholes 1973, Merton 1973).

    Parameters
    ----------
    contracts
        Each array of shape (n_contracts,), `years` above 0.
    market
        The yield of dividends is continuous, as Merton's.
    volatility
        Annualised, a fraction above 0; shape (n_contracts,).
    """
    strike, years, sign = contracts
    deviation = volatility * np.sqrt(years)
    carried = market.spot * np.exp(-market.dividend_yield * years)
    owed = strike * np.exp(-market.rate * years)
    first = np.log(carried / owed) / deviation + deviation / 2.0
    price = sign * (carried * ndtr(sign * first) - owed * ndtr(sign * (first - deviation)))
    density = np.exp(-(first**2) / 2.0) / np.sqrt(2.0 * np.pi)
    share = carried / market.spot
    return Quotes(
        price, sign * share * ndtr(sign * first), share * density / (market.spot * deviation)
    )
