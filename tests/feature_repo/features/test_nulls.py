"""Zero denominators, ties and other corners of the technical features."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.technical.group import TECHNICAL
from market.adjust import adjust

NAMES = [row.name for row in TECHNICAL.features]


def bars(close, high=None, low=None, open_=None, volume=1000.0):
    close = np.asarray(close, dtype=np.float64)
    full = np.full(close.size, 1.0)
    return {
        "open": close.copy() if open_ is None else open_ * full,
        "high": close.copy() if high is None else high * full,
        "low": close.copy() if low is None else low * full,
        "close": close,
        "volume": volume * full,
        "scale": full,
    }


# What a price that never moves says of each feature: null where the formula divides by zero.
NEVER_MOVED = dict.fromkeys(
    [
        "adx_14",
        "plus_di_14",
        "minus_di_14",
        "rsi_14",
        "rsi_28",
        "rsi_14_change_5d",
        "rsi_oversold",
        "rsi_overbought",
        "stoch_k",
        "stoch_d",
        "stoch_kd_spread",
        "mfi_14",
        "cci_20",
        "hv_ratio_5_20",
        "hv_ratio_20_60",
        "hv_zscore_252",
        "bb_position",
        "volume_zscore_20",
        "range_position_52w",
        "return_skew_60",
    ],
    np.nan,
) | {
    "bb_squeeze": 1.0,
    "near_52w_high": 1.0,
    "near_52w_low": 1.0,
    "volume_sma_10": 1.0,
    "volume_sma_20": 1.0,
    "volume_ratio": 1.0,
}
UNSAFE = {row.name for row in TECHNICAL.features if not row.safe}


@pytest.mark.parametrize("price", [100.0, 0.1, 1 / 3, 4123.77])
def test_a_price_that_never_moves(price):
    values = TECHNICAL.compute(bars(np.full(600, price)))
    for name in NAMES:
        level = 0.0 if name == "atr_14" else price
        expected = NEVER_MOVED.get(name, level if name in UNSAFE else 0.0)
        np.testing.assert_array_equal(values[name][450:], expected, err_msg=name)


def test_a_halt_of_a_year_leaves_no_residue_in_windows():
    rng = np.random.default_rng(0)
    close = np.concatenate((100 * np.exp(np.cumsum(rng.normal(0, 0.05, 300))), np.full(600, 87.31)))
    values = TECHNICAL.compute(bars(close))
    recursive = {row.name for row in TECHNICAL.features if row.lookback >= 400}
    for name in set(NAMES) - UNSAFE - recursive:
        np.testing.assert_array_equal(
            values[name][300 + 300 :], NEVER_MOVED.get(name, 0.0), err_msg=name
        )


@pytest.mark.parametrize("name", ["mfi_14", "volume_sma_10", "volume_sma_20", "volume_ratio"])
def test_without_any_volume_there_is_no_flow_and_no_ratio(name):
    close = 100 + np.sin(np.arange(500.0))
    assert np.isnan(TECHNICAL.compute(bars(close, volume=0.0))[name]).all()


def test_volume_flags_are_null_without_volume():
    values = TECHNICAL.compute(bars(100 + np.sin(np.arange(500.0)), volume=0.0))
    for name in ("volume_surge", "obv", "obv_slope_20", "volume_trend_10_20", "volume_zscore_20"):
        assert np.isnan(values[name]).all(), name


def test_money_flow_without_negative_flow_is_100_and_without_positive_0():
    rising = np.arange(100.0, 160.0)
    up, down = (TECHNICAL.compute(bars(x))["mfi_14"] for x in (rising, rising[::-1]))
    assert (up[14:] == 100).all()
    assert (down[14:] == 0).all()
    assert np.isnan(up[:14]).all()


def test_money_flow_is_not_null_for_small_volumes():
    """TA-Lib calls a flow below 1 none at all."""
    close = 100 + np.sin(np.arange(500.0))
    small, large = (TECHNICAL.compute(bars(close, volume=v))["mfi_14"] for v in (1e-6, 1e6))
    np.testing.assert_allclose(small, large, rtol=1e-9)


def test_rsi_of_a_price_that_only_rises_or_falls():
    rising = np.linspace(100, 200, 500)
    up, down = (TECHNICAL.compute(bars(x)) for x in (rising, rising[::-1]))
    assert (up["rsi_14"][399:] == 100).all()
    assert (down["rsi_14"][399:] == 0).all()
    assert (up["rsi_overbought"][399:] == 1).all()
    assert (down["rsi_oversold"][399:] == 1).all()


def test_obv_of_a_price_that_only_rises_or_falls():
    rising = np.linspace(100, 200, 200)
    volume = np.random.default_rng(0).lognormal(10, 1, 200)
    up, down = (TECHNICAL.compute(bars(x, volume=volume))["obv"] for x in (rising, rising[::-1]))
    np.testing.assert_allclose(up[60:], 1, rtol=1e-12)
    np.testing.assert_allclose(down[60:], -1, rtol=1e-12)
    # Nor beyond the bounds by rounding.
    assert up[60:].max() <= 1
    assert down[60:].min() >= -1


def test_a_close_that_falls_by_the_dividend_did_not_move():
    """Adjusted, it equals the close before up to rounding, in either direction."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        dividend = np.zeros(70)
        dividend[1:] = (rng.uniform(0.1, 1, 69)).round(2)
        close = (200 - np.cumsum(dividend)).round(2)
        raw = dict.fromkeys(("open", "high", "low", "close"), close)
        arrays = adjust(**raw, volume=np.full(70, 1e3), dividend=dividend, split=np.ones(70))
        values = TECHNICAL.compute(arrays)
        np.testing.assert_array_equal(values["obv"][60:], 0)
        assert np.isnan(values["mfi_14"]).all()


