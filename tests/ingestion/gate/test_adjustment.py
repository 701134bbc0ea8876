"""Dividends beside prices: what cannot be reinvested, and what the vendor's adjusted close says."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.gate.adjustment import disagreement, reinvestable
from ingestion.gate.expectations import gate
from ingestion.gate.findings import findings
from ingestion.gate.sequences import nothing_stored
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import LANDED, typed
from market.adjust import adjusted_close

Frame = Callable[..., pd.DataFrame]
BELOW = "dividend: below the close before"
NEAR = "adj_close: a return near that of close and dividend"


def paying(prices: Frame, dividend: float, counted: float | None = None) -> pd.DataFrame:
    """Return quiet prices that fall by a dividend on the sixth row; `adj_close` counts another."""
    frame = prices(count=12)
    fall = 1.0 - dividend / frame["close"][4]
    frame.loc[5:, ["open", "high", "low", "close"]] *= fall
    frame["dividend"] = np.where(frame.index == 5, dividend, 0.0)
    paid = dividend if counted is None else counted
    scale = np.where(frame.index < 5, 1.0 - paid / frame["close"][4], 1.0)
    return frame.assign(adj_close=frame["close"] * scale)


@pytest.mark.parametrize("dividend", [0.5, 12.0, 60.0])
def test_what_the_vendor_counts_as_well_passes_without_a_word(
    prices: Frame, dividend: float
) -> None:
    frame = paying(prices, dividend).round({"close": 4, "adj_close": 4})
    kept, _ = gate(PRICES, frame)
    assert len(kept) == 12 if dividend < 30 else len(kept) >= 5
    assert findings(PRICES, frame, nothing_stored) == []


def test_a_dividend_given_a_hundredfold_is_refused_and_the_rows_after_it_land(
    prices: Frame,
) -> None:
    frame = paying(prices, 0.3)
    frame.loc[5, "dividend"] *= 100
    good, bad = gate(PRICES, frame)
    assert (len(good), bad["reason"].tolist()) == (11, [NEAR])


def test_a_payment_that_the_dividends_lack_is_refused(prices: Frame) -> None:
    frame = paying(prices, 12.0).assign(dividend=0.0)
    _, bad = gate(PRICES, frame)
    assert bad["reason"].tolist() == [NEAR]


def test_a_dividend_that_the_vendor_counts_otherwise_is_flagged(prices: Frame) -> None:
    frame = paying(prices, 1.0, counted=0.6)
    assert gate(PRICES, frame)[1].empty
    (found,) = findings(PRICES, frame, nothing_stored)
    assert (found.key, found.column, found.rule, found.count) == ("SPY", "adj_close", NEAR, 1)
    assert found.detail == "paid by its adjusted close: 2020-01-09 0.600 for 1"
    assert "compare the dividends" in found.line()


def test_a_capital_gain_that_the_vendor_takes_twice_is_flagged_and_lands(prices: Frame) -> None:
    frame = paying(prices, 12.0, counted=22.0)
    assert gate(PRICES, frame)[1].empty
    assert len(findings(PRICES, frame, nothing_stored)) == 1


def test_an_adjusted_close_that_is_not_known_is_not_compared(prices: Frame) -> None:
    frame = paying(prices, 1.0, counted=50.0).assign(adj_close=np.nan)
    assert not disagreement(PRICES, frame)[["flagged", "refused"]].any(axis=None)
    assert disagreement(PRICES, PRICES.empty()).empty


@pytest.mark.parametrize("times", [1.0, 1.02, 3.0])
def test_a_dividend_not_below_the_close_before_is_refused_alone(
    prices: Frame, times: float
) -> None:
    frame = prices(count=12)
    frame.loc[5, "dividend"] = frame.loc[4, "close"] * times
    good, bad = gate(PRICES, frame)
    assert bad["reason"].tolist() == [BELOW]
    assert len(adjusted_close(good)) == 11
    # By the same rule, whoever reads rows that landed before there was one.
    assert len(adjusted_close(frame)) == 11


def test_the_close_before_is_that_of_a_row_that_lands(prices: Frame) -> None:
    frame = prices(count=12)
    frame.loc[4, ["open", "high", "low", "close"]] *= 0.02
    frame.loc[5, "dividend"] = 3.0
    frame["adj_close"] = np.nan
    good, bad = gate(PRICES, frame)
    assert bad["session"].tolist() == [frame["session"][4]]
    assert len(adjusted_close(good)) == 11


def test_a_close_that_a_stored_dividend_exceeds_is_refused(prices: Frame) -> None:
    frame = prices(count=12).assign(adj_close=np.nan)
    frame.loc[5, "dividend"] = 60.0
    landed = pl.lit(pd.Timestamp("2024-07-01T20:30Z").to_pydatetime()).alias(LANDED)
    stored = typed(PRICES, frame).with_columns(landed)
    corrected = frame.iloc[[4]].assign(close=55.0, low=50.0)
    assert reinvestable(PRICES, corrected, lambda _key: stored).tolist() == [False]
    assert reinvestable(PRICES, frame.iloc[[4]], lambda _key: stored).tolist() == [True]
    assert reinvestable(PRICES, frame.iloc[[5]], lambda _key: stored).tolist() == [True]
    dear = frame.iloc[[5]].assign(dividend=200.0)
    assert reinvestable(PRICES, dear, lambda _key: stored).tolist() == [False]


def misprinted(prices: Frame, column: str, first: int, last: int, factor: float) -> pd.DataFrame:
    """Return quiet prices of which one column, or the whole bar, is wrong in [first, last)."""
    frame = prices(count=12)
    names = ["open", "high", "low", "close"] if column == "bar" else [column]
    frame.loc[first : last - 1, names] *= factor
    return frame


@pytest.mark.parametrize("factor", [0.01, 0.9, 1.08, 10.0])
@pytest.mark.parametrize("last", [6, 8, 12])
def test_a_misprint_of_the_adjusted_close_alone_refuses_no_row(
    prices: Frame, last: int, factor: float
) -> None:
    frame = misprinted(prices, "adj_close", 5, last, factor)
    good, bad = gate(PRICES, frame)
    assert bad.empty
    (found,) = findings(PRICES, good, nothing_stored)
    assert (found.column, found.rule) == ("adj_close", NEAR)
    assert found.detail.startswith("an adjusted close that jumps alone: 2020-01-09")
    assert found.action == "nothing, features do not read it"


@pytest.mark.parametrize("factor", [0.9, 1.1])
@pytest.mark.parametrize("last", [6, 8])
def test_a_misprint_of_the_bar_alone_refuses_its_rows_and_no_good_one(
    prices: Frame, last: int, factor: float
) -> None:
    frame = misprinted(prices, "bar", 5, last, factor)
    _, bad = gate(PRICES, frame)
    assert bad["session"].tolist() == frame["session"].tolist()[5:last]
    assert set(bad["reason"]) == {NEAR}


def test_a_bar_given_a_hundredfold_beside_a_right_adjusted_close(prices: Frame) -> None:
    frame = misprinted(prices, "bar", 5, 7, 100.0)
    _, bad = gate(PRICES, frame)
    assert bad["session"].tolist() == frame["session"].tolist()[5:7]


def test_a_row_after_one_without_a_bar_is_compared_with_the_last_bar(prices: Frame) -> None:
    frame = paying(prices, 0.3)
    frame.loc[4, ["open", "high", "low", "close"]] = np.nan
    frame.loc[5, "dividend"] *= 100
    _, bad = gate(PRICES, frame)
    assert bad["session"].tolist() == frame["session"].tolist()[4:6]
    assert bad["reason"].tolist()[1] == NEAR
