"""A landing that differs only by a known split is the same landing."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.lake.splits import splits_after, undo_known_splits, untold_splits
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import typed

Frame = Callable[..., pd.DataFrame]
SCALED = ["open", "high", "low", "close", "dividend"]


@pytest.fixture
def traded(prices: Frame) -> pd.DataFrame:
    """Ten sessions as traded, with a dividend, a 4:1 split at 3 and a 2:1 split at 7."""
    frame = prices(count=10)
    frame.loc[2, "dividend"] = 0.42
    frame.loc[3, "split"] = 4.0
    frame.loc[7, "split"] = 2.0
    return frame


def split_adjusted(frame: pd.DataFrame, digits: int = 9) -> pd.DataFrame:
    """Return the same bars as a vendor scales them for all later splits."""
    ratio = frame["split"].to_numpy()
    later = np.append(np.cumprod(ratio[::-1])[::-1][1:], 1.0)
    scaled = {name: (frame[name] / later).round(digits) for name in SCALED}
    return frame.assign(**scaled, volume=frame["volume"] * later)


def undone(stored: pd.DataFrame, incoming: pd.DataFrame) -> pl.DataFrame:
    return undo_known_splits(typed(PRICES, stored), typed(PRICES, incoming))


def test_factors_are_the_products_of_later_splits(traded: pd.DataFrame) -> None:
    frame = typed(PRICES, traded)
    expected = [8.0, 8.0, 8.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0]
    assert splits_after(frame, frame).tolist() == expected
    assert splits_after(frame, frame.tail(2)).tolist() == [1.0, 1.0]
    assert splits_after(frame.head(0), frame.head(3)).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("digits", [9, 6])
def test_bars_scaled_for_known_splits_are_the_stored_bars(
    traded: pd.DataFrame, digits: int
) -> None:
    incoming = split_adjusted(traded, digits)
    assert (incoming["close"][:7] < 0.6 * traded["close"][:7]).all()
    back = undone(traded, incoming)
    columns = [*SCALED, "volume", "split"]
    expected = typed(PRICES, traded).select(columns).head(7)
    assert back.select(columns).head(7).equals(expected)


def test_a_split_that_comes_with_the_landing_is_known(traded: pd.DataFrame) -> None:
    before = traded.head(7)
    back = undone(before, split_adjusted(traded))
    assert back["close"][:7].to_list() == before["close"].to_list()


def test_rounding_on_the_way_through_a_split_is_no_change(traded: pd.DataFrame) -> None:
    noisy = traded.assign(close=traded["close"].astype(np.float32).astype(float))
    back = undone(traded, noisy)["close"].to_numpy()
    assert (back[:7] == traded["close"][:7]).all()
    assert (back[7:] == noisy["close"][7:]).all()


def test_a_changed_price_stays_changed(traded: pd.DataFrame) -> None:
    incoming = split_adjusted(traded)
    incoming.loc[1, "close"] *= 1.01
    incoming.loc[5, "volume"] *= 1.01
    incoming.loc[9, "close"] *= 1 + 1e-8
    back = undone(traded, incoming)
    assert back["close"][1] == incoming["close"][1]
    assert back["volume"][5] == incoming["volume"][5]
    assert back["close"][9] == incoming["close"][9]
    assert back["close"][2] == traded["close"][2]


def test_an_unknown_factor_is_a_change(prices: Frame) -> None:
    frame = prices(count=6)
    halved = frame.assign(**{name: frame[name] / 2 for name in SCALED})
    assert undone(frame, halved).equals(typed(PRICES, halved))


def test_new_sessions_come_through(traded: pd.DataFrame) -> None:
    assert undone(traded.head(4), traded).equals(typed(PRICES, traded))
    assert undone(traded, traded.head(0)).height == 0


def test_a_split_that_the_vendor_lost_stays(traded: pd.DataFrame) -> None:
    incoming = split_adjusted(traded)
    incoming.loc[[3, 7], "split"] = 1.0
    back = undone(traded, incoming).select([*SCALED, "volume", "split"])
    expected = typed(PRICES, traded).select(back.columns)
    assert back.head(8).equals(expected.head(8))


def test_one_of_two_splits_lost_leaves_the_other(traded: pd.DataFrame) -> None:
    # As a source undoes the scaling by the one split that the vendor still tells of.
    incoming = traded.copy()
    incoming.loc[:2, SCALED] /= 4.0
    incoming.loc[:2, "volume"] *= 4.0
    incoming.loc[3, "split"] = 1.0
    back = undone(traded, incoming).select([*SCALED, "volume", "split"])
    assert back.equals(typed(PRICES, traded).select(back.columns))


def untold(stored: pd.DataFrame, incoming: pd.DataFrame) -> list[tuple[str, float]]:
    lost = untold_splits(typed(PRICES, stored), typed(PRICES, incoming))
    return [(str(day), ratio) for day, ratio in lost.iter_rows()]


def test_stored_splits_that_a_landing_does_not_tell_are_named(traded: pd.DataFrame) -> None:
    days = traded["session"].dt.strftime("%Y-%m-%d")
    both = [(days[3], 4.0), (days[7], 2.0)]
    incoming = split_adjusted(traded)
    assert untold(traded, incoming) == untold(traded, traded) == []
    incoming.loc[[3, 7], "split"] = 1.0
    assert untold(traded, incoming) == both
    # Its row is gone as well, or out of the reach of the landing.
    assert untold(traded, incoming.drop(index=7)) == both
    assert untold(traded, incoming.head(7)) == both[:1]
    assert untold(traded, traded.head(0)) == []
    # Prices that are not scaled for it take the split back: nothing of it stays.
    taken_back = traded.copy()
    taken_back.loc[3, "split"] = 1.0
    assert untold(traded, taken_back) == []


def test_a_split_taken_back_with_its_scaling_is_a_correction(traded: pd.DataFrame) -> None:
    incoming = traded.copy()
    incoming.loc[3, "split"] = 1.0
    assert undone(traded, incoming)["split"].to_list() == incoming["split"].to_list()


def test_a_split_found_late_brings_the_traded_prices_back(traded: pd.DataFrame) -> None:
    # The vendor scaled first and told of the split later: the stored bars were not as traded.
    untold = split_adjusted(traded).assign(split=1.0)
    assert undone(untold, traded).equals(typed(PRICES, traded))
