"""Vendors of option chains over a real socket: what is asked, and what may come instead."""

import json
from collections.abc import Callable
from types import SimpleNamespace

import pandas as pd
import pytest
from pytest_httpserver import HTTPServer
from yfinance.exceptions import YFRateLimitError

from ingestion.sources.base import Source
from ingestion.sources.cboe.source import QUOTES_URL, Cboe
from ingestion.sources.live import LIVE, Live
from ingestion.sources.massive.source import API_URL as MASSIVE_URL
from ingestion.sources.massive.source import Massive
from ingestion.sources.tradier.source import API_URL as TRADIER_URL
from ingestion.sources.tradier.source import Tradier
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.sources.yahoo.source import Yahoo
from market.errors import (
    InputError,
    KeyUnavailable,
    MissingCredential,
    NotEntitled,
    SchemaViolation,
    SourceUnavailable,
)

pytestmark = pytest.mark.integration

PATIENCE = Patience(attempts=1, attempt_seconds=5, budget_seconds=5)
ONCE = Http(PATIENCE)
KEY = "k1" * 14
END = pd.Timestamp("2026-07-22")
MILLIS = 1784747491000  # 2026-07-22 19:11:31 UTC
SENT = {"option": "SPX260821C07450000", "bid": 112.0, "ask": 113.0, "iv": 0.13, "volume": 7,
        "open_interest": 90, "delta": 0.5, "gamma": 0.002}  # fmt: skip
CBOE = {"timestamp": "2026-07-22 19:11:31", "data": {"current_price": 7456.0, "options": [SENT]}}
PAGE = "/v3/snapshot/options/I:SPX"


def chain(source: Source, name: str = "SPX", start: pd.Timestamp | None = END) -> pd.DataFrame:
    return source.fetch("option_chains", [name], start, END)


def cboe(server: HTTPServer) -> Cboe:
    return Cboe(http=ONCE, quotes_url=server.url_for("/"))


def tradier(server: HTTPServer) -> Tradier:
    return Tradier(KEY, api_url=server.url_for(""), http=ONCE)


def massive(server: HTTPServer) -> Massive:
    return Massive(KEY, api_url=server.url_for(""), http=ONCE)


VENDORS = {
    "Cboe": (cboe, "/_SPX.json"),
    "Tradier": (tradier, "/markets/options/expirations"),
    "Massive": (massive, PAGE),
}
every_vendor = pytest.mark.parametrize(("opened", "path"), VENDORS.values(), ids=VENDORS)


def test_the_addresses_are_the_vendors_own_by_default() -> None:
    for url in (QUOTES_URL, TRADIER_URL, MASSIVE_URL):
        assert url.startswith("https://")
    assert (Cboe().quotes_url, Tradier().api_url, Massive().api_url) == (
        QUOTES_URL, TRADIER_URL, MASSIVE_URL,
    )  # fmt: skip


def test_every_vendor_of_chains_says_what_it_allows() -> None:
    chains = {v.word for v in LIVE if "option_chains" in {*v.tables, *v.fallback_for}}
    assert chains == {"yahoo", "cboe", "tradier", "massive"}
    assert {vendor.word for vendor in LIVE if vendor.terms} == chains


