"""Trend features: moving averages and directional movement."""

from typing import Final

import numpy as np

from feature_repo.features.declare import FLAG, INDEX, RATIO, USD, Feature, Term
from feature_repo.features.maths.arithmetic import (
    ROUNDING,
    change,
    change_over,
    difference_over,
    flag,
    ratio,
    shift,
)
from feature_repo.features.maths.recursive import SETTLED, ema, settled, wilder_mean
from feature_repo.features.maths.windows import widen_mean, widen_moments, window_moments
from market.arrays import BySession


def true_range(high: BySession, low: BySession, close: BySession) -> BySession:
    """Range of the session widened to the previous close, in price (true range, Wilder 1978)."""
    before = shift(close, 1)
    return np.asarray(np.maximum(high, before) - np.minimum(low, before))


def directional_movement(move: BySession, opposite: BySession, price: BySession) -> BySession:
    """Move of an extreme beyond the previous session's, if it exceeds the opposite one; in price.

    Wilder (1978). Equal moves count for neither side, and so do moves that differ by rounding.

    Parameters
    ----------
    move, opposite
        How far the extremes went past those of the session before, shape (n_sessions,).
    price
        Level that rounding is measured against.
    """
    out = np.maximum(move, 0.0)
    np.copyto(out, 0.0, where=move - opposite <= ROUNDING * price)
    return np.asarray(out)


def directional_indicator(
    move: BySession, opposite: BySession, close: BySession, atr: BySession
) -> BySession:
    """Wilder's DI of one side, 0 to 100: mean directional movement over the mean true range."""
    return 100.0 * ratio(wilder_mean(directional_movement(move, opposite, close), 14), atr)


def directional_index(plus: BySession, minus: BySession) -> BySession:
    """Wilder's DX, 0 to 100: distance of the two directional indicators over their sum."""
    return 100.0 * ratio(np.abs(plus - minus), plus + minus)


TERMS: Final = (
    Term("moments_10", lambda close: window_moments(close, 10)),
    Term("moments_20", lambda moments_10: widen_moments(moments_10, 10, 2)),
    Term("mean_20", lambda moments_20: moments_20[0]),
    Term("mean_50", lambda moments_10: widen_mean(moments_10[0], 10, 5)),
    Term("mean_200", lambda mean_50: widen_mean(mean_50, 50, 4)),
    Term("ewm_12", lambda close: ema(close, 12)),
    Term("ewm_26", lambda close: ema(close, 26)),
    Term("rise", lambda high: difference_over(high, 1)),
    Term("fall", lambda low: -difference_over(low, 1)),
    Term("atr", lambda high, low, close: wilder_mean(true_range(high, low, close), 14)),
    Term("plus_di", lambda rise, fall, close, atr: directional_indicator(rise, fall, close, atr)),
    Term("minus_di", lambda rise, fall, close, atr: directional_indicator(fall, rise, close, atr)),
)

# Name, formula as code, lookback, unit, formula in words. Levels are carried adjusted and
# divided by `scale` (adjusted / traded close) only where they are stored.
FEATURES: Final = (
    Feature(
        "sma_20", lambda mean_20, scale: mean_20 / scale, 20, USD, "mean(close, 20)", safe=False
    ),
    Feature(
        "sma_50", lambda mean_50, scale: mean_50 / scale, 50, USD, "mean(close, 50)", safe=False
    ),
    Feature(
        "sma_200",
        lambda mean_200, scale: mean_200 / scale,
        200,
        USD,
        "mean(close, 200)",
        safe=False,
    ),
    Feature(
        "ema_12",
        lambda ewm_12, scale: settled(ewm_12 / scale),
        SETTLED,
        USD,
        "ewm(close, span=12, adjust=False)",
        safe=False,
    ),
    Feature(
        "ema_26",
        lambda ewm_26, scale: settled(ewm_26 / scale),
        SETTLED,
        USD,
        "ewm(close, span=26, adjust=False)",
        safe=False,
    ),
    Feature(
        "price_to_sma_20",
        lambda close, mean_20: change(close, mean_20),
        20,
        RATIO,
        "close / sma_20 - 1",
    ),
    Feature(
        "price_to_sma_50",
        lambda close, mean_50: change(close, mean_50),
        50,
        RATIO,
        "close / sma_50 - 1",
    ),
    Feature(
        "price_to_sma_200",
        lambda close, mean_200: change(close, mean_200),
        200,
        RATIO,
        "close / sma_200 - 1",
    ),
    Feature(
        "sma_20_50_cross",
        lambda mean_20, mean_50: flag(mean_20 > mean_50, mean_20, mean_50),
        50,
        FLAG,
        "1 if sma_20 > sma_50 else 0",
    ),
    Feature(
        "sma_50_200_cross",
        lambda mean_50, mean_200: flag(mean_50 > mean_200, mean_50, mean_200),
        200,
        FLAG,
        "1 if sma_50 > sma_200 else 0 (golden/death cross state)",
    ),
    Feature(
        "ema_12_26_cross",
        lambda ema_12, ema_26: flag(ema_12 > ema_26, ema_12, ema_26),
        SETTLED,
        FLAG,
        "1 if ema_12 > ema_26 else 0",
    ),
    Feature(
        "sma_20_50_spread",
        lambda mean_20, mean_50: change(mean_20, mean_50),
        50,
        RATIO,
        "sma_20 / sma_50 - 1",
    ),
    Feature(
        "sma_50_200_spread",
        lambda mean_50, mean_200: change(mean_50, mean_200),
        200,
        RATIO,
        "sma_50 / sma_200 - 1",
    ),
    Feature(
        "sma_20_slope_5",
        lambda mean_20: change_over(mean_20, 5),
        25,
        RATIO,
        "sma_20 / sma_20[t-5] - 1",
    ),
    Feature(
        "sma_50_slope_10",
        lambda mean_50: change_over(mean_50, 10),
        60,
        RATIO,
        "sma_50 / sma_50[t-10] - 1",
    ),
    Feature(
        "adx_14",
        lambda plus_di, minus_di: settled(wilder_mean(directional_index(plus_di, minus_di), 14)),
        SETTLED,
        INDEX,
        "Wilder ADX(14) of +DI/-DI",
    ),
    Feature(
        "plus_di_14",
        lambda plus_di: settled(plus_di),
        SETTLED,
        INDEX,
        "100 * Wilder(+DM,14) / Wilder(TR,14)",
    ),
    Feature(
        "minus_di_14",
        lambda minus_di: settled(minus_di),
        SETTLED,
        INDEX,
        "100 * Wilder(-DM,14) / Wilder(TR,14)",
    ),
)
