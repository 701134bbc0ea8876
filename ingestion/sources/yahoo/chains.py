"""Yahoo's option chains as rows: USD, volatilities as fractions, 1e-05 where none was inverted.

Yahoo says no time of a quote: the chain is as old as the underlying's last price.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.json_answer import moment, number
from ingestion.sources.wire.option_quotes import SHARES, Sent, chain_rows
from market.errors import SchemaViolation

SYMBOL: Final = "contractSymbol"
NUMBERS: Final = ("bid", "ask", "volume", "openInterest", "impliedVolatility")
SIZE: Final = "contractSize"
SIZES: Final[Mapping[str, float]] = MappingProxyType({"REGULAR": SHARES, "MINI": 10.0})


def quoted_chain(what: str, parts: Sequence[Any], underlying: str) -> pd.DataFrame:
    """Return the columns of `option_chains` of the expirations of a chain.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    parts
        As yfinance gives them: `calls` and `puts`, frames, and `underlying`, Yahoo's quote of it.

    Raises
    ------
    KeyUnavailable
        If there is no contract.
    SchemaViolation
        If a column, a number or the time is missing or cannot be read.
    """
    sent = [
        one for part in parts for side in (part.calls, part.puts) for one in _contracts(what, side)
    ]
    quotes = [part.underlying for part in parts if isinstance(part.underlying, dict)]
    times = [moment(what, quote, "regularMarketTime") for quote in quotes]
    known = [(time, quote) for time, quote in zip(times, quotes, strict=True) if not pd.isna(time)]
    if not known:
        raise SchemaViolation(
            f"{what}: got no time of the underlying's price, allowed is regularMarketTime"
        )
    newest, quote = max(known, key=lambda pair: pair[0])
    return chain_rows(what, underlying, newest, number(what, quote, "regularMarketPrice"), sent)


def _contracts(what: str, side: pd.DataFrame) -> list[Sent]:
    if side.empty:
        return []
    missing = [name for name in (SYMBOL, *NUMBERS, SIZE) if name not in side.columns]
    if missing:
        got = ", ".join(map(str, side.columns))
        raise SchemaViolation(f"{what}: missing column {', '.join(missing)}; got {got:.200}")
    try:
        numbers = side[list(NUMBERS)].to_numpy(float, na_value=np.nan)
    except (ValueError, TypeError):
        raise SchemaViolation(f"{what}: got a value that is no number") from None
    sizes = [SIZES.get(str(size), np.nan) for size in side[SIZE]]
    symbols = map(str, side[SYMBOL])
    return [
        Sent(symbol, *row, shares=size)
        for symbol, row, size in zip(symbols, numbers.tolist(), sizes, strict=True)
    ]
