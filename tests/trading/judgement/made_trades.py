"""Trades that are made up: fair ones, and such with an edge in one cell."""

import numpy as np

from trading.judgement.trades import Trades

LIFE = 21


def fair_trades(seed, edge=0.0, years=8, structures=4, states=3):
    """Return overlapping trades on one market whose payoffs are worth nothing on average.

    `edge` is added to the cell `1, 1` as a share of the risk.
    """
    rng = np.random.default_rng(seed)
    days = np.arange("2015-01-01", f"{2015 + years}-01-01", dtype="datetime64[D]")
    days = days[np.is_busday(days)]
    steps = 0.008 * rng.standard_t(5, len(days) + LIFE)
    moved = np.array([steps[at + 1 : at + 16].sum() for at in range(len(days))])
    state = np.cumsum(rng.normal(0.0, 1.0, len(days))).astype(int) % states
    parts = []
    for structure in range(structures):
        away = moved - 0.4 * (structure - 1) * moved.std()
        payoff = np.clip(away / moved.std(), 0.0, 1.0) * (1.0 if structure % 2 else -1.0)
        label = np.array([f"{one}, {structure}" for one in state])
        parts.append((label, payoff - payoff.mean() + edge * (label == "1, 1")))
    cell = np.concatenate([label for label, _ in parts])
    profit = 100.0 * np.concatenate([payoff for _, payoff in parts])
    group = np.array([name.split(", ")[1] for name in cell.tolist()])
    return trades_of(np.tile(days, structures), profit, cell, group)


def trades_of(entered, profit, cell, group=None, risk=100.0, life=LIFE):
    """Return trades of one risk that are all held as long."""
    entered = np.asarray(entered, dtype="datetime64[D]")
    count = len(entered)
    return Trades(
        entered=entered,
        left=entered + life,
        profit=np.asarray(profit, dtype=np.float64),
        risk=np.full(count, risk),
        cell=np.asarray(cell),
        group=np.asarray(cell if group is None else group),
        lower=np.full(count, np.nan),
        higher=np.full(count, np.nan),
    )
