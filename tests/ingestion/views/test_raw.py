"""Raw rows by what a build needs them for."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from home.manifest import read_manifest
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    OPTION_CHAINS,
    PRICES,
)
from ingestion.views.compute import changes, compute
from ingestion.views.iv import index_symbols
from ingestion.views.raw import Raw
from ingestion.views.reader import RawReader, prices_span
from market.availability import SERIES
from market.calendar import sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS

Frame = Callable[..., pd.DataFrame]
AT = pd.Timestamp("2024-07-01T20:30Z")
DAYS = sessions("2024-01-02", "2024-02-29")


def land(data: Path, table: object, frame: pd.DataFrame, at: pd.Timestamp = AT) -> None:
    with Lake(data) as lake:
        lake.land(table, frame, "recorded", at)


def reader(data: Path) -> RawReader:
    return RawReader(data, read_manifest(data))


def of(ticker: str, data: Path) -> Raw:
    return reader(data).raw("ticker", ticker)


def of_market(data: Path) -> Raw:
    return reader(data).raw("market", "US")


def views(raw: Raw, known_by: datetime | None = None) -> list[str]:
    return [view for view, _, _ in compute(raw, known_by)]


def events(raw: Raw) -> dict[tuple[str, str], pl.DataFrame]:
    """Return the rows of a ticker that are neither prices nor indices."""
    return {name: rows for name, rows in raw.rows.items() if name[0] not in ("prices", "indices")}


@pytest.mark.parametrize("ticker", UNDERLYINGS)
def test_a_ticker_has_its_own_index_and_the_shared_slope(ticker: str) -> None:
    assert index_symbols(ticker) == {
        "vix_close": UNDERLYINGS[ticker].volatility_index,
        "vix3m_close": "VIX3M",
        "spx_vix_close": "VIX",
    }


def test_the_market_spans_all_tickers(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS[5:20].astype(str))))
    land(tmp_path, PRICES, prices("QQQ", days=list(DAYS[8:30].astype(str))))
    manifest = reader(tmp_path).manifest
    assert prices_span(manifest, "SPY") == (str(DAYS[5].date()), str(DAYS[19].date()))
    assert prices_span(manifest, "US") == (str(DAYS[5].date()), str(DAYS[29].date()))
    with pytest.raises(InputError, match="no prices have landed for IWM"):
        prices_span(manifest, "IWM")


def test_a_session_of_the_market_lands_with_its_first_price(tmp_path: Path, prices: Frame) -> None:
    later = AT + pd.Timedelta(days=1)
    land(tmp_path, PRICES, prices("QQQ", days=list(DAYS[[0, 1, 2, 3, 5]].astype(str))), later)
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS[:2].astype(str))))
    market = of_market(tmp_path).sessions
    assert market["session"].to_list() == list(DAYS[:6].date)
    # The session that nothing landed for counts with the next one.
    assert market["landed_at"].to_list() == [AT, AT, later, later, later, later]


def test_without_one_of_its_indices_a_ticker_has_prices_only(
    tmp_path: Path, prices: Frame, index: Frame
) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    land(tmp_path, INDICES, index("VIX", DAYS))
    raw = of("SPY", tmp_path)
    assert raw.versions(PRICES).height == len(DAYS)
    assert raw.of(INDICES) == {}
    assert views(raw) == ["technical", "variance"]
    land(tmp_path, INDICES, index("VIX3M", DAYS))
    raw = of("SPY", tmp_path)
    assert set(raw.of(INDICES)) == set(index_symbols("SPY").values())
    assert views(raw) == ["technical", "variance", "iv", "iv_lags", "iv_path"]


def test_before_the_first_landing_there_is_nothing(
    tmp_path: Path, prices: Frame, index: Frame, macro: Frame
) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    later = AT + pd.Timedelta(days=1)
    land(tmp_path, INDICES, pd.concat([index("VIX", DAYS), index("VIX3M", DAYS)]), later)
    land(tmp_path, MACRO_SERIES, macro(DAYS), later)
    before = (AT - pd.Timedelta(days=1)).to_pydatetime()
    assert views(of("SPY", tmp_path), before) == []
    assert views(of_market(tmp_path), before) == []
    assert views(of("SPY", tmp_path), AT.to_pydatetime()) == ["technical", "variance"]
    assert views(of_market(tmp_path), AT.to_pydatetime()) == []
    assert views(of_market(tmp_path), later.to_pydatetime()) == ["macro"]


def test_changes_of_prices_and_indices_are_those_of_a_ticker(
    tmp_path: Path, prices: Frame, index: Frame
) -> None:
    frame = prices("SPY", days=list(DAYS.astype(str)))
    land(tmp_path, PRICES, frame)
    land(tmp_path, INDICES, pd.concat([index("VIX", DAYS[1:]), index("VIX3M", DAYS)]))
    assert changes(of("SPY", tmp_path)) == []
    times = [AT + pd.Timedelta(days=days) for days in (1, 2)]
    land(tmp_path, INDICES, index("VIX", DAYS[:1]), times[0])
    land(tmp_path, PRICES, frame.assign(close=frame["close"] * 1.001), times[1])
    assert changes(of("SPY", tmp_path)) == times


def test_a_ticker_has_the_events_that_landed(
    tmp_path: Path, prices: Frame, news: Frame, mentions: Frame, earnings: Frame
) -> None:
    for ticker in ("SPY", "IWM"):
        land(tmp_path, PRICES, prices(ticker, days=list(DAYS.astype(str))))
    assert events(of("SPY", tmp_path)) == {}
    land(tmp_path, MENTIONS, mentions("SPY", [AT]))
    assert events(of("IWM", tmp_path)) == {}
    land(tmp_path, NEWS, news([AT]))
    land(
        tmp_path,
        EARNINGS_CALENDAR,
        pd.concat([earnings(name, ["2024-02-01"]) for name in ("AAPL", "F")]),
    )
    raw = of("SPY", tmp_path)
    tables = (NEWS, NEWS_SENTIMENT, MENTIONS)
    assert [raw.versions(table).height for table in tables] == [1, 0, 2]
    # The calendar's other companies are none of the basket's.
    assert raw.versions(EARNINGS_CALENDAR)["symbol"].to_list() == ["AAPL"]
    assert raw.first_live is None
    raw = of("IWM", tmp_path)
    assert set(events(raw)) == {(NEWS.name, "market")}
    assert raw.versions(MENTIONS).is_empty()


def test_inputs_are_all_that_is_read_for_a_key(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    read = reader(tmp_path)
    named = read.inputs("ticker", "SPY")
    assert {table for table, _ in named} == {
        PRICES.name, INDICES.name, NEWS.name, NEWS_SENTIMENT.name, MENTIONS.name,
        EARNINGS_CALENDAR.name, OPTION_CHAINS.name,
    }  # fmt: skip
    assert {key for table, key in named if table == OPTION_CHAINS.name} == {"SPY", "SPX"}
    assert (PRICES.name, "SPY") in named
    assert (EARNINGS_CALENDAR.name, "AAPL") in named
    # Series that have not landed yet too: how their source answered counts.
    series = [(MACRO_SERIES.name, name) for name in SERIES]
    assert read.inputs("market", "US") == [(PRICES.name, "SPY"), *series]
