"""Cboe without a key: its delayed quotes of option chains, and histories of volatility indices.

A chain is one JSON file an underlying, that of an index after an underscore; quotes are 15 minutes
old, and stand still when the market does.

The histories are the fallback where Yahoo has none. One CSV file an index, with the columns
`DATE,OPEN,HIGH,LOW,CLOSE`, dates as MM/DD/YYYY, in index points, from the first day of the index
(2009 for VXN, RVX and VIX3M).
"""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from ingestion.sources.base import requested_index
from ingestion.sources.cboe.chains import delayed_chain
from ingestion.sources.cboe.format import downloaded_levels
from ingestion.sources.wire.csv_answer import read_answer
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import HTTP, Http
from ingestion.sources.wire.json_answer import read_json
from ingestion.sources.wire.option_quotes import refuse_stale
from ingestion.tables.catalogue import INDICES, OPTION_CHAINS
from market.options.roots import chain_roots
from market.underlyings import UNDERLYINGS

BASE_URL: Final = "https://cdn.cboe.com/api/global/us_indices/daily_prices"
QUOTES_URL: Final = "https://cdn.cboe.com/api/global/delayed_quotes/options"


class Cboe:
    """Volatility indices from Cboe's history files, option chains from its delayed quotes.

    Parameters
    ----------
    base_url
        The folder of the files, `<symbol>_History.csv`.
    http
        Who asks for them.
    quotes_url
        The folder of the chains, `<symbol>.json`.
    """

    name = "cboe"
    origin = "live"
    tables: tuple[str, ...] = (INDICES.name, OPTION_CHAINS.name)

    def __init__(
        self, base_url: str = BASE_URL, http: Http = HTTP, quotes_url: str = QUOTES_URL
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.quotes_url = quotes_url.rstrip("/")
        self.http = http

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the levels of the symbols dated in [start, end]; see `Source.fetch`.

        Chains are those of now; one whose quotes are older than `start` is refused.

        Raises
        ------
        InputError
            If the table or a symbol is not possible, or start lies after end.
        SourceUnavailable
            If Cboe did not answer, or not with a whole file.
        SchemaViolation
            If the file cannot be read to the letter.
        """
        if table == OPTION_CHAINS.name:
            return fetch_each(self, table, keys, (start, end), lambda key: self._chain(key, start))
        return fetch_each(self, table, keys, (start, end), self._levels)

    def _chain(self, name: str, start: pd.Timestamp | None) -> pd.DataFrame:
        chain_roots(name)
        file = f"{name if name in UNDERLYINGS else f'_{name}'}.json"
        what = f"Cboe, chain {file}"
        answer = read_json(what, self.http.text(what, f"{self.quotes_url}/{file}"))
        rows = delayed_chain(what, answer, name)
        refuse_stale(what, rows["quote_time"].iloc[0], start)
        return rows

    def _levels(self, symbol: str) -> pd.DataFrame:
        requested_index(symbol)
        file = f"{symbol}_History.csv"
        what = f"Cboe, {file}"
        answer = read_answer(what, self.http.text(what, f"{self.base_url}/{file}"))
        return downloaded_levels(answer, symbol)
