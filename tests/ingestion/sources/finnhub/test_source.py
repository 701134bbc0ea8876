"""Finnhub over a real socket: what it is asked, how often, and with which key."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion.sources.finnhub.source import API_URL, CALLS_A_MINUTE, FINNHUB_PATIENCE, Finnhub
from ingestion.sources.finnhub.source import KEY as KEY_SHAPE
from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import TABLES
from market.errors import InputError, MissingCredential, SourceUnavailable

integration = pytest.mark.integration

KEY = "abcdefghij0123456789"
NOW = pd.Timestamp("2024-03-05 16:45", tz="America/New_York")
END = pd.Timestamp("2024-03-05")
QUICK = Patience(
    attempts=2, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip
SCORER = HeadlineScores("length 1", lambda texts: [len(text) / 100 for text in texts])
# The client asks with two slashes, at the real address as well.
PATHS = {
    "news": "/api/v1//news",
    "news_sentiment": "/api/v1//news-sentiment",
    "earnings_calendar": "/api/v1//calendar/earnings",
}
KEYS = {"news": ["market"], "news_sentiment": ["SPY"], "earnings_calendar": ["NVDA"]}
PUBLISHED = 1709672400  # 2024-03-05 21:00 UTC


def finnhub(
    server: HTTPServer,
    patience: Patience = QUICK,
    key: str | None = KEY,
    rate: CallRate | None = None,
) -> Finnhub:
    return Finnhub(
        lambda: NOW,
        key,
        scorer=SCORER,
        api_url=server.url_for("/api/v1/"),
        patience=patience,
        rate=rate,
    )


def fetched(source: Finnhub, table: str, start: str | None = None) -> pd.DataFrame:
    first = None if start is None else pd.Timestamp(start)
    return TABLES[table].check(source.fetch(table, KEYS[table], first, END))


def headline(**changes: Any) -> dict[str, Any]:
    sent = {"datetime": PUBLISHED, "headline": "Stocks rise", "id": 7501234, "source": "Reuters"}
    return sent | changes


def calendar(*symbols: str) -> dict[str, Any]:
    rows = [
        {"date": "2024-05-22", "hour": "amc", "quarter": 1, "symbol": symbol, "year": 2025}
        for symbol in symbols
    ]
    return {"earningsCalendar": rows}


# --- the question -------------------------------------------------------------------------------


@integration
def test_key_goes_in_a_header_and_in_no_address(httpserver: HTTPServer) -> None:
    for table, sent in {"news": [headline()], "earnings_calendar": calendar()}.items():
        httpserver.expect_request(PATHS[table]).respond_with_json(sent)
        fetched(finnhub(httpserver), table)
    for request, _ in httpserver.log:
        assert request.headers["X-Finnhub-Token"] == KEY
        assert KEY not in request.url


@integration
@pytest.mark.parametrize(
    ("start", "first"), [(None, "2023-03-05"), ("2010-01-01", "2023-03-05"), ("2024-02-01",) * 2]
)
def test_a_year_of_reports_and_120_days_ahead(
    start: str | None, first: str, httpserver: HTTPServer
) -> None:
    httpserver.expect_request(PATHS["earnings_calendar"]).respond_with_json(calendar("NVDA"))
    assert len(fetched(finnhub(httpserver), "earnings_calendar", start)) == 1
    (request, _) = httpserver.log[0]
    asked = {name: request.args[name] for name in ("from", "to", "symbol")}
    assert asked == {"from": first, "to": "2024-07-03", "symbol": "NVDA"}


@integration
def test_the_day_is_that_of_new_york(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS["earnings_calendar"]).respond_with_json(calendar())
    late = pd.Timestamp("2024-03-06 02:00", tz="UTC")  # the 5th in New York
    source = Finnhub(lambda: late, KEY, scorer=SCORER, api_url=httpserver.url_for("/api/v1"))
    source.fetch("earnings_calendar", ["NVDA"], None, END)
    assert httpserver.log[0][0].args["to"] == "2024-07-03"


@integration
def test_every_company_is_asked_for_alone(httpserver: HTTPServer) -> None:
    def answer(request: Request) -> Response:
        return Response(
            json.dumps(calendar(request.args["symbol"])),
            content_type="application/json",
        )

    httpserver.expect_request(PATHS["earnings_calendar"]).respond_with_handler(answer)
    frame = finnhub(httpserver).fetch("earnings_calendar", ["NVDA", "BRK.B", "NVDA"], None, END)
    assert frame["symbol"].tolist() == ["BRK.B", "NVDA"]
    assert len(httpserver.log) == 2


@integration
def test_json_sent_as_plain_text_is_read(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS["news"]).respond_with_data(json.dumps([headline()]))
    assert len(fetched(finnhub(httpserver), "news")) == 1


@integration
def test_fault_that_passes_is_not_seen(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(PATHS["news"]).respond_with_data("", 500)
    httpserver.expect_ordered_request(PATHS["news"]).respond_with_json([headline()])
    assert len(fetched(finnhub(httpserver), "news")) == 1


@integration
def test_headlines_before_the_start_stay_out(httpserver: HTTPServer) -> None:
    sent = [headline(), headline(id=1, datetime=PUBLISHED - 3 * 86400)]
    httpserver.expect_request(PATHS["news"]).respond_with_json(sent)
    frame = fetched(finnhub(httpserver), "news", "2024-03-05")
    assert frame["news_id"].tolist() == ["7501234"]


# --- calls, keys --------------------------------------------------------------------------------


@integration
def test_used_up_calls_ask_nobody(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS["news"]).respond_with_json([headline()])
    source = finnhub(httpserver, rate=CallRate(2, 3600))
    for _ in range(2):
        fetched(source, "news")
    with pytest.raises(SourceUnavailable, match=r"Finnhub, news: the 2 calls allowed in 3600 s"):
        fetched(source, "news")
    assert len(httpserver.log) == 2


@integration
def test_used_up_calls_are_waited_for(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PATHS["news"]).respond_with_json([headline()])
    source = finnhub(httpserver, Patience(attempts=5, budget_seconds=20), rate=CallRate(1, 0.02))
    for _ in range(3):
        assert len(fetched(source, "news")) == 1


def test_sixty_calls_a_minute_booked_in_the_folder(tmp_path: Path) -> None:
    source = Finnhub(lambda: NOW, KEY, tmp_path)
    assert (source.rate.rate.limit, source.rate.rate.interval) == (CALLS_A_MINUTE, 60_000)
    assert source.rate.folder == tmp_path
    assert FINNHUB_PATIENCE.budget_seconds > 60


@pytest.mark.parametrize("key", [None, ""])
@pytest.mark.parametrize("table", KEYS)
def test_no_key_is_told_when_it_is_needed(table: str, key: str | None) -> None:
    source = Finnhub(lambda: NOW, key)
    with pytest.raises(MissingCredential, match="Finnhub needs a key, got none: set FINNHUB_API"):
        fetched(source, table)


@given(st.text(min_size=1, max_size=60).filter(lambda key: not KEY_SHAPE.form.fullmatch(key)))
def test_what_cannot_be_a_key_is_refused_without_a_word_of_it(key: str) -> None:
    with pytest.raises(MissingCredential) as caught:
        fetched(Finnhub(lambda: NOW, key, scorer=SCORER), "news")
    assert str(caught.value) == (
        f"FINNHUB_API_KEY: got {len(key)} characters that are no key of Finnhub, allowed are 8 to "
        "128 letters, digits, - and _; correct it, or unset it"
    )


def test_key_is_not_in_what_the_source_shows() -> None:
    assert KEY not in repr(vars(Finnhub(lambda: NOW, KEY, scorer=SCORER)))


def test_key_of_the_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINNHUB_API_KEY", KEY)
    with pytest.raises(MissingCredential):
        fetched(Finnhub(lambda: NOW), "news")


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ("news", "SPY", "unknown scope of news: got 'SPY', allowed is market"),
        ("news_sentiment", "NONESUCH", "unknown ticker: got 'NONESUCH'"),
        ("earnings_calendar", "NONESUCH", "symbol: got 'NONESUCH', allowed are 1 to 5"),
        ("earnings_calendar", "A&token=x", "impossible company symbol"),
    ],
)
def test_unknown_key_is_refused_before_anybody_is_asked(table: str, key: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Finnhub(lambda: NOW).fetch(table, [key], None, END)


def test_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match=r"time of recording: got 2024-03-05 .* without a"):
        source = Finnhub(lambda: pd.Timestamp("2024-03-05"), KEY, scorer=SCORER)
        fetched(source, "earnings_calendar")


def test_address_is_finnhubs_own_by_default() -> None:
    assert Finnhub(lambda: NOW).api_url == API_URL
    assert API_URL.startswith("https://")
