"""Finnhub's answers over a real socket: as sent, and as they must land."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

from ingestion.gate.expectations import gate
from ingestion.sources.finnhub.format import headlines, reports, sentiment
from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.tables.catalogue import TABLES
from market.errors import SchemaViolation, SourceUnavailable
from tests.ingestion.sources.finnhub.finnhub_payloads import (
    END,
    KEY,
    KEYS,
    NOW,
    PATHS,
    PUBLISHED,
    SCORER,
    calendar,
    headline,
    report,
    score,
    without,
)


class Fixture(NamedTuple):
    """An answer, the rows that pass the gate by some of their columns, and how many do not."""

    sent: Any
    landed: list[dict[str, Any]]
    refused: int = 0


NEWS_ROW = {
    "news_id": "7501234", "published": pd.Timestamp(PUBLISHED, unit="s", tz="UTC"),
    "recorded_at": pd.Timestamp("2024-03-05 21:45", tz="UTC"), "headline": "Stocks rise",
    "source": "Reuters", "score": 0.11, "scorer": "length 1", "scope": "market",
}  # fmt: skip
OTHER = headline(id=2, headline="Oil falls")
SENTIMENT_ROW = {
    "ticker": "SPY", "recorded_at": pd.Timestamp("2024-03-05 21:45", tz="UTC"),
    "bullish_percent": 0.75, "bearish_percent": 0.25, "sector_bullish_percent": 0.6482,
    "articles_in_last_week": 20.0, "weekly_average": 22.5,
}  # fmt: skip
EARNINGS_ROW = {
    "symbol": "NVDA", "fiscal_year": 2025, "fiscal_quarter": 1,
    "date": pd.Timestamp("2024-05-22"), "hour": "amc", "eps_actual": None, "eps_estimate": 5.5,
    "revenue_actual": None, "revenue_estimate": 2.45e10,
}  # fmt: skip

NEWS_FIXTURES = {
    "as documented": Fixture([headline()], [NEWS_ROW]),
    "two": Fixture([headline(), OTHER], [{"news_id": "2"}, {"news_id": "7501234"}]),
    "sent twice": Fixture([headline(), headline()], [NEWS_ROW]),
    "one number for two texts": Fixture([headline(), headline(headline="Other"), OTHER],
                                        [{"news_id": "2"}], 2),
    "numbers as texts": Fixture([headline(id="7501234", datetime=str(PUBLISHED))], [NEWS_ROW]),
    "numbers as floats": Fixture([headline(id=7501234.0, datetime=float(PUBLISHED))], [NEWS_ROW]),
    "number beyond a float": Fixture([headline(id=2**53 + 1)], [{"news_id": "9007199254740993"}]),
    "extra fields": Fixture([headline(mood="good", tags=[1, {"a": None}])], [NEWS_ROW]),
    "no publisher": Fixture([headline(source=None)], [NEWS_ROW | {"source": None}]),
    "empty publisher": Fixture([headline(source=" ")], [NEWS_ROW | {"source": None}]),
    "publisher missing": Fixture([headline(source=...)], [NEWS_ROW | {"source": None}]),
    "null text": Fixture([headline(headline=None), OTHER], [{"news_id": "2"}], 1),
    "empty text has no mood": Fixture([headline(headline="  "), OTHER], [{"news_id": "2"}], 1),
    "text missing": Fixture([headline(headline=...), OTHER], [{"news_id": "2"}], 1),
    "null number": Fixture([headline(id=None), OTHER], [{"news_id": "2"}], 1),
    "number not a number": Fixture([headline(id=math.nan), OTHER], [{"news_id": "2"}], 1),
    "null time": Fixture([headline(datetime=None), OTHER], [{"news_id": "2"}], 1),
    "time missing": Fixture([headline(datetime=...), OTHER], [{"news_id": "2"}], 1),
    "time 0": Fixture([headline(datetime=0), OTHER], [{"news_id": "2"}], 1),
    "half a character": Fixture([headline(headline="Up \ud83d")], [{"headline": "Up \ufffd"}]),
    "other scripts": Fixture([headline(headline="日経平均 📈")], [{"headline": "日経平均 📈"}]),
}  # fmt: skip
SENTIMENT_FIXTURES = {
    "as documented": Fixture(score(), [SENTIMENT_ROW]),
    "whole numbers": Fixture(
        score(sentiment={"bearishPercent": 0, "bullishPercent": 1}),
        [SENTIMENT_ROW | {"bullish_percent": 1.0, "bearish_percent": 0.0}],
    ),
    "numbers as texts": Fixture(
        score(sentiment={"bearishPercent": "0.25", "bullishPercent": ".75"}), [SENTIMENT_ROW]
    ),
    "null of the sector": Fixture(
        score(sectorAverageBullishPercent=None),
        [SENTIMENT_ROW | {"sector_bullish_percent": None}],
    ),
    "sector missing": Fixture(
        score(sectorAverageBullishPercent=...),
        [SENTIMENT_ROW | {"sector_bullish_percent": None}],
    ),
    "null shares": Fixture(
        score(sentiment={"bearishPercent": None, "bullishPercent": None}), [], 1
    ),
    "a share above 1": Fixture(
        score(sentiment={"bearishPercent": 25, "bullishPercent": 75}), [], 1
    ),
    "nothing known of it": Fixture(score(sentiment=None, buzz=None), []),
    "no article is not neutral": Fixture(
        score(
            buzz={"articlesInLastWeek": 0, "buzz": 0, "weeklyAverage": 0},
            sentiment={"bearishPercent": 0, "bullishPercent": 0},
        ),
        [],
    ),
}
EARNINGS_FIXTURES = {
    "as documented": Fixture(calendar(report()), [EARNINGS_ROW]),
    "a result": Fixture(
        calendar(report(epsActual=6.12, revenueActual=26_044_000_000)),
        [EARNINGS_ROW | {"eps_actual": 6.12, "revenue_actual": 2.6044e10}],
    ),
    "none": Fixture(calendar(), []),
    "numbers as texts": Fixture(
        calendar(report(epsEstimate="5.5", year="2025", quarter="1", revenueEstimate="2.45e10")),
        [EARNINGS_ROW],
    ),
    "years as floats": Fixture(calendar(report(year=2025.0, quarter=1.0)), [EARNINGS_ROW]),
    "unknown hour": Fixture(calendar(report(hour="")), [EARNINGS_ROW | {"hour": ""}]),
    "null hour": Fixture(calendar(report(hour=None)), [EARNINGS_ROW | {"hour": ""}]),
    "hour missing": Fixture(calendar(report(hour=...)), [EARNINGS_ROW | {"hour": ""}]),
    "an hour nobody knows": Fixture(calendar(report(hour="noon")), [], 1),
    "no revenue at all": Fixture(
        calendar(report(revenueActual=..., revenueEstimate=...)),
        [EARNINGS_ROW | {"revenue_estimate": None}],
    ),
    "estimate not a number": Fixture(
        calendar(report(epsEstimate=math.nan)), [EARNINGS_ROW | {"eps_estimate": None}]
    ),
    "estimate infinite": Fixture(calendar(report(epsEstimate=math.inf)), [], 1),
    "null day": Fixture(calendar(report(date=None)), [], 1),
    "a fifth quarter": Fixture(calendar(report(quarter=5)), [], 1),
    "sent twice": Fixture(calendar(report(), report()), [EARNINGS_ROW]),
    "two days of one quarter": Fixture(calendar(report(), report(date="2024-05-29")), [], 2),
    "another company beside it": Fixture(calendar(report(), report(symbol="AMD")), [EARNINGS_ROW]),
    "extra fields": Fixture(calendar(report(currency="USD", guidance=[1])), [EARNINGS_ROW]),
}
FIXTURES = [
    pytest.param(table, fixture, id=f"{table}: {name}")
    for table, rows in {
        "news": NEWS_FIXTURES, "news_sentiment": SENTIMENT_FIXTURES,
        "earnings_calendar": EARNINGS_FIXTURES,
    }.items()
    for name, fixture in rows.items()
]  # fmt: skip


def fetched(server: HTTPServer, table: str) -> pd.DataFrame:
    source = Finnhub(lambda: NOW, KEY, scorer=SCORER, api_url=server.url_for("/api/v1"))
    return TABLES[table].check(source.fetch(table, KEYS[table], None, END))


def assert_rows(frame: pd.DataFrame, rows: list[dict[str, Any]]) -> None:
    """Assert the rows of a frame, by the columns that the expected rows name."""
    assert len(frame) == len(rows)
    for row, (_, got) in zip(rows, frame.iterrows(), strict=True):
        for name, value in row.items():
            assert pd.isna(got[name]) if value is None else got[name] == value, name


@pytest.mark.integration
@pytest.mark.parametrize(("table", "fixture"), FIXTURES)
def test_as_sent_as_it_lands(
    table: str, fixture: Fixture, httpserver: HTTPServer, request: pytest.FixtureRequest
) -> None:
    httpserver.expect_request(PATHS[table]).respond_with_json(fixture.sent)
    frame = fetched(httpserver, table)
    # The gate takes its time; it is asked where it has something to refuse, and once besides.
    asked = fixture.refused or "as documented" in request.node.name
    good, bad = gate(TABLES[table], frame) if asked else (frame, frame.head(0))
    assert_rows(good, fixture.landed)
    assert len(bad) == fixture.refused


# --- anything at all ----------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from([0, 1, PUBLISHED, 10**400, "1e999"])
)
JSON = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(), st.sampled_from(["5.5", "2024-05-22", "bmo", "NVDA"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def spoiled(row: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a row with some of its fields replaced by anything, or missing."""
    changes = st.dictionaries(st.sampled_from([*row]), st.just(...) | JSON, max_size=2)
    return changes.map(lambda change: without(row | change))


