"""What a window holds, counted against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InputError
from monitoring.drift.quality import (
    MIN_CURRENT,
    MIN_REFERENCE,
    Quality,
    data_quality,
    feature_values,
    quality,
    status,
)

VALUES = st.lists(st.one_of(st.none(), st.floats(-5, 5), st.just(1.0)), max_size=30)


@given(VALUES)
def test_counts_are_those_of_pandas(values):
    column = pd.Series(values, dtype="float64")
    found = quality("x", column.to_numpy())
    assert found.rows == len(column)
    assert found.known == column.count()
    assert found.empty == column.empty
    assert found.constant == (column.count() > 1 and len(set(column.dropna())) == 1)
    assert found.all_null == (not column.empty and column.isna().all())
    if column.empty:
        assert found.null_share is None
    else:
        assert found.null_share == pytest.approx(column.isna().mean())


def test_features_are_reported_in_the_order_asked_and_others_left():
    frame = pd.DataFrame({"ticker": ["SPY"] * 3, "b": [1.0, None, 1.0], "a": [None] * 3})
    found = data_quality(frame, ["a", "b"])
    assert [(row.name, row.all_null, row.constant) for row in found] == [
        ("a", True, False),
        ("b", False, True),
    ]
    assert found[1].null_share == pytest.approx(1 / 3)


def known(count: int, rows: int | None = None, constant: bool = False) -> Quality:
    return Quality("x", count if rows is None else rows, count, constant)


ENOUGH, NOW = known(MIN_REFERENCE), known(MIN_CURRENT)


@pytest.mark.parametrize(
    ("reference", "current", "expected"),
    [
        (ENOUGH, NOW, "ok"),
        (known(MIN_REFERENCE, constant=True), NOW, "constant"),
        (ENOUGH, known(MIN_CURRENT, constant=True), "constant"),
        (known(0, 500), NOW, "all_null"),
        (ENOUGH, known(0, 63), "all_null"),
        (known(0, 500), known(0, 63), "all_null"),
        (known(0, 500), known(0), "all_null"),
        (known(0), NOW, "too_few_rows"),
        (ENOUGH, known(0), "too_few_rows"),
        (known(MIN_REFERENCE - 1, 500), NOW, "too_few_rows"),
        (ENOUGH, known(MIN_CURRENT - 1, 63), "too_few_rows"),
        (known(5, constant=True), NOW, "too_few_rows"),
    ],
)
def test_one_word_says_whether_a_feature_can_be_compared(reference, current, expected):
    assert status(reference, current) == expected


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (["high", "low"], "a number or null"),
        ([1.0, np.inf], "infinite"),
        ([1.0, -np.inf], "infinite"),
        ([[1.0], [2.0]], "a number or null"),
    ],
)
def test_what_is_no_number_is_refused(column, message):
    with pytest.raises(InputError, match=message):
        data_quality(pd.DataFrame({"x": column}), ["x"])


def test_a_feature_that_is_missing_or_there_twice_is_refused():
    with pytest.raises(InputError, match="'y': got 0 columns"):
        data_quality(pd.DataFrame({"x": [1.0]}), ["y"])
    twice = pd.DataFrame([[1.0, 2.0]], columns=["x", "x"])
    with pytest.raises(InputError, match="'x': got 2 columns"):
        data_quality(twice, ["x"])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 3], dtype="Int64"),
        pd.Series([1.0, None, 3.0], dtype="float32"),
        pd.Series([1, None, 3], dtype=object),
        pd.Series([1.0, pd.NA, 3.0], dtype="Float64"),
    ],
)
def test_nulls_of_every_kind_are_null(column):
    values = feature_values(pd.DataFrame({"x": column}), "x")
    assert values.dtype == np.float64
    assert np.array_equal(values, [1.0, np.nan, 3.0], equal_nan=True)


def test_flags_are_numbers():
    values = feature_values(pd.DataFrame({"x": [True, False]}), "x")
    assert values.tolist() == [1.0, 0.0]
