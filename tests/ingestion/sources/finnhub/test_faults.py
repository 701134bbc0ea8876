"""Finnhub's faults over a real socket: which error each becomes, and that the key is in none."""

import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import pandas as pd
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.wire.patience import Patience
from market.errors import MissingCredential, NotEntitled, SchemaViolation, SourceUnavailable
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
)

integration = pytest.mark.integration

QUICK = Patience(
    attempts=2, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip
HASTY = Patience(attempts=1, attempt_seconds=0.2, budget_seconds=5)


def finnhub(server: HTTPServer, patience: Patience = QUICK) -> Finnhub:
    url = server.url_for("/api/v1")
    return Finnhub(lambda: NOW, KEY, scorer=SCORER, api_url=url, patience=patience)


def fetched(source: Finnhub, table: str) -> pd.DataFrame:
    return source.fetch(table, KEYS[table], None, END)


class Fault(NamedTuple):
    """An answer, the error it must give with its words, and whether it is worth a second try."""

    sent: Any
    error: type[Exception]
    words: str
    status: int = 200
    tried_again: bool = False


PAGE = "<html><body>Attention Required!</body></html>"
ANY_FAULTS = {
    "too many calls": Fault(
        {"error": "API limit reached."}, SourceUnavailable, "API limit reached", 429, True
    ),
    "down": Fault(PAGE, SourceUnavailable, "HTTP 502 Bad Gateway", 502, True),
    "wrong key": Fault(
        {"error": "Invalid API key"}, MissingCredential,
        "Finnhub refuses the key (HTTP 401: Invalid API key): set FINNHUB_API_KEY", 401,
    ),
    "other plan": Fault(
        {"error": "You don't have access to this resource."}, NotEntitled, "(HTTP 403: You don", 403
    ),
    "refusal that is no object": Fault(None, NotEntitled, "(HTTP 403)", 403),
    "refusal that says no text": Fault({"error": [1]}, MissingCredential, "(HTTP 401)", 401),
    "moved": Fault("", SourceUnavailable, "HTTP 302 Found", 302),
    "not found": Fault(PAGE, SourceUnavailable, "HTTP 404 Not Found", 404),
    "page": Fault(PAGE, SourceUnavailable, "got a web page ('<html><body>"),
    "nothing": Fault("", SourceUnavailable, "got an empty answer, allowed is JSON"),
    "cut short": Fault('[{"id": 1, "headl', SourceUnavailable, "not JSON, or cut short"),
    "a number": Fault(5, SchemaViolation, "got 5, allowed is a"),
    "null": Fault(None, SchemaViolation, "got None, allowed is a"),
    "nested without end": Fault("[" * 100_000, SchemaViolation, "nested too deep"),
}  # fmt: skip
TABLE_FAULTS = {
    "news": {
        "empty list": Fault([], SourceUnavailable, "got no headline"),
        "empty object": Fault({}, SchemaViolation, "got an empty JSON object, allowed is a list"),
        "row that is no object": Fault(
            [headline(), 5], SchemaViolation, "row 1: got 5, allowed is a JSON object"
        ),
        "renamed field": Fault(
            [headline(datetime=..., time=PUBLISHED)], SchemaViolation, "no row has the field datet"
        ),
        "a word for a time": Fault(
            [headline(datetime="now")], SchemaViolation, "field datetime: got 'now', allowed is a"
        ),
        "milliseconds": Fault(
            [headline(datetime=PUBLISHED * 10**4)], SchemaViolation, "allowed are seconds since"
        ),
        "a time before 1970": Fault([headline(datetime=-1)], SchemaViolation, "got -1, allowed"),
        "endless number": Fault([headline(datetime=10**400)], SchemaViolation, "than 64 bits"),
        "a flag for a number": Fault([headline(id=True)], SchemaViolation, "field id: got True"),
        "half a number": Fault([headline(id=1.5)], SchemaViolation, "allowed is a whole number"),
        "list for a text": Fault(
            [headline(headline=["Up"])], SchemaViolation, "row 0, field headline: got a JSON list"
        ),
    },
    "news_sentiment": {
        "empty list": Fault([], SchemaViolation, "got an empty JSON list, allowed is a JSON obj"),
        "empty object": Fault({}, SchemaViolation, "missing field sentiment, got no field"),
        "another symbol": Fault(
            score(symbol="QQQ"), SchemaViolation, "got symbol 'QQQ', allowed is SPY"
        ),
        "renamed share": Fault(
            score(sentiment={"bearish": 0.25, "bullishPercent": 0.75}), SchemaViolation,
            "sentiment: missing field bearishPercent, got bearish, bullishPercent",
        ),
        "a word for a share": Fault(
            score(sentiment={"bearishPercent": "low", "bullishPercent": 1}), SchemaViolation,
            "field bearishPercent: got 'low', allowed is a number or null",
        ),
        "a number for the shares": Fault(score(sentiment=1), SchemaViolation, "got 1, allowed is"),
    },
    "earnings_calendar": {
        "empty list": Fault([], SchemaViolation, "got an empty JSON list, allowed is a JSON obj"),
        "empty object": Fault({}, SchemaViolation, "missing field earningsCalendar"),
        "null list": Fault(
            {"earningsCalendar": None}, SourceUnavailable, "got null for the list of reports"
        ),
        "other companies only": Fault(
            calendar(report(symbol="AMD")), SchemaViolation, "got reports of 'AMD', allowed are of"
        ),
        "year by name": Fault(
            calendar(report(year="2024e")), SchemaViolation, "row 0, field year: got '2024e'"
        ),
        "quarter by name": Fault(
            calendar(report(quarter="Q1")), SchemaViolation, "field quarter: got 'Q1', allowed is"
        ),
        "American day": Fault(
            calendar(report(date="05/22/2024")), SchemaViolation, "allowed is a day as YYYY-MM-DD"
        ),
        "a day that is none": Fault(
            calendar(report(date="2024-02-30")), SchemaViolation, "got '2024-02-30', allowed is"
        ),
        "a day before all": Fault(
            calendar(report(date="0001-01-01")), SchemaViolation, "got '0001-01-01', allowed is"
        ),
        "thousands with commas": Fault(
            calendar(report(revenueEstimate="24,500")), SchemaViolation, "got '24,500', allowed"
        ),
    },
}  # fmt: skip
FAULTS = [
    pytest.param(table, fault, id=f"{table}: {name}")
    for table, own in TABLE_FAULTS.items()
    for name, fault in {**ANY_FAULTS, **own}.items()
]


def answered(fault: Fault) -> Response:
    text = fault.sent if isinstance(fault.sent, str) else json.dumps(fault.sent)
    kind = "text/html" if text.startswith("<") else "application/json"
    return Response(text, fault.status, {"Location": "/elsewhere"}, content_type=kind)


def key_seen_in(error: BaseException) -> list[str]:
    """Where the key is: messages, causes, or the variables that a crash report would print."""
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        seen += [part for part in (str(at), repr(at), repr(vars(at))) if KEY in part]
        for frame, _ in traceback.walk_tb(at.__traceback__):
            if "tests" not in Path(frame.f_code.co_filename).parts:
                seen += [
                    f"{frame.f_code}: {k}" for k, v in frame.f_locals.items() if KEY in repr(v)
                ]
        at = at.__cause__ or at.__context__
    return seen


@integration
@pytest.mark.parametrize(("table", "fault"), FAULTS)
def test_fault_is_told_in_one_line_and_the_key_is_nowhere(
    table: str,
    fault: Fault,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(PATHS[table]).respond_with_handler(lambda _: answered(fault))
    with pytest.raises(fault.error) as caught:
        fetched(finnhub(httpserver), table)
    assert fault.words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert len(httpserver.log) == (2 if fault.tried_again else 1)
    assert key_seen_in(caught.value) == []
    assert KEY not in caplog.text + "".join(capfd.readouterr())


# --- the network ---------------------------------------------------------------------------------


@integration
def test_pause_beyond_the_budget_is_told_and_not_waited_for(httpserver: HTTPServer) -> None:
    slow_down = Response('{"error": "API limit reached."}', 429, {"Retry-After": "600"})
    httpserver.expect_request(PATHS["news"]).respond_with_handler(lambda _: slow_down)
    with pytest.raises(SourceUnavailable, match=r"asks for 600 s of pause\); try again later"):
        fetched(finnhub(httpserver), "news")
    assert len(httpserver.log) == 1


@pytest.fixture
def held(httpserver: HTTPServer) -> Iterator[HTTPServer]:
    over = Event()

    def hold(_: Request) -> Response:
        over.wait(30)
        return Response("late")

    httpserver.expect_request(PATHS["news"]).respond_with_handler(hold)
    yield httpserver
    over.set()


@integration
def test_server_that_hangs_is_left_alone(held: HTTPServer) -> None:
    with pytest.raises(SourceUnavailable, match=r"Finnhub, news: no answer .*; try ag") as caught:
        fetched(finnhub(held, HASTY), "news")
    assert key_seen_in(caught.value) == []


@integration
def test_nobody_there(httpserver: HTTPServer) -> None:
    closed = HTTPServer(host="127.0.0.1", port=0)
    closed.start()
    url = closed.url_for("/api/v1")
    closed.stop()
    source = Finnhub(lambda: NOW, KEY, scorer=SCORER, api_url=url, patience=QUICK)
    with pytest.raises(SourceUnavailable, match=r"refused.*, tried 2 times; try again") as caught:
        fetched(source, "news")
    assert key_seen_in(caught.value) == []
