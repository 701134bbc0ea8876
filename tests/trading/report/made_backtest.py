"""A backtest of a made-up year, with forecasts that mean nothing."""

import numpy as np

from tests.trading.backtest.histories import history
from trading.backtest.policies import Said
from trading.backtest.result import Asked, Rules, combine, part_of


def made_backtest(tickers=("SPY",), rules=None, **changes):
    """Return the backtest of underlyings whose forecasts are drawn."""
    asked = {}
    for seed, ticker in enumerate(tickers):
        of = history(ticker, seed=seed + 1, **changes)
        asked[ticker] = Asked(of, said(len(of.days), seed), of.closed, lambda _: None)
    rules = rules or Rules()
    parts = {ticker: part_of(one, rules) for ticker, one in asked.items()}
    return combine(asked, parts, rules)


def said(count, seed):
    """Return forecasts of every session, in runs of a few."""
    rng = np.random.default_rng(seed)
    direction, regime = (np.repeat(rng.integers(0, n, count // 5 + 1), 5)[:count] for n in (2, 3))
    sure = np.full(count, 0.7)
    return Said(direction, sure, regime, sure, np.zeros(count, np.bool_))
