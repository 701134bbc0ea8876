"""JSON and XML answers, bent in every way: read to the letter, or refused.

FRED and Finnhub are asked over a real socket, as their libraries bring their own network code.
"""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any
from xml.sax.saxutils import quoteattr

import httpx2
import pandas as pd
import pytest
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion.sources.apewisdom.source import Apewisdom
from ingestion.sources.base import Source
from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.fred.source import VINTAGED, Fred
from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import TABLES
from market.errors import InputError, SourceUnavailable
from tests.ingestion.sources.test_parsers_csv import (
    BENT_BYTES,
    FIRST_DAY,
    ODD_CELLS,
    ONCE,
    Draw,
    day,
    no_mood,
    word,
)
from tests.ingestion.sources.test_parsers_oracle import (
    END,
    LONG,
    SHORT,
    assert_gated,
    parsed_or_refused,
)

FRED_KEY = "abcdefghijklmnopqrstuvwxyz012345"
FINNHUB_KEY = "c0ffee0123456789abcd"
NOW = pd.Timestamp("2024-01-31T21:30Z")
# The vendor is asked in one go: a slow machine is no fault of a payload.
PATIENT = Patience(attempts=1, attempt_seconds=60, budget_seconds=60)
DAYS = st.dates(FIRST_DAY, FIRST_DAY + timedelta(29))
VALUES = ("3.95", "4.1", ".")

ODD_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), ODD_CELLS,
    st.sampled_from([[], {}, [None], {"a": 1}, 10**30, -1, 0, 1e308, 2**63, "\ud83d", [[[]]]]),
)  # fmt: skip


# --- documents ----------------------------------------------------------------------------------


@st.composite
def observations(draw: Draw) -> Any:
    """Vintages of a series as ALFRED gives them."""
    rows = draw(st.lists(st.tuples(DAYS, DAYS, st.sampled_from(VALUES)), min_size=1, max_size=5))
    found = [
        {
            "date": min(days).isoformat(), "realtime_start": max(days).isoformat(),
            "realtime_end": "9999-12-31", "value": value,
        }
        for *days, value in rows
    ]  # fmt: skip
    return {"count": len(found), "offset": 0, "limit": 100000, "observations": found}


COUNTS = st.one_of(st.integers(0, 500), st.integers(0, 500).map(str), st.none())


@st.composite
def listed(draw: Draw) -> Any:
    """A list of ApeWisdom on one page."""
    names = draw(st.permutations(["SPY", "MSFT", "NVDA", "QQQ"]))
    fields = ("rank", "mentions", "upvotes", "rank_24h_ago", "mentions_24h_ago")
    rows = [
        {"ticker": name, "name": "A&amp;B", **{f: draw(COUNTS) for f in fields}} for name in names
    ]
    return {"count": len(rows), "pages": 1, "current_page": 1, "results": rows}


@st.composite
def headlines(draw: Draw) -> Any:
    """General news of Finnhub."""
    moments = st.lists(st.integers(1_704_205_800, 1_706_000_000), min_size=1, max_size=4)
    return [
        {
            "category": "top news", "datetime": moment, "headline": f"Stocks move {moment % 7}",
            "id": draw(st.integers(1, 10**9)), "image": "", "related": "", "source": "Reuters",
            "summary": "", "url": "",
        }
        for moment in draw(moments)
    ]  # fmt: skip


@st.composite
def moods(draw: Draw) -> Any:
    """News sentiment of Finnhub."""
    share = st.floats(0.0, 1.0)
    return {
        "buzz": {"articlesInLastWeek": draw(st.integers(0, 99)), "buzz": 0.9, "weeklyAverage": 2},
        "companyNewsScore": 0.9, "sectorAverageBullishPercent": draw(share), "symbol": "SPY",
        "sectorAverageNewsScore": 0.5,
        "sentiment": {"bearishPercent": draw(share), "bullishPercent": draw(share)},
    }  # fmt: skip


@st.composite
def calendar(draw: Draw) -> Any:
    """Reports of one company, as Finnhub's calendar gives them."""
    amounts = st.one_of(st.none(), st.floats(-10, 10))
    quarters = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4, unique=True))
    rows = [
        {
            "date": draw(DAYS).isoformat(), "epsActual": draw(amounts), "epsEstimate": None,
            "hour": draw(st.sampled_from(["bmo", "amc", "dmh", ""])), "quarter": quarter,
            "revenueActual": draw(amounts), "revenueEstimate": 10**9, "symbol": "AAPL",
            "year": 2024,
        }
        for quarter in quarters
    ]  # fmt: skip
    return {"earningsCalendar": rows}


# --- what may be wrong with a document ----------------------------------------------------------


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value inside a document stands."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, child in inner:
        found.append((*at, key))
        if isinstance(child, dict | list):
            found += places(child, (*at, key))
    return found


def bend(draw: Draw, document: Any) -> Any:
    """Replace, drop, rename or repeat one value somewhere in a document."""
    if not isinstance(document, dict | list) or not (where := places(document)):
        return draw(ODD_VALUES)
    bent = copy.deepcopy(document)
    *path, last = draw(st.sampled_from(where))
    parent = bent
    for step in path:
        parent = parent[step]
    how = draw(st.sampled_from(["replace", "replace", "drop", "rename", "repeat", "wrap"]))
    if how == "replace":
        parent[last] = draw(ODD_VALUES)
    elif how == "wrap":
        parent[last] = draw(st.sampled_from([[parent[last]], {"value": parent[last]}]))
    elif how == "repeat" and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[last]))
    elif how == "rename" and isinstance(parent, dict):
        parent[last.upper()] = parent.pop(last)
    else:
        del parent[last]
    return bent


