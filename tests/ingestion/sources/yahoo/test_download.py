"""The installed yfinance, with Yahoo's answers in place of its network."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import requests

from ingestion.sources.wire.patience import Patience, TryAgain
from ingestion.sources.yahoo.download import yfinance_download
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import INDICES, PRICES
from market.errors import SourceUnavailable

END = pd.Timestamp("2024-01-05")
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
QUICK = Patience(
    attempts=2, attempt_seconds=20, budget_seconds=60, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip


def opening(day: str) -> int:
    return int(pd.Timestamp(f"{day} 09:30", tz="America/New_York").timestamp())


def chart(days: list[str] = DAYS, **changes: Any) -> dict[str, Any]:
    """Yahoo's answer for daily bars: four sessions, with a dividend and a split 2 for 1."""
    quote = {
        "open": [99.5, 100.5, 101.5, 102.5], "high": [101.0, 102.0, 103.0, 104.0],
        "low": [99.0, 100.0, 101.0, 102.0], "close": [100.0, 101.0, 102.0, 103.0],
        "volume": [1000, 1100, 1200, 1300],
    }  # fmt: skip
    quote |= changes
    stamps = [opening(day) for day in days]
    action = str(stamps[2])
    return {
        "meta": {
            "currency": "USD", "symbol": "SPY", "instrumentType": "ETF", "priceHint": 2,
            "exchangeTimezoneName": "America/New_York", "timezone": "EST", "gmtoffset": -18000,
            "firstTradeDate": stamps[0], "regularMarketTime": stamps[-1], "dataGranularity": "1d",
            "validRanges": ["1d", "5d", "max"],
        },
        "timestamp": stamps,
        "events": {
            "dividends": {action: {"amount": 0.75, "date": stamps[2]}},
            "splits": {
                action: {
                    "date": stamps[2], "numerator": 2.0, "denominator": 1.0, "splitRatio": "2:1",
                }
            },
        },
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }  # fmt: skip


def answer(result: dict[str, Any]) -> str:
    return json.dumps({"chart": {"result": [result], "error": None}})


class Vendor(requests.adapters.BaseAdapter):
    """Answers every address: cookies and crumbs as little as needed, charts as told."""

    def __init__(self) -> None:
        super().__init__()
        self.reply: Callable[[], tuple[int, str]] = lambda: (200, answer(chart()))
        self.charts: list[dict[str, str]] = []

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        status, text = 200, "crumb"
        if "/v8/finance/chart/" in request.url:
            query = requests.utils.urlparse(request.url).query
            self.charts.append(dict(pair.split("=", 1) for pair in query.split("&")))
            status, text = self.reply()
        response = requests.Response()
        response.status_code, response._content = status, text.encode()
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Vendor:
    from yfinance.data import SingletonMeta, YfData

    # yfinance keeps one connection for the process; it comes back afterwards.
    monkeypatch.setattr(SingletonMeta, "_instances", {})
    vendor = Vendor()
    session = requests.Session()
    session.mount("https://", vendor)
    YfData(session=session)
    return vendor


def download(cache_dir: Path, start: str | None = None) -> pd.DataFrame:
    first = None if start is None else pd.Timestamp(start)
    return yfinance_download(cache_dir)("SPY", first, 5.0)


def test_bars_are_not_adjusted_for_dividends_and_have_the_actions(
    vendor: Vendor, cache_dir: Path
) -> None:
    frame = download(cache_dir)
    assert {"Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits"} <= {
        *frame.columns
    }
    assert frame["Close"].tolist() == [100, 101, 102, 103]
    assert frame["Dividends"].tolist() == [0, 0, 0.75, 0]
    assert frame["Stock Splits"].tolist() == [0, 0, 2, 0]
    assert str(frame.index.tz) == "America/New_York"


def test_prices_as_traded_from_yahoos_answer(vendor: Vendor, cache_dir: Path) -> None:
    source = Yahoo(cache_dir, QUICK)
    frame = PRICES.check(source.fetch("prices", ["SPY"], None, END))
    assert frame["session"].dt.strftime("%Y-%m-%d").tolist() == DAYS
    assert frame["close"].tolist() == [200, 202, 102, 103]
    assert frame["volume"].tolist() == [500, 550, 1200, 1300]
    assert frame["dividend"].tolist() == [0, 0, 0.75, 0]
    assert frame["split"].tolist() == [1, 1, 2, 1]