def lists(row: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.one_of(JSON, st.lists(spoiled(row) | JSON, max_size=3))


ANSWERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], pd.DataFrame]]] = {
    "news": (
        lists(headline()),
        lambda sent: headlines("Finnhub, news", sent, NOW.tz_convert("UTC"), SCORER_OF_ANYTHING),
    ),
    "news_sentiment": (
        JSON | spoiled(score()),
        lambda sent: sentiment("Finnhub, sentiment", sent, "SPY", NOW.tz_convert("UTC")),
    ),
    "earnings_calendar": (
        JSON | st.fixed_dictionaries({"earningsCalendar": lists(report())}),
        lambda sent: reports("Finnhub, earnings", sent, "NVDA"),
    ),
}
SCORER_OF_ANYTHING = HeadlineScores("none", lambda texts: [0.0] * len(texts))


def check_anything(table: str, data: st.DataObject) -> None:
    """Assert that an answer gives rows of the table's dtypes, or one of our errors in one line."""
    answers, parse = ANSWERS[table]
    sent = data.draw(answers)
    try:
        rows = parse(sent)
    except (SchemaViolation, SourceUnavailable) as error:
        assert str(error).startswith("Finnhub")
        assert len(str(error)) < 500
        return
    shape = TABLES[table]
    shape.check(rows[list(shape.names)].astype(shape.dtypes))
    texts = [column.name for column in shape.columns if column.dtype == "string"]
    for name in texts:
        assert rows[name].map(lambda value: value is None or str(value).encode() is not None).all()


@pytest.mark.parametrize("table", ANSWERS)
@given(st.data())
def test_anything_gives_rows_of_the_declared_types_or_our_error(
    table: str, data: st.DataObject
) -> None:
    check_anything(table, data)


@pytest.mark.long
@pytest.mark.parametrize("table", ANSWERS)
@given(st.data())
@settings(max_examples=12_500, deadline=None)
def test_anything_at_length(table: str, data: st.DataObject) -> None:
    check_anything(table, data)
