"""Macro features of the market: rates, curve, inflation and employment as known at the cut-off.

Inputs carry the names of their FRED series.
"""
# ruff: noqa: N803

from typing import Final

import numpy as np

from feature_repo.features.declare import FLAG, PERCENT, PERCENT_POINTS, VOL_POINTS, Feature, Group
from feature_repo.features.maths.arithmetic import change, change_over, difference_over, flag, ratio
from market.arrays import BySession

# Daily series: each gives the array of its own name, the level as known.
DAILY: Final = ("DFF", "DGS2", "DGS10", "DGS3MO", "VIXCLS", "T10Y2Y", "T10YIE", "DFII10", "T5YIE")
# Monthly series: months before the newest known one, and the array that holds that level.
MONTHLY: Final = {
    "UNRATE": {0: "UNRATE", 3: "UNRATE_3M_EARLIER"},
    "CPIAUCSL": {0: "CPI", 1: "CPI_1M_EARLIER", 12: "CPI_12M_EARLIER"},
}
# Bounds of the volatility regimes 0 to 3.
REGIMES: Final = (15.0, 20.0, 30.0)
PIVOT_POINTS: Final = 0.5


def vixcls_regime(vixcls: BySession) -> BySession:
    """Ordinal of the VIX level: 0 below 15, 1 below 20, 2 below 30, else 3."""
    return flag(np.isfinite(vixcls), vixcls) * np.searchsorted(REGIMES, vixcls, side="right")


def fed_pivot(fed_funds_change_60d: BySession, fed_pivot_signal: BySession) -> BySession:
    """1 if the two-year yield prices, by over half a point, a turn of the recent policy path."""
    against = fed_funds_change_60d * fed_pivot_signal < 0
    clear = np.abs(fed_pivot_signal) > PIVOT_POINTS
    return flag(against & clear, fed_funds_change_60d, fed_pivot_signal)


def known(series: str) -> str:
    """Words for a level that is passed on as known."""
    return f"latest {series} value published by the cut-off"


def sessions_earlier(name: str, n: int) -> str:
    """Words for a difference over n sessions."""
    return f"{name} - {name}[{n} sessions earlier]"


