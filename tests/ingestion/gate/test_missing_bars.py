"""What happens to a share in a session without a bar counts at its next bar."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ingestion.gate.expectations import gate
from ingestion.gate.missing_bars import counted_later, on_whole_bars
from ingestion.gate.sequences import nothing_stored, wrong_splits
from ingestion.tables.catalogue import INDICES, PRICES
from market.adjust import adjusted_close

Frame = Callable[..., pd.DataFrame]
BAR = ["open", "high", "low", "close"]


def unquoted(prices: Frame, *rows: int, **values: float) -> pd.DataFrame:
    """Return prices of which some rows hold no bar, as traded."""
    frame = prices(count=12).assign(adj_close=np.nan)
    frame.loc[list(rows), BAR] = np.nan
    for name, value in values.items():
        frame.loc[rows[0], name] = value
    if (ratio := values.get("split")) is not None:
        frame.loc[rows[0] :, BAR] /= ratio
    return frame


@pytest.mark.parametrize("ratio", [2.0, 0.1])
def test_a_split_in_a_row_without_a_bar_is_one_of_the_next_bar(prices: Frame, ratio: float) -> None:
    frame = unquoted(prices, 5, 6, split=ratio)
    assert wrong_splits(PRICES, frame, nothing_stored) == {}
    good, bad = gate(PRICES, frame)
    assert bad.index.size == 2
    assert bad["split"].tolist() == [ratio, 1.0]  # as it came
    assert good.loc[good["split"] != 1.0, ["session", "split"]].values.tolist() == [
        [frame["session"][7], ratio]
    ]
    assert adjusted_close(good).pct_change().abs().max() < 0.1
    (found,) = counted_later(PRICES, frame)
    day, after = frame["session"][5].date(), frame["session"][7].date()
    assert found.detail == f"a split of {ratio:g} on {day}, counted on {after}"
    assert (found.table, found.key, found.column) == ("prices", "SPY", "split")


def test_a_dividend_in_a_row_without_a_bar_is_paid_at_the_next_one(prices: Frame) -> None:
    frame = unquoted(prices, 5, dividend=3.0)
    frame.loc[6, "split"] = 2.0
    frame.loc[6:, BAR] /= 2.0
    frame.loc[6, "dividend"] = 0.25
    good, _ = gate(PRICES, frame)
    assert good["dividend"][5] == 3.0 / 2.0 + 0.25  # a share is half of one of the day before
    assert [found.column for found in counted_later(PRICES, frame)] == ["dividend"]


def test_what_has_no_next_bar_waits(prices: Frame) -> None:
    frame = unquoted(prices, 11, split=2.0)
    pd.testing.assert_frame_equal(on_whole_bars(PRICES, frame), frame)
    assert counted_later(PRICES, frame) == []


def test_a_session_that_has_a_bar_in_another_row_keeps_its_split(prices: Frame) -> None:
    frame = prices(count=12).assign(adj_close=np.nan)
    frame.loc[5:, BAR] /= 2.0
    frame.loc[5, "split"] = 2.0
    null = frame.iloc[[5]].assign(**dict.fromkeys(BAR, np.nan))
    both = pd.concat([frame.iloc[:5], null, frame.iloc[5:]], ignore_index=True)
    pd.testing.assert_frame_equal(on_whole_bars(PRICES, both), both)


def test_tickers_are_told_apart_and_other_tables_left_alone(prices: Frame, index: Frame) -> None:
    both = pd.concat([unquoted(prices, 5, split=2.0), prices("QQQ", count=12)], ignore_index=True)
    moved = on_whole_bars(PRICES, both)
    assert moved.loc[moved["ticker"] == "QQQ", "split"].eq(1.0).all()
    levels = index("VIX", pd.DatetimeIndex(both["session"][:12]))
    assert on_whole_bars(INDICES, levels) is levels
