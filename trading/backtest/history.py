"""What a backtest reads of an underlying: its sessions, and how options on it are listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from jaxtyping import Float64

from market.errors import InputError
from market.options.chain import ExpiryQuotes
from market.underlyings import OptionListing


@dataclass(frozen=True)
class History:
    """The sessions of an underlying, ascending, none left out; NaN where a number is unknown.

    Attributes
    ----------
    days
        Midnights without a zone.
    opened, closed
        Prices as traded, in USD.
    index, long_index
        Closes of its own volatility index and of the one of three months, in points.
    rate
        Of three months, a year, a fraction.
    dividend
        USD a share on its ex-dividend day, else 0.
    split
        New shares for an old one on its day, else 1.
    quotes
        Of sessions whose own chain is read: the quotes by expiry of the listing's root.
    """

    ticker: str
    listing: OptionListing
    days: pd.DatetimeIndex
    opened: Float64[np.ndarray, " n_sessions"]
    closed: Float64[np.ndarray, " n_sessions"]
    index: Float64[np.ndarray, " n_sessions"]
    long_index: Float64[np.ndarray, " n_sessions"]
    rate: Float64[np.ndarray, " n_sessions"]
    dividend: Float64[np.ndarray, " n_sessions"]
    split: Float64[np.ndarray, " n_sessions"]
    quotes: Mapping[pd.Timestamp, Mapping[pd.Timestamp, ExpiryQuotes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (self.days.is_monotonic_increasing and self.days.is_unique):
            raise InputError(f"{self.ticker}: its sessions have to ascend, each once")

    @property
    def shares(self) -> Float64[np.ndarray, " n_sessions"]:
        """Shares that one of the first session has become; of the sessions' closes."""
        return np.cumprod(self.split)