# Name, formula as code, lookback, unit, formula in words.
MACRO: Final = Group(
    name="macro",
    entity="market",
    sources=(*DAILY, *(name for terms in MONTHLY.values() for name in terms.values())),
    features=(
        Feature("fed_funds_effective", lambda DFF: DFF, 1, PERCENT, known("DFF")),
        Feature("treasury_2y", lambda DGS2: DGS2, 1, PERCENT, known("DGS2")),
        Feature("treasury_10y", lambda DGS10: DGS10, 1, PERCENT, known("DGS10")),
        Feature("treasury_3m", lambda DGS3MO: DGS3MO, 1, PERCENT, known("DGS3MO")),
        Feature("vixcls", lambda VIXCLS: VIXCLS, 1, VOL_POINTS, known("VIXCLS")),
        Feature("yield_spread_10y_2y", lambda T10Y2Y: T10Y2Y, 1, PERCENT_POINTS, known("T10Y2Y")),
        Feature("breakeven_inflation_10y", lambda T10YIE: T10YIE, 1, PERCENT, known("T10YIE")),
        Feature("real_rate_10y", lambda DFII10: DFII10, 1, PERCENT, known("DFII10")),
        Feature("unemployment_rate", lambda UNRATE: UNRATE, 1, PERCENT, known("UNRATE")),
        Feature(
            "cpi_yoy",
            lambda CPI, CPI_12M_EARLIER: 100.0 * change(CPI, CPI_12M_EARLIER),
            1,
            PERCENT,
            "100*(CPI / CPI[same month a year earlier] - 1), latest reference month published "
            "by the cut-off, both terms from the one vintage in force at the cut-off; "
            "null if a term is missing",
        ),
        Feature(
            "yield_spread_10y_3m",
            lambda treasury_10y, treasury_3m: treasury_10y - treasury_3m,
            1,
            PERCENT_POINTS,
            "treasury_10y - treasury_3m",
        ),
        Feature(
            "yield_spread_2y_3m",
            lambda treasury_2y, treasury_3m: treasury_2y - treasury_3m,
            1,
            PERCENT_POINTS,
            "treasury_2y - treasury_3m",
        ),
        Feature(
            "curve_inverted_10y_2y",
            lambda yield_spread_10y_2y: flag(yield_spread_10y_2y < 0, yield_spread_10y_2y),
            1,
            FLAG,
            "1 if yield_spread_10y_2y < 0",
        ),
        Feature(
            "curve_inverted_10y_3m",
            lambda yield_spread_10y_3m: flag(yield_spread_10y_3m < 0, yield_spread_10y_3m),
            1,
            FLAG,
            "1 if yield_spread_10y_3m < 0",
        ),
        Feature(
            "yield_curvature",
            lambda treasury_2y, treasury_3m, treasury_10y: (
                2.0 * treasury_2y - treasury_3m - treasury_10y
            ),
            1,
            PERCENT_POINTS,
            "2*treasury_2y - treasury_3m - treasury_10y",
        ),
        Feature(
            "treasury_2y_change_5d",
            lambda treasury_2y: difference_over(treasury_2y, 5),
            6,
            PERCENT_POINTS,
            sessions_earlier("treasury_2y", 5),
        ),
        Feature(
            "treasury_2y_change_20d",
            lambda treasury_2y: difference_over(treasury_2y, 20),
            21,
            PERCENT_POINTS,
            sessions_earlier("treasury_2y", 20),
        ),
        Feature(
            "treasury_2y_change_60d",
            lambda treasury_2y: difference_over(treasury_2y, 60),
            61,
            PERCENT_POINTS,
            sessions_earlier("treasury_2y", 60),
        ),
        Feature(
            "treasury_10y_change_5d",
            lambda treasury_10y: difference_over(treasury_10y, 5),
            6,
            PERCENT_POINTS,
            sessions_earlier("treasury_10y", 5),
        ),
        Feature(
            "treasury_10y_change_20d",
            lambda treasury_10y: difference_over(treasury_10y, 20),
            21,
            PERCENT_POINTS,
            sessions_earlier("treasury_10y", 20),
        ),
        Feature(
            "treasury_10y_change_60d",
            lambda treasury_10y: difference_over(treasury_10y, 60),
            61,
            PERCENT_POINTS,
            sessions_earlier("treasury_10y", 60),
        ),
        Feature(
            "yield_spread_10y_2y_change_20d",
            lambda yield_spread_10y_2y: difference_over(yield_spread_10y_2y, 20),
            21,
            PERCENT_POINTS,
            "yield_spread_10y_2y - value 20 sessions earlier",
        ),
        Feature(
            "fed_funds_change_20d",
            lambda fed_funds_effective: difference_over(fed_funds_effective, 20),
            21,
            PERCENT_POINTS,
            "fed_funds_effective - value 20 sessions earlier",
        ),
        Feature(
            "fed_funds_change_60d",
            lambda fed_funds_effective: difference_over(fed_funds_effective, 60),
            61,
            PERCENT_POINTS,
            "fed_funds_effective - value 60 sessions earlier",
        ),
        Feature(
            "vixcls_change_5d",
            lambda vixcls: 100.0 * change_over(vixcls, 5),
            6,
            PERCENT,
            "100*(vixcls / vixcls[5 sessions earlier] - 1)",
        ),
        Feature(
            "vixcls_change_20d",
            lambda vixcls: 100.0 * change_over(vixcls, 20),
            21,
            PERCENT,
            "100*(vixcls / vixcls[20 sessions earlier] - 1)",
        ),
        Feature(
            "vixcls_regime", vixcls_regime, 1, "ordinal 0-3", "0 if <15, 1 if <20, 2 if <30, else 3"
        ),
        Feature(
            "real_fed_funds",
            lambda fed_funds_effective, cpi_yoy: fed_funds_effective - cpi_yoy,
            1,
            PERCENT_POINTS,
            "fed_funds_effective - cpi_yoy",
        ),
        Feature(
            "real_rate_10y_change_20d",
            lambda real_rate_10y: difference_over(real_rate_10y, 20),
            21,
            PERCENT_POINTS,
            "real_rate_10y - value 20 sessions earlier",
        ),
        Feature("breakeven_inflation_5y", lambda T5YIE: T5YIE, 1, PERCENT, known("T5YIE")),
        Feature(
            "cpi_mom_annualised",
            lambda CPI, CPI_1M_EARLIER: 100.0 * (ratio(CPI, CPI_1M_EARLIER) ** 12 - 1.0),
            1,
            PERCENT,
            "100*((CPI / CPI[previous month])^12 - 1), as cpi_yoy",
        ),
        Feature(
            "unemployment_change_3m",
            lambda unemployment_rate, UNRATE_3M_EARLIER: unemployment_rate - UNRATE_3M_EARLIER,
            1,
            PERCENT_POINTS,
            "unemployment_rate - UNRATE[3 reference months earlier], one vintage; null if missing",
        ),
        Feature(
            "fed_pivot_signal",
            lambda treasury_2y, fed_funds_effective: treasury_2y - fed_funds_effective,
            1,
            PERCENT_POINTS,
            "treasury_2y - fed_funds_effective (market-implied path; <0 = cuts priced)",
        ),
        Feature(
            "fed_pivot_flag",
            fed_pivot,
            61,
            FLAG,
            "1 if fed_funds_change_60d * fed_pivot_signal < 0 and |fed_pivot_signal| > 0.5 else 0",
        ),
    ),
)
