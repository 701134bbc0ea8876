"""Implied volatility against plain loops, with the holes that an index has."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.iv.group import IV, IV_LAGS, iv_percentile, iv_rank, vix_zscore
from market.calendar import sessions
from market.iv_rank import BAND_CUTS, BANDS, band

# Every cut of the bands, and the ranks just below and above it.
EDGES = [np.nextafter(cut, side) for cut in BAND_CUTS for side in (0, cut, 101)] + [0.0, 100.0]
# Function of the index, sessions of its window, whether today is left out of it, one window.
WINDOWED = {
    "iv_rank": (252, False, lambda x, t: 100 * (t - x.min()) / (x.max() - x.min())),
    "iv_percentile": (252, True, lambda x, t: 100 * (x < t).mean()),
    "vix_sma_10": (10, False, lambda x, _: x.mean()),
    "vix_sma_20": (20, False, lambda x, _: x.mean()),
    "vix_zscore": (60, False, lambda x, t: (t - x.mean()) / x.std(ddof=1)),
}
every_window = pytest.mark.parametrize("name", WINDOWED)


def compute(vix, hv=None, slope=1.0):
    vix = np.asarray(vix, dtype=np.float64)
    hv = np.full(vix.size, 15.0) if hv is None else np.asarray(hv, dtype=np.float64)
    spx = np.full(vix.size, 20.0)
    return IV.compute(
        {"vix_close": vix, "vix3m_close": spx + slope, "spx_vix_close": spx, "hv_20": hv}
    )


def expected(name, vix):
    """One window after the other: today known, 95 % of the window, after the first value."""
    n, past, reduce = WINDOWED[name]
    out = np.full(vix.size, np.nan)
    known = np.flatnonzero(~np.isnan(vix))
    for t in known:
        start = t - n + (not past)
        window = vix[max(start, 0) : t + (not past)]
        held = window[~np.isnan(window)]
        if start >= known[0] and held.size >= 0.95 * n:
            out[t] = reduce(held, vix[t])
    return out


@pytest.fixture
def vix():
    return 20 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.03, 700))).round(2)


@every_window
@given(
    seed=st.integers(0, 1000),
    lead=st.integers(0, 40),
    holes=st.lists(st.integers(0, 699), max_size=60),
)
@settings(max_examples=25, deadline=None)
def test_windows_with_holes(name, seed, lead, holes):
    x = 20 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.03, 700)))
    x[holes] = np.nan
    x[:lead] = np.nan
    np.testing.assert_allclose(compute(x)[name], expected(name, x), rtol=1e-9, atol=1e-9)


@every_window
def test_a_window_tolerates_five_percent_of_holes_and_no_more(name, vix):
    n, past, _ = WINDOWED[name]
    allowed = n // 20
    last = 600
    newest = last - past
    held = vix.copy()
    held[newest - 2 : newest - 2 - allowed : -1] = np.nan
    assert np.isfinite(compute(held)[name][last])
    held[newest - 2 - allowed] = np.nan
    assert np.isnan(compute(held)[name][last])


@every_window
def test_a_session_without_a_value_is_null_and_poisons_nothing(name, vix):
    whole, n = compute(vix)[name], WINDOWED[name][0]
    holed = vix.copy()
    holed[300] = np.nan
    got = compute(holed)[name]
    assert np.isnan(got[300])
    np.testing.assert_array_equal(got[:300], whole[:300])
    np.testing.assert_array_equal(got[301 + n :], whole[301 + n :])


@every_window
def test_a_window_lies_inside_the_history_of_the_index(name, vix):
    n, past, _ = WINDOWED[name]
    # All but one of the values would be enough for the 95 %, were it not the start.
    vix[:100] = np.nan
    got = compute(vix)[name]
    first = 100 + n - (not past)
    assert np.isnan(got[:first]).all()
    assert np.isfinite(got[first])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_equal_values_have_no_rank_and_no_z_score():
    for level in (0.1, 20.0, 1 / 3):
        x = np.full(400, level)
        assert np.isnan(iv_rank(x)).all()
        assert np.isnan(vix_zscore(x)).all()
        assert (iv_percentile(x)[252:] == 0).all()


def test_percentile_leaves_today_out():
    rising = np.arange(1.0, 301.0)
    assert (iv_percentile(rising)[252:] == 100).all()
    assert (iv_rank(rising)[251:] == 100).all()
    assert (iv_percentile(rising[::-1])[252:] == 0).all()


def test_changes_and_trend(vix):
    vix[50] = np.nan
    got, series = compute(vix), pd.Series(vix)
    for n in (1, 5):
        want = 100 * (series / series.shift(n) - 1)
        np.testing.assert_allclose(got[f"vix_change_{n}d"], want, rtol=1e-12)
    np.testing.assert_array_equal(got["vix_trend"], got["vix_sma_10"] - got["vix_sma_20"])
    np.testing.assert_array_equal(got["vix_close"], vix)


def test_spread_ratio_and_premium_over_realised_volatility():
    got = compute([20, 20, 20, 20, np.nan], hv=[15, 25, 20, np.nan, 10])
    np.testing.assert_array_equal(got["iv_hv_spread"], [5, -5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(got["iv_hv_ratio"], [20 / 15, 0.8, 1, np.nan, np.nan])
    np.testing.assert_array_equal(got["iv_premium"], [1, 0, 0, np.nan, np.nan])
    assert np.isnan(compute([20.0], hv=[0.0])["iv_hv_ratio"]).all()


@pytest.mark.parametrize(("slope", "contango"), [(1.5, 1), (0.0, 0), (-2.0, 0), (np.nan, np.nan)])
def test_term_slope(slope, contango):
    got = compute([20.0], slope=slope)
    np.testing.assert_array_equal(got["vix_term_slope"], [slope])
    np.testing.assert_array_equal(got["vix_contango"], [contango])


def test_each_rank_lies_in_one_band_closed_below():
    bands = ["iv_regime_low", "iv_regime_normal", "iv_regime_elevated", "iv_regime_high"]
    rows = {row.name: row for row in IV.features}
    rank = np.array([0, 24.999, 25, 49.999, 50, 74.999, 75, 100, np.nan])
    got = np.array([rows[name].compute(rank) for name in bands])
    np.testing.assert_array_equal(got[:, :-1].sum(axis=0), 1)
    np.testing.assert_array_equal(got[:, :-1].argmax(axis=0), [0, 0, 1, 1, 2, 2, 3, 3])
    assert np.isnan(got[:, -1]).all()


def test_lags_and_changes_of_the_rank(vix):
    rank = compute(vix)["iv_rank"]
    rank[400] = np.nan
    got, series = IV_LAGS.compute({"iv_rank": rank}), pd.Series(rank)
    for n in (5, 10, 20):
        np.testing.assert_array_equal(got[f"iv_rank_lag_{n}"], series.shift(n))
    for n in (5, 10):
        np.testing.assert_array_equal(got[f"iv_rank_change_{n}d"], series.diff(n))


@pytest.mark.recorded
@pytest.mark.parametrize("symbol", ["VIX", "VXN", "RVX"])
def test_recorded_indices(symbol, recorded_dir):
    frame = pd.read_csv(recorded_dir / "cboe" / f"{symbol}.csv", parse_dates=["Date"])
    days = sessions(frame["Date"].min(), frame["Date"].max())
    x = frame.set_index("Date")["Close"].reindex(days).to_numpy(np.float64)
    got = compute(x)
    for name in WINDOWED:
        np.testing.assert_allclose(got[name], expected(name, x), rtol=1e-9, atol=1e-9)
    # Some sessions are missing, and the ranks of the others are there all the same.
    assert np.isfinite(got["iv_rank"][252:][~np.isnan(x[252:])]).all()


@pytest.mark.parametrize("name", BANDS)
def test_a_flag_says_what_the_band_of_the_rank_is(name):
    flags = {row.name: row for row in IV.features}
    feature = flags[f"iv_regime_{name.lower()}"]
    assert feature.inputs == ("iv_rank",)
    found = feature.compute(np.array(EDGES))
    assert found.tolist() == [float(band(rank) == name) for rank in EDGES]
