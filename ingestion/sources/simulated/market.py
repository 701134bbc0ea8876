"""The simulated market's law of motion: one session of volatility, jumps and returns.

Log volatility of the market is the sum of a slow and a fast mean-reverting factor (Alizadeh,
Brandt and Diebold 2002), both moved by the market's own surprise (the leverage effect) and the
fast one by jumps. A ticker has the market's surprise times its beta and a surprise of its own.
Volatility for a session is fixed by the session before, so that the expected return is known
exactly: a constant, plus, where a signal is planted, a reversal of the ticker's recent trend.
The trend is that of the returns themselves, not of the surprises in them: prices show it whole.

Pure: random numbers come in as arrays, one row a session, drawn forward in time. A longer
history therefore has the same beginning.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from market.arrays import FloatArray
from market.errors import InputError
from market.targets import HORIZON

SESSIONS_PER_YEAR: Final = 252
MAX_STRENGTH: Final = 0.6
MAX_GAIN: Final = 2.0  # up to it, more gain is more strength


@dataclass(frozen=True)
class Law:
    """The parameters all tickers share; volatilities annualised, persistences per session.

    `jump_mean` and `jump_spread` are in units of the session's volatility, `jump_lift` is what a
    jump adds to log volatility. Fitted by eye to SPY and VIX from 2010 to 2025.
    """

    drift: float = 0.06
    floor: float = 0.07
    level: float = 0.102
    slow_persistence: float = 0.991
    slow_spread: float = 0.40
    slow_leverage: float = -0.70
    fast_persistence: float = 0.92
    fast_spread: float = 0.26
    fast_leverage: float = -0.80
    jump_rate: float = 2.5 / SESSIONS_PER_YEAR
    jump_mean: float = -2.2
    jump_spread: float = 1.5
    jump_lift: float = 1.0
    own_load: float = 0.6
    own_persistence: float = 0.98
    own_spread: float = 0.22
    # A Wilder average over 14 sessions: the trend is close to what RSI(14) shows.
    trend_persistence: float = 13.0 / 14.0

    @property
    def jump_variance(self) -> float:
        """Variance of the compensated jump, in units of the session's variance."""
        mean = self.jump_rate * self.jump_mean
        return self.jump_rate * (self.jump_mean**2 + self.jump_spread**2) - mean**2


class Exposure(NamedTuple):
    """How tickers load on the market: beta, and median annualised volatility of their own."""

    beta: FloatArray
    own: FloatArray


class State(NamedTuple):
    """What is known before a session: log-volatility factors and the trend, by ticker."""

    slow: FloatArray
    fast: FloatArray
    own: FloatArray
    trend: FloatArray


class Shocks(NamedTuple):
    """Independent draws of a session: standard normal, `jump` 0 or 1 with rate `jump_rate`."""

    market: FloatArray
    slow: FloatArray
    fast: FloatArray
    jump: FloatArray
    jump_size: FloatArray
    own: FloatArray
    own_volatility: FloatArray


class Paths(NamedTuple):
    """A history; each array of shape (n_sessions, n_tickers), states one session longer.

    `states` row t is what is known before session t, so row t + 1 holds what its close reveals.
    """

    log_return: FloatArray
    volatility: FloatArray
    surprise: FloatArray
    states: State


def volatilities(law: Law, exposure: Exposure, state: State) -> tuple[FloatArray, FloatArray]:
    """Return the volatility of the next session from the market and of the ticker's own.

    In log-return units of one session, jumps left out.
    """
    factors = state.slow + state.fast
    year = np.sqrt(SESSIONS_PER_YEAR)
    market = np.sqrt(law.floor**2 + (law.level * np.exp(factors)) ** 2)
    own = exposure.own * np.exp(law.own_load * factors + state.own)
    return exposure.beta * market / year, own / year


