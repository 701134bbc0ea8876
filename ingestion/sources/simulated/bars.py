"""Bars around simulated closes: opening gap, range, volume, dividends and splits."""

from typing import Final, NamedTuple

import numpy as np

from market.arrays import BoolArray, FloatArray

# Share of a session's variance that falls between the last close and the open.
OVERNIGHT: Final = 0.35
# A day's move of a log volatility index, from open to close.
INDEX_VOLATILITY: Final = 0.065
SPLIT_RATE: Final = 1.0 / 1000.0  # about one in four years
# Ratio of a split by the price before it, 1 = not made: keeps a share in the usual range.
SPLIT_RATIOS: Final = ((0.0, 0.5), (25.0, 1.0), (60.0, 1.5), (120.0, 2.0), (240.0, 3.0))
VOLUME_ON_VOLATILITY: Final = 0.55
VOLUME_ON_SURPRISE: Final = 0.18
VOLUME_NOISE: Final = 0.20


class Bars(NamedTuple):
    """Sessions of one ticker or index; each array of shape (n_sessions,)."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray


class Payments(NamedTuple):
    """Dividends in USD and splits (new shares per old) on their session, and their effect.

    `base` is the price that a session's log return starts from: the last close less the
    dividend, in new shares.
    """

    dividend: FloatArray
    split: FloatArray
    base: FloatArray


def corporate_actions(
    log_return: FloatArray, payout: FloatArray, split_drawn: BoolArray, first_price: float
) -> Payments:
    """Return dividends and splits along a path of log returns, as traded.

    Parameters
    ----------
    log_return
        Returns with dividends, of `walk`; shape (n_sessions,).
    payout
        Share of the last close that is paid as a dividend, 0 on other sessions.
    split_drawn
        Whether a split is due; it waits for no dividend, so a dividend's session has none.
    first_price
        USD before the first session.
    """
    # Price before each session, in shares and money of the first one.
    growth = log_return + np.log1p(-payout)
    before = first_price * np.exp(np.cumsum(growth) - growth)
    split = np.ones(len(log_return))
    held = 1.0
    for at in np.flatnonzero(split_drawn & (payout == 0.0)):
        split[at] = _ratio(before[at] / held)
        held *= split[at]
    new_shares = np.cumprod(split)
    dividend = payout * before / new_shares
    return Payments(dividend, split, before / new_shares - dividend)


def price_bars(
    base: FloatArray,
    log_return: FloatArray,
    surprise: FloatArray,
    volatility: FloatArray,
    draws: FloatArray,
    normal: FloatArray,
) -> Bars:
    """Return bars from the price each session starts at, in USD.

    The open lies on a Brownian bridge from the last close to this one, which carries the
    session's surprise and not its expected return; high and low are the bridge's extremes.

    Parameters
    ----------
    base
        Price before the session, USD.
    surprise, volatility
        Of `Paths`: the standardised surprise, and its standard deviation per session.
    draws
        Uniform, shape (n_sessions, 2).
    normal
        Standard normal, shape (n_sessions,).
    """
    gap = OVERNIGHT * surprise * volatility
    gap = gap + np.sqrt(OVERNIGHT * (1.0 - OVERNIGHT)) * volatility * normal
    return _bars(base, gap, log_return, (1.0 - OVERNIGHT) * volatility**2, draws)


def index_bars(level: FloatArray, draws: FloatArray, normal: FloatArray) -> Bars:
    """Return bars of an index from its closes; arguments as in `price_bars`."""
    before = np.append(level[0], level[:-1])
    change = np.log(level / before)
    noise = INDEX_VOLATILITY * np.sqrt(OVERNIGHT * (1.0 - OVERNIGHT)) * normal
    inside = np.full(len(level), (1.0 - OVERNIGHT) * INDEX_VOLATILITY**2)
    return _bars(before, OVERNIGHT * change + noise, change, inside, draws)


def traded_volume(
    typical: float, volatility: FloatArray, surprise: FloatArray, normal: FloatArray, usual: float
) -> FloatArray:
    """Return shares traded, rising with volatility and the size of the move; shape (n,).

    Parameters
    ----------
    typical
        Shares on a session of usual volatility.
    usual
        That volatility, per session.
    """
    log_volume = VOLUME_ON_VOLATILITY * np.log(volatility / usual) + VOLUME_NOISE * normal
    shares: FloatArray = typical * np.exp(
        log_volume + VOLUME_ON_SURPRISE * (np.abs(surprise) - 0.8)
    )
    return shares


def _bars(
    base: FloatArray, gap: FloatArray, move: FloatArray, variance: FloatArray, draws: FloatArray
) -> Bars:
    above, below = _extremes(move - gap, variance, draws)
    steps = (gap, gap + above, gap + below, move)
    return Bars(*(base * np.exp(step) for step in steps))


def _extremes(
    change: FloatArray, variance: FloatArray, draws: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the maximum and the minimum of a Brownian bridge from 0 to `change`.

    Each has its exact law (Karatzas and Shreve 1991, 2.8); that they are drawn independently
    of each other is an approximation.
    """
    spread = -2.0 * variance[:, None] * np.log1p(-draws)
    root = np.sqrt(change[:, None] ** 2 + spread)
    return (change + root[:, 0]) / 2.0, (change - root[:, 1]) / 2.0


def _ratio(price: float) -> float:
    return [ratio for above, ratio in SPLIT_RATIOS if price >= above][-1]
