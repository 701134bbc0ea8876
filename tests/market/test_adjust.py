"""Adjustment: textbook cases, Yahoo's own Adj Close as oracle, and independence of the future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.adjust import ADJUSTED, adjust, adjusted_close
from market.calendar import sessions
from market.errors import InputError
from market.targets import session_return

DAYS = sessions("2018-06-01", "2018-06-05")
# Yahoo's prices carry seven digits.
ROUNDED = 2e-7


def bars(close, dividend=None, split=None):
    close = np.asarray(close, dtype=np.float64)
    return {
        "open": close * 0.99,
        "high": close * 1.02,
        "low": close * 0.98,
        "close": close,
        "volume": np.full(close.size, 1000.0),
        "dividend": np.zeros(close.size) if dividend is None else np.asarray(dividend, float),
        "split": np.ones(close.size) if split is None else np.asarray(split, float),
    }


def returns(x):
    return x[1:] / x[:-1] - 1


def test_without_events_nothing_changes():
    raw = bars([10.0, 11.0, 12.0])
    adjusted = adjust(**raw)
    assert tuple(adjusted) == ADJUSTED
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(adjusted[name], raw[name])
    np.testing.assert_array_equal(adjusted["scale"], 1.0)


def test_a_split_is_no_return_and_volume_is_counted_in_first_shares():
    adjusted = adjust(**bars([100.0, 25.0, 26.0], split=[1, 4, 1]))
    np.testing.assert_allclose(adjusted["close"], [100, 100, 104])
    np.testing.assert_allclose(adjusted["volume"], [1000, 250, 250])
    np.testing.assert_allclose(adjusted["scale"], [1, 4, 4])


def test_a_dividend_is_reinvested_at_the_ex_date():
    adjusted = adjust(**bars([100.0, 99.0, 99.0], dividend=[0, 1, 0]))
    np.testing.assert_allclose(returns(adjusted["close"]), [0, 0], atol=1e-15)
    np.testing.assert_array_equal(adjusted["volume"], 1000.0)


def test_a_dividend_on_the_day_of_a_split_is_paid_on_the_new_shares():
    adjusted = adjust(**bars([100.0, 49.0], dividend=[0, 1], split=[1, 2]))
    np.testing.assert_allclose(returns(adjusted["close"]), [0], atol=1e-15)


def test_events_of_the_first_row_lie_before_the_history():
    adjusted = adjust(**bars([10.0, 11.0], dividend=[5, 0], split=[3, 1]))
    np.testing.assert_array_equal(adjusted["close"], [10, 11])
    np.testing.assert_array_equal(adjusted["volume"], 1000.0)


def test_an_empty_history_stays_empty():
    assert all(x.shape == (0,) for x in adjust(**bars([])).values())


@given(
    st.lists(st.floats(1, 1000), min_size=3, max_size=40),
    st.data(),
)
def test_later_events_change_no_earlier_value(close, data):
    at = data.draw(st.integers(1, len(close) - 1))
    raw = bars(close)
    changed = {**raw, "dividend": raw["dividend"].copy(), "split": raw["split"].copy()}
    changed["split"][at] = data.draw(st.sampled_from([1.0, 2.0, 0.1]))
    changed["dividend"][at] = 0.5 * close[at - 1] / changed["split"][at]
    for name, array in adjust(**changed).items():
        np.testing.assert_array_equal(array[:at], adjust(**raw)[name][:at])


@given(st.lists(st.floats(1, 1000), min_size=6, max_size=40), st.integers(1, 5))
def test_returns_do_not_depend_on_the_first_row(close, start):
    n = len(close)
    raw = bars(close, dividend=np.arange(n) % 3 * 0.1, split=np.where(np.arange(n) % 5, 1, 2))
    whole = adjust(**raw)
    late = adjust(**{name: array[start:] for name, array in raw.items()})
    for name in ("open", "high", "low", "close"):
        np.testing.assert_allclose(
            late[name] / late["close"][0], whole[name][start:] / whole["close"][start], rtol=1e-12
        )
    np.testing.assert_allclose(late["close"] / late["scale"], raw["close"][start:], rtol=1e-12)


@pytest.mark.recorded
def test_returns_are_those_of_the_adjusted_close_of_yahoo(recorded_bars, recorded_adjusted):
    expected = recorded_bars["Adj Close"].to_numpy()
    np.testing.assert_allclose(
        returns(recorded_adjusted["close"]), returns(expected), rtol=0, atol=ROUNDED
    )
    np.testing.assert_allclose(
        recorded_adjusted["close"] / recorded_adjusted["scale"],
        recorded_bars["Close"],
        rtol=1e-12,
    )


@pytest.mark.parametrize("split", [0.0, -1.0, np.nan, np.inf])
def test_an_impossible_split_is_refused(split):
    with pytest.raises(InputError, match=r"split ratio at row 1: got .*, allowed are positive"):
        adjust(**bars([10.0, 11.0], split=[1, split]))


@pytest.mark.parametrize(
    ("dividend", "split"), [(-0.1, 1), (np.nan, 1), (10.0, 1), (12.0, 1), (5.0, 2)]
)
def test_an_impossible_dividend_is_refused(dividend, split):
    with pytest.raises(InputError, match=r"dividend at row 1: got .*, allowed is 0 to below"):
        adjust(**bars([10.0, 11.0], dividend=[0, dividend], split=[1, split]))


def price_rows(dividend=0.0, split=1.0):
    close = np.array([100.0, 100.0, 100.0 / split - dividend])
    return pd.DataFrame(
        {
            "session": DAYS,
            "open": close,
            "high": close,
            "low": close,
            "close": close,
            "volume": 1.0,
            "dividend": [0.0, 0.0, dividend],
            "split": [1.0, 1.0, split],
        }
    )


@pytest.mark.parametrize(("dividend", "split"), [(0.0, 1.0), (2.0, 1.0), (0.0, 4.0), (0.5, 2.0)])
def test_dividends_and_splits_are_no_moves(dividend, split):
    series = adjusted_close(price_rows(dividend, split))
    assert session_return(series, 2).iloc[0] == pytest.approx(0.0, abs=1e-12)


def test_adjusted_close_sorts_its_rows():
    rows = price_rows(2.0)
    pd.testing.assert_series_equal(adjusted_close(rows), adjusted_close(rows.iloc[::-1]))


def test_a_price_column_that_is_missing_is_named():
    with pytest.raises(InputError, match="dividend"):
        adjusted_close(price_rows().drop(columns="dividend"))


def test_a_session_that_stands_twice_is_refused():
    with pytest.raises(InputError, match="2018-06-01 twice"):
        adjusted_close(pd.concat([price_rows(), price_rows().head(1)]))
