"""Mood and attention: shares of market headlines, and mentions on Reddit.

Nothing here has a history: a session that was not watched is null, its count of headlines
included. A mean over the sessions before needs most of them, see `mean_before`.
"""

from collections.abc import Callable
from typing import Final

import bottleneck as bn
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from feature_repo.features.declare import FLAG, RATIO, Feature, Group, Term
from feature_repo.features.maths.arithmetic import flag, ratio
from market.arrays import BySession

BEFORE: Final = 20
# Three weeks of four: a machine that was off for a week does not silence the month after.
NEEDED: Final = 15
# Bounds of the mood, and the mentions a day above which a ticker has attention.
BULLISH: Final = 0.15
EXTREME: Final = 0.35
ATTENTION: Final = 50
# Shares of counts: 13 of 20 less 10 of 20 is 0.15, not the next number above it.
DECIMALS: Final = 12


def mean_before(x: BySession, n: int = BEFORE, needed: int = NEEDED) -> BySession:
    """Mean of the known values of the n sessions before today, today excluded.

    Null until n sessions before today are loaded, and where fewer than `needed` of them are
    known.

    Parameters
    ----------
    x
        Values, NaN where unknown; shape (n_sessions,).
    """
    out = np.full(x.size, np.nan)
    if x.size > n:
        windows = sliding_window_view(x, n)[:-1]
        enough = (~np.isnan(windows)).sum(axis=1) >= needed
        out[n:][enough] = bn.nanmean(windows[enough], axis=1)
    return out


def sentiment_score(premium_score: BySession, headline_score: BySession) -> BySession:
    """Mood of the news, -1 to 1: the vendor's own score where the plan gives it."""
    score = np.where(np.isnan(premium_score), headline_score, premium_score)
    return score.round(DECIMALS)


def sentiment_vs_sector(
    premium_score: BySession, premium_sector_score: BySession, sentiment_score: BySession
) -> BySession:
    """Mood against the sector's where the vendor gives a score, else against its own past."""
    own = sentiment_score - mean_before(sentiment_score)
    return np.asarray(np.where(np.isnan(premium_score), own, premium_score - premium_sector_score))


def news_buzz_score(news_article_count: BySession) -> BySession:
    """Count of headlines against twice the mean of the sessions before, at most 1."""
    buzz = ratio(news_article_count, 2.0 * mean_before(news_article_count))
    return np.asarray(np.minimum(1.0, buzz))


def reddit_momentum(reddit_mentions: BySession, mentions_24h_ago: BySession) -> BySession:
    """Relative change of mentions from the day before, of which at least one is counted."""
    return np.asarray(reddit_mentions / np.maximum(mentions_24h_ago, 1.0) - 1.0)


def above(bound: float) -> Callable[..., BySession]:
    """1 if the mood lies above a bound, else 0."""
    return lambda sentiment_score: flag(sentiment_score > bound, sentiment_score)


def below(bound: float) -> Callable[..., BySession]:
    """1 if the mood lies below a bound, else 0."""
    return lambda sentiment_score: flag(sentiment_score < bound, sentiment_score)


SENTIMENT: Final = Group(
    name="sentiment",
    entity="ticker",
    # The past of news and mentions cannot be fetched.
    requires="news and mentions, which grows by a session a day",
    sources=(
        "headlines",
        "headlines_up",
        "headlines_down",
        "premium_score",
        "premium_sector_score",
        "mentions",
        "mentions_24h_ago",
    ),
    terms=(
        Term("headline_score", lambda headlines_up, headlines_down: headlines_up - headlines_down),
    ),
    features=(
        Feature(
            "sentiment_score",
            sentiment_score,
            1,
            "score -1..1",
            "share of those headlines scored > 0.05 minus share scored < -0.05; "
            "null without a headline. Premium: Finnhub's bullishPercent - bearishPercent",
        ),
        Feature(
            "sentiment_vs_sector",
            sentiment_vs_sector,
            BEFORE + 1,
            "score -2..2",
            "sentiment_score minus its mean over the previous 20 sessions. "
            "Premium: minus Finnhub's sector figure",
        ),
        Feature(
            "news_buzz_score",
            news_buzz_score,
            BEFORE + 1,
            "score 0..1",
            "min(1, news_article_count / "
            "(2 * mean of the previous 20 sessions' news_article_count))",
        ),
        Feature(
            "news_article_count",
            lambda headlines: headlines,
            1,
            "count",
            "headlines with decision_time(D-1) < published <= decision_time(D), "
            "recorded by decision_time(D)",
        ),
        Feature(
            "reddit_mentions",
            lambda mentions: mentions,
            1,
            "count",
            "ApeWisdom mentions at the last snapshot recorded by decision_time(D), "
            "summed over the two filters; absent or null stays null",
        ),
        Feature(
            "reddit_momentum",
            reddit_momentum,
            1,
            RATIO,
            "reddit_mentions / max(mentions_24h_ago, 1) - 1; null if either is null",
        ),
        Feature("sentiment_bullish", above(BULLISH), 1, FLAG, "1 if sentiment_score > 0.15"),
        Feature("sentiment_bearish", below(-BULLISH), 1, FLAG, "1 if sentiment_score < -0.15"),
        Feature(
            "sentiment_neutral",
            lambda sentiment_score: flag(np.abs(sentiment_score) <= BULLISH, sentiment_score),
            1,
            FLAG,
            "1 if -0.15 <= sentiment_score <= 0.15",
        ),
        Feature(
            "sentiment_extreme_bullish", above(EXTREME), 1, FLAG, "1 if sentiment_score > 0.35"
        ),
        Feature(
            "sentiment_extreme_bearish", below(-EXTREME), 1, FLAG, "1 if sentiment_score < -0.35"
        ),
        Feature(
            "high_social_attention",
            lambda reddit_mentions: flag(reddit_mentions > ATTENTION, reddit_mentions),
            1,
            FLAG,
            "1 if reddit_mentions > 50",
        ),
    ),
)
