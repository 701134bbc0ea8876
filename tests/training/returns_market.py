"""A market whose variance wanders and is shown by its index: prices, and a frame of features."""

import numpy as np
import pandas as pd

from feature_repo.features.catalogue import GROUPS
from market.adjust import RAW_PRICES, adjust
from tests.training.conftest import days
from training.models.returns import INPUTS

STEPS = 16  # moves of a session's price that its high and low are taken of
WARM_UP = 22


def make_prices(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Raw prices of one ticker, and the true variance of each session's next one."""
    rng = np.random.default_rng(seed)
    log_variance = np.zeros(count + 1)
    for at in range(1, count + 1):
        log_variance[at] = 0.95 * log_variance[at - 1] + 0.35 * rng.standard_normal()
    variance = 1e-4 * np.exp(log_variance)
    moves = rng.standard_t(5, (count, STEPS)) * np.sqrt(0.6 * variance[:-1, None] / STEPS)
    walk = np.cumsum(moves.ravel()).reshape(count, STEPS)
    before = np.concatenate([[0.0], walk[:-1, -1]])
    path = 100.0 * np.exp(np.column_stack([before, walk]))
    prices = pd.DataFrame(
        {
            "session": days(count),
            "open": path[:, 0],
            "high": path.max(axis=1),
            "low": path.min(axis=1),
            "close": path[:, -1],
            "volume": 1e6,
            "dividend": 0.0,
            "split": 1.0,
        }
    )
    return prices, variance[1:]


def make_market(count: int, seed: int, ticker: str = "SPY") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frame of the distribution service, and raw prices with their ticker."""
    prices, variance = make_prices(count, seed)
    noise = np.random.default_rng(seed + 1).standard_normal(count)
    bars = adjust(**{name: prices[name].to_numpy(np.float64) for name in RAW_PRICES})
    level = 100.0 * np.sqrt(252 * variance) * np.exp(0.1 * noise)
    values = {"vix_close": level} | GROUPS["variance"].compute(bars)
    frame = pd.DataFrame({name: values[name] for name in INPUTS})
    frame = frame.assign(ticker=ticker, session=prices["session"])
    return frame.iloc[WARM_UP:].reset_index(drop=True), prices.assign(ticker=ticker)
