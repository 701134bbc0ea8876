"""Every technical feature against a second implementation: pandas, SciPy and textbook loops."""

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import talib
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats
from ta.momentum import StochasticOscillator
from ta.trend import CCIIndicator
from ta.volume import MFIIndicator

from feature_repo.features.technical.group import TECHNICAL

# Differences below this share of a price are rounding, not a move.
TIE = 1e-9


def wilder(x: pd.Series, n: int) -> pd.Series:
    """The textbook loop: mean of the first n, then (n - 1) / n of the old and 1 / n of the new."""
    out = np.full(x.size, np.nan)
    known = x.to_numpy()
    start = int(np.flatnonzero(~np.isnan(known))[0])
    mean = out[start + n - 1] = known[start : start + n].mean()
    for t in range(start + n, x.size):
        mean += (known[t] - mean) / n
        out[t] = mean
    return pd.Series(out)


def settle(x: pd.Series) -> pd.Series:
    return x.where(np.arange(x.size) >= 399)


def step(condition: pd.Series, *needed: pd.Series) -> pd.Series:
    out = condition.astype(float)
    for x in needed:
        out = out.where(x.notna())
    return out


def rsi(close: pd.Series, n: int) -> pd.Series:
    move = close.diff()
    strength = wilder(move.clip(lower=0), n) / wilder((-move).clip(lower=0), n)
    return settle(100 - 100 / (1 + strength))


def ewm(x: pd.Series, span: int) -> pd.Series:
    return x.ewm(span=span, adjust=False).mean()


def skew(x: pd.Series, n: int) -> pd.Series:
    out = pd.Series(np.nan, x.index)
    out[n - 1 :] = stats.skew(sliding_window_view(x.to_numpy(), n), axis=1, bias=False)
    return out


def directional(high: pd.Series, low: pd.Series, close: pd.Series) -> SimpleNamespace:
    up, down = high.diff(), -low.diff()
    tied = (up - down).abs() <= TIE * close
    plus = up.where((up > down) & (up > 0) & ~tied, 0.0).where(up.notna())
    minus = down.where((down > up) & (down > 0) & ~tied, 0.0).where(up.notna())
    before = close.shift()
    ranges = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1)
    atr = wilder(ranges.max(axis=1).where(before.notna()), 14)
    plus_di, minus_di = 100 * wilder(plus, 14) / atr, 100 * wilder(minus, 14) / atr
    adx = wilder(100 * (plus_di - minus_di).abs() / (plus_di + minus_di), 14)
    return SimpleNamespace(plus=plus_di, minus=minus_di, adx=adx, atr=atr)


