"""Simulated premium sentiment: shares of a week's articles on a ticker, from the market's mood."""

from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.simulated.draws import Ornstein, stream
from ingestion.sources.simulated.history import History
from ingestion.sources.simulated.mentions import snapshot_times
from ingestion.sources.simulated.news import market_mood
from market.arrays import FloatArray

# Articles of a week count with a weight that falls by the day.
MEMORY: Final = 0.75
OWN: Final = Ornstein(0.0, 0.6, 0.9)
SECTOR: Final = Ornstein(0.0, 0.25, 0.95)
UNDECIDED: Final = 0.15  # share of articles neither bullish nor bearish
WEEKLY: Final = 60.0
BUZZ: Final = Ornstein(0.0, 0.3, 0.9)


def news_sentiment(history: History, ticker: str) -> pd.DataFrame:
    """Return the columns of `news_sentiment` of a ticker: a snapshot every session."""
    count = len(history.sessions)
    shared = _remembered(market_mood(history))
    own = OWN.path(stream(history.seed, "sentiment", ticker).standard_normal(count))
    sector = SECTOR.path(stream(history.seed, "sentiment", "sector").standard_normal(count))
    bullish = (1.0 - UNDECIDED) * _share(shared + own)
    buzz = BUZZ.path(stream(history.seed, "buzz", ticker).standard_normal(count))
    articles = np.round(WEEKLY * np.exp(buzz))
    return pd.DataFrame(
        {
            "ticker": ticker,
            "recorded_at": snapshot_times(history),
            "bullish_percent": bullish.round(4),
            "bearish_percent": (1.0 - UNDECIDED - bullish).round(4),
            "sector_bullish_percent": _share(shared + sector).round(4),
            "articles_in_last_week": articles,
            "weekly_average": np.round(WEEKLY, 1),
        }
    )


def _remembered(mood: FloatArray) -> FloatArray:
    """Return the exponentially weighted mean of mood; shape (n_sessions,)."""
    mean: FloatArray = pd.Series(mood).ewm(alpha=1.0 - MEMORY).mean().to_numpy()
    return mean


def _share(mood: FloatArray) -> FloatArray:
    share: FloatArray = 1.0 / (1.0 + np.exp(-mood))
    return share
