"""Cboe's history files of its volatility indices: the fallback where Yahoo has none.

One CSV file an index, `DATE,OPEN,HIGH,LOW,CLOSE`, dates as MM/DD/YYYY, in index points, from the
first day of the index (2009 for VXN, RVX and VIX3M).
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

import pandas as pd

from ingestion.sources.wire.csv_answer import read_answer
from ingestion.sources.wire.csv_file import CsvFile
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import HTTP, Http
from market.errors import InputError
from market.underlyings import VOLATILITY_INDICES

BASE_URL: Final = "https://cdn.cboe.com/api/global/us_indices/daily_prices"
OPTIONAL: Final = MappingProxyType({"open": "OPEN", "high": "HIGH", "low": "LOW"})


class Cboe:
    """Volatility indices from Cboe's history files.

    Parameters
    ----------
    base_url
        The folder of the files, `<symbol>_History.csv`.
    http
        Who asks for them.
    """

    name = "cboe"
    origin = "live"
    tables: tuple[str, ...] = ("indices",)

    def __init__(self, base_url: str = BASE_URL, http: Http = HTTP) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = http

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the levels of the symbols dated in [start, end]; see `Source.fetch`.

        Raises
        ------
        InputError
            If the table or a symbol is not possible, or start lies after end.
        SourceUnavailable
            If Cboe did not answer, or not with a whole file.
        SchemaViolation
            If the file cannot be read to the letter.
        """
        return fetch_each(self, table, keys, (start, end), self._levels)

    def _levels(self, symbol: str) -> pd.DataFrame:
        known_index(symbol)
        file = f"{symbol}_History.csv"
        what = f"Cboe, {file}"
        return history(read_answer(what, self.http.text(what, f"{self.base_url}/{file}")), symbol)


def history(file: CsvFile, symbol: str) -> pd.DataFrame:
    """Return the columns of `indices`, in index points; a column not in the file is null.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a cell is not what it should be.
    """
    file.require(["DATE", "CLOSE"])
    days = pd.to_datetime(pd.Series(file.columns["DATE"]), format="%m/%d/%Y", errors="coerce")
    file.refuse(days.isna().to_numpy(), "DATE", "a date such as 01/31/2024")
    frame = pd.DataFrame({"symbol": symbol, "session": days.astype("datetime64[ns]")})
    for column, header in OPTIONAL.items():
        frame[column] = file.numbers(header) if header in file.columns else float("nan")
    return frame.assign(close=file.numbers("CLOSE"))


def known_index(symbol: str) -> None:
    """Refuse a symbol that is no volatility index of an underlying.

    Raises
    ------
    InputError
        Naming the symbol and the ones allowed.
    """
    if symbol not in VOLATILITY_INDICES:
        raise InputError(
            f"unknown volatility index: got {symbol!r:.40}, "
            f"allowed are {', '.join(VOLATILITY_INDICES)}"
        )
