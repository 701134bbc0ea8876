"""Recorded option chains: a CSV file of quotes for each underlying and day."""

from types import MappingProxyType
from typing import Final

import pandas as pd

from ingestion.sources.wire.csv_file import CsvFile

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
# Where a vendor could invert no volatility it writes 0, Yahoo 1e-05 and numbers just beside it.
NOT_INVERTED: Final = 1.001e-5


def chain_quotes(file: CsvFile, underlying: str) -> pd.DataFrame:
    """Return the columns of `option_chains`, in USD; a volatility not inverted is null.

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
            "quote_time": file.times("quote_time"),
            "expiration": file.dates("expiration"),
            "option_type": file.texts("option_type"),
            **{column: file.numbers(header) for column, header in NUMBERS.items()},
        }
    )
    volatility = frame["implied_volatility"]
    unknown = (volatility >= 0.0) & (volatility <= NOT_INVERTED)
    return frame.assign(implied_volatility=volatility.mask(unknown))
