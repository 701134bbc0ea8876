"""Vendors' files of events: Finnhub's news and earnings, ApeWisdom's lists, option chains.

Each reader takes a whole file and returns its rows of every key. Columns beyond the named ones
are ignored.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile
from ingestion.tables.catalogue import MARKET_SCOPE, MENTION_FILTERS

EARNINGS_NUMBERS: Final = MappingProxyType(
    {
        "eps_actual": "epsActual",
        "eps_estimate": "epsEstimate",
        "revenue_actual": "revenueActual",
        "revenue_estimate": "revenueEstimate",
    }
)
MENTION_NUMBERS: Final = ("rank", "mentions", "upvotes", "rank_24h_ago", "mentions_24h_ago")
CHAIN_NUMBERS: Final = MappingProxyType(
    {
        "strike": "strike",
        "underlying_price": "underlying_last",
        "bid": "bid",
        "ask": "ask",
        "volume": "volume",
        "open_interest": "open_interest",
        "implied_volatility": "implied_volatility",
        "delta": "delta",
        "gamma": "gamma",
    }
)
NEWS_COLUMNS: Final = ("datetime", "headline", "id", "source")


def finnhub_news(file: CsvFile) -> pd.DataFrame:
    """Return the columns of `news` but the score: Finnhub's general news.

    `datetime` is in seconds since 1970. Finnhub's own columns do not say when a headline was
    read; without a column `recorded_at` it counts as read when it was published.
    """
    file.require(NEWS_COLUMNS)
    published = file.seconds("datetime")
    return pd.DataFrame(
        {
            "scope": MARKET_SCOPE,
            "news_id": file.texts("id"),
            "published": published,
            "recorded_at": file.times("recorded_at")
            if "recorded_at" in file.columns
            else published,
            "headline": file.texts("headline"),
            "source": file.texts("source"),
        }
    )


def finnhub_earnings(file: CsvFile) -> pd.DataFrame:
    """Return the columns of `earnings_calendar`: every report of the calendar, in USD.

    A report without a fiscal year and quarter cannot be told from a company's others: the gate
    refuses it.
    """
    file.require(["date", "hour", "quarter", "symbol", "year", *EARNINGS_NUMBERS.values()])
    frame = pd.DataFrame({"symbol": file.texts("symbol"), "date": file.dates("date")})
    for column, header in (("fiscal_year", "year"), ("fiscal_quarter", "quarter")):
        frame[column] = _whole(file, header)
    frame["hour"] = pd.Series(file.columns["hour"], dtype=object)
    for column, header in EARNINGS_NUMBERS.items():
        frame[column] = file.numbers(header)
    return frame


def apewisdom_mentions(file: CsvFile) -> pd.DataFrame:
    """Return the columns of `mentions`: the snapshots of the lists in `MENTION_FILTERS`.

    A place of 0 a day before is no place: the list did not hold the ticker then, so that both
    figures of that day are null.
    """
    file.require(["ts", "filter", "ticker", *MENTION_NUMBERS])
    frame = pd.DataFrame(
        {
            "ticker": file.texts("ticker"),
            "filter": file.texts("filter"),
            "recorded_at": file.times("ts"),
            **{name: file.numbers(name) for name in MENTION_NUMBERS},
        }
    )
    absent = frame["rank_24h_ago"] == 0
    frame.loc[absent, ["rank_24h_ago", "mentions_24h_ago"]] = np.nan
    return frame[frame["filter"].isin(MENTION_FILTERS)]


def with_absent(mentions: pd.DataFrame, tickers: Sequence[str]) -> pd.DataFrame:
    """Return the rows of tickers in every snapshot; one that a list does not hold has nulls.

    Parameters
    ----------
    mentions
        Whole lists, of `apewisdom_mentions`.
    """
    snapshots = mentions[["filter", "recorded_at"]].drop_duplicates()
    asked = pd.DataFrame({"ticker": pd.Series(list(tickers), dtype=object)})
    return snapshots.merge(asked, how="cross").merge(
        mentions, how="left", on=["ticker", "filter", "recorded_at"]
    )


def chain_quotes(file: CsvFile, underlying: str) -> pd.DataFrame:
    """Return the columns of `option_chains`, in USD; a volatility of 0 is unknown, so null.

    Raises
    ------
    SchemaViolation
        If a cell cannot be read, or a row is of another underlying.
    """
    names = ["quote_time", "underlying", "expiration", "option_type", *CHAIN_NUMBERS.values()]
    file.require(names)
    file.refuse(file.columns["underlying"] != underlying, "underlying", underlying)
    frame = pd.DataFrame(
        {
            "underlying": underlying,
            "quote_time": file.times("quote_time"),
            "expiration": file.dates("expiration"),
            "option_type": file.texts("option_type"),
            **{column: file.numbers(header) for column, header in CHAIN_NUMBERS.items()},
        }
    )
    volatility = frame["implied_volatility"]
    return frame.assign(implied_volatility=volatility.where(volatility != 0.0))


def _whole(file: CsvFile, column: str) -> pd.Series:
    values = file.numbers(column)
    fraction = np.isfinite(values) & (values % 1 == 0)
    file.refuse((values.notna() & ~fraction).to_numpy(), column, "a whole number, or an empty cell")
    return values
