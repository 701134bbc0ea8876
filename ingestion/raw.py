"""Raw rows out of the lake, by what a build needs them for."""

from pathlib import Path

import polars as pl

from feature_repo.errors import InputError
from feature_repo.manifest import Manifest, read_rows
from feature_repo.markets import MARKET, TERM_SLOPE, sessions, underlying
from ingestion.compute import MacroRaw, TickerRaw
from ingestion.frames import LANDED, SESSION, TIME, typed
from ingestion.tables import INDICES, MACRO_SERIES, PRICES


def index_symbols(ticker: str) -> dict[str, str]:
    """Return the volatility indices of a ticker: array name to symbol (Decision 13)."""
    third_month, first_month = TERM_SLOPE
    return {
        "vix_close": underlying(ticker).volatility_index,
        "vix3m_close": third_month,
        "spx_vix_close": first_month,
    }


def prices_span(manifest: Manifest, key: str) -> tuple[str, str]:
    """Return the first and last session with prices of a ticker; of all tickers for the market."""
    keys = manifest.keys(PRICES.name) if key == MARKET else (key,)
    entries = [manifest.entries.get((PRICES.name, name)) for name in keys]
    landed = [entry for entry in entries if entry is not None]
    if not landed:
        raise InputError(f"no prices have landed for {', '.join(keys) or 'any ticker'}; fetch them")
    return min(entry.first for entry in landed), max(entry.last for entry in landed)


class RawReader:
    """The raw rows of keys, from one manifest; an index is read once for all tickers.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    manifest
        What it holds.
    """

    def __init__(self, data_dir: Path, manifest: Manifest) -> None:
        self.data_dir = data_dir
        self.manifest = manifest
        self._indices: dict[str, pl.DataFrame] = {}

    def ticker(self, ticker: str) -> TickerRaw:
        """Return the raw rows of a ticker; without one of its indices, only its prices."""
        symbols = index_symbols(ticker)
        prices = read_rows(self.data_dir, PRICES.name, [ticker], self.manifest)
        landed = all((INDICES.name, symbol) in self.manifest.entries for symbol in symbols.values())
        indices = {name: self._index(symbol) for name, symbol in symbols.items()} if landed else {}
        return TickerRaw(prices, indices)

    def macro(self) -> MacroRaw:
        """Return all macro rows, and the sessions from the first to the last one with prices.

        Raises
        ------
        InputError
            If no prices have landed.
        """
        keys = self.manifest.keys(MACRO_SERIES.name)
        if not keys:
            return MacroRaw(typed(MACRO_SERIES, MACRO_SERIES.empty()), self._market())
        rows = read_rows(self.data_dir, MACRO_SERIES.name, keys, self.manifest)
        return MacroRaw(rows, self._market())

    def _market(self) -> pl.DataFrame:
        """Return the market's sessions and when each, or one after it, first landed."""
        first, last = prices_span(self.manifest, MARKET)
        days = pl.DataFrame({SESSION: list(sessions(first, last).date)})
        landed = pl.DataFrame(schema={SESSION: pl.Date, LANDED: TIME})
        for ticker in self.manifest.keys(PRICES.name):
            columns = [SESSION, LANDED]
            rows = read_rows(self.data_dir, PRICES.name, [ticker], self.manifest, columns)
            landed = pl.concat([landed, rows]).group_by(SESSION).agg(pl.col(LANDED).min())
        return days.join(landed, on=SESSION, how="left", maintain_order="left").with_columns(
            pl.col(LANDED).fill_null(strategy="backward")
        )

    def _index(self, symbol: str) -> pl.DataFrame:
        if symbol not in self._indices:
            rows = read_rows(self.data_dir, INDICES.name, [symbol], self.manifest)
            self._indices[symbol] = rows
        return self._indices[symbol]
