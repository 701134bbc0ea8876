"""The live source: which vendor is asked for what, and what is left when one fails."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd
import pytest
from pydantic import SecretStr
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from ingestion.lake.lake import Lake
from ingestion.landing.land import fetch_all
from ingestion.sources.apewisdom.source import BASE_URL as APEWISDOM_URL
from ingestion.sources.apewisdom.source import Apewisdom
from ingestion.sources.cboe import source as cboe_module
from ingestion.sources.cboe.source import Cboe
from ingestion.sources.finnhub.source import API_URL as FINNHUB_URL
from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.fred.source import API_URL, CSV_URL, Fred
from ingestion.sources.headlines.scores import open_scorer
from ingestion.sources.live import LIVE, Live, open_live
from ingestion.sources.massive.source import Massive
from ingestion.sources.registry import open_source
from ingestion.sources.tradier.source import Tradier
from ingestion.sources.vendor import LiveOptions, Vendor
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import MENTION_FILTERS, TABLES
from market.availability import SERIES
from market.calendar import sessions
from market.errors import (
    ConfigurationError,
    InputError,
    MissingCredential,
    NotEntitled,
    SchemaViolation,
    SourceUnavailable,
)
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES

integration = pytest.mark.integration

END = pd.Timestamp("2024-01-10")
DAYS = sessions("2024-01-02", END)  # seven
ONCE = Patience(attempts=1, attempt_seconds=5, budget_seconds=5)
YAHOO_LEVEL, CBOE_LEVEL = 13.0, 14.0
NOW = pd.Timestamp("2024-01-10 22:00", tz="UTC")
FINNHUB_KEY = "abcdefghij0123456789"
OPTIONS = LiveOptions(lambda: NOW, chains="cboe")
TABLES_OF_FINNHUB = ("news", "news_sentiment", "earnings_calendar")

TABLES_OF_LIVE = open_live(OPTIONS).tables

# An answer for a symbol: bars, or an error to raise.
Answer = pd.DataFrame | Exception


def bars(level: float = 100.0, days: pd.DatetimeIndex = DAYS) -> pd.DataFrame:
    values = {
        "Open": level, "High": level, "Low": level, "Close": level, "Adj Close": level,
        "Volume": 1000, "Dividends": 0.0, "Stock Splits": 0.0,
    }  # fmt: skip
    return pd.DataFrame(values, index=days.tz_localize("America/New_York"))


def history(days: pd.DatetimeIndex = DAYS) -> str:
    rows = [f"{day:%m/%d/%Y},{CBOE_LEVEL},{CBOE_LEVEL},{CBOE_LEVEL},{CBOE_LEVEL}" for day in days]
    return "\n".join(["DATE,OPEN,HIGH,LOW,CLOSE", *rows, ""])


def yahoo(answers: dict[str, Answer] | None = None) -> Yahoo:
    known = {f"^{symbol}": bars(YAHOO_LEVEL) for symbol in VOLATILITY_INDICES}
    known |= {ticker: bars() for ticker in UNDERLYINGS}
    known |= answers or {}

    def download(symbol: str, *_: object) -> pd.DataFrame:
        answer = known[symbol]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def no_options(symbol: str) -> NoReturn:
        raise SourceUnavailable(f"Yahoo has no chain of {symbol}")

    return Yahoo(patience=ONCE, download=download, open_options=no_options)


def chain(root: str) -> dict[str, object]:
    sent = {"option": f"{root}240119C00470000", "bid": 4.0, "ask": 4.1, "iv": 0.12, "volume": 3,
            "open_interest": 9, "delta": 0.4, "gamma": 0.03}  # fmt: skip
    data = {"current_price": 470.0, "options": [sent]}
    return {"timestamp": "2024-01-10 21:31:00", "data": data}


HEADLINE = {"datetime": 1704900000, "headline": "Stocks rise", "id": 7, "source": "Reuters"}
REPORT = {"date": "2024-02-01", "hour": "amc", "quarter": 1, "year": 2024}
MENTIONED = {
    "count": 1, "pages": 1, "results": [
        {"rank": 1, "ticker": "SPY", "mentions": 5, "upvotes": 6, "rank_24h_ago": None,
         "mentions_24h_ago": None},
    ],
}  # fmt: skip


def serve_finnhub(server: HTTPServer) -> None:
    """Serve headlines and a report of each company; news sentiment is beyond the plan."""

    def reports(request: Request) -> Response:
        report = REPORT | {"symbol": request.args["symbol"]}
        text = json.dumps({"earningsCalendar": [report]})
        return Response(text, content_type="application/json")

    server.expect_request("/finnhub//news").respond_with_json([HEADLINE])
    server.expect_request("/finnhub//news-sentiment").respond_with_json({"error": "no"}, 403)
    server.expect_request("/finnhub//calendar/earnings").respond_with_handler(reports)


@pytest.fixture
def live(httpserver: HTTPServer) -> Callable[..., Live]:
    """A live source whose vendors are on loopback, but for Yahoo, which answers as told."""
    for series in SERIES:
        hundreds = 3 if series == "CPIAUCSL" else ""
        httpserver.expect_request("/fred.csv", query_string={"id": series}).respond_with_data(
            f"observation_date,{series}\n2024-01-02,{hundreds}4.5\n2024-01-03,{hundreds}4.6\n"
        )

    def make(
        answers: dict[str, Answer] | None = None,
        files: dict[str, str] | None = None,
        key: str | None = FINNHUB_KEY,
    ) -> Live:
        for symbol, text in (files or {}).items():
            httpserver.expect_request(f"/{symbol}_History.csv").respond_with_data(text)
        cboe = Cboe(httpserver.url_for(""), Http(ONCE), httpserver.url_for("/chains"))
        fred = Fred(csv_url=httpserver.url_for("/fred.csv"), http=Http(ONCE))
        finnhub = Finnhub(lambda: NOW, key, api_url=httpserver.url_for("/finnhub"), patience=ONCE)
        apewisdom = Apewisdom(lambda: NOW, httpserver.url_for("/apewisdom"), Http(ONCE))
        chains = (Tradier(), Massive())
        sources = (yahoo(answers), cboe, fred, finnhub, apewisdom, *chains)
        return Live({source.name: source for source in sources})

    serve_finnhub(httpserver)
    for name in ("SPY", "QQQ", "IWM", "_SPX"):
        httpserver.expect_request(f"/chains/{name}.json").respond_with_json(chain(name[-3:]))
    for name in MENTION_FILTERS:
        httpserver.expect_request(f"/apewisdom/filter/{name}/page/1").respond_with_json(MENTIONED)
    return make


def levels(source: Live, *symbols: str) -> pd.DataFrame:
    return TABLES["indices"].check(source.fetch("indices", symbols, None, END))


RATE_LIMIT = SourceUnavailable("Yahoo limits the rate")
OTHER_SHAPE = bars(YAHOO_LEVEL).drop(columns="Close")
STALE = bars(YAHOO_LEVEL, DAYS[:-1])
HELD_BACK = bars(YAHOO_LEVEL).assign(Close=[YAHOO_LEVEL] * 6 + [np.nan])


# --- vendors and tables -------------------------------------------------------------------------


@integration
def test_every_table_comes_from_its_vendor(live: Callable[..., Live]) -> None:
    source = live()
    keys = {
        "prices": list(UNDERLYINGS), "indices": list(VOLATILITY_INDICES),
        "macro_series": list(SERIES), "news": ["market"], "mentions": ["SPY", "IWM"],
        "earnings_calendar": ["AAPL"], "option_chains": ["SPY", "SPX"],
    }  # fmt: skip
    assert set(source.tables) == {*keys, "news_sentiment"}
    for table in keys:
        frame = TABLES[table].check(source.fetch(table, keys[table], None, END))
        assert set(frame[TABLES[table].partition]) == set(keys[table])
    assert source.fetch("indices", ["VIX"], None, END)["close"].eq(YAHOO_LEVEL).all()


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(InputError, match="source live has no table 'horoscopes', allowed are pri"):
        open_live(OPTIONS).fetch("horoscopes", ["SPY"], None, END)


@pytest.mark.parametrize("table", TABLES_OF_LIVE)
def test_an_unknown_key_is_refused_before_anybody_is_asked(table: str) -> None:
    with pytest.raises(InputError, match="NONESUCH"):
        open_live(OPTIONS).fetch(table, ["NONESUCH"], None, END)


@pytest.mark.parametrize("vendor", LIVE, ids=lambda vendor: vendor.word)
def test_vendor_opens_without_any_key(vendor: Vendor) -> None:
    source = vendor.open(OPTIONS)
    assert (source.name, source.origin) == (vendor.word, "live")
    assert {*vendor.tables, *vendor.fallback_for} == set(source.tables) <= set(TABLES)


def test_opens_by_its_word_without_any_key() -> None:
    source = open_source("live", options=OPTIONS)
    assert (source.name, source.origin) == ("live", "live")
    assert set(source.tables) == set(TABLES)


def test_chains_are_nobodys_unless_a_vendor_is_named() -> None:
    assert set(open_live(LiveOptions(lambda: NOW)).tables) == set(TABLES) - {"option_chains"}
    named = LiveOptions(lambda: NOW, {"tradier": SecretStr(20 * "a")}, chains="tradier")
    (asked,) = open_live(named)._by_table["option_chains"]
    assert asked.name == "tradier"
    with pytest.raises(ConfigurationError, match="OPTRADE_CHAINS: got 'fred', allowed are yahoo"):
        open_live(LiveOptions(lambda: NOW, chains="fred"))


def test_live_is_made_of_the_vendors_at_their_own_addresses(tmp_path: Path) -> None:
    keys = {"fred": SecretStr("0" * 32), "finnhub": SecretStr(FINNHUB_KEY)}
    sources = open_source("live", options=LiveOptions(lambda: NOW, keys, tmp_path)).sources
    fred, finnhub, apewisdom = (sources[word] for word in ("fred", "finnhub", "apewisdom"))
    assert sources["cboe"].base_url == cboe_module.BASE_URL
    assert (fred.api_url, fred.csv_url) == (API_URL, CSV_URL)
    assert finnhub.api_url == FINNHUB_URL
    assert apewisdom.base_url == APEWISDOM_URL
    assert finnhub.rate.folder == tmp_path / "finnhub"
    assert (finnhub.now(), apewisdom.now()) == (NOW, NOW)
    assert (fred._key, finnhub._key) == (keys["fred"], keys["finnhub"])
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_be_one_is_refused_on_opening() -> None:
    with pytest.raises(MissingCredential) as caught:
        open_live(LiveOptions(lambda: NOW, {"fred": SecretStr("my-secret-key")}))
    assert "my-secret-key" not in str(caught.value)


def test_options_do_not_show_keys() -> None:
    assert FINNHUB_KEY not in repr(LiveOptions(lambda: NOW, {"finnhub": SecretStr(FINNHUB_KEY)}))


def test_scorer_is_chosen_by_its_word() -> None:
    assert open_live(OPTIONS).sources["finnhub"].scorer.name.startswith("vader ")
    scorer = open_scorer()
    assert open_live(LiveOptions(lambda: NOW, scorer=scorer)).sources["finnhub"].scorer is scorer
    with pytest.raises(ConfigurationError, match="OPTRADE_HEADLINE_SCORER: got 'oracle'"):
        open_scorer("oracle")


def test_clock_is_needed() -> None:
    with pytest.raises(TypeError, match="now"):
        LiveOptions()


# --- what runs without a key, and with one ------------------------------------------------------


@integration
@pytest.mark.parametrize("table", TABLES_OF_FINNHUB)
def test_without_a_key_each_of_finnhubs_tables_says_so(
    table: str, live: Callable[..., Live], httpserver: HTTPServer
) -> None:
    key = {"news": "market", "news_sentiment": "SPY", "earnings_calendar": "AAPL"}[table]
    with pytest.raises(MissingCredential, match="set FINNHUB_API_KEY"):
        live(key=None).fetch(table, [key], None, END)
    assert not httpserver.log


@integration
def test_plan_without_sentiment_is_told(live: Callable[..., Live]) -> None:
    with pytest.raises(NotEntitled, match=r"does not include it \(HTTP 403: no\)"):
        live().fetch("news_sentiment", ["SPY"], None, END)


@integration
def test_headlines_and_mentions_are_recorded_at_the_clock(live: Callable[..., Live]) -> None:
    source = live()
    for table, keys in {"news": ["market"], "mentions": ["SPY", "QQQ"]}.items():
        assert source.fetch(table, keys, None, END)["recorded_at"].eq(NOW).all()


# --- the fallback of an index -------------------------------------------------------------------

FALLBACKS = {
    "rate limit": (RATE_LIMIT, "Yahoo, ^VXN: Yahoo limits the rate; try again later"),
    "empty": (bars().iloc[:0], "Yahoo, ^VXN: got no bar"),
    "other shape": (OTHER_SHAPE, "Yahoo, ^VXN: missing column Close"),
    "stale": (STALE, "yahoo has no indices of 2024-01-10"),
    "last level null": (HELD_BACK, "yahoo has no indices of 2024-01-10"),
}


@integration
@pytest.mark.parametrize(("answer", "reason"), FALLBACKS.values(), ids=FALLBACKS)
def test_index_that_yahoo_fails_for_comes_whole_from_cboe_and_alone(
    answer: Answer, reason: str, live: Callable[..., Live], httpserver: HTTPServer
) -> None:
    source = live({"^VXN": answer}, {"VXN": history()})
    with capture_logs() as logs:
        frame = levels(source, "VIX", "VXN", "RVX")
    assert frame.groupby("symbol")["close"].unique().map(list).to_dict() == {
        "VIX": [YAHOO_LEVEL], "VXN": [CBOE_LEVEL], "RVX": [YAHOO_LEVEL],
    }  # fmt: skip
    assert [request.path for request, _ in httpserver.log] == ["/VXN_History.csv"]
    (warning,) = logs
    assert (warning["log_level"], warning["symbol"], warning["vendor"]) == (
        "warning", "VXN", "cboe",
    )  # fmt: skip
    assert warning["reason"].startswith(reason)


KEPT = {
    "Cboe is stale too": {"VXN": history(DAYS[:-1])},
    "Cboe is down": {},
    "Cboe sends a page": {"VXN": "<html>"},
}


@integration
@pytest.mark.parametrize("files", KEPT.values(), ids=KEPT)
def test_stale_index_stays_yahoos_where_cboe_has_nothing_newer(
    files: dict[str, str], live: Callable[..., Live]
) -> None:
    with capture_logs() as logs:
        frame = levels(live({"^VXN": STALE}, files), "VXN")
    assert frame["close"].eq(YAHOO_LEVEL).all()
    assert frame["session"].max() == DAYS[-2]
    assert logs == []


@integration
def test_index_that_nobody_has_says_why_of_both(live: Callable[..., Live]) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        levels(live({"^RVX": RATE_LIMIT}, {"RVX": "<html>"}), "VIX", "RVX")
    assert str(caught.value).startswith("RVX: no vendor has it: Yahoo, ^RVX: Yahoo limits the rate")
    assert "Cboe, RVX_History.csv: got a web page" in str(caught.value)
    assert caught.value.__context__ is None


@integration
def test_index_before_its_first_day_is_an_empty_frame(live: Callable[..., Live]) -> None:
    source = live({}, {"VIX": history()})
    frame = source.fetch("indices", ["VIX"], None, pd.Timestamp("1980-01-02"))
    assert TABLES["indices"].check(frame).empty


@integration
def test_prices_have_no_fallback(live: Callable[..., Live], httpserver: HTTPServer) -> None:
    source = live({"QQQ": RATE_LIMIT})
    with pytest.raises(SourceUnavailable, match="Yahoo, QQQ: Yahoo limits the rate"):
        source.fetch("prices", ["SPY", "QQQ"], None, END)
    with pytest.raises(SchemaViolation, match="missing column Close"):
        live({"SPY": bars().drop(columns="Close")}).fetch("prices", ["SPY"], None, END)
    assert not httpserver.log


# --- into the lake ------------------------------------------------------------------------------


@integration
def test_vendor_that_fails_leaves_the_tables_of_the_others_landed(
    live: Callable[..., Live], tmp_path: Path
) -> None:
    landed_at = pd.Timestamp("2024-01-10 22:00", tz="UTC")
    source = live({"QQQ": RATE_LIMIT, "^VIX": RATE_LIMIT}, {"VIX": history()})
    with Lake(tmp_path) as lake:
        report = fetch_all(lake, source, ["QQQ"], None, END, landed_at)
        landed = set(lake.manifest.entries)
    rows = {row.table: row for row in report}
    assert "Yahoo limits the rate" in rows["prices"].stale
    assert rows["prices"].rows_new == 0
    assert rows["indices"].stale is None
    assert rows["macro_series"].rows_new == 2 * len(SERIES)
    assert {("indices", "VIX"), ("indices", "VXN"), ("macro_series", "DGS10")} <= landed
    assert not any(table == "prices" for table, _ in landed)
    assert {("news", "market"), ("mentions", "QQQ"), ("earnings_calendar", "AAPL")} <= landed
    assert "HTTP 403" in rows["news_sentiment"].unavailable
    assert rows["news_sentiment"].stale is None


@integration
def test_no_key_leaves_out_finnhubs_tables_alone(live: Callable[..., Live], tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        report = fetch_all(lake, live(key=None), ["SPY"], None, END, NOW)
    said = {row.table: row.unavailable for row in report}
    assert {table for table, reason in said.items() if reason} == set(TABLES_OF_FINNHUB)
    assert all("set FINNHUB_API_KEY" in said[table] for table in TABLES_OF_FINNHUB)
    assert {row.stale for row in report} == {None}
    landed = {row.table for row in report if row.rows_new}
    assert landed == {"prices", "indices", "macro_series", "mentions", "option_chains"}


@integration
def test_landing_the_same_answers_again_changes_nothing(
    live: Callable[..., Live], tmp_path: Path
) -> None:
    for hour in (22, 23):
        with Lake(tmp_path) as lake:
            landed_at = pd.Timestamp(f"2024-01-10 {hour}:00", tz="UTC")
            # No company stands for IWM, so that its landing is short.
            report = fetch_all(lake, live(), ["IWM"], None, END, landed_at)
    assert {row.table for row in report} == {*TABLES_OF_LIVE} - {"earnings_calendar"}
    assert {(row.rows_new, row.rows_corrected, row.stale) for row in report} == {(0, 0, None)}