def oracle(arrays: dict[str, np.ndarray]) -> dict[str, pd.Series]:
    """The catalogue's formulas, one by one."""
    o, h, lo, c, v, scale = (
        pd.Series(arrays[name]) for name in ("open", "high", "low", "close", "volume", "scale")
    )
    out: dict[str, pd.Series] = {}
    mean = {n: c.rolling(n).mean() for n in (20, 50, 200)}
    for n in mean:
        out[f"sma_{n}"] = mean[n] / scale
        out[f"price_to_sma_{n}"] = c / mean[n] - 1
    e12, e26 = ewm(c, 12), ewm(c, 26)
    out["ema_12"], out["ema_26"] = settle(e12 / scale), settle(e26 / scale)
    out["sma_20_50_cross"] = step(mean[20] > mean[50], mean[20], mean[50])
    out["sma_50_200_cross"] = step(mean[50] > mean[200], mean[50], mean[200])
    out["ema_12_26_cross"] = settle(step(e12 > e26))
    out["sma_20_50_spread"] = mean[20] / mean[50] - 1
    out["sma_50_200_spread"] = mean[50] / mean[200] - 1
    out["sma_20_slope_5"] = mean[20] / mean[20].shift(5) - 1
    out["sma_50_slope_10"] = mean[50] / mean[50].shift(10) - 1
    wilders = directional(h, lo, c)
    out["adx_14"] = settle(wilders.adx)
    out["plus_di_14"], out["minus_di_14"] = settle(wilders.plus), settle(wilders.minus)

    out["rsi_14"], out["rsi_28"] = rsi(c, 14), rsi(c, 28)
    out["rsi_14_change_5d"] = out["rsi_14"].diff(5)
    out["rsi_oversold"] = step(out["rsi_14"] < 30, out["rsi_14"])
    out["rsi_overbought"] = step(out["rsi_14"] > 70, out["rsi_14"])
    macd = 100 * (e12 - e26) / c
    out["macd"], out["macd_signal"] = settle(macd), settle(ewm(macd, 9))
    out["macd_histogram"] = out["macd"] - out["macd_signal"]
    out["macd_cross"] = settle(step(macd > ewm(macd, 9)))
    bottom, top = lo.rolling(14).min(), h.rolling(14).max()
    out["stoch_k"] = 100 * (c - bottom) / (top - bottom)
    out["stoch_d"] = out["stoch_k"].rolling(3).mean()
    out["stoch_kd_spread"] = out["stoch_k"] - out["stoch_d"]
    for n in (5, 10, 20):
        out[f"roc_{n}"] = 100 * c.pct_change(n)
    tp = (h + lo + c) / 3
    moved = tp.diff().abs() > TIE * tp
    flow = (tp * v).where(moved, 0.0).where(tp.diff().notna())
    up = flow.where(~(tp.diff() < 0), 0.0).rolling(14).sum()
    down = flow.where(~(tp.diff() > 0), 0.0).rolling(14).sum()
    out["mfi_14"] = 100 - 100 / (1 + up / down)
    mad = tp.rolling(20).apply(lambda x: np.abs(x - x.mean()).mean(), raw=True)
    out["cci_20"] = (tp - tp.rolling(20).mean()) / (0.015 * mad)

    r = np.log(c / c.shift())
    hv = {n: 100 * np.sqrt(252) * r.rolling(n).std() for n in (5, 10, 20, 60, 120)}
    out |= {f"hv_{n}": x for n, x in hv.items()}
    out["hv_ratio_5_20"], out["hv_ratio_20_60"] = hv[5] / hv[20], hv[20] / hv[60]
    out["hv_trend"] = hv[20].diff(10)
    out["hv_zscore_252"] = (hv[20] - hv[20].rolling(252).mean()) / hv[20].rolling(252).std()
    sd = c.rolling(20).std(ddof=0)
    upper, lower = mean[20] + 2 * sd, mean[20] - 2 * sd
    out["bb_upper_dist"], out["bb_lower_dist"] = upper / c - 1, 1 - lower / c
    width = out["bb_width"] = 4 * sd / mean[20]
    out["bb_position"] = (c - lower) / (upper - lower)
    quantile = width.rolling(252).quantile(0.10, interpolation="linear")
    out["bb_squeeze"] = step(width <= quantile, quantile)
    out["atr_14"] = settle(wilders.atr / scale)
    out["atr_pct"] = settle(100 * wilders.atr / c)
    out["parkinson_hv_20"] = 100 * np.sqrt(
        252 * (np.log(h / lo) ** 2).rolling(20).mean() / (4 * np.log(2))
    )
    klass = 0.5 * np.log(h / lo) ** 2 - (2 * np.log(2) - 1) * np.log(c / o) ** 2
    out["garman_klass_hv_20"] = 100 * np.sqrt(252 * klass.rolling(20).mean())
    satchell = np.log(h / c) * np.log(h / o) + np.log(lo / c) * np.log(lo / o)
    k = 0.34 / (1.34 + 21 / 19)
    variance = (
        np.log(o / c.shift()).rolling(20).var()
        + k * np.log(c / o).rolling(20).var()
        + (1 - k) * satchell.rolling(20).mean()
    )
    out["yang_zhang_hv_20"] = 100 * np.sqrt(252 * variance)
    out["downside_vol_20"] = 100 * np.sqrt(252 * (r.clip(upper=0) ** 2).rolling(20).mean())
    out["high_low_range_pct"] = 100 * (h - lo) / c

    year = v.rolling(252).mean()
    out["volume_sma_10"], out["volume_sma_20"] = (v.rolling(n).mean() / year for n in (10, 20))
    out["volume_ratio"] = v / v.rolling(20).mean()
    out["volume_zscore_20"] = (v - v.rolling(20).mean()) / v.rolling(20).std()
    out["volume_trend_10_20"] = v.rolling(10).mean() / v.rolling(20).mean() - 1
    side = np.sign(c.pct_change()).where(c.pct_change().abs() > TIE, 0.0).where(c.shift().notna())
    obv = out["obv"] = (side * v).rolling(60).sum() / v.rolling(60).sum()
    out["obv_slope_20"] = obv.diff(20)
    out["volume_surge"] = step(out["volume_ratio"] > 2, out["volume_ratio"])

    high, low = h.rolling(252).max(), lo.rolling(252).min()
    out["high_52w"], out["low_52w"] = high / scale, low / scale
    above, below = c / high - 1, c / low - 1
    out["dist_from_52w_high"], out["dist_from_52w_low"] = above, below
    out["near_52w_high"] = step(above > -0.05, above)
    out["near_52w_low"] = step(below < 0.05, below)
    out["range_position_52w"] = (c - low) / (high - low)
    out["drawdown_60d"] = c / c.rolling(60).max() - 1
    for n in (1, 5, 10, 20, 60, 252):
        out[f"returns_{n}d"] = c.pct_change(n)
    for n in (1, 5, 20):
        out[f"log_returns_{n}d"] = np.log(c / c.shift(n))
    out["gap_pct"] = o / c.shift() - 1
    out["return_skew_60"] = skew(c.pct_change(), 60)
    return out


