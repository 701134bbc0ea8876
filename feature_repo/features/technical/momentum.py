"""Momentum features: RSI, MACD, stochastics, rates of change, money flow and CCI."""

from collections.abc import Callable
from typing import Final

import numpy as np

from feature_repo.features.declare import (
    FLAG,
    INDEX,
    INDEX_POINTS,
    PERCENT,
    PERCENT_OF_PRICE,
    Feature,
    Term,
)
from feature_repo.features.maths.arithmetic import (
    change_over,
    difference_over,
    direction,
    flag,
    ratio,
)
from feature_repo.features.maths.recursive import SETTLED, ema, settled, wilder_mean
from feature_repo.features.maths.windows import (
    window_max,
    window_mean,
    window_mean_abs_deviation,
    window_min,
)
from market.arrays import BySession


def rsi(n: int) -> Callable[..., BySession]:
    """Wilder's relative strength index, 0 to 100; null without any move (Wilder 1978)."""

    def compute(gain: BySession, loss: BySession) -> BySession:
        up = wilder_mean(gain, n)
        return settled(100.0 * ratio(up, up + wilder_mean(loss, n)))

    return compute


def stochastic_k(high: BySession, low: BySession, close: BySession) -> BySession:
    """Place of the close in the range of 14 sessions, 0 to 100; null if the range is zero."""
    bottom = window_min(low, 14)
    return 100.0 * ratio(close - bottom, window_max(high, 14) - bottom)


def money_flow_index(typical_price: BySession, volume: BySession) -> BySession:
    """Money flow with a rising typical price as a share of all flow in 14 sessions, 0 to 100.

    100 - 100 / (1 + positive / negative), written so that no negative flow gives 100; no flow
    at all is null. A session whose typical price stays equal has no flow.
    """
    side = direction(change_over(typical_price, 1))
    flow = typical_price * volume
    up = window_mean(flow * np.maximum(side, 0.0), 14)
    down = window_mean(flow * np.maximum(-side, 0.0), 14)
    return 100.0 * ratio(up, up + down)


def commodity_channel_index(typical_price: BySession) -> BySession:
    """Distance of the typical price from its mean of 20, per 0.015 mean absolute deviations.

    Lambert (1980). Null if the typical price did not change in 20 sessions.
    """
    distance = typical_price - window_mean(typical_price, 20)
    return ratio(distance, 0.015 * window_mean_abs_deviation(typical_price, 20))


TERMS: Final = (
    Term("move", lambda close: difference_over(close, 1)),
    Term("gain", lambda move: np.maximum(move, 0.0)),
    Term("loss", lambda gain, move: gain - move),
    Term("macd_line", lambda ewm_12, ewm_26, close: 100.0 * ratio(ewm_12 - ewm_26, close)),
    Term("typical_price", lambda high, low, close: (high + low + close) / 3.0),
)

FEATURES: Final = (
    Feature("rsi_14", rsi(14), SETTLED, INDEX, "Wilder RSI(14)"),
    Feature("rsi_28", rsi(28), SETTLED, INDEX, "Wilder RSI(28)"),
    Feature(
        "rsi_14_change_5d",
        lambda rsi_14: difference_over(rsi_14, 5),
        SETTLED + 5,
        INDEX_POINTS,
        "rsi_14 - rsi_14[t-5]",
    ),
    Feature(
        "rsi_oversold",
        lambda rsi_14: flag(rsi_14 < 30, rsi_14),
        SETTLED,
        FLAG,
        "1 if rsi_14 < 30 else 0",
    ),
    Feature(
        "rsi_overbought",
        lambda rsi_14: flag(rsi_14 > 70, rsi_14),
        SETTLED,
        FLAG,
        "1 if rsi_14 > 70 else 0",
    ),
    Feature(
        "macd",
        lambda macd_line: settled(macd_line),
        SETTLED,
        PERCENT_OF_PRICE,
        "100 * (ema_12 - ema_26) / close  (classic MACD normalised by close)",
    ),
    Feature(
        "macd_signal",
        lambda macd_line: settled(ema(macd_line, 9)),
        SETTLED,
        PERCENT_OF_PRICE,
        "ewm(macd, span=9, adjust=False)",
    ),
    Feature(
        "macd_histogram",
        lambda macd, macd_signal: macd - macd_signal,
        SETTLED,
        PERCENT_OF_PRICE,
        "macd - macd_signal",
    ),
    Feature(
        "macd_cross",
        lambda macd, macd_signal: flag(macd > macd_signal, macd, macd_signal),
        SETTLED,
        FLAG,
        "1 if macd > macd_signal else 0",
    ),
    Feature(
        "stoch_k",
        stochastic_k,
        14,
        INDEX,
        "100 * (close - min(low,14)) / (max(high,14) - min(low,14))",
    ),
    Feature("stoch_d", lambda stoch_k: window_mean(stoch_k, 3), 16, INDEX, "mean(stoch_k, 3)"),
    Feature(
        "stoch_kd_spread",
        lambda stoch_k, stoch_d: stoch_k - stoch_d,
        16,
        INDEX_POINTS,
        "stoch_k - stoch_d",
    ),
    Feature(
        "roc_5", lambda returns_5d: 100.0 * returns_5d, 6, PERCENT, "100 * (close / close[t-5] - 1)"
    ),
    Feature(
        "roc_10",
        lambda returns_10d: 100.0 * returns_10d,
        11,
        PERCENT,
        "100 * (close / close[t-10] - 1)",
    ),
    Feature(
        "roc_20",
        lambda returns_20d: 100.0 * returns_20d,
        21,
        PERCENT,
        "100 * (close / close[t-20] - 1)",
    ),
    Feature(
        "mfi_14",
        money_flow_index,
        15,
        INDEX,
        "100 - 100/(1 + sum(+money_flow,14)/sum(-money_flow,14))",
    ),
    Feature(
        "cci_20",
        commodity_channel_index,
        20,
        "index",
        "(tp - mean(tp,20)) / (0.015 * mean_abs_dev(tp,20)), tp=(high+low+close)/3",
    ),
)