DEEP = b'{"a":' * 100_000
BEYOND = {
    "deep objects": DEEP,
    "deep lists": b"[" * 99_999,
    "digits": b"9" * 5_000,
    "an encoding of no name": b'<?xml version="1.0" encoding="aaa"?><observations/>',
}
BENT = (bytes.lower, lambda content: content * 2, lambda content: b"[" + content)


@st.composite
def answers(draw: Draw, documents: st.SearchStrategy) -> bytes:
    """A document of the vendor, three times of four bent in itself or in its bytes."""
    document = draw(documents)
    bends = draw(st.integers(0, 7))
    for _ in range(min(bends // 2, 2)):
        document = bend(draw, document)
    content = json.dumps(document).encode()
    if bends == 7:
        return draw(st.sampled_from(BENT))(content)
    return draw(st.sampled_from(BENT_BYTES))(draw, content) if bends == 6 else content


@st.composite
def xml(draw: Draw) -> bytes:
    """Observations of FRED's API in XML, half of the time bent."""
    chance = Random(draw(st.integers(0, 2**32)))
    rows = [(day()(chance), word(*VALUES)(chance)) for _ in range(chance.randint(1, 5))]
    lines = [
        f'<observation realtime_start="2024-02-01" date={quoteattr(at)} value={quoteattr(value)}/>'
        for at, value in rows
    ]
    text = f'<?xml version="1.0" encoding="utf-8" ?>\n<observations>{"".join(lines)}</observations>'
    content = text.encode("utf-8", "replace")
    return draw(st.sampled_from(BENT_BYTES))(draw, content) if draw(st.booleans()) else content


# --- who is asked -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parser:
    """A vendor's answer: to which question, made of what, and who reads it."""

    table: str
    key: str
    payloads: st.SearchStrategy
    distinguish: str
    open_source: Callable[[str], Source]


def fred(url: str) -> Source:
    return Fred(FRED_KEY, url, url, Http(PATIENT))


def finnhub(url: str) -> Source:
    scorer = HeadlineScores("none", no_mood)
    rate = CallRate(10**6, 0.001)
    return Finnhub(
        lambda: NOW, FINNHUB_KEY, scorer=scorer, api_url=url, patience=PATIENT, rate=rate
    )


OVER_HTTP = {
    "FRED, XML": Parser("macro_series", "DGS10", xml(), "observation_date", fred),
    "ALFRED, JSON": Parser(
        "macro_series", VINTAGED[0], answers(observations()), "observation_date", fred
    ),
    "Finnhub, news": Parser("news", "market", answers(headlines()), "news_id", finnhub),
    "Finnhub, sentiment": Parser("news_sentiment", "SPY", answers(moods()), "ticker", finnhub),
    "Finnhub, earnings": Parser(
        "earnings_calendar", "AAPL", answers(calendar()), "symbol", finnhub
    ),
}


def fuzz_over_http(parser: Parser, server: HTTPServer, count: int) -> None:
    content = b""

    def respond(request: Request) -> Response:
        # A further page holds nothing more, as FRED's would.
        more = request.args.get("offset", "0") != "0"
        return Response(b'{"count": 0, "observations": []}' if more else content)

    server.expect_request(re.compile(".*")).respond_with_handler(respond)
    source = parser.open_source(server.url_for("/api"))

    def read(payload: bytes) -> pd.DataFrame:
        nonlocal content
        content = payload
        server.clear_log()
        return source.fetch(parser.table, [parser.key], None, END)

    outcome = parsed_or_refused(TABLES[parser.table], read, parser.payloads, count)
    assert_gated(TABLES[parser.table], outcome, parser.distinguish)


def fuzz_mentions(count: int) -> None:
    def read(payload: bytes) -> pd.DataFrame:
        answer = httpx2.MockTransport(lambda _: httpx2.Response(200, content=payload))
        return Apewisdom(lambda: NOW, http=Http(ONCE, answer)).fetch("mentions", ["SPY"], None, END)

    outcome = parsed_or_refused(TABLES["mentions"], read, answers(listed()), count)
    assert_gated(TABLES["mentions"], outcome, "ticker")


@pytest.mark.integration
@pytest.mark.parametrize("parser", OVER_HTTP.values(), ids=OVER_HTTP)
def test_answer(parser: Parser, httpserver: HTTPServer) -> None:
    fuzz_over_http(parser, httpserver, SHORT)


@pytest.mark.integration
@pytest.mark.long
@pytest.mark.parametrize("parser", OVER_HTTP.values(), ids=OVER_HTTP)
def test_answer_at_length(parser: Parser, httpserver: HTTPServer) -> None:
    fuzz_over_http(parser, httpserver, LONG)


@pytest.mark.integration
@pytest.mark.parametrize("content", BEYOND.values(), ids=BEYOND)
@pytest.mark.parametrize("parser", OVER_HTTP.values(), ids=OVER_HTTP)
def test_answer_beyond_reading(parser: Parser, content: bytes, httpserver: HTTPServer) -> None:
    httpserver.expect_request(re.compile(".*")).respond_with_data(content)
    with pytest.raises((InputError, SourceUnavailable)):
        parser.open_source(httpserver.url_for("/api")).fetch(parser.table, [parser.key], None, END)


def test_mentions() -> None:
    fuzz_mentions(SHORT)


@pytest.mark.long
def test_mentions_at_length() -> None:
    fuzz_mentions(LONG)


def test_every_table_of_finnhub_is_fuzzed() -> None:
    asked = {parser.table for parser in OVER_HTTP.values() if parser.open_source is finnhub}
    assert asked == set(Finnhub.tables)
