"""Frames in the shape of yfinance, bent in every way: parsed into bars, or refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import strategies as st

from ingestion.sources.wire.patience import Patience
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import TABLES
from tests.ingestion.sources.test_parsers_oracle import (
    END,
    LONG,
    SHORT,
    assert_gated,
    parsed_or_refused,
)

ONCE = Patience(attempts=1, attempt_seconds=60, budget_seconds=60)
COLUMNS = (
    "Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits",
)  # fmt: skip
# Table -> (the key asked for, what tells payloads apart).
ASKED = {"prices": ("SPY", "ticker"), "indices": ("VIX", "symbol")}
ODD = (
    np.nan, np.inf, -np.inf, None, 0, 0.0, -0.0, -1.0, 1e308, -1e308, 5e-324, 1e17, 2**63, 2**70,
    "7", "", "null", "<html>", True, pd.NA, pd.NaT, pd.Timestamp("2024-01-02"), [], {}, 1j, b"7",
)  # fmt: skip
Draw = Callable[[st.SearchStrategy], Any]


def bars(draw: Draw) -> pd.DataFrame:
    """Up to eight bars as yfinance gives them."""
    count = draw(st.integers(1, 8))
    days = pd.bdate_range("2024-01-02", periods=count, tz="America/New_York", name="Date")
    closes = draw(st.lists(st.floats(95, 105), min_size=count, max_size=count))
    frame = pd.DataFrame({"Close": closes}, index=days)
    frame["Open"] = frame["Close"].shift().fillna(frame["Close"])
    frame["High"] = frame[["Open", "Close"]].max(axis=1) + 1
    frame["Low"] = frame[["Open", "Close"]].min(axis=1) - 1
    splits = draw(st.lists(st.sampled_from([0.0] * 9 + [2.0]), min_size=count, max_size=count))
    frame = frame.assign(**{"Adj Close": frame["Close"], "Volume": 10_000, "Dividends": 0.0})
    return frame.assign(**{"Stock Splits": splits})[list(COLUMNS)]


def drop_column(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=draw(st.sampled_from(list(frame.columns))))


def rename_column(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    new = draw(st.sampled_from(["open", "Capital Gains", "Close", 7, None, ("Open", "SPY")]))
    return frame.rename(columns={draw(st.sampled_from(list(frame.columns))): new})


def two_levels(_: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_axis(pd.MultiIndex.from_product([frame.columns, ["SPY"]]), axis=1)


def odd_cells(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype(object)
    for _ in range(draw(st.integers(1, 3))):
        row, column = draw(st.integers(0, len(frame) - 1)), draw(st.sampled_from(COLUMNS))
        cells = list(frame[column])
        cells[row] = draw(st.sampled_from(ODD))
        frame[column] = pd.Series(cells, index=frame.index, dtype=object)
    return frame


def odd_number(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    row, column = draw(st.integers(0, len(frame) - 1)), draw(st.sampled_from(COLUMNS))
    cells = frame[column].to_numpy(float).copy()
    cells[row] = draw(st.floats())
    return frame.assign(**{column: cells})


def null_tail(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.astype(float)
    frame.iloc[draw(st.integers(0, len(frame) - 1)) :, :5] = np.nan
    return frame


def repeat_row(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    at = draw(st.integers(0, len(frame) - 1))
    return pd.concat([frame, frame.iloc[[at]]])


def shuffle(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[draw(st.permutations(range(len(frame))))]


def empty(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    return draw(st.sampled_from([frame.iloc[:0], pd.DataFrame(), pd.DataFrame(columns=COLUMNS)]))


def other_index(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    days = frame.index.tz_localize(None)
    index = draw(
        st.sampled_from(
            [
                days, days.tz_localize("UTC"), days.astype("datetime64[s]"), days.astype(str),
                days.to_period("D"), pd.RangeIndex(len(frame)), days + pd.Timedelta(hours=16),
                days.where(days != days[0]), days.astype(object), days - pd.Timedelta(days=40_000),
                pd.MultiIndex.from_arrays([days, days]), days.tz_localize("Asia/Tokyo"),
            ]
        )
    )  # fmt: skip
    return frame.set_axis(index, axis=0)


def other_dtype(draw: Draw, frame: pd.DataFrame) -> pd.DataFrame:
    kind = draw(st.sampled_from(["float32", "Float64", "Int64", "object", "str", "category"]))
    return frame.round().astype(kind)


BENT = (
    drop_column, rename_column, two_levels, odd_cells, odd_cells, odd_number, odd_number,
    null_tail, repeat_row, shuffle, empty, other_index, other_index, other_dtype,
)  # fmt: skip


@st.composite
def frames(draw: Draw) -> pd.DataFrame:
    """A frame of yfinance, three times of four bent."""
    frame = bars(draw)
    if draw(st.integers(0, 3)):
        frame = draw(st.sampled_from(BENT))(draw, frame)
    return frame


def fuzz(table: str, count: int) -> None:
    key, distinguish = ASKED[table]

    def read(frame: pd.DataFrame) -> pd.DataFrame:
        before = frame.copy(deep=True)
        source = Yahoo(patience=ONCE, download=lambda *_: frame)
        try:
            return source.fetch(table, [key], None, END)
        finally:
            pd.testing.assert_frame_equal(frame, before)

    outcome = parsed_or_refused(TABLES[table], read, frames(), count)
    assert_gated(TABLES[table], outcome, distinguish)


@pytest.mark.parametrize("table", ASKED)
def test_bars(table: str) -> None:
    fuzz(table, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("table", ASKED)
def test_bars_at_length(table: str) -> None:
    fuzz(table, LONG)


def test_every_table_of_yahoo_is_fuzzed() -> None:
    # Its chains are other frames: `test_payload_pairs` has those.
    assert set(Yahoo.tables) - {"option_chains"} == set(ASKED)
