import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from feature_repo.features.maths.arithmetic import (
    change,
    change_over,
    difference_over,
    direction,
    flag,
    ratio,
    ratio_over,
    shift,
)

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
arrays = hnp.arrays(
    np.float64, st.integers(0, 30), elements=st.sampled_from([np.nan, 0.0, -0.0, 1.0, -2.5, 7.0])
)


@given(x=arrays, n=st.integers(1, 40))
def test_shifts_and_differences_are_those_of_pandas(x, n):
    series = pd.Series(x, dtype="float64")
    np.testing.assert_array_equal(shift(x, n), series.shift(n))
    np.testing.assert_array_equal(difference_over(x, n), series.diff(n))


@given(x=arrays, n=st.integers(1, 40))
def test_ratios_are_null_on_a_zero_denominator(x, n):
    earlier = pd.Series(x, dtype="float64").shift(n)
    expected = (x / earlier.where(earlier != 0)).to_numpy()
    np.testing.assert_array_equal(ratio_over(x, n), expected)
    np.testing.assert_array_equal(change_over(x, n), expected - 1)
    np.testing.assert_array_equal(ratio(x, shift(x, n)), expected)
    np.testing.assert_array_equal(change(x, shift(x, n)), expected - 1)


def test_direction_takes_rounding_for_no_change():
    moves = np.array([np.nan, 0.0, -0.0, 2e-16, -1e-12, 1e-7, -1e-7, 0.5])
    np.testing.assert_array_equal(direction(moves), [np.nan, 0, 0, 0, 0, 1, -1, 1])


@pytest.mark.parametrize("factor", [1.0, 7.0, 1.2345, 1 / 3])
def test_direction_of_equal_prices_does_not_depend_on_the_level(factor):
    cents = np.array([[100.01, 99.03, 99.50], [100.02, 99.01, 99.51]])
    typical = (cents * factor).sum(axis=1) / 3
    assert direction(change_over(typical, 1))[1] == 0


def test_a_flag_is_null_where_any_input_is():
    a, b = np.array([1.0, 2.0, np.nan, 1.0]), np.array([0.0, 3.0, 0.0, np.nan])
    np.testing.assert_array_equal(flag(a > b, a, b), [1, 0, np.nan, np.nan])
