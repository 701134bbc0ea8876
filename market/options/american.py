"""American options: what early exercise is worth at most, and when a short call is assigned.

Bounds, no prices: an American option is worth the European one and at most so much more.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import ndtr

from market.arrays import BoolArray, FloatArray
from market.errors import InputError
from market.options.chunks import ABOVE_0, FINITE, FROM_0, Numbers, by_chunks, check, check_sign

# Stands for a yield or a deviation of 0 where it divides.
LEAST: Final = 1e-150


class Assignment(NamedTuple):
    """What the holder of a call would do before an ex-dividend date; of the broadcast shape.

    Attributes
    ----------
    at_risk
        Whether the call is in the money and the put of its strike costs less than the dividend. A
        put of unknown price counts as one that costs nothing.
    gain
        USD a share that exercise gains over holding: the dividend, less that put and the interest
        on the strike. Above 0 exercise is the better choice.
    """

    at_risk: BoolArray
    gain: FloatArray


def premium_bound(
    spot: Numbers, strike: Numbers, years: Numbers, volatility: Numbers, sign: Numbers,
    rate: Numbers, dividend_yield: Numbers,
) -> FloatArray:  # fmt: skip
    """Most that the right to early exercise adds to a European option, in USD.

    The premium is what exercise earns while the option lies in its exercise region (Kim 1990;
    Carr, Jarrow and Myneni 1992): of a put the interest on the strike, K (1 - exp(-r T)) if it
    always did, of a call the dividends, S (1 - exp(-q T)). The region of a put lies below
    min(K, K r/q), that of a call above max(K, K r/q), so each is taken times the highest
    probability, over the time left, to be there. Negative rates or yields earn too, the yield for
    a put and the rate for a call; those are taken whole.

    Parameters
    ----------
    spot, strike
        USD, above 0.
    years
        Left to expiry, from 0.
    volatility
        Annualised, a fraction from 0.
    sign
        1 for a call, -1 for a put.
    rate, dividend_yield
        A year, continuously compounded.
    """
    inputs = (spot, strike, years, volatility, sign, rate, dividend_yield)
    return by_chunks(_fill_bound, inputs, (np.float64,))[0]


def dividends_bound(
    strike: float, years: float, rate: float, amounts: FloatArray, until: FloatArray
) -> float:
    """Most that early exercise adds to a European call on a share with known dividends, in USD.

    It is exercised just before an ex-dividend date or not at all, and gains there at most the
    dividend less the interest on the strike to the next one, or to expiry (Merton 1973; Roll 1977;
    Whaley 1981): the sum of these, discounted.

    Parameters
    ----------
    amounts
        Dividends in USD from 0; shape (n_dividends,).
    until
        Years to their ex-dividend dates, ascending; those past expiry do not count.

    Raises
    ------
    InputError
        If the dividends do not ascend.
    """
    amounts, until = np.asarray(amounts, np.float64), np.asarray(until, np.float64)
    if amounts.shape != until.shape or (np.diff(until) <= 0.0).any() or (until < 0.0).any():
        raise InputError(
            f"dividends: got {len(amounts)} at the years {until.tolist()}, "
            "allowed is one at each, from 0 and ascending"
        )
    within = until <= years
    amounts, until = amounts[within], until[within]
    held = np.diff(np.append(until, years))
    gains = np.maximum(amounts + strike * np.expm1(-rate * held), 0.0)
    return float(gains @ np.exp(-rate * until))


def assignment_risk(
    spot: Numbers, strike: Numbers, put_price: Numbers, dividend: Numbers, years: Numbers,
    rate: Numbers,
) -> Assignment:  # fmt: skip
    """Whether short calls are likely to be assigned on the eve of an ex-dividend date.

    The time value that exercise gives up is that of the put with the same strike and expiry, and
    the interest on the strike (put-call parity); it gains the dividend.

    Parameters
    ----------
    spot, strike
        USD, above 0; the spot before the dividend.
    put_price
        USD from 0, or NaN.
    dividend
        USD a share from 0.
    years
        Left to expiry, from 0.
    rate
        A year, continuously compounded.
    """
    inputs = (spot, strike, put_price, dividend, years, rate)
    at_risk, gain = by_chunks(_fill_risk, inputs, (np.bool_, np.float64))
    return Assignment(at_risk, gain)


def _fill_bound(
    spot: FloatArray, strike: FloatArray, years: FloatArray, volatility: FloatArray,
    sign: FloatArray, rate: FloatArray, dividend_yield: FloatArray, bound: FloatArray,
) -> None:  # fmt: skip
    check("spot", spot, ABOVE_0)
    check("strike", strike, ABOVE_0)
    check("years", years, FROM_0)
    check("volatility", volatility, FROM_0)
    check_sign(sign)
    check("rate", rate, FINITE)
    check("dividend yield", dividend_yield, FINITE)
    interest = -strike * np.expm1(-rate * years)
    dividends = -spot * np.expm1(-dividend_yield * years)
    call = sign > 0.0
    earned = np.where(call, dividends, interest)
    lost = np.where(call, interest, dividends)
    share = np.maximum(rate, 0.0) / np.maximum(dividend_yield, LEAST)
    edge = strike * np.where(call, np.maximum(share, 1.0), np.minimum(share, 1.0))
    # The dividends are earned in shares, whose measure drifts faster.
    drift = rate - dividend_yield + 0.5 * sign * volatility * volatility
    chance = _highest_chance(sign * np.log(spot / edge), sign * drift, volatility, years)
    bound[...] = np.maximum(earned, 0.0) * chance + np.maximum(-lost, 0.0)


def _highest_chance(
    inside: FloatArray, drift: FloatArray, volatility: FloatArray, years: FloatArray
) -> FloatArray:
    """Return the highest probability over time that a walk is above 0, of its start and drift."""
    # From below, the odds are best where the start and the drift's way are equal, or at the end.
    best = np.where(drift < 0.0, np.minimum(inside / drift, years), years)
    root = np.sqrt(np.maximum(best, 0.0))
    odds = (inside / np.maximum(root, LEAST) + drift * root) / np.maximum(volatility, LEAST)
    chance: FloatArray = np.where(inside >= 0.0, 1.0, ndtr(odds))
    return chance


def _fill_risk(
    spot: FloatArray, strike: FloatArray, put_price: FloatArray, dividend: FloatArray,
    years: FloatArray, rate: FloatArray, at_risk: BoolArray, gain: FloatArray,
) -> None:  # fmt: skip
    check("spot", spot, ABOVE_0)
    check("strike", strike, ABOVE_0)
    check("put price", put_price, FROM_0)
    check("dividend", dividend, FROM_0)
    check("years", years, FROM_0)
    check("rate", rate, FINITE)
    at_risk[...] = (spot > strike) & ~(put_price >= dividend) & (dividend > 0.0)
    gain[...] = dividend - put_price + strike * np.expm1(-rate * years)
