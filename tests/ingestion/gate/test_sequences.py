"""Rows beside their neighbours: dates in order, and levels that no hidden split explains."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.gate.expectations import gate
from ingestion.gate.order import in_order
from ingestion.gate.sequences import log_split, no_split_missing, nothing_stored
from ingestion.tables.catalogue import INDICES, PRICES
from ingestion.tables.frames import LANDED, typed

Frame = Callable[..., pd.DataFrame]
LEVELS = ["open", "high", "low", "close"]
ORDER = "session: in order with the rows beside it"
SPLIT = "close: no jump, here or before, by a split unlike the one in its row"
RATIOS = [1.5, 2.0, 3.0, 4.0, 7.0, 10.0, 20.0, 50.0]
NONE = np.zeros(1)
LANDED_AT = pd.Timestamp("2024-07-01T20:30Z").to_pydatetime()


def scaled(frame: pd.DataFrame, first: int, factor: float, last: int | None = None) -> pd.DataFrame:
    """Return prices of which those from a row on (to another) are divided by a factor."""
    frame = frame.copy()
    rows = frame.index[first:last]
    frame.loc[rows, LEVELS] /= factor
    return frame


def wrong(frame: pd.DataFrame, stored: pl.DataFrame | None = None) -> list[int]:
    right = no_split_missing(PRICES, frame, lambda _key: stored)
    assert right.index.equals(frame.index)
    return [int(row) for row in np.flatnonzero(~right)]


def landed(frame: pd.DataFrame) -> pl.DataFrame:
    return typed(PRICES, frame).with_columns(pl.lit(LANDED_AT).alias(LANDED))


def test_quiet_prices_have_no_jump(prices: Frame) -> None:
    assert wrong(prices(count=300)) == []
    assert wrong(PRICES.empty()) == []


@pytest.mark.parametrize("ratio", [*RATIOS, *(1 / ratio for ratio in RATIOS)])
def test_a_split_that_nobody_declares_holds_the_ticker_from_it_on(
    prices: Frame, ratio: float
) -> None:
    frame = scaled(prices(count=12), 5, ratio)
    assert wrong(frame) == list(range(5, 12))
    # The vendor knows of the split no more than of its adjustment.
    good, bad = gate(PRICES, frame.assign(adj_close=frame["close"]))
    assert bad["reason"].unique().tolist() == [SPLIT]
    assert good["session"].to_list() == frame["session"].to_list()[:5]


@pytest.mark.parametrize("ratio", [*RATIOS, *(1 / ratio for ratio in RATIOS)])
def test_a_declared_split_is_no_jump(prices: Frame, ratio: float) -> None:
    frame = scaled(prices(count=12), 5, ratio)
    frame.loc[5, "split"] = ratio
    assert wrong(frame) == []


def test_a_declared_split_that_the_prices_do_not_show_is_a_jump(prices: Frame) -> None:
    frame = prices(count=12)
    frame.loc[5, "split"] = 4.0
    assert wrong(frame) == list(range(5, 12))
    # Given once too often: the prices show the first only.
    frame = scaled(prices(count=12), 5, 4.0)
    frame.loc[[5, 8], "split"] = 4.0
    assert wrong(frame) == list(range(8, 12))


@pytest.mark.parametrize("ratio", [*RATIOS, *(1 / ratio for ratio in RATIOS)])
def test_a_jump_back_ends_it(prices: Frame, ratio: float) -> None:
    assert wrong(scaled(prices(count=12), 5, ratio, last=7)) == [5, 6]


def test_tickers_are_judged_apart_in_any_order_of_rows(prices: Frame) -> None:
    parts = [scaled(prices("SPY", count=12), 5, 2.0), scaled(prices("QQQ", count=12), 0, 2.0)]
    frame = pd.concat(parts).sort_values("session", kind="stable").reset_index(drop=True)
    expected = frame.index[(frame["ticker"] == "SPY") & (frame["close"] < 75)]
    assert wrong(frame) == expected.to_list()
    assert wrong(frame.iloc[::-1]) == sorted(len(frame) - 1 - expected)


@pytest.mark.parametrize("names", [["close"], ["open", "low"], ["open", "low", "close"]])
def test_a_bar_that_does_not_jump_as_a_whole_is_a_market_move(
    prices: Frame, names: list[str]
) -> None:
    frame = prices(count=12)
    frame.loc[5:, names] /= 2.0
    frame.loc[6:, LEVELS] = np.nan  # no way back to be seen
    assert 5 not in wrong(frame)


@pytest.mark.parametrize("move", [0.70, 0.74, 0.60, 1.3, 1.8, 2.5])
def test_a_crash_that_no_split_makes_passes(prices: Frame, move: float) -> None:
    frame = prices(count=12)
    frame.loc[5:, LEVELS] = frame.loc[5:, LEVELS] * move
    close = frame.loc[4, "close"]
    frame.loc[5, LEVELS] = close * move  # the open and the close alike
    assert wrong(frame) == []


def test_the_opening_or_the_close_may_stray_within_the_day(prices: Frame) -> None:
    frame = scaled(prices(count=12), 5, 2.0)
    close = frame.loc[4, "close"] / 2
    frame.loc[5, LEVELS] = [close * 1.005, close * 1.006, close * 0.93, close * 0.94]
    frame.loc[6:, LEVELS] = frame.loc[5, LEVELS].to_numpy(float)
    assert wrong(frame) == list(range(5, 12))
    frame.loc[5, "open"] = close * 0.95  # neither of them near, both not far
    assert wrong(frame) == list(range(5, 12))
    frame.loc[5, ["open", "high"]] = close * 0.92
    frame.loc[5:, "close"] = close * 0.91
    assert wrong(frame) == []


def test_a_jump_against_the_stored_rows(prices: Frame) -> None:
    frame = prices(count=12)
    stored = landed(frame.head(6))
    later = scaled(frame, 6, 4.0)
    assert wrong(later.tail(6).reset_index(drop=True), stored) == list(range(6))
    assert wrong(later, stored) == list(range(6, 12))
    assert wrong(frame.tail(6).reset_index(drop=True), stored) == []


def test_a_bar_that_the_lake_holds_has_been_vouched_for(prices: Frame) -> None:
    frame = scaled(prices(count=12), 5, 2.0)
    assert wrong(frame, landed(frame.head(6))) == []
    # The held rows after a jump that is not: only new ones are refused.
    later = landed(pd.concat([frame.head(5), frame.iloc[7:9]]))
    assert wrong(frame, later) == [5, 6, 9, 10, 11]


def test_a_split_that_the_vendor_lost_is_not_vouched_for_by_its_prices(prices: Frame) -> None:
    frame = scaled(prices(count=12), 5, 2.0)
    known = frame.copy()
    known.loc[5, "split"] = 2.0
    assert wrong(frame, landed(known)) == [5]  # those after it are as they are held


def test_a_row_without_a_whole_bar_is_left_to_other_rules(prices: Frame) -> None:
    frame = scaled(prices(count=12), 5, 2.0)
    frame.loc[5, "close"] = np.nan
    frame.loc[6, "low"] = -1.0
    frame.loc[7, "session"] = pd.NaT
    assert wrong(frame) == [8, 9, 10, 11]


@given(
    ratio=st.sampled_from(RATIOS),
    up=st.booleans(),
    noise=st.floats(-0.015, 0.015),
    spread=st.floats(0.0, 0.05),
)
def test_a_split_is_told_from_its_moves(
    ratio: float, up: bool, noise: float, spread: float
) -> None:
    log = np.log(ratio) * (1 if up else -1)
    moves = np.array([[log + noise, log + spread, log - spread, log + spread / 2]])
    # Beyond some 25 the ratios lie closer together than a day's moves.
    assert log_split(moves, NONE)[0] == pytest.approx(log, abs=1e-9 if ratio < 20 else 0.06)
    assert log_split(np.array([[noise, spread, -spread, spread / 2]]), NONE)[0] == 0.0


def test_sessions_run_one_way_or_the_other(prices: Frame) -> None:
    frame = prices(count=6)
    assert in_order(PRICES, frame).all()
    assert in_order(PRICES, frame.iloc[::-1]).all()
    both = pd.concat([frame, prices("QQQ", count=6).iloc[::-1]], ignore_index=True)
    assert in_order(PRICES, both).all()
    assert in_order(PRICES, PRICES.empty()).empty


@pytest.mark.parametrize("reverse", [False, True])
def test_of_two_rows_in_the_wrong_order_neither_lands(index: Frame, reverse: bool) -> None:
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-04", "2024-01-03", "2024-01-05", "2024-01-08"])
    frame = index("VIX", days)
    frame = frame.iloc[::-1].reset_index(drop=True) if reverse else frame
    _, bad = gate(INDICES, frame)
    assert sorted(bad["session"].dt.day) == [3, 4]
    assert bad["reason"].unique().tolist() == [ORDER]


def test_a_session_twice_is_named_by_its_key_alone(index: Frame) -> None:
    days = pd.DatetimeIndex(["2024-01-02", "2024-01-03", "2024-01-03", "2024-01-04"])
    _, bad = gate(INDICES, index("VIX", days))
    assert bad["reason"].unique().tolist() == ["symbol, session: once"]


def test_nothing_is_stored() -> None:
    assert nothing_stored("SPY") is None