@pytest.mark.parametrize("factor", [1.0, 7.0, 1.2345, 1 / 3, 0.001])
def test_equal_moves_of_high_and_low_count_for_neither_side(factor):
    """Each bar reaches a dime beyond the last one on both sides: no direction, so no DX."""
    tenths = np.arange(500) / 10
    wide = bars(np.full(500, 100.0), high=(110 + tenths).round(1), low=(90 - tenths).round(1))
    values = TECHNICAL.compute({k: v if k == "volume" else v * factor for k, v in wide.items()})
    assert (values["plus_di_14"][399:] == 0).all()
    assert (values["minus_di_14"][399:] == 0).all()
    assert np.isnan(values["adx_14"]).all()


@pytest.mark.recorded
def test_directional_indicators_of_recorded_bars_do_not_depend_on_rounding(recorded_adjusted):
    names = ("adx_14", "plus_di_14", "minus_di_14", "mfi_14", "obv")
    values = TECHNICAL.compute(recorded_adjusted)
    for factor in (7.0, 1.2345):
        scaled = {k: v if k == "volume" else v * factor for k, v in recorded_adjusted.items()}
        got = TECHNICAL.compute(scaled)
        for name in names:
            np.testing.assert_allclose(got[name], values[name], rtol=1e-9, atol=1e-9, err_msg=name)


cents = st.lists(st.integers(1, 4), min_size=0, max_size=60)


@given(cents, st.sampled_from([0, 1, 300, 450]), st.sampled_from([0.0, 5.0]))
@settings(max_examples=60, deadline=None)
def test_no_value_is_infinite_and_flags_are_flags_whatever_the_prices(ticks, flat, volume):
    close = np.concatenate((np.full(flat, 0.01), np.array(ticks) / 100))
    values = TECHNICAL.compute(bars(close, high=close * 1.01, low=close * 0.99, volume=volume))
    for row in TECHNICAL.features:
        array = values[row.name]
        assert array.shape == close.shape
        assert not np.isinf(array).any(), row.name
        if row.unit == "flag 0/1":
            assert set(array[~np.isnan(array)]) <= {0.0, 1.0}, row.name
