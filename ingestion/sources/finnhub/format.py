"""Finnhub's answers and recorded files as rows of the tables, each field read to the letter."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.sources.wire.csv_file import CsvFile
from ingestion.sources.wire.json_answer import (
    Row,
    as_object,
    as_rows,
    day,
    field,
    moment,
    number,
    text,
    whole,
)
from ingestion.tables.catalogue import EARNINGS_CALENDAR, MARKET_SCOPE, NEWS_SENTIMENT
from market.errors import SchemaViolation, SourceUnavailable

AMOUNTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "eps_actual": "epsActual",
        "eps_estimate": "epsEstimate",
        "revenue_actual": "revenueActual",
        "revenue_estimate": "revenueEstimate",
    }
)
NEWS_COLUMNS: Final = ("datetime", "headline", "id", "source")


def headlines(what: str, found: object, now: pd.Timestamp, scorer: HeadlineScores) -> pd.DataFrame:
    """Return the columns of `news` from a list of headlines; a headline sent twice comes once.

    A headline without words has no score: what says nothing is not neutral.

    Raises
    ------
    SourceUnavailable
        If there is none: a market without news does not exist.
    SchemaViolation
        If the list cannot be read to the letter.
    """
    rows = as_rows(what, found, ("id", "datetime", "headline"))
    if not rows:
        raise SourceUnavailable(f"{what}: got no headline; try again later")
    frame = pd.DataFrame([_headline(f"{what}, row {at}", row) for at, row in enumerate(rows)])
    frame["published"] = pd.to_datetime(frame["published"], utc=True)
    frame = frame.drop_duplicates()
    worded = frame["headline"].notna()
    frame["score"] = math.nan
    frame.loc[worded, "score"] = scorer(frame.loc[worded, "headline"].tolist())
    return frame.assign(scope=MARKET_SCOPE, recorded_at=now, scorer=scorer.name)


def _headline(what: str, row: Row) -> Row:
    # The number of a headline is sent as a number; one sent as a text is the same headline.
    known = not math.isnan(number(what, row, "id"))
    return {
        "news_id": str(whole(what, row, "id")) if known else None,
        "published": moment(what, row, "datetime"),
        "headline": text(what, row, "headline"),
        "source": text(what, row, "source"),
    }


def sentiment(what: str, found: object, ticker: str, now: pd.Timestamp) -> pd.DataFrame:
    """Return the columns of `news_sentiment`: one row, or none where nothing was written.

    The share of no articles is unknown, though Finnhub sends 0 for it.

    Raises
    ------
    SchemaViolation
        If the answer cannot be read to the letter, or is about another symbol.
    """
    answer = as_object(what, found)
    shares, buzz = field(what, answer, "sentiment"), field(what, answer, "buzz")
    named = text(what, answer, "symbol")
    if named not in (None, ticker):
        raise SchemaViolation(f"{what}: got symbol {named!r:.40}, allowed is {ticker}")
    if shares is None or buzz is None:
        return NEWS_SENTIMENT.empty()
    shares, buzz = as_object(f"{what}, sentiment", shares), as_object(f"{what}, buzz", buzz)
    for name in ("bullishPercent", "bearishPercent"):
        field(f"{what}, sentiment", shares, name)
    articles = number(what, buzz, "articlesInLastWeek")
    row = {
        "ticker": ticker,
        "recorded_at": now,
        "bullish_percent": number(what, shares, "bullishPercent"),
        "bearish_percent": number(what, shares, "bearishPercent"),
        "sector_bullish_percent": number(what, answer, "sectorAverageBullishPercent"),
        "articles_in_last_week": articles,
        "weekly_average": number(what, buzz, "weeklyAverage"),
    }
    return NEWS_SENTIMENT.empty() if articles == 0.0 else pd.DataFrame([row])


def reports(what: str, found: object, symbol: str) -> pd.DataFrame:
    """Return the columns of `earnings_calendar` from a calendar; year and quarter are fiscal.

    An hour that is not given is the empty text. A report sent twice comes once.

    Raises
    ------
    SourceUnavailable
        If there is null in the place of the list.
    SchemaViolation
        If the calendar cannot be read to the letter, or holds other symbols only.
    """
    calendar = field(what, as_object(what, found), "earningsCalendar")
    if calendar is None:
        raise SourceUnavailable(f"{what}: got null for the list of reports; try again later")
    rows = as_rows(what, calendar, ("symbol", "date", "year", "quarter"))
    named = [text(f"{what}, row {at}", row, "symbol") for at, row in enumerate(rows)]
    if rows and symbol not in named:
        raise SchemaViolation(f"{what}: got reports of {named[0]!r:.40}, allowed are of {symbol}")
    own = [
        _report(f"{what}, row {at}", row, symbol)
        for at, row in enumerate(rows)
        if named[at] == symbol
    ]
    if not own:
        return EARNINGS_CALENDAR.empty()
    return pd.DataFrame(own).astype(EARNINGS_CALENDAR.dtypes).drop_duplicates()


def _report(what: str, row: Row, symbol: str) -> Row:
    return {
        "symbol": symbol,
        # Without them a report cannot be told from a company's others: the gate refuses it.
        **{
            name: math.nan if row.get(sent) is None else whole(what, row, sent)
            for name, sent in (("fiscal_year", "year"), ("fiscal_quarter", "quarter"))
        },
        "date": day(what, row, "date"),
        "hour": text(what, row, "hour") or "",
        **{name: number(what, row, sent) for name, sent in AMOUNTS.items()},
    }


def recorded_news(file: CsvFile) -> pd.DataFrame:
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


def recorded_reports(file: CsvFile) -> pd.DataFrame:
    """Return the columns of `earnings_calendar`: every report of the calendar, in USD.

    A report without a fiscal year and quarter cannot be told from a company's others: the gate
    refuses it.
    """
    file.require(["date", "hour", "quarter", "symbol", "year", *AMOUNTS.values()])
    frame = pd.DataFrame({"symbol": file.texts("symbol"), "date": file.dates("date")})
    for column, header in (("fiscal_year", "year"), ("fiscal_quarter", "quarter")):
        frame[column] = _whole_numbers(file, header)
    frame["hour"] = pd.Series(file.columns["hour"], dtype=object)
    for column, header in AMOUNTS.items():
        frame[column] = file.numbers(header)
    return frame


def _whole_numbers(file: CsvFile, column: str) -> pd.Series:
    values = file.numbers(column)
    integral = np.isfinite(values) & (values % 1 == 0)
    file.refuse((values.notna() & ~integral).to_numpy(), column, "a whole number, or an empty cell")
    return values
