"""The live source: which vendor is asked for what, and what is left when one fails."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs

from feature_repo.availability import SERIES
from feature_repo.errors import (
    InputError,
    MissingCredential,
    SchemaViolation,
    SourceUnavailable,
)
from feature_repo.markets import UNDERLYINGS, VOLATILITY_INDICES, sessions
from ingestion.lake import Lake
from ingestion.pipeline import fetch_all
from ingestion.sources import cboe as cboe_module
from ingestion.sources.cboe import Cboe
from ingestion.sources.fred import API_URL, CSV_URL, Fred
from ingestion.sources.http import Http
from ingestion.sources.live import Live, open_live
from ingestion.sources.patience import Patience
from ingestion.sources.registry import SOURCES, open_source
from ingestion.sources.yahoo import Yahoo
from ingestion.tables import TABLES

integration = pytest.mark.integration

END = pd.Timestamp("2024-01-10")
DAYS = sessions("2024-01-02", END)  # seven
ONCE = Patience(attempts=1, attempt_seconds=5, budget_seconds=5)
YAHOO_LEVEL, CBOE_LEVEL = 13.0, 14.0
VENDORS = ("yahoo", "cboe", "fred", "live")

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

    return Yahoo(patience=ONCE, download=download)


@pytest.fixture
def live(httpserver: HTTPServer) -> Callable[..., Live]:
    """A live source whose Cboe and FRED are on loopback, and whose Yahoo answers as told."""
    for series in SERIES:
        httpserver.expect_request("/fred.csv", query_string={"id": series}).respond_with_data(
            f"observation_date,{series}\n2024-01-02,4.5\n2024-01-03,4.6\n"
        )

    def make(answers: dict[str, Answer] | None = None, files: dict[str, str] | None = None) -> Live:
        for symbol, text in (files or {}).items():
            httpserver.expect_request(f"/{symbol}_History.csv").respond_with_data(text)
        cboe = Cboe(httpserver.url_for(""), Http(ONCE))
        fred = Fred(csv_url=httpserver.url_for("/fred.csv"), http=Http(ONCE))
        return Live(yahoo(answers), cboe, fred)

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
        "macro_series": list(SERIES),
    }  # fmt: skip
    for table in source.tables:
        frame = TABLES[table].check(source.fetch(table, keys[table], None, END))
        assert set(frame[TABLES[table].partition]) == set(keys[table])
    assert source.fetch("indices", ["VIX"], None, END)["close"].eq(YAHOO_LEVEL).all()


def test_an_unknown_table_is_refused() -> None:
    with pytest.raises(InputError, match="source live has no table 'horoscopes', allowed are pri"):
        open_live().fetch("horoscopes", ["SPY"], None, END)


@pytest.mark.parametrize("table", ["prices", "indices", "macro_series"])
def test_an_unknown_key_is_refused_before_anybody_is_asked(table: str) -> None:
    with pytest.raises(InputError, match="NONESUCH"):
        open_live().fetch(table, ["NONESUCH"], None, END)


@pytest.mark.parametrize("word", VENDORS)
def test_opens_by_its_word_without_any_key(word: str) -> None:
    assert word in SOURCES
    source = open_source(word)
    assert (source.name, source.origin) == (word, "live")
    assert set(source.tables) <= set(TABLES)


def test_live_is_made_of_the_vendors_at_their_own_addresses(tmp_path: Path) -> None:
    source = open_source("live", fred_api_key="0" * 32, cache_dir=tmp_path)
    assert source.cboe.base_url == cboe_module.BASE_URL
    assert (source.fred.api_url, source.fred.csv_url) == (API_URL, CSV_URL)
    assert not list(tmp_path.iterdir())


def test_a_key_that_cannot_be_one_is_refused_on_opening() -> None:
    with pytest.raises(MissingCredential) as caught:
        open_live("my-secret-key")
    assert "my-secret-key" not in str(caught.value)


# --- the fallback of an index -------------------------------------------------------------------

FALLBACKS = {
    "rate limit": (RATE_LIMIT, "Yahoo, ^VXN: Yahoo limits the rate; try again later"),
    "empty": (bars().iloc[:0], "Yahoo, ^VXN: got no bar"),
    "other shape": (OTHER_SHAPE, "Yahoo, ^VXN: missing column Close"),
    "stale": (STALE, "yahoo has no level of 2024-01-10"),
    "last level null": (HELD_BACK, "yahoo has no level of 2024-01-10"),
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


@integration
def test_landing_the_same_answers_again_changes_nothing(
    live: Callable[..., Live], tmp_path: Path
) -> None:
    for hour in (22, 23):
        with Lake(tmp_path) as lake:
            landed_at = pd.Timestamp(f"2024-01-10 {hour}:00", tz="UTC")
            report = fetch_all(lake, live(), ["SPY"], None, END, landed_at)
    assert [(row.rows_new, row.rows_corrected, row.stale) for row in report] == [(0, 0, None)] * 3
