"""The volatility that the next 21 sessions are expected to realise, of three variances.

A heterogeneous autoregression in logs (Corsi 2009) with fixed coefficients: one fitted for each
home would make a session's value depend on the first date loaded (Decision 18).
`python -m benchmarks.realised RECORDED` fits and judges them.
"""

from typing import Final, NamedTuple

import numpy as np

from feature_repo.features.technical.volatility import SESSIONS_A_YEAR
from market.arrays import BySession

#: Sessions ahead.
AHEAD: Final = 21


class LogHar(NamedTuple):
    """Log of the mean variance of sessions to come, of logs of those of the last 2, 5 and 22.

    Attributes
    ----------
    intercept
        Log variance per session.
    weights
        Of the logs, shortest window first.
    jensen
        Half the variance of the residuals: the log of a mean lies above the mean of logs.
    """

    intercept: float
    weights: tuple[float, float, float]
    jensen: float


#: SPY, QQQ and IWM to the end of 2018, squared returns of the close over the next 21 sessions.
FORECAST: Final = LogHar(-1.671, (0.141, 0.239, 0.434), 0.195)


def expected_volatility(
    log_variance_2: BySession, log_variance_5: BySession, log_variance_22: BySession
) -> BySession:
    """Volatility expected of the next 21 sessions, a year, in points."""
    short, middle, long = FORECAST.weights
    log = short * log_variance_2 + middle * log_variance_5 + long * log_variance_22
    log += FORECAST.intercept + FORECAST.jensen
    return np.asarray(100.0 * np.sqrt(SESSIONS_A_YEAR * np.exp(log)))
