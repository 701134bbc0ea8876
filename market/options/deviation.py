"""The standard deviation of the log price that gives a time value: a safeguarded solver.

With x = |ln(F/K)|, deviation s, h = x / s and t = s / 2, the time value of an option, as a share
of sqrt(F K), is b = b' (M(h - t) - M(h + t)), where M is Mills' ratio of the normal distribution
and b' the slope of b in s, the normal density at sqrt(h^2 + t^2) (Jaeckel 2015, Let's be rational).
The steps are Householder's of order four on ln b, which stays sensible however small the value is;
the first deviation is that of Bachelier's model, corrected as by Hagan and Woodward (1999). Values
near their bound are solved for by what they lack to it.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from scipy.special import erfcx

from market.arrays import FloatArray

# A step of order four from this near is exact, relative to the deviation.
NEAR: Final = 1e-4
NEARER: Final = 1e-6  # inside the bracket, where values near their bound bend more
ROUNDS: Final = 2  # bare steps; hardly any option needs more
MOST_ROUNDS: Final = 200
LARGEST: Final = 100.0  # deviation: nothing is left between the value and its bound
ROOT_HALF: Final = float(np.sqrt(0.5))
ROOT_HALF_PI: Final = float(np.sqrt(np.pi / 2.0))
LOG_ROOT_2_PI: Final = float(0.5 * np.log(2.0 * np.pi))
STEP: Final = 0.01  # of the table
LONGEST: Final = 27.0  # sqrt of the logarithm of the largest ratio of numbers


class _Options(NamedTuple):
    """Out-of-the-money options in units of sqrt(F K)."""

    moneyness: FloatArray  # |ln(F/K)|
    log_value: FloatArray


def deviation_of(value: FloatArray, forward: FloatArray, strike: FloatArray) -> FloatArray:
    """Return the standard deviation of the log price that gives a time value.

    Parameters
    ----------
    value
        USD undiscounted, above 0 and below the smaller of forward and strike; shape (n_options,).
    forward, strike
        USD; shape (n_options,).
    """
    scale = np.sqrt(forward * strike)
    share = value / scale
    options = _Options(np.abs(np.log(forward / strike)), np.log(share))
    deviation = _first(share, np.abs(forward - strike) / scale, options.moneyness)
    bound = np.minimum(forward, strike)
    low = value <= 0.5 * bound  # above, a small step says nothing: ln b is flat there
    far = np.ones(deviation.shape, dtype=np.bool_)
    for at in range(ROUNDS):
        rest = options if at == 0 else _Options(*(one[far] for one in options))
        here = deviation if at == 0 else deviation[far]
        step = _step(here, rest)[1]
        moved = here + np.clip(step, -0.5 * here, here)
        near = (np.abs(step) <= NEAR * here) & low[far]
        deviation[far] = moved
        far[far] = ~near
        if not far.any():
            return deviation
    for part, target, side in ((far & low, value, 1.0), (far & ~low, bound - value, -1.0)):
        if part.any():
            wanted = np.log(target[part] / scale[part])
            deviation[part] = _bracketed(_Options(options.moneyness[part], wanted), side)
    return deviation


def _first(share: FloatArray, distance: FloatArray, moneyness: FloatArray) -> FloatArray:
    """Return the deviation of Bachelier's model, corrected for the lognormal."""
    place = np.sqrt(np.log1p(distance / share))
    place *= 1.0 / STEP
    at = np.minimum(place, LONGEST / STEP).astype(np.intp)
    place -= at
    value, slope = _bachelier()
    scale = value[at] + place * slope[at]
    ratio = np.divide(moneyness, distance, out=np.ones_like(distance), where=distance > 0.0)
    first = (share * ratio + 0.5 * moneyness) / scale
    first *= 1.0 + first * first / 24.0
    return first


@cache
def _bachelier() -> tuple[FloatArray, FloatArray]:
    """Return the inverse of Bachelier's price as a table in steps, and its slope a step.

    Of distance to the strike y and deviation d the price is y (n(h)/h - N(-h)) with h = y / d. By
    w = sqrt(ln(1 + y/price)) the table gives h (price/y + 1/2), which is smooth and never 0.
    """
    h = np.concatenate([[0.0], np.geomspace(1e-6, 60.0, 200_000)])
    density = np.exp(-0.5 * h * h) / np.sqrt(2.0 * np.pi)
    with np.errstate(all="ignore"):
        price = density * (1.0 / h - ROOT_HALF_PI * erfcx(h * ROOT_HALF))
        place = np.sqrt(np.log1p(1.0 / price))
    scale = h * price + 0.5 * h
    place[0], scale[0] = 0.0, 1.0 / np.sqrt(2.0 * np.pi)
    known = np.isfinite(place)
    table = np.interp(np.arange(0.0, LONGEST + 2 * STEP, STEP), place[known], scale[known])
    return table, np.append(np.diff(table), 0.0)


def _step(
    deviation: FloatArray, options: _Options, side: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """Return ln b less the one wanted, and Householder's step.

    With the side -1 it is that of what b lacks to its bound, b' (M(t - h) + M(t + h)).
    """
    h = options.moneyness / deviation
    t = 0.5 * deviation
    ratio = erfcx((h - t) * (side * ROOT_HALF))
    ratio -= side * erfcx((h + t) * ROOT_HALF)
    ratio *= ROOT_HALF_PI  # b / b'
    h *= h
    over = np.log(ratio) - LOG_ROOT_2_PI - 0.5 * (h + t * t) - options.log_value
    ratio *= side
    newton = -over * ratio
    slope = 1.0 / ratio
    second = h / deviation - 0.5 * t
    third = second * second - 3.0 * h / (deviation * deviation) - 0.25
    halley = second - slope
    third += slope * (2.0 * slope - 3.0 * second)
    step = newton * (1.0 + 0.5 * halley * newton)
    step /= 1.0 + newton * (halley + newton * third / 6.0)
    return over, step


def _bracketed(options: _Options, side: float) -> FloatArray:
    """Return the deviations, each step kept inside a bracket that shrinks."""
    low, high = np.zeros_like(options.moneyness), np.full_like(options.moneyness, LARGEST)
    # Where the value bends from convex to concave in the deviation.
    deviation = np.clip(np.sqrt(2.0 * options.moneyness), 1e-3, LARGEST)
    for _ in range(MOST_ROUNDS):
        over, step = _step(deviation, options, side)
        above = side * over > 0.0
        high, low = np.where(above, deviation, high), np.where(above, low, deviation)
        moved = deviation + step
        near = np.abs(step) <= NEARER * deviation
        inside = near | ((moved > low) & (moved < high))
        deviation = np.where(inside, moved, _between(low, high))
        if near.all():
            break
    return deviation


def _between(low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the middle of brackets, of the logarithms where they are far apart."""
    middle: FloatArray = np.where(low < 1e-3 * high, 0.03 * high, 0.5 * (low + high))
    return middle
