"""A chain as it would be quoted if the index's smile were the market's."""

from dataclasses import replace

import numpy as np
import pandas as pd

from market.options.chain import Chain
from market.options.expiries import expiry_time, years_left
from market.underlyings import OptionListing, underlying
from trading.structures.board import modelled_board
from trading.structures.quote import Closing, synthetic_quote

SESSION = pd.Timestamp("2025-06-30")
COLUMNS = ("root", "expiration", "strike", "sign", "bid", "ask")
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


def part(chain, kept):
    """Return the contracts of a chain that are kept, by a mask or by places."""
    return replace(chain, **{name: getattr(chain, name)[kept] for name in COLUMNS})


def joined(*chains):
    """Return the contracts of chains as those of the first."""
    columns = {name: np.concatenate([getattr(one, name) for one in chains]) for name in COLUMNS}
    return replace(chains[0], **columns)


def spy_chain(**changes):
    """Return a chain of SPY at the close of `SESSION`."""
    board, _ = synthetic_quote(underlying("SPY"), SESSION, CLOSING)
    return chain_like(board, **changes)


def index_chain(moment="2025-06-30 20:15", roots=("SPXW",), dearer=1.0, expiration=None):
    """Return a chain of SPX by the same smile, its level times a factor, a root after another."""
    board, _ = synthetic_quote(underlying("SPY"), SESSION, CLOSING)
    day = board.quotes.expiration if expiration is None else pd.Timestamp(expiration)
    quoted, made = pd.Timestamp(moment, tz="UTC"), []
    for place, root in enumerate(roots):
        settled = expiry_time(root, pd.DatetimeIndex([day]))
        years = float(years_left(pd.DatetimeIndex([quoted]), settled)[0])
        level = board.smile.at_the_money * dearer * (1.0 + 0.1 * place)
        smile = replace(
            board.smile, forward=6020.0, years=years, at_the_money=level,
            discount=float(np.exp(-CLOSING.rate * years)),
        )  # fmt: skip
        listed = modelled_board(day, smile, 6000.0, OptionListing(root, 5.0, 0.05, 0.01, 0.0))
        made.append(chain_like(listed, 6000.0, moment))
    return replace(joined(*made), underlying="SPX")
