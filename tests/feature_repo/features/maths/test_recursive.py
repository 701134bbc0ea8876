import numpy as np
import pandas as pd
import pytest
import talib

from feature_repo.features.maths.recursive import SETTLED, ema, settled, wilder_mean


@pytest.fixture
def prices():
    return 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 700)))


def loop(x: np.ndarray, n: int) -> np.ndarray:
    out = np.full(x.size, np.nan)
    if x.size >= n:
        out[n - 1] = x[:n].mean()
        for t in range(n, x.size):
            out[t] = out[t - 1] + (x[t] - out[t - 1]) / n
    return out


@pytest.mark.parametrize("span", [2, 9, 12, 26])
def test_ema_is_that_of_ta_lib_and_settles_to_that_of_pandas(prices, span):
    got = ema(prices, span)
    np.testing.assert_allclose(got, talib.EMA(prices, span), rtol=1e-12)
    plain = pd.Series(prices).ewm(span=span, adjust=False).mean()
    np.testing.assert_allclose(got[SETTLED - 1 :], plain[SETTLED - 1 :], rtol=1e-12)


@pytest.mark.parametrize("level", [0.1, 1 / 3, 100.01])
def test_ema_of_equal_prices_is_the_price(level):
    assert (ema(np.full(300, level), 12)[11:] == level).all()


@pytest.mark.parametrize("n", [2, 14, 28])
@pytest.mark.parametrize("nulls", [0, 1, 30])
def test_wilder_mean_is_the_loop_of_the_book(prices, n, nulls):
    x = np.abs(np.diff(prices))
    got = wilder_mean(np.concatenate((np.full(nulls, np.nan), x)), n)
    assert np.isnan(got[:nulls]).all()
    np.testing.assert_allclose(got[nulls:], loop(x, n), rtol=1e-12)


@pytest.mark.parametrize("average", [ema, wilder_mean])
@pytest.mark.parametrize("size", [0, 1, 5, 13])
def test_too_short_a_history_gives_nulls(average, size):
    assert np.isnan(average(np.ones(size), 14)).all()
    assert np.isnan(average(np.full(size, np.nan), 14)).all()
    assert average(np.ones(size), 14).shape == (size,)


def test_seed_of_the_slowest_indicator_has_decayed_to_a_millionth(prices):
    x = np.abs(np.diff(prices))
    late = wilder_mean(x[-SETTLED:], 28)[-1]
    assert late == pytest.approx(wilder_mean(x, 28)[-1], rel=3e-6)
    assert late != pytest.approx(wilder_mean(x, 28)[-1], rel=1e-9)


def test_settled_values_start_with_session_400(prices):
    got = settled(prices)
    assert np.isnan(got[:399]).all()
    np.testing.assert_array_equal(got[399:], prices[399:])
    assert np.isnan(settled(prices[:399])).all()
