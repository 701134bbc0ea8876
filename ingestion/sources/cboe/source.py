"""Cboe's history files of its volatility indices: the fallback where Yahoo has none.

One CSV file an index, `DATE,OPEN,HIGH,LOW,CLOSE`, dates as MM/DD/YYYY, in index points, from the
first day of the index (2009 for VXN, RVX and VIX3M).
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from ingestion.sources.base import requested_index
from ingestion.sources.cboe.format import downloaded_levels
from ingestion.sources.wire.csv_answer import read_answer
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import HTTP, Http

BASE_URL: Final = "https://cdn.cboe.com/api/global/us_indices/daily_prices"


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
        requested_index(symbol)
        file = f"{symbol}_History.csv"
        what = f"Cboe, {file}"
        answer = read_answer(what, self.http.text(what, f"{self.base_url}/{file}"))
        return downloaded_levels(answer, symbol)