def advance(
    law: Law, exposure: Exposure, gain: float, state: State, shocks: Shocks
) -> tuple[State, FloatArray, FloatArray, FloatArray]:
    """Return the next state, and the session's log return, volatility and standard surprise.

    The expected simple return given the state is exp(drift / 252 - gain x volatility x trend)
    - 1 to the letter: the log return is compensated by the cumulant of its surprise.
    """
    market, own = volatilities(law, exposure, state)
    jump = shocks.jump * (law.jump_mean + law.jump_spread * shocks.jump_size)
    centred = jump - law.jump_rate * law.jump_mean
    total = np.sqrt(market**2 * (1.0 + law.jump_variance) + own**2)
    moved = market * (shocks.market + centred) + own * shocks.own
    expected = law.drift / SESSIONS_PER_YEAR - gain * total * state.trend
    surprise = moved / total
    following = State(
        slow=law.slow_persistence * state.slow
        + _innovation(law.slow_persistence, law.slow_spread)
        * _mixed(law.slow_leverage, shocks.market, shocks.slow),
        fast=law.fast_persistence * state.fast
        + _innovation(law.fast_persistence, law.fast_spread)
        * _mixed(law.fast_leverage, shocks.market, shocks.fast)
        + law.jump_lift * (shocks.jump - law.jump_rate),
        own=law.own_persistence * state.own
        + _innovation(law.own_persistence, law.own_spread) * shocks.own_volatility,
        trend=law.trend_persistence * state.trend
        + _innovation(law.trend_persistence, 1.0) * (surprise - gain * state.trend),
    )
    return following, expected + moved - _cumulant(law, market, own), total, surprise


def walk(law: Law, exposure: Exposure, gain: float, start: State, shocks: Shocks) -> Paths:
    """Return the history that follows a start.

    Parameters
    ----------
    gain
        Strength of the reversal, of `signal_gain`.
    start
        Each array of shape (n_tickers,).
    shocks
        Each array of shape (n_sessions, n_tickers) or (n_sessions, 1).
    """
    states, returns, totals, surprises = [start], [], [], []
    for row in zip(*shocks, strict=True):
        state, log_return, total, surprise = advance(law, exposure, gain, states[-1], Shocks(*row))
        states.append(state)
        returns.append(log_return)
        totals.append(total)
        surprises.append(surprise)
    return Paths(
        np.array(returns),
        np.array(totals),
        np.array(surprises),
        State(*(np.array(column) for column in zip(*states, strict=True))),
    )


def signal_gain(strength: float, law: Law | None = None) -> float:
    """Return the reversal per unit of trend that plants a signal of the given strength.

    Parameters
    ----------
    strength
        Correlation of the log return over the next five sessions with its best forecast, at
        constant volatility; its square is the share of variance that can be forecast. 0 plants
        nothing, 0.1 is a strong signal by the standards of markets, 0.6 the largest allowed.

    Raises
    ------
    InputError
        If the strength is not within [0, 0.6].
    """
    if not 0.0 <= strength <= MAX_STRENGTH:
        raise InputError(
            f"signal strength: got {strength}, allowed is a correlation from 0 (no signal) "
            f"to {MAX_STRENGTH}"
        )
    low, high = 0.0, MAX_GAIN
    for _ in range(64):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _strength(middle, law or Law()) < strength else (low, middle)
    return low if strength else 0.0


def trend_spread(gain: float, law: Law) -> float:
    """Return the standard deviation of the trend; a reversal keeps it below 1."""
    step = _innovation(law.trend_persistence, 1.0)
    return float(step / np.sqrt(1.0 - (law.trend_persistence - gain * step) ** 2))


def _strength(gain: float, law: Law) -> float:
    # The return ahead is -gain x trend x sums[HORIZON] plus each surprise less what it takes
    # back through the trend in the sessions that are left. The reversal moves the trend as well.
    step = _innovation(law.trend_persistence, 1.0)
    kept = law.trend_persistence - gain * step
    sums = np.cumsum(np.append(0.0, kept ** np.arange(HORIZON)))
    forecast = gain * sums[HORIZON] * trend_spread(gain, law)
    noise = np.sqrt(np.sum((1.0 - gain * step * sums[:HORIZON]) ** 2))
    return float(forecast / np.hypot(forecast, noise))


def _innovation(persistence: float, spread: float) -> float:
    return float(spread * np.sqrt(1.0 - persistence**2))


def _mixed(correlation: float, first: FloatArray, second: FloatArray) -> FloatArray:
    mixed: FloatArray = correlation * first + np.sqrt(1.0 - correlation**2) * second
    return mixed


def _cumulant(law: Law, market: FloatArray, own: FloatArray) -> FloatArray:
    """Return the log of the expected exponential of a session's surprise."""
    jump = np.exp(market * law.jump_mean + (market * law.jump_spread) ** 2 / 2.0)
    jumps = np.log1p(law.jump_rate * (jump - 1.0)) - market * law.jump_rate * law.jump_mean
    cumulant: FloatArray = (market**2 + own**2) / 2.0 + jumps
    return cumulant
