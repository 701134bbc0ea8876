"""Yahoo's bars in the shape of yfinance: as traded, whole, and with splits that can be right."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from ingestion.gate.expectations import gate
from ingestion.sources.recorded.source import Recorded
from ingestion.sources.wire.patience import Patience, TryAgain
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import INDICES, PRICES, TABLES
from market.calendar import sessions
from market.errors import InputError, SchemaViolation, SourceUnavailable
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES

END = pd.Timestamp("2024-01-10")
QUICK = Patience(
    attempts=3, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip
DAYS = sessions("2024-01-02", END)  # seven
NUMBERS = ["open", "high", "low", "close", "volume", "dividend", "split"]


def bars(days: pd.DatetimeIndex = DAYS, **columns: object) -> pd.DataFrame:
    """Bars as yfinance gives them with auto_adjust=False: by midnight in New York."""
    close = 100.0 + np.arange(len(days))
    frame = pd.DataFrame(
        {
            "Open": close - 0.5, "High": close + 1.0, "Low": close - 1.0, "Close": close,
            "Adj Close": close * 0.98, "Volume": np.full(len(days), 1_000_000),
            "Dividends": 0.0, "Stock Splits": 0.0, "Capital Gains": 0.0,
        },
        index=pd.DatetimeIndex(days, name="Date").tz_localize("America/New_York"),
    )  # fmt: skip
    return frame.assign(**columns)


def yahoo(frame: pd.DataFrame) -> Yahoo:
    return Yahoo(patience=QUICK, download=lambda *_: frame.copy())


def prices(frame: pd.DataFrame, end: pd.Timestamp = END) -> pd.DataFrame:
    return PRICES.check(yahoo(frame).fetch("prices", ["SPY"], None, end))


def vix(frame: pd.DataFrame, end: pd.Timestamp = END) -> pd.DataFrame:
    return INDICES.check(yahoo(frame).fetch("indices", ["VIX"], None, end))


def at(day: int, column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.astype({column: object}) if isinstance(value, str) else frame
        frame.iloc[day, frame.columns.get_loc(column)] = value
        return frame

    return change


# --- what is asked for --------------------------------------------------------------------------


def test_symbols_start_and_seconds_that_yfinance_is_asked_for() -> None:
    asked = []

    def download(symbol: str, start: pd.Timestamp | None, seconds: float) -> pd.DataFrame:
        asked.append((symbol, start))
        assert 0 < seconds <= QUICK.attempt_seconds
        return bars()

    source = Yahoo(patience=QUICK, download=download)
    start = pd.Timestamp("2024-01-03")
    source.fetch("prices", list(UNDERLYINGS), None, END)
    source.fetch("indices", list(VOLATILITY_INDICES), start, END)
    assert asked == [(ticker, None) for ticker in UNDERLYINGS] + [
        (f"^{symbol}", start) for symbol in VOLATILITY_INDICES
    ]


@pytest.mark.parametrize(("table", "key"), [("prices", "NVDA"), ("indices", "^VIX")])
def test_unknown_key_is_refused_before_anybody_is_asked(table: str, key: str) -> None:
    with pytest.raises(InputError, match=f"unknown .*got '{key.replace('^', '.')}', allowed are"):
        Yahoo(download=never).fetch(table, [key], None, END)


def test_days_in_the_wrong_order_are_refused_before_anybody_is_asked() -> None:
    with pytest.raises(InputError, match="start 2024-02-01 lies after end 2024-01-10"):
        Yahoo(download=never).fetch("prices", ["SPY"], pd.Timestamp("2024-02-01"), END)


def never(*_: object) -> pd.DataFrame:
    raise AssertionError("asked")


# --- bars ---------------------------------------------------------------------------------------


def test_bars_without_a_split_are_as_they_came() -> None:
    frame = prices(bars(Dividends=[0, 0, 1.5, 0, 0, 0, 0]))
    assert frame["session"].tolist() == list(DAYS)
    assert set(frame["ticker"]) == {"SPY"}
    assert frame["close"].tolist() == [100, 101, 102, 103, 104, 105, 106]
    assert frame["volume"].tolist() == [1e6] * 7
    assert frame["dividend"].tolist() == [0, 0, 1.5, 0, 0, 0, 0]
    assert frame["split"].tolist() == [1.0] * 7
    assert frame["adj_close"].iloc[0] == 98.0
    good, bad = gate(PRICES, frame)
    assert (len(good), len(bad)) == (7, 0)


@pytest.mark.parametrize(
    "index",
    [
        DAYS.tz_localize("America/New_York"),
        DAYS.tz_localize("America/New_York").tz_convert("UTC"),
        (DAYS + pd.Timedelta("9h30min")).tz_localize("America/New_York"),
        (DAYS + pd.Timedelta("15h")).tz_localize("UTC"),
        DAYS,
        DAYS.as_unit("s"),
    ],
    ids=["midnight there", "midnight there in UTC", "opening", "afternoon", "no zone", "seconds"],
)
def test_session_is_the_day_in_new_york(index: pd.DatetimeIndex) -> None:
    frame = bars()
    frame.index = index
    assert prices(frame)["session"].tolist() == list(DAYS)


def test_session_is_the_day_in_new_york_on_both_sides_of_a_clock_change() -> None:
    days = sessions("2024-03-07", "2024-03-13")
    frame = prices(bars(days), pd.Timestamp("2024-03-13"))
    assert frame["session"].tolist() == list(days)


def test_same_bars_as_the_recorded_files(vendor_folder: Path) -> None:
    frame = pd.read_csv(vendor_folder / "yahoo/SPY.csv", index_col="Date", parse_dates=True)
    end = pd.Timestamp("2024-01-04")
    expected = Recorded(vendor_folder).fetch("prices", ["SPY"], None, end)
    pd.testing.assert_frame_equal(prices(frame.assign(**{"Stock Splits": 0.0}), end), expected)


@pytest.mark.recorded
@pytest.mark.parametrize("ticker", UNDERLYINGS)
def test_real_history_passes_whole(ticker: str, recorded_dir: Path) -> None:
    frame = pd.read_csv(recorded_dir / f"yahoo/{ticker}.csv", index_col="Date", parse_dates=True)
    end = pd.Timestamp("2025-06-30")
    source = yahoo(frame.assign(**{"Stock Splits": 0.0}))
    expected = Recorded(recorded_dir).fetch("prices", [ticker], None, end)
    pd.testing.assert_frame_equal(source.fetch("prices", [ticker], None, end), expected)


def test_levels_of_an_index_are_rounded_to_what_cboe_publishes() -> None:
    close = np.float32([13.2, 14.04, 14.13, 13.35, 13.08, 12.76, 12.69]).astype(float)
    assert close[0] != 13.2
    frame = vix(bars(Close=close, Open=close, High=close + 1, Low=close - 1))
    assert set(frame["symbol"]) == {"VIX"}
    assert frame["close"].tolist() == [13.2, 14.04, 14.13, 13.35, 13.08, 12.76, 12.69]
    good, bad = gate(INDICES, frame)
    assert (len(good), len(bad)) == (7, 0)


# --- splits -------------------------------------------------------------------------------------


def test_prices_before_splits_are_as_traded() -> None:
    # Traded at 400, then 2 for 1, then 1 for 4.
    frame = prices(
        bars(
            Open=800.0, High=808.0, Low=792.0, Close=800.0,
            Volume=[500, 500, 1000, 1000, 1000, 250, 250],
            Dividends=[0, 8.0, 0, 8.0, 0, 0, 8.0],
            **{"Stock Splits": [0, 0, 2.0, 0, 0, 0.25, 0]},
        )
    )  # fmt: skip
    assert frame["close"].tolist() == [400, 400, 200, 200, 200, 800, 800]
    assert frame["high"].tolist() == [404, 404, 202, 202, 202, 808, 808]
    assert frame["volume"].tolist() == [1000, 1000, 4000, 4000, 4000, 250, 250]
    assert frame["dividend"].tolist() == [0, 4.0, 0, 2.0, 0, 0, 8.0]
    assert frame["split"].tolist() == [1, 1, 2, 1, 1, 0.25, 1]


@given(
    ratios=st.dictionaries(st.integers(0, 59), st.sampled_from([1.5, 2, 3, 4, 10, 0.1]), max_size=3)
    .map(lambda d: sorted(d.items()))
    .filter(lambda items: all(b[0] - a[0] > 12 for a, b in pairwise(items))),
    seed=st.integers(0, 1000),
    end=st.integers(0, 59),
)  # fmt: skip
def test_traded_prices_are_recovered_from_any_splits(
    ratios: list[tuple[int, float]], seed: int, end: int
) -> None:
    days = sessions("2024-01-02", "2024-06-30")[:60]
    random = np.random.default_rng(seed)
    split = np.zeros(60)
    for day, ratio in ratios:
        split[day] = ratio
    # The oracle: a market in constant shares, of which each day's share is a fraction.
    later = np.array([np.prod([r for d, r in ratios if d > day]) for day in range(60)])
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, 60)))
    volume = random.integers(1_000, 9_000, 60) * 1000.0
    frame = bars(days, Open=close, High=close * 1.01, Low=close * 0.99, Close=close,
                 Volume=volume, Dividends=0.5, **{"Stock Splits": split})  # fmt: skip
    # The splits after the end count too: the vendor has adjusted for them.
    got = prices(frame, days[end])
    kept = slice(0, end + 1)
    np.testing.assert_allclose(got["close"], (close * later)[kept])
    np.testing.assert_allclose(got["volume"], (volume / later)[kept])
    np.testing.assert_allclose(got["dividend"], (0.5 * later)[kept])
    np.testing.assert_array_equal(got["split"], np.where(split == 0, 1.0, split)[kept])


def test_split_that_is_left_out_leaves_consistent_prices_of_a_later_day() -> None:
    # What one answer cannot show: adjusted prices, and no word of the split.
    frame = prices(bars())
    assert frame["split"].eq(1.0).all()
    assert frame["close"].pct_change().abs().max() < 0.02


# --- bars held back, and bars passed on ---------------------------------------------------------

HELD_BACK = {
    "after the end": (bars(sessions("2024-01-02", "2024-01-12")), 7),
    "far in the future": (bars(DAYS.append(pd.DatetimeIndex(["2031-01-02"]))), 7),
    "null close": (at(-1, "Close", np.nan)(bars()), 6),
    "null open": (at(-1, "Open", np.nan)(bars()), 6),
    "null high": (at(-1, "High", np.nan)(bars()), 6),
    "null price and the volume that yfinance makes of it": (
        at(-1, "Volume", 0)(at(-1, "Close", np.nan)(bars())), 6,
    ),
    "no volume yet": (at(-1, "Volume", 0)(bars()), 6),
    "null volume": (at(-1, "Volume", np.nan)(bars(Volume=1e6)), 6),
    "the last two": (at(-2, "Close", np.nan)(at(-1, "Close", np.nan)(bars())), 5),
    "partial bar of today behind a null one": (
        at(6, "Close", np.nan)(bars(sessions("2024-01-02", "2024-01-11"))), 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "left"), HELD_BACK.values(), ids=HELD_BACK)
def test_bar_that_is_not_whole_stays_pending(frame: pd.DataFrame, left: int) -> None:
    got = prices(frame)
    assert got["session"].tolist() == list(DAYS[:left])
    assert got.notna().all(axis=None)


def test_index_needs_only_its_close() -> None:
    frame = at(-1, "Open", np.nan)(bars(Volume=0))
    got = vix(frame)
    assert len(got) == 7
    assert np.isnan(got["open"].iloc[-1])
    assert len(vix(at(-1, "Close", np.nan)(frame))) == 6


LONG = sessions("2024-01-02", "2024-02-01")


def without(*days: int) -> pd.DataFrame:
    return bars(LONG).drop(index=bars(LONG).index[list(days)])


SKIPPED = {
    "the one before the last": (without(-2), 20),
    "the first of the last five": (without(-5), 17),
    "the sixth from the end": (without(-6), 21),
    "two, one of them long ago": (without(3, -3), 18),
    "the first and the last": (without(0, -1), 20),
}


@pytest.mark.parametrize(("frame", "left"), SKIPPED.values(), ids=SKIPPED)
@pytest.mark.parametrize("table", ["prices", "indices"])
def test_bar_behind_a_session_skipped_in_the_last_days_stays_pending(
    frame: pd.DataFrame, left: int, table: str
) -> None:
    got = prices(frame, LONG[-1]) if table == "prices" else vix(frame, LONG[-1])
    days = pd.DatetimeIndex(frame.index.tz_localize(None))
    assert got["session"].tolist() == list(days[:left])


def test_skipped_session_that_comes_frees_those_behind_it() -> None:
    assert len(prices(without(-2), LONG[-1])) < len(prices(bars(LONG), LONG[-1])) == len(LONG)


def test_skipped_sessions_are_logged() -> None:
    with capture_logs() as logs:
        prices(without(3, 4, -3), LONG[-1])
    gone, coming = logs
    assert (gone["event"], gone["count"], gone["last"]) == (
        "sessions skipped", 2, ["2024-01-05", "2024-01-08"],
    )  # fmt: skip
    assert (coming["log_level"], coming["skipped"]) == ("warning", "2024-01-30")


def repeated(day: int, **columns: object) -> pd.DataFrame:
    return pd.concat([bars(), bars().iloc[[day]].assign(**columns)])


PASSED_ON = {
    "older null price": (at(2, "Close", np.nan)(bars()), 7, 1, "close: not null"),
    "a date twice": (repeated(2, Volume=7), 8, 2, "ticker, session: once"),
    "the last date twice": (repeated(-1, Volume=7), 8, 2, "ticker, session: once"),
    "a row twice": (repeated(2), 8, 1, "not a repetition"),
    "a negative price": (at(2, "Low", -1.0)(bars()), 7, 1, "low: > 0"),
    "high below low": (at(2, "High", 50.0)(bars()), 7, 1, "high >= low"),
    "a holiday": (
        bars(DAYS.append(pd.DatetimeIndex(["2024-01-01"]))), 8, 1, "session: an XNYS session",
    ),
    "a null dividend": (at(2, "Dividends", np.nan)(bars()), 7, 1, "dividend: not null"),
    "an infinite price": (at(2, "High", np.inf)(bars()), 7, 1, "high: > 0"),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "rows", "refused", "reason"), PASSED_ON.values(), ids=PASSED_ON)
def test_impossible_row_is_left_to_the_gate(
    frame: pd.DataFrame, rows: int, refused: int, reason: str
) -> None:
    got = prices(frame)
    assert len(got) == rows
    _, bad = gate(PRICES, got)
    assert len(bad) == refused
    assert bad.iloc[:, -1].str.contains(reason, regex=False).all()


def test_order_of_the_answer_does_not_matter() -> None:
    frame = bars(Close=100.0, Open=100.0, **{"Stock Splits": [0, 0, 0, 2.0, 0, 0, 0]})
    shuffled = frame.sample(frac=1.0, random_state=3)
    pd.testing.assert_frame_equal(prices(shuffled), prices(frame))


# --- answers that are none ----------------------------------------------------------------------


class Fault(NamedTuple):
    frame: pd.DataFrame
    error: type[Exception]
    words: str


FAULTS = {
    "empty: the rate limit": Fault(bars().iloc[:0], SourceUnavailable, "got no bar, as yfinance"),
    "nothing at all": Fault(pd.DataFrame(), SourceUnavailable, "rate limit"),
    "every price null": Fault(bars(Close=np.nan), SourceUnavailable, "7 bars, all without a pri"),
    "no splits": Fault(
        bars().drop(columns="Stock Splits"), SchemaViolation, "missing column Stock Splits; got Op"
    ),
    "adjusted without being asked": Fault(
        bars().drop(columns="Adj Close"), SchemaViolation, "missing column Adj Close"
    ),
    "two levels of columns": Fault(
        pd.concat({"SPY": bars()}, axis=1), SchemaViolation, "missing column Open, High, Low"
    ),
    "no dates": Fault(bars().reset_index(drop=True), SchemaViolation, "got bars by int64, allowed"),
    "a null date": Fault(
        bars().set_axis([pd.NaT, *bars().index[1:]]), SchemaViolation, "allowed is a time for each"
    ),
    "a word for a price": Fault(
        at(3, "Close", "n/a")(bars()), SchemaViolation, "column Close: got a value that is no numb"
    ),
    "a negative split": Fault(
        bars(**{"Stock Splits": [0, 0, -2.0, 0, 0, 0, 0]}),
        SchemaViolation,
        "got the split -2.0 on 2024-01-04, allowed is 0 for none",
    ),
    "a null split": Fault(
        at(2, "Stock Splits", np.nan)(bars()), SchemaViolation, "got the split nan"
    ),
    "an infinite split": Fault(
        at(2, "Stock Splits", np.inf)(bars()), SchemaViolation, "got the split inf"
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_answer_that_is_none_is_refused_with_what_was_got(fault: Fault) -> None:
    with pytest.raises(fault.error) as caught:
        prices(fault.frame)
    assert str(caught.value).startswith("Yahoo, SPY")
    assert fault.words in str(caught.value)


def test_download_that_hangs_is_left_alone_within_the_budget() -> None:
    over, asked = Event(), []

    def download(symbol: str, _: pd.Timestamp | None, seconds: float) -> pd.DataFrame:
        asked.append(seconds)
        over.wait(30)
        return bars()

    patience = Patience(
        attempts=50, attempt_seconds=0.03, budget_seconds=0.1, pause_seconds=0.001,
        longest_pause_seconds=0.002, jitter_seconds=0.001,
    )  # fmt: skip
    with pytest.raises(SourceUnavailable, match=r"Yahoo, SPY: no answer within .* try again later"):
        Yahoo(patience=patience, download=download).fetch("prices", ["SPY"], None, END)
    over.set()
    assert len(asked) <= 4
    assert sum(asked) <= patience.budget_seconds


def test_rate_limit_is_not_asked_against() -> None:
    asked = []

    def download(*_: object) -> pd.DataFrame:
        asked.append(1)
        raise SourceUnavailable("Yahoo limits the rate of this address, wait some minutes")

    with pytest.raises(SourceUnavailable, match=r"^Yahoo, \^VIX: Yahoo limits the rate"):
        Yahoo(patience=QUICK, download=download).fetch("indices", ["VIX"], None, END)
    assert len(asked) == 1


@pytest.mark.parametrize("table", ["prices", "indices"])
def test_fault_of_the_download_names_the_symbol(table: str) -> None:
    calls = []

    def download(symbol: str, *_: object) -> pd.DataFrame:
        calls.append(symbol)
        raise TryAgain("the connection failed (refused)")

    key, symbol = {"prices": ("SPY", "SPY"), "indices": ("VIX", "^VIX")}[table]
    with pytest.raises(SourceUnavailable) as caught:
        Yahoo(patience=QUICK, download=download).fetch(table, [key], None, END)
    assert str(caught.value) == (
        f"Yahoo, {symbol}: the connection failed (refused), tried 3 times; try again later"
    )
    assert calls == [symbol] * 3


def test_the_end_before_every_bar_is_an_empty_frame() -> None:
    for table, key in (("prices", "SPY"), ("indices", "VIX")):
        frame = yahoo(bars()).fetch(table, [key], None, pd.Timestamp("2020-01-02"))
        assert TABLES[table].check(frame).empty
