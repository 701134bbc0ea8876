"""What the simulated volatility indices show: expected variance, priced with a premium."""

from typing import Final

import numpy as np

from ingestion.sources.simulated.draws import Ornstein
from ingestion.sources.simulated.market import Exposure, Law, State
from market.arrays import FloatArray

# 30 and 93 calendar days, in sessions.
MONTH: Final = 21
QUARTER: Final = 64

# Log ratio of priced to expected volatility: shared by all indices, damped at three months, and
# with a part of its own for every index but those of the term slope.
PREMIUM: Final = Ornstein(0.155, 0.07, 0.93)
QUARTER_PREMIUM: Final = 0.19
QUARTER_DAMPING: Final = 0.6
OWN_PREMIUM: Final = Ornstein(0.0, 0.025, 0.90)


def expected_variance(law: Law, exposure: Exposure, state: State, horizon: int) -> FloatArray:
    """Return the expected variance of the coming sessions, annualised.

    In closed form: log volatility is linear in normal and Bernoulli shocks, so each session
    ahead is the exponential of the decayed state plus a sum of cumulants.

    Parameters
    ----------
    state
        What is known at the close; each array of shape (n_sessions,).
    horizon
        Sessions ahead.

    Returns
    -------
    FloatArray
        Shape (n_sessions,); the square of a volatility (0.04 is 20 % a year).
    """
    ahead = np.arange(horizon, dtype=np.float64)
    market = law.floor**2 + law.level**2 * _growth(law, state, 1.0, ahead)
    own = exposure.own**2 * _growth(law, state, law.own_load, ahead) * _own(law, state, ahead)
    total = exposure.beta**2 * (1.0 + law.jump_variance) * market + own
    mean: FloatArray = total.mean(axis=1)
    return mean


def index_level(variance: FloatArray, premium: FloatArray) -> FloatArray:
    """Return a volatility index in points: 100 x volatility x exp(premium); shape (n,)."""
    level: FloatArray = 100.0 * np.sqrt(variance) * np.exp(premium)
    return level


def quarter_premium(premium: FloatArray) -> FloatArray:
    """Return the log premium priced over three months, from the one over a month."""
    return QUARTER_PREMIUM + QUARTER_DAMPING * (premium - PREMIUM.mean)


def _growth(law: Law, state: State, load: float, ahead: FloatArray) -> FloatArray:
    """Return the expected exp(2 x load x (slow + fast)), of shape (n_sessions, horizon)."""
    slow = 2.0 * load * law.slow_persistence**ahead
    fast = 2.0 * load * law.fast_persistence**ahead
    slow_step = slow * law.slow_spread * np.sqrt(1.0 - law.slow_persistence**2)
    fast_step = fast * law.fast_spread * np.sqrt(1.0 - law.fast_persistence**2)
    shared = law.slow_leverage * law.fast_leverage
    normal = (slow_step**2 + fast_step**2) / 2.0 + shared * slow_step * fast_step
    lift = np.log1p(law.jump_rate * np.expm1(fast * law.jump_lift))
    jumps = lift - law.jump_rate * fast * law.jump_lift
    growth: FloatArray = np.exp(
        state.slow[:, None] * slow + state.fast[:, None] * fast + _before(normal + jumps)
    )
    return growth


def _own(law: Law, state: State, ahead: FloatArray) -> FloatArray:
    load = 2.0 * law.own_persistence**ahead
    step = load * law.own_spread * np.sqrt(1.0 - law.own_persistence**2)
    own: FloatArray = np.exp(state.own[:, None] * load + _before(step**2 / 2.0))
    return own


def _before(cumulants: FloatArray) -> FloatArray:
    """Return the sum of the cumulants of the shocks that fall before each session ahead."""
    return np.append(0.0, np.cumsum(cumulants)[:-1])
