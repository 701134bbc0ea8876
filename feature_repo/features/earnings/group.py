"""Earnings calendar: how far reports are, how much of a basket reports, and past surprises.

Inputs are of the basket that stands for a ticker, as known at the cut-off: see `earnings_align`.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from feature_repo.features.declare import FLAG, PERCENT, Feature, Group
from feature_repo.features.maths.arithmetic import flag
from market.arrays import BySession

CAP: Final = 90


def ahead(n: int) -> Callable[..., BySession]:
    """1 if the next report is at most n sessions ahead, else 0."""
    return lambda days_to_earnings: flag(days_to_earnings <= n, days_to_earnings)


EARNINGS: Final = Group(
    name="earnings",
    entity="ticker",
    requires="the earnings calendar",
    sources=(
        "sessions_to_report",
        "sessions_since_report",
        "weight_within_5",
        "next_report_after_close",
        "eps_surprise_last",
        "eps_surprise_mean_4",
        "eps_beats_4",
        "revenue_surprise_last",
    ),
    features=(
        Feature(
            "days_to_earnings",
            lambda sessions_to_report: np.minimum(sessions_to_report, CAP),
            1,
            "sessions",
            "sessions until the next report known at the cut-off, capped at 90; "
            "none known = null. ETF: the nearest of its basket",
        ),
        Feature(
            "days_since_earnings",
            lambda sessions_since_report: np.minimum(sessions_since_report, CAP),
            1,
            "sessions",
            "sessions since the last report, capped at 90; none = null. "
            "ETF: the latest of its basket",
        ),
        Feature("earnings_within_5d", ahead(5), 1, FLAG, "1 if days_to_earnings <= 5"),
        Feature("earnings_within_10d", ahead(10), 1, FLAG, "1 if days_to_earnings <= 10"),
        Feature(
            "post_earnings_5d",
            lambda days_since_earnings: flag(days_since_earnings <= 5, days_since_earnings),
            1,
            FLAG,
            "1 if days_since_earnings <= 5",
        ),
        Feature(
            "earnings_intensity_5d",
            lambda weight_within_5: weight_within_5,
            1,
            "weight 0-1",
            "basket weight reporting within 5 sessions (single stock: 0/1)",
        ),
        Feature(
            "earnings_after_close",
            lambda next_report_after_close: next_report_after_close,
            1,
            FLAG,
            "1 if the next report's hour is amc, 0 if bmo or dmh, null if unknown",
        ),
        Feature(
            "eps_surprise_pct",
            lambda eps_surprise_last: eps_surprise_last,
            1,
            PERCENT,
            "100*(eps_actual - eps_estimate)/|eps_estimate| of the last report; null on a zero "
            "or missing estimate. ETF: weighted over members' last reports within 90 sessions",
        ),
        Feature(
            "eps_surprise_avg_4q",
            lambda eps_surprise_mean_4: eps_surprise_mean_4,
            1,
            PERCENT,
            "mean of the last four eps_surprise_pct",
        ),
        Feature(
            "eps_beat_rate_4q",
            lambda eps_beats_4: eps_beats_4,
            1,
            "ratio 0-1",
            "share of the last four reports with eps_actual > eps_estimate",
        ),
        Feature(
            "revenue_surprise_pct",
            lambda revenue_surprise_last: revenue_surprise_last,
            1,
            PERCENT,
            "100*(revenue_actual - revenue_estimate)/revenue_estimate of the last report "
            "(ETF: weighted)",
        ),
    ),
)
