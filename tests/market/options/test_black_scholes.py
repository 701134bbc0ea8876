"""Black and Scholes against integration, slopes and parity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from market.options.black_scholes import Contracts, Market, black_scholes

MARKET = Market(spot=100.0, rate=0.03, dividend_yield=0.01)


def contracts(strike: float, years: float, sign: float) -> Contracts:
    return Contracts(np.array([strike]), np.array([years]), np.array([sign]))


def integrated(strike: float, years: float, sign: float, volatility: float) -> float:
    """Return the discounted mean of the payoff, integrated over the normal density."""
    deviation = volatility * np.sqrt(years)
    drift = (MARKET.rate - MARKET.dividend_yield) * years - deviation**2 / 2.0

    def weighted(z: float) -> float:
        payoff = max(sign * (MARKET.spot * np.exp(drift + deviation * z) - strike), 0.0)
        return payoff * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)

    kink = (np.log(strike / MARKET.spot) - drift) / deviation
    total = quad(weighted, -9.0, 9.0, points=[np.clip(kink, -8.9, 8.9)], limit=200)[0]
    return float(np.exp(-MARKET.rate * years) * total)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strike", [85.0, 100.0, 115.0])
@pytest.mark.parametrize(("years", "volatility"), [(0.02, 0.3), (0.25, 0.15), (0.5, 0.6)])
def test_prices_are_those_of_integration(
    strike: float, years: float, sign: float, volatility: float
) -> None:
    quotes = black_scholes(contracts(strike, years, sign), MARKET, np.array([volatility]))
    assert quotes.price[0] == pytest.approx(integrated(strike, years, sign, volatility), abs=1e-6)


@settings(deadline=None)
@given(
    strike=st.floats(80.0, 120.0), years=st.floats(0.01, 0.6), sign=st.sampled_from([1.0, -1.0]),
    volatility=st.floats(0.08, 0.8),
)  # fmt: skip
def test_greeks_are_the_slopes_of_the_price(
    strike: float, years: float, sign: float, volatility: float
) -> None:
    one, step = contracts(strike, years, sign), 1e-3
    below, here, above = (
        black_scholes(one, MARKET._replace(spot=100.0 + move), np.array([volatility]))
        for move in (-step, 0.0, step)
    )
    delta = (above.price[0] - below.price[0]) / (2 * step)
    gamma = (above.delta[0] - below.delta[0]) / (2 * step)
    assert here.delta[0] == pytest.approx(delta, abs=1e-4)
    assert here.gamma[0] == pytest.approx(gamma, abs=1e-4)


@settings(deadline=None)
@given(strike=st.floats(80.0, 120.0), years=st.floats(0.01, 0.6), volatility=st.floats(0.05, 0.8))
def test_calls_and_puts_keep_parity(strike: float, years: float, volatility: float) -> None:
    call, put = (
        black_scholes(contracts(strike, years, sign), MARKET, np.array([volatility])).price[0]
        for sign in (1.0, -1.0)
    )
    forward = MARKET.spot * np.exp(-MARKET.dividend_yield * years)
    assert call - put == pytest.approx(forward - strike * np.exp(-MARKET.rate * years), abs=1e-9)
