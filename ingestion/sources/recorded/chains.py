"""Recorded option chains: a CSV file of quotes for each underlying and day."""

import re
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile
from ingestion.sources.wire.option_quotes import without_marks
from market.errors import InputError
from market.options.contract_symbols import written_contract
from market.options.roots import chain_roots

SYMBOL: Final = "contract_symbol"
#: The day of an expiry, or a strike in eight digits: what is meant to be a contract's symbol.
LIKE_A_SYMBOL: Final = re.compile(r"[0-9]{6}|[0-9]{5,}[CP]|[CP][0-9]{5,}")
NUMBERS: Final = MappingProxyType(
    {
        "strike": "strike",
        "underlying_price": "underlying_last",
        "bid": "bid",
        "ask": "ask",
        "volume": "volume",
        "open_interest": "open_interest",
        "implied_volatility": "implied_volatility",
        "delta": "delta",
        "gamma": "gamma",
    }
)


def chain_quotes(file: CsvFile, underlying: str) -> pd.DataFrame:
    """Return the columns of `option_chains`, in USD; what a vendor marks as none is null.

    The root is that of the contract's symbol. Where a file has no symbols, or words of its own in
    their place, it is the underlying's, which then may have one alone.

    Raises
    ------
    SchemaViolation
        If a cell cannot be read, or a row is of another underlying.
    """
    names = ["quote_time", "underlying", "expiration", "option_type", *NUMBERS.values()]
    file.require(names)
    file.refuse(file.columns["underlying"] != underlying, "underlying", underlying)
    frame = pd.DataFrame(
        {
            "underlying": underlying,
            "root": _roots(file, underlying),
            "quote_time": file.times("quote_time"),
            "expiration": file.dates("expiration"),
            "option_type": file.texts("option_type"),
            **{column: file.numbers(header) for column, header in NUMBERS.items()},
        }
    )
    return without_marks(frame)


def _roots(file: CsvFile, underlying: str) -> pd.Series | str:
    own = chain_roots(underlying)
    if SYMBOL not in file.columns:
        return own[0]
    roots = [_root(str(symbol), own) for symbol in file.columns[SYMBOL]]
    unread = np.array([root is None for root in roots], dtype=np.bool_)
    file.refuse(unread, SYMBOL, "a symbol such as SPY250718P00550000")
    return pd.Series(roots, dtype=object)


def _root(symbol: str, own: tuple[str, ...]) -> str | None:
    """Return the root of a contract's symbol, None where neither it nor the file says which."""
    try:
        return written_contract(symbol).root
    except InputError:
        return own[0] if len(own) == 1 and not LIKE_A_SYMBOL.search(symbol) else None
