"""Undoing a vendor's split adjustment gives back the prices as they were traded."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.yahoo.traded_prices import SCALED, as_traded

RATIOS = st.sampled_from([1.0, 1.0, 1.0, 2.0, 3.0, 1.5, 0.1])


def adjusted(traded: pd.DataFrame) -> pd.DataFrame:
    """A vendor's file, by its rule: at each split, everything before it is rescaled."""
    frame = traded.copy()
    for at, ratio in enumerate(traded["split"]):
        for name in SCALED:
            frame.loc[: at - 1, name] /= ratio
        frame.loc[: at - 1, "volume"] *= ratio
    return frame


def bars(splits: list[float]) -> pd.DataFrame:
    count = len(splits)
    rng = np.random.default_rng(count)
    frame = pd.DataFrame({name: rng.uniform(50, 150, count) for name in SCALED})
    return frame.assign(volume=rng.uniform(1e5, 1e6, count), split=splits)


@given(splits=st.lists(RATIOS, min_size=1, max_size=12))
def test_undoes_what_the_vendor_did(splits: list[float]) -> None:
    traded = bars(splits)
    pd.testing.assert_frame_equal(as_traded(adjusted(traded)), traded, rtol=1e-12)


def test_the_day_of_the_split_is_in_new_shares() -> None:
    frame = as_traded(bars([1.0, 2.0, 1.0]).assign(close=[50.0, 51.0, 52.0]))
    assert frame["close"].tolist() == [100.0, 51.0, 52.0]


def test_without_a_split_nothing_changes() -> None:
    frame = bars([1.0] * 4)
    pd.testing.assert_frame_equal(as_traded(frame), frame)


def test_null_stays_null_and_the_argument_stays_as_it_was() -> None:
    frame = bars([1.0, 2.0]).assign(close=[np.nan, 1.0])
    before = frame.copy()
    assert np.isnan(as_traded(frame)["close"].iloc[0])
    pd.testing.assert_frame_equal(frame, before)


def test_no_rows() -> None:
    assert as_traded(bars([1.0]).iloc[:0]).empty
