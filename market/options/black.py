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
from market.options.expiries import DAYS_OF_YEAR

POINT: Final = 0.01
# Stands for no deviation at all; its inverse, squared, is still a number.
NONE_LEFT: Final = 1e-150
LONG: Final = 3.0  # deviation
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
    deviation = volatility * np.sqrt(years)
    out = (price, np.empty_like(price), np.empty_like(price))
    _value(forward, strike, deviation, sign, discount, out)


def _fill_76(
    forward: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, discount: FloatArray, price: FloatArray, delta: FloatArray,
    gamma: FloatArray, vega: FloatArray, theta: FloatArray, rho: FloatArray,
) -> None:  # fmt: skip
    _check(forward, strike, years, volatility, sign)
    check("discount", discount, ABOVE_0)
    deviation = volatility * np.sqrt(years)
    first = _value(forward, strike, deviation, sign, discount, (price, delta, rho))
    curve = _curve(first, forward, strike, deviation, discount)
    np.divide(curve, forward, out=gamma)
    _bends(curve, forward, years, volatility, (vega, theta))
    # The price grows at the rate that discounts: to what it is undiscounted, at expiry.
    lost = np.log(discount, out=rho)
    lost *= price
    lost /= years if _least(years) > 0.0 else np.maximum(years, NONE_LEFT)
    theta -= lost
    theta *= 1.0 / DAYS_OF_YEAR
    np.multiply(price, years, out=rho)
    rho *= -POINT


def _fill_price_scholes(
    spot: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, rate: FloatArray, dividend_yield: FloatArray, price: FloatArray,
) -> None:  # fmt: skip
    _check(spot, strike, years, volatility, sign)
    _check_rates(rate, dividend_yield)
    forward, discount = spot * np.exp((rate - dividend_yield) * years), np.exp(-rate * years)
    deviation = volatility * np.sqrt(years)
    out = (price, np.empty_like(price), np.empty_like(price))
    _value(forward, strike, deviation, sign, discount, out)


def _fill_scholes(
    spot: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, rate: FloatArray, dividend_yield: FloatArray, price: FloatArray,
    delta: FloatArray, gamma: FloatArray, vega: FloatArray, theta: FloatArray, rho: FloatArray,
) -> None:  # fmt: skip
    _check(spot, strike, years, volatility, sign)
    _check_rates(rate, dividend_yield)
    growth, discount = rate - dividend_yield, rate * years
    growth *= years
    np.exp(growth, out=growth)
    np.negative(discount, out=discount)
    np.exp(discount, out=discount)
    forward = spot * growth
    deviation = np.sqrt(years)
    deviation *= volatility
    first = _value(forward, strike, deviation, sign, discount, (price, delta, rho))
    curve = _curve(first, forward, strike, deviation, discount)
    np.multiply(curve, growth, out=gamma)
    gamma /= spot
    _bends(curve, forward, years, volatility, (vega, theta))
    delta *= growth
    # What yield and rate give and take, in the place of the curve, which is read no more.
    carried = np.multiply(delta, spot, out=curve)
    carried *= dividend_yield
    theta += carried
    np.multiply(rate, rho, out=carried)
    theta -= carried
    theta *= 1.0 / DAYS_OF_YEAR
    rho *= years
    rho *= POINT


def _value(
    forward: FloatArray, strike: FloatArray, deviation: FloatArray, sign: FloatArray,
    discount: FloatArray, out: tuple[FloatArray, FloatArray, FloatArray],
) -> FloatArray:  # fmt: skip
    """Fill in prices, shares held and USD owed, both discounted; return d1.

    Shares and USD are the normal distributions at d1 and, times the strike, at d2, signed.

    Everything is in place that can be: beside the four functions, memory is what takes the time.
    """
    if _least(deviation) <= NONE_LEFT:
        deviation = np.maximum(deviation, NONE_LEFT)
    price, shares, owed = out
    first = forward / strike
    np.log(first, out=first)
    first /= deviation
    first += np.multiply(deviation, 0.5, out=price)
    _distributions(first, deviation, sign, discount, (shares, owed))
    np.multiply(shares, forward, out=price)
    owed *= strike
    price -= owed
    np.maximum(price, 0.0, out=price)  # rounding alone puts it below
    return first


def _distributions(
    first: FloatArray, deviation: FloatArray, sign: FloatArray, discount: FloatArray,
    out: tuple[FloatArray, FloatArray],
) -> None:  # fmt: skip
    """Fill in the normal distributions at d1 and d2, signed and discounted.

    They are taken in their lower tails, of -|d1| and of d2 on the same side, and put right by
    N(x) = 1 - N(-x): the processor guesses the way through them far better. Beyond `LONG`, where
    that would cost digits of a strike far above the forward, they are taken as they stand.
    """
    shares, owed = out
    if np.maximum.reduce(deviation) > LONG:
        np.multiply(first, sign, out=shares)
        np.subtract(first, deviation, out=owed)
        owed *= sign
        side, whole = -sign * discount, np.zeros_like(sign)
    else:
        side = np.copysign(1.0, first)
        np.copysign(first, -1.0, out=shares)
        np.multiply(side, deviation, out=owed)
        owed += shares
        whole = sign + side  # twice the sign where a tail is what is left of a whole, else 0
        whole *= 0.5
        whole *= discount
        side *= discount
    for one in out:
        ndtr(one, out=one)
        one *= side
        np.subtract(whole, one, out=one)


def _curve(
    first: FloatArray, forward: FloatArray, strike: FloatArray, deviation: FloatArray,
    discount: FloatArray,
) -> FloatArray:  # fmt: skip
    """Return the normal density at d1, discounted, over the deviation, in the place of d1."""
    first *= first
    first *= -0.5
    curve = np.exp(first, out=first)
    curve *= discount
    curve *= 1.0 / ROOT_2_PI
    if _least(deviation) <= NONE_LEFT:
        curve[(deviation <= NONE_LEFT) & (forward == strike)] = 0.0  # the kink of the payoff
        deviation = np.maximum(deviation, NONE_LEFT)
    curve /= deviation
    return curve


def _bends(
    curve: FloatArray, forward: FloatArray, years: FloatArray, volatility: FloatArray,
    out: tuple[FloatArray, FloatArray],
) -> None:  # fmt: skip
    """Fill in vega, and theta as a year's, without what rates take or give."""
    vega, theta = out
    curve *= forward
    curve *= volatility
    np.multiply(curve, years, out=vega)
    vega *= POINT
    np.multiply(curve, volatility, out=theta)
    theta *= -0.5


def _least(values: FloatArray) -> float:
    least: float = np.minimum.reduce(values)
    return least


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