def test_levels_of_an_index_from_yahoos_answer(vendor: Vendor, cache_dir: Path) -> None:
    level = float(np.float32(13.2))
    vendor.reply = lambda: (200, answer(chart(close=[level] * 4)))
    frame = INDICES.check(Yahoo(cache_dir, QUICK).fetch("indices", ["VIX"], None, END))
    assert frame["close"].tolist() == [13.2] * 4


@pytest.mark.parametrize("hole", [1, 3])
def test_null_bar_is_kept_for_the_gate_or_held_back(
    hole: int, vendor: Vendor, cache_dir: Path
) -> None:
    holed = {
        name: [None if day == hole else value for day, value in enumerate(values)]
        for name, values in chart()["indicators"]["quote"][0].items()
    }
    vendor.reply = lambda: (200, answer(chart(**holed)))
    frame = Yahoo(cache_dir, QUICK).fetch("prices", ["SPY"], None, END)
    assert frame["close"].isna().tolist() == (
        [False, True, False, False] if hole == 1 else [False] * 3
    )


def test_all_history_or_from_a_start_up_to_now(vendor: Vendor, cache_dir: Path) -> None:
    download(cache_dir)
    download(cache_dir, "2024-01-03")
    whole, part = vendor.charts[-2:]
    assert whole["interval"] == part["interval"] == "1d"
    assert int(part["period1"]) == int(
        pd.Timestamp("2024-01-03", tz="America/New_York").timestamp()
    )
    now = pd.Timestamp.now("UTC").timestamp()
    assert abs(int(part["period2"]) - now) < 86_400
    assert whole.get("range") == "max" or int(whole["period1"]) < opening("1990-01-02")


def test_caches_stay_in_the_folder_given(vendor: Vendor, cache_dir: Path) -> None:
    from yfinance import cache

    download(cache_dir)
    assert Path(cache._TzDBManager.get_location()) == cache_dir
    assert Path(cache._CookieDBManager.get_location()) == cache_dir
    assert any(cache_dir.iterdir())


class Fault(NamedTuple):
    """Yahoo's answer, whether it is worth a second try, and the words."""

    reply: Callable[[], tuple[int, str]]
    tried_again: bool
    words: str


def refused() -> tuple[int, str]:
    raise requests.ConnectionError("refused by https://query2.finance.yahoo.com/x?crumb=SECRET")


def timed_out() -> tuple[int, str]:
    raise requests.Timeout("no answer")


NOT_FOUND = json.dumps(
    {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data found"}}}
)
FAULTS = {
    "rate limit": Fault(lambda: (429, "Too Many Requests"), False, "limits the rate of this addr"),
    "not found": Fault(lambda: (404, NOT_FOUND), False, "Yahoo has nothing"),
    "down": Fault(lambda: (200, "<html>Will be right back"), False, "Yahoo has nothing"),
    "web page": Fault(lambda: (200, "<html>Just a moment"), False, "cannot read the answer"),
    "internal error": Fault(lambda: (500, "<html>Oops"), False, "cannot read the answer"),
    "empty": Fault(lambda: (200, ""), False, "cannot read the answer"),
    "cut": Fault(lambda: (200, answer(chart())[:-50]), False, "cannot read the answer"),
    "no result": Fault(lambda: (200, '{"chart": {"result": [], "error": null}}'), False, "nothing"),
    "refused": Fault(refused, True, "the connection failed (refused by"),
    "timed out": Fault(timed_out, True, "the connection failed (no answer)"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_is_unavailable_with_its_likely_cause(
    fault: Fault, vendor: Vendor, cache_dir: Path
) -> None:
    download(cache_dir)  # the time zone of the symbol is known, so that the bars themselves fail
    vendor.reply = fault.reply
    with pytest.raises(SourceUnavailable) as caught:
        download(cache_dir)
    assert fault.words in str(caught.value)
    assert isinstance(caught.value, TryAgain) == fault.tried_again
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
