"""A made-up history of an underlying, with a year of sessions."""

import numpy as np

from market.calendar import sessions
from market.underlyings import underlying
from trading.backtest.history import History


def history(ticker="SPY", seed=1, start="2023-01-03", end="2024-01-31", spot=450.0, **changes):
    """Return sessions whose index follows what the underlying does."""
    days = sessions(start, end)
    rng = np.random.default_rng(seed)
    index = 18.0 * np.exp(_wave(rng, len(days)))
    steps = index / 1600.0 * rng.standard_normal(len(days))
    closed = spot * np.exp(np.cumsum(steps))
    opened = closed * np.exp(0.002 * rng.standard_normal(len(days)))
    made = {
        "ticker": ticker,
        "listing": underlying(ticker).options,
        "days": days,
        "opened": opened,
        "closed": closed,
        "index": index,
        "long_index": index * 1.08,
        "rate": np.full(len(days), 0.04),
        "dividend": np.zeros(len(days)),
        "split": np.ones(len(days)),
    }
    return History(**{**made, **changes})


def _wave(rng, count):
    moved = np.empty(count)
    moved[0] = 0.0
    for at in range(1, count):
        moved[at] = 0.97 * moved[at - 1] + 0.04 * rng.standard_normal()
    return moved
