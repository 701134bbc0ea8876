"""Markets made by a seed: sessions, raw prices and feature frames with a known signal in them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from feature_repo.markets import session_shift, sessions

Frame = pd.DataFrame
N_NOISE = 8


def days(count: int, start: str = "2012-01-03") -> pd.DatetimeIndex:
    end = pd.Timestamp(start) + pd.Timedelta(days=int(count * 1.6) + 30)
    return sessions(start, end)[:count]


def raw_prices(index: pd.DatetimeIndex, close: np.ndarray) -> Frame:
    return pd.DataFrame(
        {
            "session": index,
            "open": close,
            "high": close * 1.01,
            "low": close * 0.99,
            "close": close,
            "volume": 1e6,
            "dividend": 0.0,
            "split": 1.0,
        }
    )


@pytest.fixture
def make_prices() -> Callable[..., Frame]:
    def make(count: int = 700, seed: int = 0, drift: float = 0.0004) -> Frame:
        rng = np.random.default_rng(seed)
        steps = drift + 0.011 * rng.standard_normal(count)
        return raw_prices(days(count), 100.0 * np.exp(np.cumsum(steps)))

    return make


@pytest.fixture
def make_direction(make_prices: Callable[..., Frame]) -> Callable[..., tuple[Frame, Frame]]:
    """Frame and prices; `signal` is the share of the forward return that feature f0 shows."""

    def make(count: int = 700, seed: int = 0, signal: float = 0.0) -> tuple[Frame, Frame]:
        prices = make_prices(count, seed)
        index = pd.DatetimeIndex(prices["session"])
        rng = np.random.default_rng(seed + 1_000)
        noise = rng.standard_normal((count, N_NOISE))
        closes = prices.set_index("session")["close"]
        ahead = closes.reindex(session_shift(index, 5)).to_numpy() / closes.to_numpy() - 1.0
        noise[:, 0] += signal * np.nan_to_num(ahead) / 0.025
        features = {f"f{at}": noise[:, at] for at in range(N_NOISE)}
        return pd.DataFrame({"ticker": "SPY", "session": index} | features), prices

    return make


@pytest.fixture
def make_regime() -> Callable[..., Frame]:
    """A frame with a persistent iv_rank; feature `hint` shows the rank ahead, in part."""

    def make(count: int = 900, seed: int = 0, signal: float = 0.0) -> Frame:
        rng = np.random.default_rng(seed)
        level = np.zeros(count + 5)
        for at in range(1, count + 5):
            level[at] = 0.93 * level[at - 1] + rng.standard_normal()
        rank = 100.0 / (1.0 + np.exp(-level / 1.5))
        now, ahead = rank[:count], rank[5:]
        hint = rng.standard_normal(count) + signal * (ahead - 45.0) / 20.0
        other = rng.standard_normal(count)
        columns = {"iv_rank": now, "hint": hint, "other": other}
        return pd.DataFrame({"ticker": "SPY", "session": days(count)} | columns)

    return make