def test_cboe_is_asked_for_an_index_by_its_underscore(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/_SPX.json").respond_with_json(CBOE)
    found = chain(cboe(httpserver))
    assert found[["underlying", "root", "bid"]].to_numpy().tolist() == [["SPX", "SPX", 112.0]]
    day = END + pd.Timedelta(days=1)
    with pytest.raises(KeyUnavailable, match=r"Cboe, chain _SPX\.json: got a stale chain"):
        cboe(httpserver).fetch("option_chains", ["SPX"], day, day)


def serve_tradier(server: HTTPServer) -> None:
    def option(symbol: str) -> dict[str, object]:
        counts = {"volume": 7, "open_interest": 90, "contract_size": 100}
        times = {"bid_date": MILLIS, "ask_date": 0}
        return {"symbol": symbol, "bid": 112.0, "ask": 113.0, "greeks": None, **counts, **times}

    def answer(path: str, document: object, **query: str) -> None:
        server.expect_request(
            f"/markets/{path}", headers={"Authorization": f"Bearer {KEY}"}, query_string=query
        ).respond_with_json(document)

    days = {"expirations": {"date": ["2026-08-20", "2026-08-21"]}}
    answer("options/expirations", days, symbol="SPX", includeAllRoots="true")
    answer("quotes", {"quotes": {"quote": {"symbol": "SPX", "last": 7456.0}}}, symbols="SPX")
    query = {"symbol": "SPX", "greeks": "true"}
    one = {"options": {"option": option("SPXW260820C07450000")}}
    two = {"options": {"option": [option("SPX260821C07450000"), option("SPXW260821C07450000")]}}
    answer("options/chains", one, expiration="2026-08-20", **query)
    answer("options/chains", two, expiration="2026-08-21", **query)


def test_tradier_is_asked_for_each_expiration(httpserver: HTTPServer) -> None:
    serve_tradier(httpserver)
    found = chain(tradier(httpserver))
    assert found["root"].tolist() == ["SPX", "SPXW", "SPXW"]
    assert found["quote_time"].unique().tolist() == [pd.Timestamp(MILLIS, unit="ms", tz="UTC")]
    assert found["underlying_price"].eq(7456.0).all()


def row(symbol: str, **quote: object) -> dict[str, object]:
    return {"details": {"ticker": symbol, "shares_per_contract": 100}, "last_quote": quote}


QUOTE = {"bid": 112.0, "ask": 113.0, "last_updated": MILLIS * 10**6}


def test_massive_is_asked_page_by_page(httpserver: HTTPServer) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    following = httpserver.url_for(f"{PAGE}?cursor=abc")
    first = {"results": [row("O:SPX260821C07450000", **QUOTE)], "next_url": following}
    second = {"results": [row("O:SPXW260821C07450000", **QUOTE)]}
    for query, document in (("limit=250", first), ("cursor=abc", second)):
        httpserver.expect_request(PAGE, query_string=query, headers=headers).respond_with_json(
            document
        )
    assert chain(massive(httpserver))["root"].tolist() == ["SPX", "SPXW"]


def test_massive_sends_no_key_to_another_address(httpserver: HTTPServer) -> None:
    elsewhere = {"results": [row("O:SPX260821C07450000", **QUOTE)], "next_url": "http://x.test/v3"}
    httpserver.expect_request(PAGE).respond_with_json(elsewhere)
    with pytest.raises(SchemaViolation, match="a next page at another address"):
        chain(massive(httpserver))


def test_a_plan_without_quotes_is_named(httpserver: HTTPServer) -> None:
    httpserver.expect_request(PAGE).respond_with_json({"results": [row("O:SPX260821C07450000")]})
    with pytest.raises(NotEntitled, match="got 1 contracts and no quote of them"):
        chain(massive(httpserver))


@every_vendor
@pytest.mark.parametrize(
    ("body", "status", "error", "words"),
    [
        ("down", 503, SourceUnavailable, "HTTP 503"),
        ("<html>Just a moment", 200, SourceUnavailable, "got a web page"),
        ("", 200, SourceUnavailable, "got an empty answer"),
        (json.dumps(CBOE)[:60], 200, SourceUnavailable, "cut short"),
        ("[]", 200, SchemaViolation, "allowed is a JSON object"),
    ],
    ids=["down", "page", "empty", "cut", "changed"],
)
def test_what_comes_instead_is_named(
    opened: Callable[[HTTPServer], Source],
    path: str,
    body: str,
    status: int,
    error: type[Exception],
    words: str,
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request(path).respond_with_data(body, status)
    with pytest.raises(error) as caught:
        chain(opened(httpserver))
    assert words in str(caught.value)
    assert KEY not in str(caught.value)


@every_vendor
def test_an_unknown_root_is_refused_before_anybody_is_asked(
    opened: Callable[[HTTPServer], Source], path: str, httpserver: HTTPServer
) -> None:
    del path
    with pytest.raises(InputError, match="got 'XSP', allowed are SPY, QQQ, IWM, SPX"):
        chain(opened(httpserver), "XSP")
    assert not httpserver.log


@pytest.mark.parametrize("vendor", ["Tradier", "Massive"])
def test_a_key_that_is_refused_or_none_is_named(vendor: str, httpserver: HTTPServer) -> None:
    opened, path = VENDORS[vendor]
    with pytest.raises(MissingCredential, match=f"set {vendor.upper()}_API_KEY"):
        chain({"Tradier": Tradier, "Massive": Massive}[vendor](http=ONCE))
    with pytest.raises(MissingCredential, match="got 3 characters that are no"):
        chain({"Tradier": Tradier, "Massive": Massive}[vendor]("a b", http=ONCE))
    for status, error in ((401, MissingCredential), (403, NotEntitled)):
        httpserver.clear()
        httpserver.expect_request(path).respond_with_data("no", status)
        with pytest.raises(error, match=f"HTTP {status}"):
            chain(opened(httpserver))


def test_yahoos_rate_limit_is_named() -> None:
    def limited(_: str) -> object:
        raise YFRateLimitError

    ticker = SimpleNamespace(options=("2026-08-21",), option_chain=limited)
    with pytest.raises(SourceUnavailable, match="Yahoo, chain of SPX: Yahoo limits the rate"):
        chain(Yahoo(patience=PATIENCE, open_options=lambda _: ticker))


def test_where_cboe_is_down_the_others_are_asked_and_all_say_why(httpserver: HTTPServer) -> None:
    serve_tradier(httpserver)
    httpserver.expect_request("/_SPX.json").respond_with_data("down", 503)
    nothing = SimpleNamespace(options=())
    sources = {vendor.word: cboe(httpserver) for vendor in LIVE} | {
        "yahoo": Yahoo(patience=PATIENCE, open_options=lambda _: nothing),
        "tradier": tradier(httpserver),
        "massive": Massive(),
    }
    assert len(chain(Live(sources))) == 3
    with pytest.raises(SourceUnavailable) as caught:
        chain(Live(sources | {"tradier": Tradier()}))
    for words in ("HTTP 503", "got no expiration", "set TRADIER_API_KEY", "set MASSIVE_API_KEY"):
        assert words in str(caught.value)
