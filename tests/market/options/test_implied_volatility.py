"""Implied volatility gives the price back, or says why none does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InputError
from market.options.black import black_76, price_76
from market.options.implied_volatility import WORDS, Reason, implied_volatility

SIGNS = st.sampled_from([1.0, -1.0])


@given(
    strike=st.floats(1.0, 10_000.0), years=st.floats(1 / 365, 3.0), sign=SIGNS,
    volatility=st.floats(0.01, 4.0), discount=st.floats(0.8, 1.02),
)  # fmt: skip
def test_the_volatility_comes_back(
    strike: float, years: float, sign: float, volatility: float, discount: float
) -> None:
    one = black_76(100.0, strike, years, volatility, sign, discount)
    found, reason = implied_volatility(one.price, 100.0, strike, years, sign, discount)
    # A price is known to the last of its digits and no further; the slope says what that leaves.
    largest = one.price + (100.0 if sign > 0 else strike)
    left = 4e-16 * largest / (100.0 * max(float(one.vega), 1e-300))
    if left < 1e-3 * volatility:
        assert reason == Reason.SOLVED
    if reason == Reason.SOLVED:
        assert found == pytest.approx(volatility, rel=1e-10, abs=10.0 * left)
        again = price_76(100.0, strike, years, found, sign, discount)
        assert again == pytest.approx(one.price, abs=1e-12 * (strike + 100.0))


def test_deep_and_long_ones_come_back_too() -> None:
    deviations = np.array([0.5, 2.0, 5.0, 10.0, 20.0, 35.0])[:, None]
    volatility = np.array([0.01, 0.1, 0.5, 2.0])
    strike = 100.0 * np.exp(deviations * volatility)
    price = price_76(100.0, strike, 1.0, volatility, 1.0, 1.0)
    found = implied_volatility(price, 100.0, strike, 1.0, 1.0, 1.0)
    assert (found.reason == Reason.SOLVED).all()
    np.testing.assert_allclose(found.volatility, np.broadcast_to(volatility, price.shape), 1e-10)
    # No option is too long for the bracket.
    price = price_76(100.0, 100.0, 1.0, [6.0, 10.0, 14.0], 1.0, 1.0)
    found = implied_volatility(price, 100.0, 100.0, 1.0, 1.0, 1.0)
    np.testing.assert_allclose(found.volatility, [6.0, 10.0, 14.0], 1e-4)
    # Nor is a value near its bound taken for solved by a first guess; its price has all digits.
    price = price_76(100.0, 3449621460.35123, 1.0, 11.417006008215276, 1.0, 1.0)
    found = implied_volatility(price, 100.0, 3449621460.35123, 1.0, 1.0, 1.0)
    assert found.volatility == pytest.approx(11.417006008215276, rel=1e-10)


@pytest.mark.parametrize(
    ("price", "years", "reason"),
    [
        (0.0, 0.1, Reason.NO_PRICE),
        (np.nan, 0.1, Reason.NO_PRICE),
        (-1.0, 0.1, Reason.NO_PRICE),
        (12.0, 0.0, Reason.EXPIRED),
        (12.0, -0.1, Reason.EXPIRED),
        (9.7, 0.1, Reason.BELOW_INTRINSIC),
        (9.8, 0.1, Reason.BELOW_INTRINSIC),
        (9.9, 0.1, Reason.SOLVED),
        (97.9, 0.1, Reason.SOLVED),
        (98.0, 0.1, Reason.ABOVE_BOUND),
        (120.0, 0.1, Reason.ABOVE_BOUND),
        (12.0, np.nan, Reason.UNKNOWN_INPUT),
    ],
)
def test_there_is_none_and_why(price: float, years: float, reason: Reason) -> None:
    for others in (np.empty(0), np.array([11.0, 12.0])):  # alone, and among solved ones
        prices, times = np.append(others, price), np.append(np.full(len(others), 0.1), years)
        found = implied_volatility(prices, 100.0, 90.0, times, 1.0, 0.98)
        assert found.reason[-1] == reason
        assert np.isfinite(found.volatility).tolist() == (found.reason == 0).tolist()
        assert (found.reason[:-1] == Reason.SOLVED).all()


def test_every_reason_has_its_words() -> None:
    assert set(WORDS) == set(Reason)


@given(price=st.floats(-10.0, 300.0), strike=st.floats(50.0, 200.0), sign=SIGNS)
def test_a_price_has_a_volatility_inside_its_bounds_alone(
    price: float, strike: float, sign: float
) -> None:
    found = implied_volatility(price, 100.0, strike, 0.2, sign, 0.97)
    low = 0.97 * max(sign * (100.0 - strike), 0.0)
    high = 0.97 * (100.0 if sign > 0 else strike)
    if low + 1e-9 < price < high - 1e-9:
        again = price_76(100.0, strike, 0.2, found.volatility, sign, 0.97)
        assert again == pytest.approx(price, abs=1e-9)
    elif price < low - 1e-9 or price > high + 1e-9:
        assert found.reason != Reason.SOLVED
        assert np.isnan(found.volatility)


def test_what_is_no_option_is_refused() -> None:
    with pytest.raises(InputError, match="forward: got -1, allowed are finite numbers above 0"):
        implied_volatility(1.0, -1.0, 100.0, 0.1, 1.0, 1.0)
