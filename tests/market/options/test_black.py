"""Black-76, Black and Scholes against integration, slopes, parity and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from market.errors import InputError
from market.options.black import Valuation, black_76, black_scholes, price_76, price_scholes
from market.options.chunks import CHUNK

RATE, YIELD, SPOT = 0.03, 0.01, 100.0
SIGNS = st.sampled_from([1.0, -1.0])


def integrated(strike: float, years: float, sign: float, volatility: float) -> float:
    """Return the discounted mean of the payoff, integrated over the normal density."""
    deviation = volatility * np.sqrt(years)
    drift = (RATE - YIELD) * years - deviation**2 / 2.0

    def weighted(z: float) -> float:
        payoff = max(sign * (SPOT * np.exp(drift + deviation * z) - strike), 0.0)
        return payoff * np.exp(-(z**2) / 2.0) / np.sqrt(2.0 * np.pi)

    kink = (np.log(strike / SPOT) - drift) / deviation
    total = quad(weighted, -9.0, 9.0, points=[np.clip(kink, -8.9, 8.9)], limit=200)[0]
    return float(np.exp(-RATE * years) * total)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("strike", [85.0, 100.0, 115.0])
@pytest.mark.parametrize(("years", "volatility"), [(0.02, 0.3), (0.25, 0.15), (0.5, 0.6)])
def test_prices_are_those_of_integration(
    strike: float, years: float, sign: float, volatility: float
) -> None:
    price = black_scholes(SPOT, strike, years, volatility, sign, RATE, YIELD).price
    assert price == pytest.approx(integrated(strike, years, sign, volatility), abs=1e-6)


def slope(function, at: float, step: float) -> float:
    return float(function(at + step) - function(at - step)) / (2 * step)


@given(
    strike=st.floats(80.0, 120.0), years=st.floats(0.01, 0.6), sign=SIGNS,
    volatility=st.floats(0.08, 0.8),
)  # fmt: skip
def test_greeks_are_the_slopes_of_the_price(
    strike: float, years: float, sign: float, volatility: float
) -> None:
    scholes = black_scholes(SPOT, strike, years, volatility, sign, RATE, YIELD)
    black = black_76(SPOT, strike, years, volatility, sign, np.exp(-RATE * years))

    def spot(x: float) -> float:
        return price_scholes(x, strike, years, volatility, sign, RATE, YIELD)

    def forward(x: float) -> float:
        return price_76(x, strike, years, volatility, sign, np.exp(-RATE * years))

    for one, by in ((scholes, spot), (black, forward)):
        assert one.delta == pytest.approx(slope(by, SPOT, 1e-3), abs=1e-5)
        curved = (by(SPOT + 0.02) - 2 * by(SPOT) + by(SPOT - 0.02)) / 0.02**2
        assert one.gamma == pytest.approx(curved, abs=1e-4)

    def pairs(years: float, volatility: float, rate: float) -> np.ndarray:
        return np.array(
            [
                price_scholes(SPOT, strike, years, volatility, sign, rate, YIELD),
                price_76(SPOT, strike, years, volatility, sign, np.exp(-rate * years)),
            ]
        )

    vega = (pairs(years, volatility + 1e-5, RATE) - pairs(years, volatility - 1e-5, RATE)) / 2e-3
    theta = (pairs(years - 1e-6, volatility, RATE) - pairs(years + 1e-6, volatility, RATE)) / (
        2e-6 * 365
    )
    rho = (pairs(years, volatility, RATE + 1e-5) - pairs(years, volatility, RATE - 1e-5)) / 2e-3
    np.testing.assert_allclose([scholes.vega, black.vega], vega, atol=1e-6)
    np.testing.assert_allclose([scholes.theta, black.theta], theta, atol=1e-6)
    np.testing.assert_allclose([scholes.rho, black.rho], rho, atol=1e-6)


@given(strike=st.floats(80.0, 120.0), years=st.floats(0.0, 0.6), volatility=st.floats(0.0, 0.8))
def test_calls_and_puts_keep_parity(strike: float, years: float, volatility: float) -> None:
    call, put = black_scholes(SPOT, strike, years, volatility, [1.0, -1.0], RATE, YIELD).price
    forward = SPOT * np.exp(-YIELD * years)
    assert call - put == pytest.approx(forward - strike * np.exp(-RATE * years), abs=1e-9)
    discount = np.exp(-RATE * years)
    call, put = price_76(SPOT, strike, years, volatility, [1.0, -1.0], discount)
    assert call - put == pytest.approx(discount * (SPOT - strike), abs=1e-9)


@given(
    strike=st.floats(20.0, 500.0), years=st.floats(0.0, 3.0), volatility=st.floats(0.0, 3.0),
    sign=SIGNS, more=st.floats(1e-3, 0.5),
)  # fmt: skip
def test_a_price_keeps_its_bounds_and_grows_with_volatility_time_and_moneyness(
    strike: float, years: float, volatility: float, sign: float, more: float
) -> None:
    def price(strike: float, years: float, volatility: float) -> float:
        return float(price_76(SPOT, strike, years, volatility, sign, 1.0))

    here, rounding = price(strike, years, volatility), 1e-13 * (SPOT + strike)
    intrinsic = max(sign * (SPOT - strike), 0.0)
    assert intrinsic - rounding <= here <= (SPOT if sign > 0 else strike) + rounding
    assert price(strike, years, volatility + more) >= here - rounding
    assert price(strike, years + more, volatility) >= here - rounding
    moved = sign * (here - price(strike * (1.0 + more), years, volatility))
    assert -rounding <= moved <= strike * more + 2 * rounding


@pytest.mark.parametrize(("years", "volatility"), [(0.0, 0.2), (0.5, 0.0), (0.0, 0.0)])
def test_without_time_or_volatility_it_is_the_discounted_intrinsic_value(
    years: float, volatility: float
) -> None:
    strike, sign = np.array([[90.0], [100.0], [110.0]]), np.array([1.0, -1.0])
    discount = np.exp(-RATE * years)
    with np.errstate(all="raise"):
        black = black_76(SPOT, strike, years, volatility, sign, discount)
    price = discount * np.maximum(sign * (SPOT - strike), 0.0)
    np.testing.assert_allclose(black.price, price, atol=1e-12)
    # At the strike itself, half a delta.
    shares = sign * discount * np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    np.testing.assert_allclose(black.delta, shares, atol=1e-12)
    assert (black.gamma == 0.0).all()
    assert (black.vega == 0.0).all()
    np.testing.assert_allclose(black.rho, -0.01 * years * price, atol=1e-12)
    np.testing.assert_allclose(black.theta, (years > 0) * RATE * price / 365, atol=1e-12)
    scholes = black_scholes(SPOT, strike, years, volatility, sign, 0.0, 0.0)
    np.testing.assert_allclose(scholes.price, price / discount, atol=1e-12)
    assert np.isfinite(scholes).all()


def test_what_a_deep_option_is_worth_is_exact() -> None:
    # By 60 digits: 3 and 12 deviations out of the money.
    price = price_76(SPOT, [150.0, 300.0, 30.0], 0.25, 0.2, [1.0, 1.0, -1.0], 1.0)
    told = [6.8512534734325269e-5, 3.4529165077419023e-28, 4.9241551797820869e-34]
    np.testing.assert_allclose(price, told, rtol=1e-12)
    deep = np.array([1e-300, 1.0, 1e4, 1e300])
    call, put = price_76(SPOT, deep, 0.25, 0.2, [[1.0], [-1.0]], 1.0)
    np.testing.assert_array_equal(call, np.maximum(SPOT - deep, 0.0))
    np.testing.assert_array_equal(put, np.maximum(deep - SPOT, 0.0))
    assert np.isfinite(black_76(SPOT, deep, 0.25, 0.2, [[1.0], [-1.0]], 1.0)).all()


def test_unknown_is_unknown_and_nothing_else_is() -> None:
    price = price_76(SPOT, [90.0, np.nan, 110.0], 0.25, 0.2, 1.0, 1.0)
    assert np.isnan(price).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"strike": [100.0, 0.0]}, "strike: got 0, allowed are finite numbers above 0"),
        ({"years": -0.1}, "years: got -0.1, allowed are finite numbers from 0"),
        ({"volatility": np.inf}, "volatility: got inf"),
        ({"sign": 0.0}, "sign: got 0, allowed are 1 for a call and -1 for a put"),
        ({"discount": -1.0}, "discount: got -1"),
        ({"strike": [1.0, 2.0], "years": [1.0, 2.0, 3.0]}, r"shapes: got \(\), \(2,\), \(3,\)"),
    ],
)
def test_what_is_no_option_is_refused(wrong: dict, words: str) -> None:
    right = {
        "forward": 100.0, "strike": 100.0, "years": 1.0, "volatility": 0.2, "sign": 1.0,
        "discount": 1.0,
    }  # fmt: skip
    with pytest.raises(InputError, match=words):
        black_76(**right | wrong)


def test_chunks_do_not_show() -> None:
    n = 2 * CHUNK + 3
    strike, sign = np.linspace(50.0, 150.0, n), np.array([[1.0], [-1.0]])
    whole = black_76(SPOT, strike, 0.25, 0.2, sign, 0.99)
    assert isinstance(whole, Valuation)
    assert whole.price.shape == (2, n)
    for at in (0, CHUNK, n - 1):
        one = black_76(SPOT, float(strike[at]), 0.25, 0.2, -1.0, 0.99)
        np.testing.assert_array_equal([part[1, at] for part in whole], np.array(one))
    assert black_76(SPOT, np.empty(0), 0.25, 0.2, 1.0, 0.99).price.shape == (0,)
    assert price_76(SPOT, 100.0, 0.25, 0.2, 1.0, 0.99).shape == ()
