"""What vendors of option chains send, beside what of it must land: marks, units, zones, shapes."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from ingestion.sources.cboe.chains import delayed_chain
from ingestion.sources.massive.format import page
from ingestion.sources.tradier.format import contracts, expirations, price
from ingestion.sources.wire.option_quotes import chain_rows, refuse_stale
from ingestion.sources.yahoo.chains import quoted_chain
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import KeyUnavailable, SchemaViolation

Fields = Mapping[str, Any]
MILLIS = 1784747491000  # 2026-07-22 19:11:31 UTC
QUOTED = pd.Timestamp(MILLIS, unit="ms", tz="UTC")


def cboe(sent: Fields) -> pd.DataFrame:
    outer = {"timestamp": "2026-07-22 19:11:31", "current_price": 745.6} | dict(sent)
    option = {
        "option": "SPY260821C00745000", "bid": 11.2, "ask": 11.3, "iv": 0.1322, "volume": 7.0,
        "open_interest": 90.0, "delta": 0.51, "gamma": 0.02, "iv30": 13.222,
        "last_trade_time": "2026-07-22T15:59:59",
    }  # fmt: skip
    option |= {name: value for name, value in sent.items() if name in option}
    data = {"current_price": outer["current_price"], "iv30": 13.222, "options": [option]}
    return delayed_chain("Cboe", {"timestamp": outer["timestamp"], "data": data}, "SPY")


def tradier(sent: Fields) -> pd.DataFrame:
    greeks: Any = {"delta": 0.51, "gamma": 0.02, "theta": -0.1, "rho": 0.3, "phi": -0.3,
                   "bid_iv": 0.131, "mid_iv": 0.1322, "ask_iv": 0.133}  # fmt: skip
    option = {
        "symbol": "SPY260821C00745000", "bid": 11.2, "ask": 11.3, "volume": 7, "open_interest": 90,
        "contract_size": 100, "bid_date": MILLIS - 2000, "ask_date": MILLIS, "greeks": greeks,
    }  # fmt: skip
    option |= {name: value for name, value in sent.items() if name in option}
    if option["greeks"]:
        option["greeks"] = greeks | {k: v for k, v in sent.items() if k in greeks}
    found = contracts("Tradier", {"options": {"option": [option] if "list" in sent else option}})
    return chain_rows("Tradier", "SPY", found.quoted, sent.get("last", 745.6), found.sent)


def massive(sent: Fields) -> pd.DataFrame:
    row: dict[str, Any] = {
        "details": {"ticker": "O:SPY260821C00745000", "shares_per_contract": 100},
        "last_quote": {"bid": 11.2, "ask": 11.3, "last_updated": MILLIS * 10**6},
        "day": {"volume": 7}, "open_interest": 90, "implied_volatility": 0.1322,
        "greeks": {"delta": 0.51, "gamma": 0.02}, "underlying_asset": {"price": 745.6},
    }  # fmt: skip
    for name, value in sent.items():
        if isinstance(row.get(name), dict) and isinstance(value, dict) and value:
            row[name] = row[name] | value
        elif name in row:
            row[name] = value
    row = {name: value for name, value in row.items() if value is not None}
    results: Any = row if "alone" in sent else [row]
    found = page("Massive", {"status": "OK", "results": results})
    return chain_rows("Massive", "SPY", found.quoted, found.spot, found.sent)


def yahoo(sent: Fields) -> pd.DataFrame:
    row = {
        "contractSymbol": "SPY260821C00745000", "bid": 11.2, "ask": 11.3, "volume": 7.0,
        "openInterest": 90, "impliedVolatility": 0.1322, "contractSize": "REGULAR",
        "lastTradeDate": "2026-07-22 19:59:59+00:00",
    }  # fmt: skip
    row |= {name: value for name, value in sent.items() if name in row}
    quote = {"regularMarketTime": MILLIS // 1000, "regularMarketPrice": 745.6}
    quote |= {name: value for name, value in sent.items() if name in quote}
    side = pd.DataFrame([row])
    part = SimpleNamespace(calls=side, puts=side[:0], underlying=quote)
    return quoted_chain("Yahoo", [part], "SPY")


class Pair(NamedTuple):
    """A vendor, what it sends beside the plain contract, and what lands beside the plain row."""

    vendor: Callable[[Fields], pd.DataFrame]
    sent: dict[str, Any]
    lands: dict[str, Any]


SPXW = {"root": "SPXW", "expiration": pd.Timestamp("2026-08-21"), "strike": 7450.0}
NO_GREEKS = {"implied_volatility": None, "delta": None, "gamma": None}
PAIRS = {
    # The plain contract: a fraction stays one, though the underlying's iv30 is a percent.
    "cboe, as it is": Pair(cboe, {}, {}),
    "cboe, its time is UTC": Pair(
        cboe,
        {"timestamp": "2026-01-23 01:14:35"},
        {"quote_time": pd.Timestamp("2026-01-23 01:14:35", tz="UTC")},
    ),
    "cboe, no volatility and a bid": Pair(
        cboe, {"iv": 0.0, "delta": 0.9998, "gamma": 0.0001},
        {"implied_volatility": None, "delta": 0.9998, "gamma": 0.0001},
    ),
    "cboe, nothing computed": Pair(cboe, {"iv": 0.0, "delta": 0.0, "gamma": 0.0}, NO_GREEKS),
    "cboe, no market": Pair(cboe, {"bid": 0.0, "ask": 0.0}, {"bid": None, "ask": None}),
    "cboe, nobody bids": Pair(cboe, {"bid": 0.0, "ask": 0.05}, {"bid": 0.0, "ask": 0.05}),
    "cboe, nobody asks": Pair(cboe, {"ask": 0.0}, {"ask": None}),
    "cboe, a put of SPXW": Pair(
        cboe, {"option": "SPXW260821P07450000"}, {**SPXW, "option_type": "put"}
    ),
    "cboe, a strike in tenths of a cent": Pair(
        cboe, {"option": "SPY260821C00745125"}, {"strike": 745.125}
    ),
    "cboe, a mini contract": Pair(cboe, {"option": "SPY7260821C00745000"}, {"root": "SPY7"}),
    "cboe, no price of the underlying": Pair(
        cboe, {"current_price": 0.0}, {"underlying_price": None}
    ),
    "cboe, nulls": Pair(
        cboe, {"volume": None, "open_interest": None}, {"volume": None, "open_interest": None}
    ),
    "cboe, a crossed quote is the gate's": Pair(cboe, {"bid": 11.4}, {"bid": 11.4}),
    "tradier, one contract alone": Pair(tradier, {}, {}),
    "tradier, a list": Pair(tradier, {"list": True}, {}),
    "tradier, no bid: mid_iv is that of the ask": Pair(
        tradier, {"bid": 0.0, "bid_iv": 0.0, "mid_iv": 0.590685, "ask_iv": 0.590685},
        {"bid": 0.0, "implied_volatility": None},
    ),
    "tradier, a bid that could not be inverted": Pair(
        tradier, {"bid_iv": 0.0, "mid_iv": 0.133}, {"implied_volatility": None}
    ),
    "tradier, no greeks": Pair(tradier, {"greeks": None}, NO_GREEKS),
    "tradier, no market": Pair(
        tradier, {"bid": 0.0, "ask": 0.0, "bid_iv": 0.0, "mid_iv": 0.0},
        {"bid": None, "ask": None, "implied_volatility": None},
    ),
    "tradier, null prices": Pair(
        tradier, {"bid": None, "ask": None}, {"bid": None, "ask": None, "implied_volatility": None}
    ),
    "tradier, the newest time of a quote": Pair(
        tradier, {"bid_date": MILLIS + 9000},
        {"quote_time": QUOTED + pd.Timedelta(seconds=9)},
    ),
    "tradier, an adjusted contract of another size": Pair(
        tradier, {"symbol": "SPY1260821C00745000", "contract_size": 103}, {"root": "SPY1"}
    ),
    "tradier, a put of SPXW": Pair(
        tradier, {"symbol": "SPXW260821P07450000"}, {**SPXW, "option_type": "put"}
    ),
    "tradier, no last price": Pair(tradier, {"last": np.nan}, {"underlying_price": None}),
    "massive, as it is": Pair(massive, {}, {}),
    "massive, a single contract": Pair(massive, {"alone": True}, {}),
    "massive, an index has a value": Pair(
        massive, {"underlying_asset": {"price": None, "value": 7498.96}},
        {"underlying_price": 7498.96},
    ),
    "massive, greeks that could not be computed": Pair(
        massive, {"greeks": {}, "implied_volatility": None}, NO_GREEKS
    ),
    "massive, nanoseconds": Pair(
        massive, {"last_quote": {"last_updated": MILLIS * 10**6 + 260800059}},
        {"quote_time": QUOTED + pd.Timedelta(260800059, unit="ns")},
    ),
    "massive, no market": Pair(
        massive, {"last_quote": {"bid": 0, "ask": 0}}, {"bid": None, "ask": None}
    ),
    "massive, no day yet": Pair(massive, {"day": {}}, {"volume": None}),
    "massive, an adjusted contract": Pair(
        massive, {"details": {"ticker": "O:SPY1260821C00745000", "shares_per_contract": 103}},
        {"root": "SPY1"},
    ),
    "massive, a put of SPXW": Pair(
        massive, {"details": {"ticker": "O:SPXW260821P07450000"}}, {**SPXW, "option_type": "put"}
    ),
    "yahoo, as it is": Pair(yahoo, {}, {"delta": None, "gamma": None}),
    "yahoo, not inverted": Pair(
        yahoo, {"impliedVolatility": 1.0000000000000003e-05}, NO_GREEKS
    ),
    "yahoo, almost nothing is a volatility": Pair(
        yahoo, {"impliedVolatility": 0.0002},
        {"implied_volatility": 0.0002, "delta": None, "gamma": None},
    ),
    "yahoo, no market": Pair(
        yahoo, {"bid": 0.0, "ask": 0.0}, {"bid": None, "ask": None, "delta": None, "gamma": None}
    ),
    "yahoo, never traded": Pair(
        yahoo, {"volume": np.nan}, {"volume": None, "delta": None, "gamma": None}
    ),
    "yahoo, a mini contract": Pair(
        yahoo, {"contractSymbol": "SPY7260821C00745000", "contractSize": "MINI"},
        {"root": "SPY7", "delta": None, "gamma": None},
    ),
    "yahoo, as old as the underlying's price": Pair(
        yahoo, {"regularMarketTime": 1784750400},
        {"quote_time": pd.Timestamp("2026-07-22 20:00", tz="UTC"), "delta": None, "gamma": None},
    ),
    "yahoo, no price of the underlying": Pair(
        yahoo, {"regularMarketPrice": None},
        {"underlying_price": None, "delta": None, "gamma": None},
    ),
}  # fmt: skip
PLAIN = {
    "underlying": "SPY", "root": "SPY", "quote_time": QUOTED,
    "expiration": pd.Timestamp("2026-08-21"), "strike": 745.0, "option_type": "call",
    "underlying_price": 745.6, "bid": 11.2, "ask": 11.3, "volume": 7.0, "open_interest": 90.0,
    "implied_volatility": 0.1322, "delta": 0.51, "gamma": 0.02,
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_is_sent_lands_as_what_it_means(pair: Pair) -> None:
    rows = pair.vendor(pair.sent)[list(OPTION_CHAINS.names)].astype(OPTION_CHAINS.dtypes)
    found = OPTION_CHAINS.check(rows).iloc[0].to_dict()
    found = {name: None if pd.isna(value) else value for name, value in found.items()}
    assert found == PLAIN | pair.lands


REFUSED = {
    "cboe, a symbol of another form": (cboe, {"option": "SPY 745 call"}, "got 'SPY 745 call'"),
    "cboe, a word for a price": (cboe, {"bid": "n/a"}, "field bid: got 'n/a'"),
    "cboe, no time": (cboe, {"timestamp": "22 July"}, "field timestamp: got '22 July'"),
    "tradier, a standard root of another size": (
        tradier, {"contract_size": 10}, "of 10 shares, allowed are 100",
    ),
    "tradier, the text NaN": (tradier, {"delta": "NaN"}, "field delta: got 'NaN'"),
    "massive, seconds with a fraction": (
        massive, {"last_quote": {"last_updated": 1.5}}, "field last_updated: got 1.5",
    ),
    "yahoo, a mini contract under a standard root": (
        yahoo, {"contractSize": "MINI"}, "of 10 shares, allowed are 100",
    ),
    "yahoo, no time": (yahoo, {"regularMarketTime": None}, "no time of the underlying's price"),
}  # fmt: skip


@pytest.mark.parametrize(("vendor", "sent", "words"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused(
    vendor: Callable[[Fields], pd.DataFrame], sent: Fields, words: str
) -> None:
    with pytest.raises(SchemaViolation) as caught:
        vendor(sent)
    assert words in str(caught.value)


def test_a_chain_without_a_contract_is_no_chain() -> None:
    with pytest.raises(KeyUnavailable, match="a chain without a contract"):
        delayed_chain("Cboe", {"timestamp": "2026-07-22 19:11:31", "data": {"options": []}}, "SPY")
    for nothing in ({"options": None}, {"options": {"option": None}}):
        assert contracts("Tradier", nothing).sent == []
    with pytest.raises(KeyUnavailable, match="got no expiration"):
        expirations("Tradier", {"expirations": None})
    assert page("Massive", {"status": "OK"}).sent == []


def test_one_thing_or_a_list_of_things_is_read_alike() -> None:
    for days in ("2026-08-21", ["2026-08-21"]):
        assert expirations("Tradier", {"expirations": {"date": days}}) == ["2026-08-21"]
    quote = {"symbol": "SPY", "last": 745.6}
    for quotes in (quote, [quote]):
        assert price("Tradier", {"quotes": {"quote": quotes}}, "SPY") == 745.6
    with pytest.raises(SchemaViolation, match="got no quote of QQQ"):
        price("Tradier", {"quotes": {"quote": quote}}, "QQQ")


def test_a_stale_chain_is_refused_with_its_age() -> None:
    evening = pd.Timestamp("2026-07-23 01:14:35", tz="UTC")
    refuse_stale("Cboe", evening, pd.Timestamp("2026-07-22"))
    refuse_stale("Cboe", evening, None)
    with pytest.raises(KeyUnavailable) as caught:
        refuse_stale("Cboe", evening, pd.Timestamp("2026-07-23"))
    assert "quotes are of 2026-07-22 21:14 in New York, allowed are those of 2026-07-23" in str(
        caught.value
    )
