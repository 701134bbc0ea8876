"""A chain as it would be quoted if the index's smile were the market's."""

import numpy as np
import pandas as pd

from market.options.chain import Chain
from market.underlyings import underlying
from trading.structures.quote import Closing, synthetic_quote

SESSION = pd.Timestamp("2025-06-30")
CLOSING = Closing(600.0, 16.75, 18.25, 0.043)


def chain_like(board, spot=600.0, moment="2025-06-30 20:15", days=0):
    """Return the quotes of a board as a chain, its expiry some days later."""
    quotes = board.quotes
    count, sides = len(quotes.strike), (quotes.calls, quotes.puts)
    expiration = np.datetime64((quotes.expiration + pd.Timedelta(days=days)).date())
    bid, ask = (np.concatenate([getattr(side, name) for side in sides]) for name in ("bid", "ask"))
    return Chain(
        underlying="SPY",
        quote_time=pd.Timestamp(moment, tz="UTC"),
        spot=spot,
        root=np.full(2 * count, quotes.root),
        expiration=np.full(2 * count, expiration),
        strike=np.tile(quotes.strike, 2),
        sign=np.repeat([1.0, -1.0], count),
        bid=bid,
        ask=ask,
    )


def spy_chain(**changes):
    """Return a chain of SPY at the close of `SESSION`."""
    board, _ = synthetic_quote(underlying("SPY"), SESSION, CLOSING)
    return chain_like(board, **changes)
