"""Volatility as a chain of options quotes it: level, skew, curvature, and what lies between.

A stored auxiliary view, like iv_lags: no model's pool holds it. Serving reads the anchor of the
synthetic smile from it. The sources are of chains known at the cut-off, null where there was none:
see `ingestion.views.option_chain`.
"""

from typing import Final

import numpy as np

from feature_repo.features.declare import VOL_POINTS, Feature, Group, Term
from feature_repo.features.maths.arithmetic import ratio, shift
from feature_repo.features.option_chain.forecast import AHEAD, expected_volatility
from market.arrays import BySession, FloatArray

#: Sessions by which the chain that anchors a smile may be old (Decision 26).
OLDEST: Final = 2


def index_since(vix_close: BySession) -> FloatArray:
    """Return the index over that of 0, 1 and 2 sessions before; shape (3, n_sessions)."""
    return np.array([ratio(vix_close, shift(vix_close, age)) for age in range(OLDEST + 1)])


def chain_iv_anchor(
    newest_iv_30: BySession, newest_age: BySession, index_since: FloatArray
) -> BySession:
    """Level of the newest chain, moved with the index since its session, in points."""
    rows = np.arange(newest_age.size)
    known = ~np.isnan(newest_age)
    moved = index_since[np.where(known, newest_age, 0).astype(np.intp), rows]
    return np.where(known, newest_iv_30 * moved, np.nan)


OPTION_CHAIN: Final = Group(
    name="option_chain",
    entity="ticker",
    requires="option chains, which OPTRADE_CHAINS or `record-chains` lands",
    auxiliary=True,
    sources=(
        "atm_iv_30",
        "atm_iv_90",
        "skew_25d",
        "curvature_25d",
        "newest_iv_30",
        "newest_age",
        "vix_close",
        "log_variance_2",
        "log_variance_5",
        "log_variance_22",
    ),
    terms=(
        Term("index_since", index_since),
        Term("expected_volatility", expected_volatility),
    ),
    features=(
        Feature(
            "atm_iv_30",
            lambda atm_iv_30: atm_iv_30,
            1,
            VOL_POINTS,
            "implied volatility at the forward of the session's last chain known at the cut-off, "
            "30 calendar days, linear in total variance between the expiries around it",
        ),
        Feature(
            "skew_25d",
            lambda skew_25d: skew_25d,
            1,
            VOL_POINTS,
            "implied volatility of the 25-delta put less that of the 25-delta call, 30 days",
        ),
        Feature(
            "curvature_25d",
            lambda curvature_25d: curvature_25d,
            1,
            VOL_POINTS,
            "mean implied volatility of the 25-delta put and call less atm_iv_30, 30 days",
        ),
        Feature(
            "iv_term_slope",
            lambda atm_iv_90, atm_iv_30: atm_iv_90 - atm_iv_30,
            1,
            VOL_POINTS,
            "implied volatility at the forward of 90 days (else of the expiry nearest to that, 60 "
            "to 120) - atm_iv_30",
        ),
        Feature(
            "iv_less_forecast",
            lambda atm_iv_30, expected_volatility: atm_iv_30 - expected_volatility,
            23,
            VOL_POINTS,
            f"atm_iv_30 - 100 sqrt(252 exp(a + b log_variance_2 + c log_variance_5 + "
            f"d log_variance_22)): the volatility expected of the next {AHEAD} sessions",
        ),
        Feature(
            "chain_iv_anchor",
            chain_iv_anchor,
            OLDEST + 1,
            VOL_POINTS,
            "vix_close * (atm_iv_30 / vix_close) of the newest chain known at the cut-off, at "
            f"most {OLDEST} sessions old",
        ),
    ),
)
