"""The contract of every source in the registry and of every live vendor, table by table."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pandas as pd
import pytest

from home.origin import ORIGINS
from ingestion.gate.expectations import gate
from ingestion.sources.apewisdom.source import Apewisdom
from ingestion.sources.base import Source, requested_table, within
from ingestion.sources.cboe.source import Cboe
from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.fred.source import Fred
from ingestion.sources.live import LIVE, Live
from ingestion.sources.massive.source import Massive
from ingestion.sources.registry import SOURCES, open_source
from ingestion.sources.tradier.source import Tradier
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.http import Http
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import TABLES
from market.errors import InputError, KeyUnavailable

AS_OF = pd.Timestamp("2024-01-04 21:30", tz="UTC")
END = pd.Timestamp("2024-01-04")
BARS = ["Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits"]


def download(folder: Path) -> Callable[..., pd.DataFrame]:
    """Return a download from Yahoo, of the folder's files in the shape of yfinance."""

    def bars(symbol: str, *_: object) -> pd.DataFrame:
        name = f"cboe/{symbol[1:]}" if symbol.startswith("^") else f"yahoo/{symbol}"
        frame = pd.read_csv(folder / f"{name}.csv", index_col="Date", parse_dates=True)
        return frame.reindex(columns=BARS).fillna({"Stock Splits": 0.0})

    return bars


def http(folder: Path) -> Http:
    """Return the web servers of Cboe and FRED, which hold the folder's files."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.endswith(".json"):
            name = request.url.path.split("/")[-1].removesuffix(".json")
            return httpx2.Response(200, text=json.dumps(CBOE_CHAIN).replace("{}", name))
        if "id" in request.url.params:
            return httpx2.Response(
                200, text=(folder / f"fred/{request.url.params['id']}.csv").read_text()
            )
        frame = pd.read_csv(folder / f"cboe/{request.url.path.split('/')[-1][:-12]}.csv")
        days = pd.to_datetime(frame["Date"]).dt.strftime("%m/%d/%Y")
        text = frame.assign(Date=days).rename(columns=str.upper).to_csv(index=False)
        return httpx2.Response(200, text=text)

    return Http(transport=httpx2.MockTransport(answer))


CBOE_CHAIN: dict[str, Any] = {
    "timestamp": "2024-01-03 21:10:00",
    "data": {"current_price": 468.5, "options": [
        {"option": "{}240119C00470000", "bid": 4.05, "ask": 4.12, "iv": 0.1175, "volume": 3.0,
         "open_interest": 9.0, "delta": 0.45, "gamma": 0.03},
    ]},
}  # fmt: skip


def brokers(request: httpx2.Request) -> httpx2.Response:
    """Answer as Tradier's and Massive's servers, with a chain of one contract."""
    asked, path = request.url.params, request.url.path
    name = asked.get("symbol") or asked.get("symbols") or path.split("/")[-1]
    symbol, quoted = f"{name}240119C00470000", 1704316200000  # 2024-01-03 21:10
    if path.endswith("expirations"):
        found: dict[str, Any] = {"expirations": {"date": "2024-01-19"}}
    elif path.endswith("quotes"):
        found = {"quotes": {"quote": {"symbol": name, "last": 468.5}}}
    elif path.endswith("chains"):
        found = {"options": {"option": {
            "symbol": symbol, "bid": 4.05, "ask": 4.12, "volume": 3, "open_interest": 9,
            "contract_size": 100, "greeks": None, "bid_date": quoted, "ask_date": quoted,
        }}}  # fmt: skip
    else:
        found = {"results": [{
            "details": {"ticker": f"O:{symbol}", "shares_per_contract": 100},
            "last_quote": {"bid": 4.05, "ask": 4.12, "last_updated": quoted * 10**6},
        }]}  # fmt: skip
    return httpx2.Response(200, json=found)


BROKERS = Http(transport=httpx2.MockTransport(brokers))


def yahoo_options(symbol: str) -> SimpleNamespace:
    """Return the chains of a symbol as yfinance's ticker, of one contract."""
    calls = pd.DataFrame({
        "contractSymbol": [f"{symbol}240119C00470000"], "bid": 4.05, "ask": 4.12, "volume": 3.0,
        "openInterest": 9, "impliedVolatility": 0.1175, "contractSize": "REGULAR",
    })  # fmt: skip
    quote = {"regularMarketTime": 1704316200, "regularMarketPrice": 468.5}
    found = SimpleNamespace(calls=calls, puts=calls[:0], underlying=quote)
    return SimpleNamespace(options=("2024-01-19",), option_chain=lambda _: found)


