"""The companies whose reports stand for a ticker: baskets with weights, each from a date on.

Decision 14: an ETF aggregates a configured basket, a single stock is its own. About the ten
largest holdings of each fund at the turn of the year, both share classes of a company under one
symbol, with its weight in the fund. The weights are approximate, set by hand and rounded: they
say which reports matter, and are no index composition. Symbols are those of their time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from market.arrays import FloatArray


@dataclass(frozen=True)
class Member:
    """A company of a basket, and the share of the ticker that it makes up, 0 to 1."""

    symbol: str
    weight: float


@dataclass(frozen=True)
class Basket:
    """The members in force from a date on, until the next basket of the ticker."""

    since: str
    members: tuple[Member, ...]


def _basket(since: str, percents: str) -> Basket:
    """Basket of words `SYMBOL percent`."""
    words = percents.split()
    pairs: Iterable[tuple[str, str]] = zip(words[::2], words[1::2], strict=True)
    return Basket(since, tuple(Member(symbol, float(percent) / 100) for symbol, percent in pairs))


SPY: Final = (
    _basket(
        "2012-01-01",
        "XOM 3.6 AAPL 3.3 IBM 1.9 CVX 1.9 MSFT 1.7 GE 1.7 PG 1.6 JNJ 1.6 T 1.6 PFE 1.5",
    ),
    _basket(
        "2015-01-01",
        "AAPL 3.5 XOM 2.1 MSFT 2.1 JNJ 1.6 BRK.B 1.5 GOOGL 1.5 GE 1.4 WFC 1.4 PG 1.4 JPM 1.3",
    ),
    _basket(
        "2018-01-01",
        "AAPL 3.8 MSFT 2.9 GOOGL 2.8 AMZN 2.1 FB 1.9 BRK.B 1.7 JNJ 1.6 JPM 1.6 XOM 1.5 BAC 1.2",
    ),
    _basket(
        "2020-01-01",
        "AAPL 4.6 MSFT 4.5 GOOGL 3.0 AMZN 2.9 FB 1.8 BRK.B 1.7 JPM 1.6 JNJ 1.4 V 1.2 PG 1.2",
    ),
    _basket(
        "2022-01-01",
        "AAPL 6.9 MSFT 6.3 GOOGL 4.2 AMZN 3.6 TSLA 2.1 META 2.0 NVDA 1.8 BRK.B 1.4 UNH 1.2 JPM 1.2",
    ),
    _basket(
        "2024-01-01",
        "AAPL 7.0 MSFT 6.9 GOOGL 3.8 AMZN 3.4 NVDA 3.0 META 2.0 TSLA 1.7 BRK.B 1.6 UNH 1.3 JPM 1.2",
    ),
    _basket(
        "2025-01-01",
        "AAPL 7.6 NVDA 6.6 MSFT 6.3 AMZN 4.1 GOOGL 4 META 2.6 TSLA 2.3 AVGO 2.2 BRK.B 1.7 JPM 1.4",
    ),
    _basket(
        "2026-01-01",
        "NVDA 7.7 AAPL 6.9 MSFT 6.1 GOOGL 5.6 AMZN 3.8 AVGO 2.8 META 2.5 TSLA 2.2 BRK.B 1.6 V 1.1",
    ),
)

QQQ: Final = (
    _basket(
        "2012-01-01",
        "AAPL 14 MSFT 9 GOOG 7 ORCL 5.5 INTC 5 AMZN 3.5 CSCO 4 QCOM 4 AMGN 2.5 CMCSA 2.5",
    ),
    _basket(
        "2015-01-01",
        "AAPL 14 MSFT 8 GOOGL 6.5 FB 4 INTC 4 AMZN 3.5 CSCO 3 CMCSA 3 GILD 3 QCOM 2.7",
    ),
    _basket(
        "2018-01-01",
        "AAPL 11.5 MSFT 9 AMZN 9 GOOGL 9 FB 6 INTC 3 CSCO 2.6 CMCSA 2.6 NVDA 1.9 AMGN 1.7",
    ),
    _basket(
        "2020-01-01",
        "AAPL 11.5 MSFT 11 AMZN 8.5 GOOGL 8.5 FB 5 INTC 3 CSCO 2.3 CMCSA 2.3 PEP 2.1 ADBE 1.8",
    ),
    _basket(
        "2022-01-01",
        "AAPL 12 MSFT 10 GOOGL 8 AMZN 7 TSLA 5.5 NVDA 5 META 4.8 AVGO 2 ADBE 1.9 COST 1.8",
    ),
    _basket(
        "2024-01-01",
        "AAPL 9.2 MSFT 8.6 GOOGL 5 AMZN 4.8 AVGO 4.1 NVDA 4 META 3.9 TSLA 3 COST 2.4 ADBE 2",
    ),
    _basket(
        "2026-01-01",
        "NVDA 9 AAPL 8 MSFT 7.2 GOOGL 7 AMZN 4.9 META 3.9 TSLA 3.7 AVGO 3.3 PLTR 2.5 NFLX 1.9",
    ),
)

# The funds, each with its baskets ascending by `since`; a ticker that is not here is a single
# stock. IWM has none: its ten largest of 2,000 make up 3 to 5 % of it.
BASKETS: Final[dict[str, tuple[Basket, ...]]] = {"SPY": SPY, "QQQ": QQQ, "IWM": ()}


def _baskets(ticker: str) -> tuple[Basket, ...]:
    """Return the baskets of a fund; of any other ticker the one that is itself, at all times."""
    itself = Basket("1900-01-01", (Member(ticker, 1.0),))
    return BASKETS.get(ticker, (itself,))


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
