"""The companies whose reports stand for a ticker, and their weights (Decision 14)."""

import numpy as np
import pandas as pd

from market.arrays import FloatArray
from market.underlyings import UNDERLYINGS, Basket, Member


def _baskets(ticker: str) -> tuple[Basket, ...]:
    """Baskets of a fund; of any other ticker the one that is itself, at all times."""
    row = UNDERLYINGS.get(ticker)
    if row is None or row.baskets is None:
        return (Basket("1900-01-01", (Member(ticker, 1.0),)),)
    return row.baskets


def basket_symbols(ticker: str) -> tuple[str, ...]:
    """Return the companies of all baskets of a ticker over time; none for a fund without any."""
    members = (m for basket in _baskets(ticker) for m in basket.members)
    return tuple(dict.fromkeys(member.symbol for member in members))


def basket_weights(ticker: str, sessions: pd.DatetimeIndex) -> FloatArray:
    """Weight of each company in force on each session, 0 if it is no member then.

    Parameters
    ----------
    ticker
        An underlying.
    sessions
        Midnights without a zone, in any order; shape (n_sessions,).

    Returns
    -------
    numpy.ndarray
        Shape (n_sessions, n_symbols), columns as `basket_symbols`; rows before the first basket
        are all 0.
    """
    baskets, symbols = _baskets(ticker), basket_symbols(ticker)
    rows = np.zeros((len(baskets) + 1, len(symbols)))
    for row, basket in zip(rows, baskets, strict=False):
        for member in basket.members:
            row[symbols.index(member.symbol)] = member.weight
    since = pd.DatetimeIndex([basket.since for basket in baskets])
    # The last row, all 0, is that of place -1: no basket yet.
    return np.asarray(rows[since.searchsorted(sessions, side="right") - 1])