def reddit() -> Http:
    """Return ApeWisdom's server, with lists of two tickers."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        rows = [
            {"rank": n, "ticker": ticker, "mentions": str(50 // n), "upvotes": 100,
             "rank_24h_ago": None, "mentions_24h_ago": None}
            for n, ticker in enumerate(("SPY", "NVDA"), start=1)
        ]  # fmt: skip
        return httpx2.Response(200, json={"count": 2, "pages": 1, "results": rows})

    return Http(transport=httpx2.MockTransport(answer))


def company_reports(symbol: str, **_: str) -> dict[str, Any]:
    return {
        "earningsCalendar": [
            {"symbol": symbol, "date": "2024-01-03", "hour": "bmo", "year": 2023, "quarter": 4,
             "epsActual": 2.2, "epsEstimate": 2.1, "revenueActual": 1e9, "revenueEstimate": None}
        ]
    }  # fmt: skip


# Finnhub's client, with a headline, a report and a share.
FINNHUB_CLIENT = SimpleNamespace(
    general_news=lambda _: [
        {"id": 7, "datetime": 1704310200, "headline": "Stocks rise", "source": "Reuters"}
    ],
    news_sentiment=lambda ticker: {
        "symbol": ticker,
        "sentiment": {"bullishPercent": 0.7, "bearishPercent": 0.2},
        "buzz": {"articlesInLastWeek": 20, "weeklyAverage": 22.5},
        "sectorAverageBullishPercent": 0.6,
    },
    earnings_calendar=company_reports,
)
FINNHUB: dict[str, Any] = {
    "now": lambda: AS_OF, "api_key": "k" * 20, "rate": CallRate(calls=1000, seconds=60.0),
}  # fmt: skip

# How each source is made here. A new source or vendor adds its own, with data for KEYS.
VENDORS: dict[str, Callable[[Path], Source]] = {
    "yahoo": lambda folder: Yahoo(download=download(folder), open_options=yahoo_options),
    "cboe": lambda folder: Cboe(http=http(folder)),
    "fred": lambda folder: Fred(http=http(folder)),
    "finnhub": lambda _: Finnhub(**FINNHUB),
    "apewisdom": lambda _: Apewisdom(lambda: AS_OF, http=reddit()),
    "tradier": lambda _: Tradier("k" * 20, http=BROKERS),
    "massive": lambda _: Massive("k" * 20, http=BROKERS),
}
MADE: dict[str, Callable[[Path], Source]] = {
    **VENDORS,
    "recorded": lambda folder: open_source("recorded", folder=folder),
    "simulated": lambda _: open_source(
        "simulated", seed=3, signal_strength=0.1, as_of=AS_OF, first_session="2023-12-01"
    ),
    "live": lambda folder: Live({word: make(folder) for word, make in VENDORS.items()}),
}
WORDS = (*SOURCES, *(vendor.word for vendor in LIVE))
KEYS = {
    "prices": ("SPY", "QQQ"),
    "indices": ("VIX", "RVX"),
    "macro_series": ("DGS10", "CPIAUCSL"),
    "news": ("market",),
    "news_sentiment": ("SPY", "QQQ"),
    "mentions": ("SPY", "QQQ"),
    "earnings_calendar": ("AAPL", "MSFT"),
    "option_chains": ("SPY", "QQQ"),
}
# A calendar of all companies: one that it does not hold has no report.
HOLDS_ANY_KEY = {("recorded", "earnings_calendar")}


@pytest.fixture(params=WORDS)
def source(
    request: pytest.FixtureRequest, vendor_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Source:
    def answer(_what: str, ask: Callable[[object], object], *_: object) -> object:
        return ask(FINNHUB_CLIENT)

    monkeypatch.setattr("ingestion.sources.finnhub.api.answer", answer)
    return MADE[request.param](vendor_folder)


def fetched(source: Source, start: pd.Timestamp | None = None) -> dict[str, pd.DataFrame]:
    return {table: source.fetch(table, KEYS[table], start, END) for table in source.tables}


def test_describes_itself(source: Source) -> None:
    assert source.name in WORDS
    assert source.origin in ORIGINS
    assert source.tables
    assert set(source.tables) <= set(TABLES)


def test_every_table_has_the_declared_shape(source: Source) -> None:
    for table, frame in fetched(source).items():
        TABLES[table].check(frame)
        assert len(frame) > 0
        assert frame.index.equals(pd.RangeIndex(len(frame)))


def test_every_key_asked_for_and_no_other_is_there(source: Source) -> None:
    for table, frame in fetched(source).items():
        assert set(frame[TABLES[table].partition]) == set(KEYS[table])


def test_rows_come_in_order_of_their_key_without_a_double(source: Source) -> None:
    for table, frame in fetched(source).items():
        key = list(TABLES[table].key)
        assert not frame.duplicated(key).any()
        pd.testing.assert_frame_equal(frame.sort_values(key, ignore_index=True), frame)


def test_values_are_within_the_declared_bounds(source: Source) -> None:
    for table, frame in fetched(source).items():
        for column in TABLES[table].columns:
            values = frame[column.name]
            assert column.nullable or values.notna().all(), column.name
            if column.minimum is not None:
                low = values > column.minimum if column.strict_minimum else values >= column.minimum
                assert (low | values.isna()).all(), column.name
            if column.maximum is not None:
                assert ((values <= column.maximum) | values.isna()).all(), column.name
        assert all(pair.holds(frame).all() for pair in TABLES[table].pairs)


def test_both_ends_are_kept_and_nothing_beyond_them(source: Source) -> None:
    start, end = pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-03")
    for name in source.tables:
        table = TABLES[name]
        everything = source.fetch(name, KEYS[name], None, end)
        part = source.fetch(name, KEYS[name], start, end)
        inside = everything[table.days(everything) >= start]
        assert len(inside) > 0
        assert not table.sessional or table.days(inside).max() <= end
        pd.testing.assert_frame_equal(part, inside.reset_index(drop=True))


RECORDED = {
    "news": "recorded_at",
    "news_sentiment": "recorded_at",
    "mentions": "recorded_at",
    "option_chains": "quote_time",
}


def test_what_a_vendor_of_the_past_gives_was_recorded_by_the_decision_time(source: Source) -> None:
    if source.origin == "live":
        return  # asked now, it knows no more than now
    end = pd.Timestamp("2024-01-03")
    cut = pd.Timestamp("2024-01-03 21:30", tz="UTC")
    for name, column in RECORDED.items():
        if name in source.tables:
            frame = source.fetch(name, KEYS[name], None, end)
            assert len(frame) > 0
            assert frame[column].max() <= cut


def test_the_gate_lets_every_row_through(source: Source) -> None:
    for name in source.tables:
        start = pd.Timestamp("2024-01-03") if name == "option_chains" else None
        frame = source.fetch(name, KEYS[name], start, END)
        good, bad = gate(TABLES[name], frame)
        assert bad.empty, bad.T
        assert len(good) > 0


def test_a_period_without_rows_is_an_empty_frame(source: Source) -> None:
    long_ago = pd.Timestamp("1980-01-02")
    for table in source.tables:
        if source.origin == "live" and not TABLES[table].sessional:
            continue  # what a vendor says now, whatever the day asked for
        frame = source.fetch(table, KEYS[table], None, long_ago)
        assert frame.empty
        TABLES[table].check(frame)


def test_no_key_is_no_row(source: Source) -> None:
    for table in source.tables:
        assert source.fetch(table, (), None, END).empty


def test_a_key_asked_for_twice_comes_once(source: Source) -> None:
    for table in source.tables:
        key = KEYS[table][0]
        twice = source.fetch(table, [key, key], None, END)
        pd.testing.assert_frame_equal(twice, source.fetch(table, [key], None, END))


def test_the_same_question_has_the_same_answer(source: Source) -> None:
    for table, frame in fetched(source).items():
        pd.testing.assert_frame_equal(source.fetch(table, KEYS[table], None, END), frame)


def test_an_unknown_key_is_refused_with_what_was_got(source: Source) -> None:
    for table in source.tables:
        if (source.name, table) in HOLDS_ANY_KEY:
            assert source.fetch(table, ["NONESUCH"], None, END).empty
            continue
        with pytest.raises((InputError, KeyUnavailable), match="NONESUCH"):
            source.fetch(table, ["NONESUCH"], None, END)


def test_an_unknown_table_is_refused_with_what_is_allowed(source: Source) -> None:
    with pytest.raises(InputError) as caught:
        source.fetch("horoscopes", ["SPY"], None, END)
    assert str(caught.value) == (
        f"source {source.name} has no table 'horoscopes', allowed are {', '.join(source.tables)}"
    )


def test_a_start_after_the_end_is_refused(source: Source) -> None:
    for table in source.tables:
        with pytest.raises(InputError, match="start 2024-01-05 lies after end 2024-01-04"):
            source.fetch(table, KEYS[table], pd.Timestamp("2024-01-05"), END)


def test_an_unknown_source_is_refused_with_the_allowed_ones() -> None:
    with pytest.raises(InputError) as caught:
        open_source("crystal_ball")
    assert str(caught.value) == (
        f"unknown source: got 'crystal_ball', allowed are {', '.join(SOURCES)}"
    )


def test_a_table_of_another_source_is_refused(vendor_folder: Path) -> None:
    source = open_source("recorded", folder=vendor_folder)
    source.tables = ("prices",)
    assert requested_table(source, "prices") is TABLES["prices"]
    with pytest.raises(InputError, match="source recorded has no table 'indices'"):
        requested_table(source, "indices")


def test_within_sorts_and_numbers_the_rows_inside() -> None:
    table = TABLES["indices"]
    frame = pd.DataFrame(
        {
            "symbol": ["VXN", "VIX", "VIX"],
            "session": pd.to_datetime(["2024-01-02", "2024-01-03", "2024-01-02"]),
            "open": 1.0, "high": 1.0, "low": 1.0, "close": [3.0, 2.0, 1.0],
        }
    )  # fmt: skip
    assert within(frame, table, None, END)["close"].tolist() == [1.0, 2.0, 3.0]
    day = pd.Timestamp("2024-01-03")
    assert within(frame, table, day, day)["close"].tolist() == [2.0]
