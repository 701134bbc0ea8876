import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats

from feature_repo.features.maths import windows
from feature_repo.features.maths.windows import (
    deviation,
    widen_mean,
    widen_moments,
    window_count_below,
    window_max,
    window_mean,
    window_mean_abs_deviation,
    window_min,
    window_moments,
    window_skew,
)

# Each window function beside the plain reduction of one window.
REDUCTIONS = {
    "window_mean": (window_mean, np.mean),
    "window_max": (window_max, np.max),
    "window_min": (window_min, np.min),
    "window_mean_abs_deviation": (
        window_mean_abs_deviation,
        lambda x: np.abs(x - x.mean()).mean(),
    ),
    "window_count_below": (window_count_below, lambda x: (x < x[-1]).sum()),
    "std": (lambda x, n: deviation(window_moments(x, n), n), lambda x: x.std(ddof=1)),
    "std of the population": (
        lambda x, n: deviation(window_moments(x, n), n, ddof=0),
        lambda x: x.std(),
    ),
}
every_reduction = pytest.mark.parametrize("name", REDUCTIONS)

arrays = hnp.arrays(
    np.float64,
    st.integers(0, 70),
    elements=st.one_of(
        st.just(np.nan), st.integers(-3, 3).map(float), st.floats(-1e6, 1e6, allow_subnormal=False)
    ),
)


@every_reduction
@given(x=arrays, n=st.integers(2, 40))
def test_each_window_is_reduced_on_its_own(name, x, n):
    window, reduce = REDUCTIONS[name]
    expected = np.full(x.size, np.nan)
    for t in range(n - 1, x.size):
        values = x[t - n + 1 : t + 1]
        if not np.isnan(values).any():
            expected[t] = reduce(values)
    scale = np.nanmax(np.abs(x), initial=1.0)
    np.testing.assert_allclose(window(x, n), expected, rtol=1e-9, atol=1e-9 * scale)


@every_reduction
@pytest.mark.parametrize("n", [2, 3, 5, 14, 20, 60, 63, 64, 252])
def test_a_value_is_the_same_to_the_last_bit_wherever_the_history_starts(name, n):
    window, _ = REDUCTIONS[name]
    x = np.random.default_rng(n).normal(1e3, 1e-3, 600)
    whole = window(x, n)
    for start in (1, 7, 300, 600 - n):
        np.testing.assert_array_equal(window(x[start:], n)[n - 1 :], whole[start + n - 1 :])


@pytest.mark.parametrize("n", [2, 3, 5, 14, 20, 60, 252])
@pytest.mark.parametrize("level", [0.1, 1 / 3, 100.01, 1e12 / 7])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_equal_values_have_their_own_mean_and_no_deviation_at_all(level, n):
    x = np.concatenate((np.random.default_rng(0).lognormal(3, 9, 50), np.full(400, level)))
    mean, squares = window_moments(x, n)[:, 49 + n :]
    assert (mean == level).all()
    assert (squares == 0).all()
    assert (window_mean(x, n)[49 + n :] == level).all()
    assert (window_mean_abs_deviation(x, n)[49 + n :] == 0).all()
    if n > 2:
        assert np.isnan(window_skew(x, n)[49 + n :]).all()


def test_one_different_value_is_a_deviation_as_long_as_it_is_in_the_window():
    x = np.full(200, 0.1)
    x[100] = np.nextafter(0.1, 1)
    squares = window_moments(x, 20)[1]
    assert (squares[100:120] > 0).all()
    assert (squares[120:] == 0).all()


def test_an_outlier_leaves_nothing_behind():
    x = np.random.default_rng(1).normal(0, 1e-6, 300)
    x[50] = 1e9
    for name, (window, _) in REDUCTIONS.items():
        np.testing.assert_array_equal(window(x, 20)[70:], window(x[51:], 20)[19:], err_msg=name)


@pytest.mark.parametrize(("width", "times"), [(5, 2), (10, 2), (20, 3), (50, 4), (10, 5), (7, 6)])
def test_widened_windows_are_wide_windows(width, times):
    x = np.random.default_rng(2).lognormal(0, 1, 500)
    n = width * times
    narrow = window_moments(x, width)
    np.testing.assert_allclose(
        widen_moments(narrow, width, times), window_moments(x, n), rtol=1e-12
    )
    np.testing.assert_allclose(widen_mean(narrow[0], width, times), window_mean(x, n), rtol=1e-12)
    std = pd.Series(x).rolling(n).std()
    np.testing.assert_allclose(deviation(widen_moments(narrow, width, times), n), std, rtol=1e-9)


@pytest.mark.parametrize("n", [3, 4, 5, 20, 60, 61])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1e4])
def test_skewness_is_that_of_scipy(n, offset):
    x = offset + np.random.default_rng(n).gamma(2, 1, 300)
    expected = stats.skew(sliding_window_view(x, n), axis=1, bias=False)
    got = window_skew(x, n)
    assert np.isnan(got[: n - 1]).all()
    np.testing.assert_allclose(got[n - 1 :], expected, rtol=1e-7, atol=1e-9 * (1 + offset))


def test_skewness_is_start_independent_and_feels_a_null_as_long_as_it_is_in_the_window():
    x = np.random.default_rng(3).gamma(2, 1, 300)
    whole = window_skew(x, 60)
    np.testing.assert_array_equal(window_skew(x[13:], 60)[59:], whole[72:])
    holed = x.copy()
    holed[150] = np.nan
    got = window_skew(holed, 60)
    assert np.isnan(got[150:210]).all()
    np.testing.assert_array_equal(got[210:], whole[210:])


@given(
    x=hnp.arrays(np.float64, st.integers(252, 400), elements=st.integers(0, 60).map(float)),
)
@settings(max_examples=50, deadline=None)
def test_at_most_25_below_is_at_or_below_the_tenth_percentile_of_252(x):
    below = window_count_below(x, 252)[251:]
    quantile = np.quantile(sliding_window_view(x, 252), 0.10, axis=1, method="linear")
    # The interpolated quantile rounds: a value one rounding away from it is the same value.
    expected = x[251:] <= quantile * (1 + 1e-12)
    np.testing.assert_array_equal(below <= 25, expected)


def test_more_than_255_values_below_are_counted():
    x = np.arange(700.0)
    assert window_count_below(x, 600)[-1] == 599


def test_inputs_are_only_read():
    x = np.random.default_rng(4).normal(size=100)
    x.flags.writeable = False
    for name in dir(windows):
        if name.startswith("window_"):
            getattr(windows, name)(x, 20)
