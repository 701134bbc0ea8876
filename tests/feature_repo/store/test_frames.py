"""Entity frames: moments of any zone, keys of any kind, and what is refused."""

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from market.errors import InputError
from tests.feature_repo.store.asof_home import Home, asked, at


def test_moments_of_several_zones_in_one_column(home: Home) -> None:
    moments = [pd.Timestamp(at(1)).tz_convert(zone) for zone in ("Asia/Kolkata", "US/Eastern")]
    moments.append(at(2).astimezone(tz=None))
    frame = pd.DataFrame({"ticker": "A", "event_timestamp": pd.Series(moments, dtype=object)})
    found = home.read(frame, ["alpha:a1"]).to_df()
    assert found["a1"].tolist() == [1, 1, 2]
    assert (pd.to_datetime(found["event_timestamp"], utc=True) == moments).all()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.Series([date(2024, 3, 8)], dtype=object), "allowed are timestamps; use pd.to_datetime"),
        (pd.Series(["2024-03-08T21:00Z"]), "allowed are timestamps; use pd.to_datetime"),
        (pd.Series([20240308]), "allowed are timestamps; use pd.to_datetime"),
        (pd.Series([datetime(9999, 1, 1, tzinfo=UTC)], dtype=object), "years 1678 to 2261"),
    ],
)
def test_moment_that_is_none_is_refused(home: Home, column: Any, words: str) -> None:
    frame = pd.DataFrame({"ticker": ["A"], "event_timestamp": column})
    with pytest.raises(InputError, match=words):
        home.read(frame, ["alpha:a1"])


@pytest.mark.parametrize("dtype", ["datetime64[ns]", "datetime64[s]", "object"])
def test_a_moment_without_a_zone_is_in_utc(home: Home, dtype: str) -> None:
    assert home.store.config.coerce_tz_aware is False
    naive = [at(1).replace(tzinfo=None), at(2).replace(tzinfo=None), None]
    mixed = [naive[0], pd.Timestamp(at(2)).tz_convert("Asia/Kolkata"), None]
    moments = pd.Series(mixed if dtype == "object" else naive, dtype=dtype)
    frame = pd.DataFrame({"ticker": "A", "event_timestamp": moments})
    before = frame.copy()
    found = home.read(frame, ["alpha:a1"]).to_df()
    assert found["a1"].tolist()[:2] == [1, 2]
    assert pd.to_datetime(found["event_timestamp"], utc=True).tolist()[:2] == [at(1), at(2)]
    pd.testing.assert_frame_equal(frame, before)


def test_missing_moment_is_answered_with_nulls(home: Home) -> None:
    assert home.read(asked(("A", 1, None))).to_df()[["a1", "b1"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (asked(("A", 1, 1)).drop(columns="lot"), r"lacks join key 'lot' of view beta"),
        (asked(("A", 1, 1)).assign(a1=1.0), r"column 'a1' would stand twice"),
        (asked(("A", 1, 1)).drop(columns="event_timestamp"), "no column event_timestamp"),
        (asked(("A", 1, 1)).assign(ticker=[1]), r"entity key ticker: got Int64, stored is String"),
        (asked(("A", 1, 1), ("B", 1, 1)).assign(ticker=[1, "A"]), "several kinds of values"),
        (pl.DataFrame({"ticker": ["A"]}), "got DataFrame, allowed is pandas"),
    ],
)
def test_frame_that_does_not_fit_is_refused(home: Home, frame: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        home.read(frame).to_df()


def test_sql_is_refused(home: Home) -> None:
    with pytest.raises(NotImplementedError, match="pandas frame"):
        home.read("select 1")


def test_only_timestamps_may_have_another_name(home: Home) -> None:
    frame = asked(("A", 1, 1)).rename(columns={"event_timestamp": "decided_at"})
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]


def test_keys_may_be_categories_or_floats(home: Home) -> None:
    frame = asked(("A", 1, 1), ("B", 2, 1))
    frame = frame.assign(ticker=frame["ticker"].astype("category"), lot=[1.0, np.nan])
    found = home.read(frame).to_df()
    np.testing.assert_array_equal(found["b1"], [10, np.nan])
    np.testing.assert_array_equal(found["a2"], [0.5, 7])
