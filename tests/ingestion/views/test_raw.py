"""Raw rows by what a build needs them for."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
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
    PRICES,
)
from ingestion.views.events import EarningsRaw, SentimentRaw
from ingestion.views.raw import RawReader, index_symbols, prices_span
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
    market = reader(tmp_path).macro().market
    assert market["session"].to_list() == list(DAYS[:6].date)
    # The session that nothing landed for counts with the next one.
    assert market["landed_at"].to_list() == [AT, AT, later, later, later, later]


def test_without_one_of_its_indices_a_ticker_has_prices_only(
    tmp_path: Path, prices: Frame, index: Frame
) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    land(tmp_path, INDICES, index("VIX", DAYS))
    raw = reader(tmp_path).ticker("SPY")
    assert raw.prices.height == len(DAYS)
    assert raw.indices == {}
    assert [view for view, _, _ in raw.views(None)] == ["technical"]
    land(tmp_path, INDICES, index("VIX3M", DAYS))
    raw = reader(tmp_path).ticker("SPY")
    assert set(raw.indices) == {"vix_close", "vix3m_close", "spx_vix_close"}
    assert [view for view, _, _ in raw.views(None)] == ["technical", "iv", "iv_lags", "iv_path"]


def test_before_the_first_landing_there_is_nothing(
    tmp_path: Path, prices: Frame, index: Frame, macro: Frame
) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    later = AT + pd.Timedelta(days=1)
    land(tmp_path, INDICES, pd.concat([index("VIX", DAYS), index("VIX3M", DAYS)]), later)
    land(tmp_path, MACRO_SERIES, macro(DAYS), later)
    read = reader(tmp_path)
    before = (AT - pd.Timedelta(days=1)).to_pydatetime()
    assert list(read.ticker("SPY").views(before)) == []
    assert list(read.macro().views(before)) == []
    assert [view for view, _, _ in read.ticker("SPY").views(AT.to_pydatetime())] == ["technical"]
    assert list(read.macro().views(AT.to_pydatetime())) == []
    assert [view for view, _, _ in read.macro().views(later.to_pydatetime())] == ["macro"]


def test_changes_of_prices_and_indices_are_those_of_a_ticker(
    tmp_path: Path, prices: Frame, index: Frame
) -> None:
    frame = prices("SPY", days=list(DAYS.astype(str)))
    land(tmp_path, PRICES, frame)
    land(tmp_path, INDICES, pd.concat([index("VIX", DAYS[1:]), index("VIX3M", DAYS)]))
    assert reader(tmp_path).ticker("SPY").changes() == []
    times = [AT + pd.Timedelta(days=days) for days in (1, 2)]
    land(tmp_path, INDICES, index("VIX", DAYS[:1]), times[0])
    land(tmp_path, PRICES, frame.assign(close=frame["close"] * 1.001), times[1])
    assert reader(tmp_path).ticker("SPY").changes() == times


def test_a_ticker_has_the_events_that_landed(
    tmp_path: Path, prices: Frame, news: Frame, mentions: Frame, earnings: Frame
) -> None:
    for ticker in ("SPY", "IWM"):
        land(tmp_path, PRICES, prices(ticker, days=list(DAYS.astype(str))))
    assert reader(tmp_path).ticker("SPY").events == ()
    land(tmp_path, MENTIONS, mentions("SPY", [AT]))
    assert reader(tmp_path).ticker("IWM").events == ()
    land(tmp_path, NEWS, news([AT]))
    land(
        tmp_path,
        EARNINGS_CALENDAR,
        pd.concat([earnings(name, ["2024-02-01"]) for name in ("AAPL", "F")]),
    )
    sentiment, calendar = reader(tmp_path).ticker("SPY").events
    assert isinstance(sentiment, SentimentRaw)
    assert [rows.height for rows in (sentiment.news, sentiment.premium, sentiment.mentions)] == [
        1, 0, 2,
    ]  # fmt: skip
    # The calendar's other companies are none of the basket's.
    assert isinstance(calendar, EarningsRaw)
    assert calendar.rows["symbol"].to_list() == ["AAPL"]
    assert calendar.first_live is None
    (market,) = reader(tmp_path).ticker("IWM").events
    assert isinstance(market, SentimentRaw)
    assert market.mentions.is_empty()


def test_inputs_are_all_that_is_read_for_a_key(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, PRICES, prices("SPY", days=list(DAYS.astype(str))))
    read = reader(tmp_path)
    named = read.inputs("ticker", "SPY")
    assert {table for table, _ in named} == {
        PRICES.name, INDICES.name, NEWS.name, NEWS_SENTIMENT.name, MENTIONS.name,
        EARNINGS_CALENDAR.name,
    }  # fmt: skip
    assert (PRICES.name, "SPY") in named
    assert (EARNINGS_CALENDAR.name, "AAPL") in named
    assert read.inputs("market", "US") == [(PRICES.name, "SPY")]