def compare(values: dict[str, np.ndarray], expected: dict[str, pd.Series], name: str) -> None:
    # pandas keeps running sums, whose residue is why the tolerance is not tighter; MACD and the
    # like differ by their seed, which 400 sessions leave 1e-12 of.
    np.testing.assert_allclose(values[name], expected[name].to_numpy(), rtol=1e-7, atol=1e-8)


@pytest.fixture(scope="module")
def synthetic(world):
    sources = world.sources("technical")
    return TECHNICAL.compute(sources), oracle(sources)


@pytest.fixture(scope="module")
def recorded(recorded_adjusted):
    return TECHNICAL.compute(recorded_adjusted), oracle(recorded_adjusted)


@pytest.mark.parametrize("name", [row.name for row in TECHNICAL.features])
def test_formula_on_synthetic_bars(name, synthetic):
    compare(*synthetic, name)


@pytest.mark.recorded
@pytest.mark.parametrize("name", [row.name for row in TECHNICAL.features])
def test_formula_on_recorded_bars(name, recorded):
    compare(*recorded, name)


@pytest.fixture(scope="module")
def smooth(world):
    """Adjusted bars without ties: there TA-Lib and the `ta` package need no allowance."""
    rng = np.random.default_rng(5)
    arrays = world.sources("technical")
    nudged = {name: arrays[name] * (1 + rng.uniform(0, 1e-6, 900)) for name in ("low", "close")}
    nudged["open"] = arrays["open"]
    nudged["high"] = np.maximum(arrays["high"] * (1 + rng.uniform(2e-6, 3e-6, 900)), nudged["low"])
    arrays = {**arrays, **nudged}
    return arrays, TECHNICAL.compute(arrays)


def test_recursive_indicators_are_those_of_ta_lib(smooth):
    arrays, values = smooth
    h, lo, c, scale = (arrays[name] for name in ("high", "low", "close", "scale"))
    expected = {
        "rsi_14": talib.RSI(c, 14),
        "rsi_28": talib.RSI(c, 28),
        "adx_14": talib.ADX(h, lo, c, 14),
        "plus_di_14": talib.PLUS_DI(h, lo, c, 14),
        "minus_di_14": talib.MINUS_DI(h, lo, c, 14),
        "atr_14": talib.ATR(h, lo, c, 14) / scale,
        "ema_12": talib.EMA(c, 12) / scale,
        "ema_26": talib.EMA(c, 26) / scale,
    }
    for name, array in expected.items():
        np.testing.assert_allclose(values[name][399:], array[399:], rtol=1e-9, err_msg=name)


def test_windowed_indicators_are_those_of_ta_lib_and_ta(smooth):
    arrays, values = smooth
    h, lo, c, v = (pd.Series(arrays[name]) for name in ("high", "low", "close", "volume"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = {
            "stoch_k": StochasticOscillator(h, lo, c, window=14).stoch(),
            "cci_20": CCIIndicator(h, lo, c, window=20).cci(),
            "mfi_14": MFIIndicator(h, lo, c, v, window=14).money_flow_index(),
        }
    arrays_of_talib = {
        "cci_20": talib.CCI(*(x.to_numpy() for x in (h, lo, c)), 20),
        "mfi_14": talib.MFI(*(x.to_numpy() for x in (h, lo, c, v)), 14),
    }
    for name, series in pairs.items():
        np.testing.assert_allclose(values[name][30:], series.to_numpy()[30:], rtol=1e-7, atol=1e-7)
    for name, array in arrays_of_talib.items():
        np.testing.assert_allclose(values[name][30:], array[30:], rtol=1e-7, atol=1e-7)
