"""European option prices and greeks: Black (1976), and Black and Scholes (1973) with a yield.

At no time left, or no volatility, an option is worth its discounted intrinsic value, and the
greeks are the limits. At the kink of the payoff, which has none, they are the mean of both sides:
half a delta, no gamma, no vega. NaN among the inputs gives NaN.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr

from market.arrays import FloatArray
from market.options.chunks import ABOVE_0, FINITE, FROM_0, Numbers, by_chunks, check, check_sign

DAYS_OF_YEAR: Final = 365.0
POINT: Final = 0.01
# Stands for no deviation at all; its inverse, squared, is still a number.
NONE_LEFT: Final = 1e-150
ROOT_2_PI: Final = float(np.sqrt(2.0 * np.pi))


class Valuation(NamedTuple):
    """Price in USD and its greeks; each of the shape that the inputs broadcast to.

    Attributes
    ----------
    price
        USD, for one share.
    delta
        USD per USD of the spot, or of the forward in Black-76.
    gamma
        Delta per USD.
    vega
        USD per point of volatility (0.01).
    theta
        USD per calendar day that passes.
    rho
        USD per point of rate (0.01); in Black-76 at the same forward.
    """

    price: FloatArray
    delta: FloatArray
    gamma: FloatArray
    vega: FloatArray
    theta: FloatArray
    rho: FloatArray


class _Legs(NamedTuple):
    """What the price consists of: what is received less what is paid, USD of today."""

    price: FloatArray
    received: FloatArray
    paid: FloatArray
    density: FloatArray  # normal density at d1, times the forward's value today


def black_76(
    forward: Numbers, strike: Numbers, years: Numbers, volatility: Numbers, sign: Numbers,
    discount: Numbers,
) -> Valuation:  # fmt: skip
    """Price in USD of European options on a forward, and the greeks (Black 1976).

    Parameters
    ----------
    forward, strike
        USD, above 0.
    years
        Left to expiry, from 0; years of 365 days.
    volatility
        Annualised, a fraction from 0.
    sign
        1 for a call, -1 for a put.
    discount
        Value today of a dollar at expiry, above 0. Theta takes its rate as constant.

    Raises
    ------
    InputError
        If a number is not allowed, or the shapes do not broadcast.
    """
    inputs = (forward, strike, years, volatility, sign, discount)
    return Valuation(*by_chunks(_fill_76, inputs, [np.float64] * 6))


def price_76(
    forward: Numbers, strike: Numbers, years: Numbers, volatility: Numbers, sign: Numbers,
    discount: Numbers,
) -> FloatArray:  # fmt: skip
    """Price alone in USD of European options on a forward; parameters as those of `black_76`."""
    inputs = (forward, strike, years, volatility, sign, discount)
    return by_chunks(_fill_price_76, inputs, [np.float64])[0]


def black_scholes(
    spot: Numbers, strike: Numbers, years: Numbers, volatility: Numbers, sign: Numbers,
    rate: Numbers, dividend_yield: Numbers,
) -> Valuation:  # fmt: skip
    """Price in USD of European options on a spot, and the greeks (Black and Scholes, Merton 1973).

    Parameters
    ----------
    spot, strike
        USD, above 0.
    years
        Left to expiry, from 0; years of 365 days.
    volatility
        Annualised, a fraction from 0.
    sign
        1 for a call, -1 for a put.
    rate, dividend_yield
        A year, continuously compounded.

    Raises
    ------
    InputError
        If a number is not allowed, or the shapes do not broadcast.
    """
    inputs = (spot, strike, years, volatility, sign, rate, dividend_yield)
    return Valuation(*by_chunks(_fill_scholes, inputs, [np.float64] * 6))


def price_scholes(
    spot: Numbers, strike: Numbers, years: Numbers, volatility: Numbers, sign: Numbers,
    rate: Numbers, dividend_yield: Numbers,
) -> FloatArray:  # fmt: skip
    """Price alone in USD of European options on a spot; parameters as those of `black_scholes`."""
    inputs = (spot, strike, years, volatility, sign, rate, dividend_yield)
    return by_chunks(_fill_price_scholes, inputs, [np.float64])[0]


def _fill_price_76(
    forward: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, discount: FloatArray, price: FloatArray,
) -> None:  # fmt: skip
    _check(forward, strike, years, volatility, sign)
    check("discount", discount, ABOVE_0)
    deviation = np.maximum(volatility * np.sqrt(years), NONE_LEFT)
    price[...] = _legs(forward * discount, strike * discount, deviation, sign).price


def _fill_76(
    forward: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, discount: FloatArray, price: FloatArray, delta: FloatArray,
    gamma: FloatArray, vega: FloatArray, theta: FloatArray, rho: FloatArray,
) -> None:  # fmt: skip
    _check(forward, strike, years, volatility, sign)
    check("discount", discount, ABOVE_0)
    root = np.sqrt(years)
    deviation = np.maximum(volatility * root, NONE_LEFT)
    legs = _legs(forward * discount, strike * discount, deviation, sign)
    price[...] = legs.price
    _slopes(forward, root, deviation, legs, delta, gamma, vega)
    # Rate times price: the price grows towards what it is worth undiscounted.
    growth = np.log(discount) / np.maximum(years, NONE_LEFT) * legs.price
    _decay(volatility, deviation, legs, growth, theta)
    np.multiply(years * -POINT, legs.price, out=rho)


def _fill_price_scholes(
    spot: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, rate: FloatArray, dividend_yield: FloatArray, price: FloatArray,
) -> None:  # fmt: skip
    _check(spot, strike, years, volatility, sign)
    _check_rates(rate, dividend_yield)
    deviation = np.maximum(volatility * np.sqrt(years), NONE_LEFT)
    carried, owed = spot * np.exp(-dividend_yield * years), strike * np.exp(-rate * years)
    price[...] = _legs(carried, owed, deviation, sign).price


def _fill_scholes(
    spot: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, rate: FloatArray, dividend_yield: FloatArray, price: FloatArray,
    delta: FloatArray, gamma: FloatArray, vega: FloatArray, theta: FloatArray, rho: FloatArray,
) -> None:  # fmt: skip
    _check(spot, strike, years, volatility, sign)
    _check_rates(rate, dividend_yield)
    root = np.sqrt(years)
    deviation = np.maximum(volatility * root, NONE_LEFT)
    carried, owed = spot * np.exp(-dividend_yield * years), strike * np.exp(-rate * years)
    legs = _legs(carried, owed, deviation, sign)
    price[...] = legs.price
    _slopes(spot, root, deviation, legs, delta, gamma, vega)
    _decay(volatility, deviation, legs, rate * legs.paid - dividend_yield * legs.received, theta)
    np.multiply(years * POINT, legs.paid, out=rho)


def _legs(carried: FloatArray, owed: FloatArray, deviation: FloatArray, sign: FloatArray) -> _Legs:
    """Return the legs of options, from the values today of forward and strike."""
    distance = np.log(carried / owed)
    first = distance / deviation
    first += 0.5 * deviation
    received = ndtr(sign * first)
    received *= sign
    received *= carried
    paid = ndtr(sign * (first - deviation))
    paid *= sign
    paid *= owed
    first *= first
    first *= -0.5
    density = np.exp(first, out=first)
    density *= carried
    density *= 1.0 / ROOT_2_PI
    price = received - paid
    intrinsic = carried - owed
    intrinsic *= sign
    # Rounding alone puts it below.
    np.maximum(price, intrinsic, out=price)
    np.maximum(price, 0.0, out=price)
    if deviation.min() <= NONE_LEFT:
        density[(deviation <= NONE_LEFT) & (distance == 0.0)] = 0.0  # the kink of the payoff
    return _Legs(price, received, paid, density)


def _slopes(
    underlying: FloatArray, root: FloatArray, deviation: FloatArray, legs: _Legs,
    delta: FloatArray, gamma: FloatArray, vega: FloatArray,
) -> None:  # fmt: skip
    np.divide(legs.received, underlying, out=delta)
    np.multiply(underlying, underlying, out=gamma)
    np.multiply(gamma, deviation, out=gamma)
    np.divide(legs.density, gamma, out=gamma)
    np.multiply(legs.density, root, out=vega)
    np.multiply(vega, POINT, out=vega)


def _decay(
    volatility: FloatArray, deviation: FloatArray, legs: _Legs, growth: FloatArray,
    theta: FloatArray,
) -> None:  # fmt: skip
    np.multiply(volatility, volatility, out=theta)
    np.multiply(theta, legs.density, out=theta)
    np.divide(theta, deviation, out=theta)
    np.multiply(theta, -0.5, out=theta)
    np.subtract(theta, growth, out=theta)
    np.multiply(theta, 1.0 / DAYS_OF_YEAR, out=theta)


def _check(
    underlying: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray,
) -> None:  # fmt: skip
    check("underlying", underlying, ABOVE_0)
    check("strike", strike, ABOVE_0)
    check("years", years, FROM_0)
    check("volatility", volatility, FROM_0)
    check_sign(sign)


def _check_rates(rate: FloatArray, dividend_yield: FloatArray) -> None:
    check("rate", rate, FINITE)
    check("dividend yield", dividend_yield, FINITE)
