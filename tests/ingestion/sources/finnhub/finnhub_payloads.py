"""Finnhub's payloads in its own shape, for the tests of its source."""

from typing import Any

import pandas as pd

from ingestion.sources.headlines.scores import HeadlineScores

KEY = "abcdefghij0123456789"
NOW = pd.Timestamp("2024-03-05 16:45", tz="America/New_York")
END = pd.Timestamp("2024-03-05")
SCORER = HeadlineScores("length 1", lambda texts: [len(text) / 100 for text in texts])
# The client asks with two slashes, at the real address as well.
PATHS = {
    "news": "/api/v1//news",
    "news_sentiment": "/api/v1//news-sentiment",
    "earnings_calendar": "/api/v1//calendar/earnings",
}
KEYS = {"news": ["market"], "news_sentiment": ["SPY"], "earnings_calendar": ["NVDA"]}
PUBLISHED = 1709672400  # 2024-03-05 21:00 UTC


def headline(**changes: Any) -> dict[str, Any]:
    sent = {
        "category": "top news", "datetime": PUBLISHED, "headline": "Stocks rise", "id": 7501234,
        "image": "https://image.test/1", "related": "", "source": "Reuters", "summary": "...",
        "url": "https://news.test/1",
    }  # fmt: skip
    return without(sent | changes)


def score(**changes: Any) -> dict[str, Any]:
    sent = {
        "buzz": {"articlesInLastWeek": 20, "buzz": 0.8888, "weeklyAverage": 22.5},
        "companyNewsScore": 0.9166, "sectorAverageBullishPercent": 0.6482,
        "sectorAverageNewsScore": 0.5191,
        "sentiment": {"bearishPercent": 0.25, "bullishPercent": 0.75}, "symbol": "SPY",
    }  # fmt: skip
    return without(sent | changes)


def report(**changes: Any) -> dict[str, Any]:
    sent = {
        "date": "2024-05-22", "epsActual": None, "epsEstimate": 5.5, "hour": "amc", "quarter": 1,
        "revenueActual": None, "revenueEstimate": 24_500_000_000, "symbol": "NVDA", "year": 2025,
    }  # fmt: skip
    return without(sent | changes)


def without(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the fields set to `...`."""
    return {name: value for name, value in row.items() if value is not ...}


def calendar(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"earningsCalendar": list(rows)}
