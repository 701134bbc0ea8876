"""Implied volatility of Black-76: bracketed, and with a reason where there is none."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Int64

from market.arrays import FloatArray
from market.options.chunks import ABOVE_0, FINITE, Numbers, by_chunks, check, check_sign
from market.options.deviation import deviation_of

# Of the price: time value below it is rounding.
ROUNDING: Final = 4.0 * float(np.finfo(np.float64).eps)


class Reason(IntEnum):
    """Why a price has no implied volatility."""

    SOLVED = 0
    NO_PRICE = 1
    EXPIRED = 2
    BELOW_INTRINSIC = 3
    ABOVE_BOUND = 4
    UNKNOWN_INPUT = 5


WORDS: Final = {
    Reason.SOLVED: "solved",
    Reason.NO_PRICE: "no price: none above 0",
    Reason.EXPIRED: "expired: no time left",
    Reason.BELOW_INTRINSIC: "none below intrinsic: the price holds no time value",
    Reason.ABOVE_BOUND: "none above the bound: a call is worth less than the forward, a put less "
    "than the strike, both discounted",
    Reason.UNKNOWN_INPUT: "unknown forward, strike, time, sign or discount",
}


class Implied(NamedTuple):
    """Volatilities that give prices; each of the shape that the inputs broadcast to.

    Attributes
    ----------
    volatility
        Annualised, a fraction; NaN where there is none.
    reason
        A `Reason`; `WORDS` has its words.
    """

    volatility: FloatArray
    reason: Int64[np.ndarray, "..."]


def implied_volatility(
    price: Numbers, forward: Numbers, strike: Numbers, years: Numbers, sign: Numbers,
    discount: Numbers,
) -> Implied:  # fmt: skip
    """Volatility that gives a price in Black-76, annualised, or the reason why none does.

    Parameters
    ----------
    price
        USD; none if it is NaN, or not above 0.
    forward, strike
        USD, above 0.
    years
        Left to expiry; years of 365 days. None are left at 0 and below.
    sign
        1 for a call, -1 for a put.
    discount
        Value today of a dollar at expiry, above 0.

    Raises
    ------
    InputError
        If a number is not allowed, or the shapes do not broadcast.
    """
    inputs = (price, forward, strike, years, sign, discount)
    volatility, reason = by_chunks(_fill, inputs, (np.float64, np.int64))
    return Implied(volatility, reason)


def _fill(
    price: FloatArray, forward: FloatArray, strike: FloatArray, years: FloatArray,
    sign: FloatArray, discount: FloatArray, volatility: FloatArray,
    reason: Int64[np.ndarray, "..."],
) -> None:  # fmt: skip
    check("price", price, FINITE)
    check("forward", forward, ABOVE_0)
    check("strike", strike, ABOVE_0)
    check("years", years, FINITE)
    check_sign(sign)
    check("discount", discount, ABOVE_0)
    undiscounted = price / discount
    away = forward - strike
    # By parity the time value of an option is the price of the one out of the money.
    value = undiscounted - np.maximum(sign * away, 0.0)
    reason[...] = Reason.SOLVED
    reason[~(value > ROUNDING * undiscounted)] = Reason.BELOW_INTRINSIC
    reason[undiscounted >= np.where(sign > 0.0, forward, strike)] = Reason.ABOVE_BOUND
    reason[~(years > 0.0)] = Reason.EXPIRED
    reason[~(price > 0.0)] = Reason.NO_PRICE
    reason[np.isnan(forward + strike + years + sign + discount)] = Reason.UNKNOWN_INPUT
    solved = reason == Reason.SOLVED
    if solved.all():
        volatility[...] = deviation_of(value, forward, strike) / np.sqrt(years)
        return
    volatility[...] = np.nan
    found = deviation_of(value[solved], forward[solved], strike[solved])
    volatility[solved] = found / np.sqrt(years[solved])
