"""Mood and earnings against implied volatility, computed on demand from stored features.

Not stored: training adds these columns to the views they are made of, and serving computes them
with the same functions (Decision 1).
"""

from typing import Final

import numpy as np

from feature_repo.features.declare import FLAG, Feature, Group
from feature_repo.features.iv.group import RANK_SESSIONS
from feature_repo.features.maths.arithmetic import flag
from market.arrays import BySession

# Index rank above which options are dear, and below which they are cheap.
HIGH_RANK: Final = 60.0
LOW_RANK: Final = 30.0


def sentiment_bullish_high_iv(sentiment_bullish: BySession, iv_rank: BySession) -> BySession:
    """1 if the mood is bullish and options are dear, else 0."""
    return flag((sentiment_bullish == 1) & (iv_rank > HIGH_RANK), sentiment_bullish, iv_rank)


def sentiment_bearish_low_iv(sentiment_bearish: BySession, iv_rank: BySession) -> BySession:
    """1 if the mood is bearish and options are cheap, else 0."""
    return flag((sentiment_bearish == 1) & (iv_rank < LOW_RANK), sentiment_bearish, iv_rank)


def sentiment_iv_divergence(sentiment_score: BySession, iv_rank: BySession) -> BySession:
    """Mood times the distance of iv_rank from its middle, -1 to 1."""
    return sentiment_score * (iv_rank - 50.0) / 50.0


def earnings_iv_runup(earnings_within_5d: BySession, iv_rank: BySession) -> BySession:
    """Index rank (iv_rank) as a ratio if a report is near, else 0."""
    return np.asarray(earnings_within_5d * iv_rank / 100.0)


def earnings_iv_crush_setup(
    earnings_within_5d: BySession, iv_rank: BySession, iv_hv_spread: BySession
) -> BySession:
    """1 if a report is near and options are dear against rank and realised volatility, else 0."""
    dear = (iv_rank > HIGH_RANK) & (iv_hv_spread > 0)
    return flag((earnings_within_5d == 1) & dear, earnings_within_5d, iv_rank, iv_hv_spread)


CROSS: Final = Group(
    name="cross",
    entity="ticker",
    sources=(
        "sentiment_bullish",
        "sentiment_bearish",
        "sentiment_score",
        "earnings_within_5d",
        "iv_rank",
        "iv_hv_spread",
    ),
    features=(
        Feature(
            "sentiment_bullish_high_iv",
            sentiment_bullish_high_iv,
            RANK_SESSIONS,
            FLAG,
            "1 if sentiment_bullish and iv_rank > 60",
        ),
        Feature(
            "sentiment_bearish_low_iv",
            sentiment_bearish_low_iv,
            RANK_SESSIONS,
            FLAG,
            "1 if sentiment_bearish and iv_rank < 30",
        ),
        Feature(
            "sentiment_iv_divergence",
            sentiment_iv_divergence,
            RANK_SESSIONS,
            "score -1..1",
            "sentiment_score * (iv_rank - 50) / 50  (>0: bullish mood with rich IV, or bearish "
            "mood with cheap IV = contrarian)",
        ),
        Feature(
            "earnings_iv_runup",
            earnings_iv_runup,
            RANK_SESSIONS,
            "ratio 0-1",
            "earnings_within_5d * iv_rank / 100",
        ),
        Feature(
            "earnings_iv_crush_setup",
            earnings_iv_crush_setup,
            RANK_SESSIONS,
            FLAG,
            "1 if earnings_within_5d and iv_rank > 60 and iv_hv_spread > 0",
        ),
    ),
)
