"""Markets made by a seed: sessions, raw prices and feature frames with a known signal in them."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.iv.group import RANK_SESSIONS, iv_rank
from market.calendar import session_shift, sessions
from training.fit.forecast import Forecast
from training.judge.out_of_fold import OutOfFold
from training.tasks.declare import Task

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


@pytest.fixture(scope="session")
def make_prices() -> Callable[..., Frame]:
    def make(count: int = 700, seed: int = 0, drift: float = 0.0004) -> Frame:
        rng = np.random.default_rng(seed)
        steps = drift + 0.011 * rng.standard_normal(count)
        return raw_prices(days(count), 100.0 * np.exp(np.cumsum(steps)))

    return make


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
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


def index_rank_frame(vix: np.ndarray, index: pd.DatetimeIndex, ticker: str = "SPY") -> Frame:
    """Every session's rank and path features of a volatility index, the warm-up left out."""
    path = GROUPS["iv_path"].compute({"vix_close": vix})
    columns = {"iv_rank": iv_rank(vix), "vix_close": vix} | path
    made = pd.DataFrame({"ticker": ticker, "session": index} | columns)
    return made.iloc[RANK_SESSIONS:].reset_index(drop=True)


@pytest.fixture(scope="session")
def make_volatility() -> Callable[..., Frame]:
    """What every regime model reads of one volatility index, and two columns of noise."""

    def make(count: int = 500, seed: int = 0, ticker: str = "SPY") -> Frame:
        rng = np.random.default_rng(seed)
        shocks = 0.06 * rng.standard_normal(count + RANK_SESSIONS)
        log_index = [0.0]
        for shock in shocks[1:]:
            log_index.append(0.96 * log_index[-1] + shock)
        vix = 20.0 * np.exp(log_index)
        frame = index_rank_frame(vix, days(len(vix)), ticker)
        return frame.assign(hint=rng.standard_normal(count), other=rng.standard_normal(count))

    return make


@pytest.fixture(scope="session")
def make_tested() -> Callable[..., OutOfFold]:
    """Forecasts of two test parts whose probabilities are true, beside idle baselines."""

    def make(task: Task, count: int = 700, seed: int = 0, flat: float = 0.4) -> OutOfFold:
        rng = np.random.default_rng(seed)
        n_classes = len(task.classes)
        chance = rng.dirichlet(np.full(n_classes, 1.5), count)
        every = (chance.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
        labels = np.where(task.has_flat & (rng.random(count) < flat), -1, every)
        idle = Forecast(np.zeros(count, np.int64), np.full((count, n_classes), 1.0 / n_classes))
        return OutOfFold(
            sessions=days(count).to_numpy(),
            fold=np.repeat([1, 2], [count // 2, count - count // 2]),
            labels=labels,
            every_outcome=every,
            scored=np.arange(count) % 50 != 7,
            model=Forecast(chance.argmax(axis=1), chance),
            baselines=dict.fromkeys(task.baselines, idle),
            gate=next(iter(task.gate_baselines)),
        )

    return make
