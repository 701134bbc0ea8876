"""Simulated reports of companies: a calendar of habits, estimates and what came of them.

Independent of the market: surprises carry no information about returns. Dates never move.
"""

from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.recorded.known_by import reports_known
from ingestion.sources.simulated.draws import Ornstein, stream
from market.arrays import FloatArray
from market.baskets import basket_symbols
from market.calendar import sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS

# Reports before the first session: the means of four quarters are known early.
LEAD_QUARTERS: Final = 6
# Calendar days from the end of a quarter to a company's usual report, and around it.
USUAL_DELAY: Final = (14, 38)
DELAY_JITTER: Final = 3
HOURS: Final = ("bmo", "amc", "")
KEEPS_HOUR, UNKNOWN_HOUR = 0.94, 0.03
EPS_START: Final = (0.4, 4.0)
GROWTH: Final = 0.02  # a quarter
GROWTH_NOISE: Final = 0.06
# Companies beat what analysts expect more often than not.
EPS_SURPRISE: Final = Ornstein(0.03, 0.07, 0.3)
REVENUE_SURPRISE: Final = Ornstein(0.008, 0.018, 0.3)
MARGIN: Final = (0.08, 0.30)
SHARES_OUTSTANDING: Final = (5e8, 8e9)
DRAWS: Final = 7


def earnings(seed: int, symbol: str, first: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """Return a company's `earnings_calendar` as known at a session's decision time, in USD.

    A report a quarter, some weeks after it ended.

    Parameters
    ----------
    first
        The first session of the simulated history.
    end
        The session: reports dated up to ten sessions after it, results that are out by then.

    Raises
    ------
    InputError
        If the company is in no basket and no underlying.
    """
    _check(symbol)
    quarters = pd.period_range(first.to_period("Q") - LEAD_QUARTERS, end.to_period("Q"), freq="Q")
    if not len(quarters):
        return pd.DataFrame()
    draws = stream(seed, "earnings", symbol)
    habits = draws.random(6)
    normal = draws.standard_normal((len(quarters), DRAWS))
    uniform = stream(seed, "earnings", symbol, "hour").random(len(quarters))
    reports = pd.DataFrame(
        {
            "symbol": symbol,
            "fiscal_year": quarters.year.astype("float64"),
            "fiscal_quarter": quarters.quarter.astype("float64"),
            "date": _dates(quarters, habits[0], normal[:, 0]),
            "hour": _hours(habits[1], uniform),
            **_figures(habits[2:], normal[:, 1:]),
        }
    )
    return reports_known(reports, end)


def _check(symbol: str) -> None:
    allowed = dict.fromkeys([s for ticker in UNDERLYINGS for s in basket_symbols(ticker)])
    if symbol not in allowed and symbol not in UNDERLYINGS:
        raise InputError(
            f"unknown company: got {symbol!r:.40}, allowed are the underlyings and the companies "
            f"of their baskets: {', '.join(allowed)}"
        )


def _dates(quarters: pd.PeriodIndex, habit: float, normal: FloatArray) -> pd.DatetimeIndex:
    """Return the days of the reports, each a session."""
    earliest, latest = USUAL_DELAY
    delay = earliest + habit * (latest - earliest) + DELAY_JITTER * np.clip(normal, -2.0, 2.0)
    ended = quarters.end_time.normalize()
    due = ended + pd.to_timedelta(np.round(delay), unit="D")
    days = sessions(due[0], due[-1] + pd.Timedelta(days=14)).as_unit("ns")
    return days[days.searchsorted(due)]


def _hours(habit: float, uniform: FloatArray) -> list[str]:
    usual, other, unknown = HOURS if habit < 0.5 else (HOURS[1], HOURS[0], HOURS[2])
    bounds = (KEEPS_HOUR, 1.0 - UNKNOWN_HOUR)
    return [(usual, other, unknown)[place] for place in np.searchsorted(bounds, uniform, "right")]


def _figures(habits: FloatArray, normal: FloatArray) -> dict[str, FloatArray]:
    """Return estimates and results; the estimate is what the path of figures suggests."""
    path = np.cumsum(GROWTH + GROWTH_NOISE * normal[:, 0])
    estimate = _between(EPS_START, habits[0]) * np.exp(path)
    eps = estimate * (1.0 + EPS_SURPRISE.path(normal[:, 1]))
    shares = SHARES_OUTSTANDING[0] * (SHARES_OUTSTANDING[1] / SHARES_OUTSTANDING[0]) ** habits[1]
    margin = _between(MARGIN, habits[2]) * np.exp(GROWTH_NOISE * normal[:, 2])
    revenue = estimate * shares / margin
    return {
        "eps_actual": eps.round(2),
        "eps_estimate": estimate.round(2),
        "revenue_actual": (revenue * (1.0 + REVENUE_SURPRISE.path(normal[:, 3]))).round(-5),
        "revenue_estimate": revenue.round(-5),
    }


def _between(bounds: tuple[float, float], share: float) -> float:
    low, high = bounds
    return low + share * (high - low)
