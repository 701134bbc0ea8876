"""From rows of option quotes to chains as arrays, a chain a moment."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from market.options.chain import Chain

VENDOR: Final = "implied_volatility"
SIGNS: Final = {"call": 1.0, "put": -1.0}
#: What tells a contract of an underlying from another at one moment.
CONTRACT: Final = ("root", "expiration", "strike", "option_type")


def chains_of(rows: pd.DataFrame) -> Iterator[Chain]:
    """Yield the chain of every underlying and time of quotes, ascending.

    Parameters
    ----------
    rows
        Columns underlying, root, quote_time (UTC), expiration, strike, option_type (call or put),
        underlying_price, bid and ask (USD; null is none), and maybe implied_volatility.
    """
    for _, quotes in rows.groupby(["underlying", "quote_time"], sort=True):
        yield Chain(
            underlying=str(quotes["underlying"].iloc[0]),
            quote_time=quotes["quote_time"].iloc[0],
            spot=float(quotes["underlying_price"].median()),
            root=quotes["root"].to_numpy(str),
            expiration=quotes["expiration"].to_numpy("datetime64[D]"),
            strike=quotes["strike"].to_numpy(np.float64),
            sign=quotes["option_type"].map(SIGNS).to_numpy(np.float64),
            bid=quotes["bid"].to_numpy(np.float64),
            ask=quotes["ask"].to_numpy(np.float64),
            vendor_volatility=quotes[VENDOR].to_numpy(np.float64) if VENDOR in quotes else None,
        )
