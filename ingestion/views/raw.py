"""Raw rows out of the lake, by what a build needs them for."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import polars as pl

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from home.manifest import Answer, Manifest, read_rows
from ingestion.tables.catalogue import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MARKET_SCOPE,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    PRICES,
)
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, SESSION, TIME, TYPES, typed
from ingestion.views.compute import MacroRaw, TickerRaw
from ingestion.views.events import EarningsRaw, SentimentRaw
from market.availability import SERIES
from market.baskets import basket_symbols
from market.calendar import sessions
from market.errors import InputError
from market.underlyings import MARKET, TERM_SLOPE, UNDERLYINGS, underlying


def index_symbols(ticker: str) -> dict[str, str]:
    """Return the volatility indices of a ticker: array name to symbol (Decision 13).

    A ticker that has no row in `UNDERLYINGS` has none, and so no view of implied volatility.
    """
    if ticker not in UNDERLYINGS:
        return {}
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
    """The raw rows of keys, from one manifest; what several tickers share is read once.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    manifest
        What it holds.
    definitions
        The technical group to compute by.
    """

    def __init__(
        self, data_dir: Path, manifest: Manifest, definitions: Group = GROUPS["technical"]
    ) -> None:
        self.data_dir = data_dir
        self.manifest = manifest
        self.definitions = definitions
        self._shared: dict[tuple[str, str], pl.DataFrame] = {}

    def ticker(self, ticker: str) -> TickerRaw:
        """Return the raw rows of a ticker; without one of its indices, none of them."""
        symbols = index_symbols(ticker)
        prices = read_rows(self.data_dir, PRICES.name, [ticker], self.manifest)
        landed = all(self._holds(INDICES, symbol) for symbol in symbols.values())
        indices = (
            {name: self._read(INDICES, symbol) for name, symbol in symbols.items()}
            if landed
            else {}
        )
        events = (*self._sentiment(ticker), *self._earnings(ticker))
        return TickerRaw(prices, indices, events, self.definitions)

    def inputs(self, entity: str, key: str) -> list[tuple[str, str]]:
        """Return the (table, key) of all raw rows that the features of a key are computed from."""
        if entity != "ticker":
            tables = (PRICES.name, MACRO_SERIES.name)
            return [(table, name) for table in tables for name in self.manifest.keys(table)]
        return [
            (PRICES.name, key),
            *((INDICES.name, symbol) for symbol in index_symbols(key).values()),
            (NEWS.name, MARKET_SCOPE),
            (NEWS_SENTIMENT.name, key),
            (MENTIONS.name, key),
            *((EARNINGS_CALENDAR.name, symbol) for symbol in basket_symbols(key)),
        ]

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
        return MacroRaw(rows, self._market(), tuple(self._answers(MACRO_SERIES, SERIES).values()))

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

    def _sentiment(self, ticker: str) -> list[SentimentRaw]:
        keys = ((NEWS, MARKET_SCOPE), (NEWS_SENTIMENT, ticker), (MENTIONS, ticker))
        if not any(self._holds(table, key) for table, key in keys):
            return []
        news, premium, mentions = (self._read(table, key) for table, key in keys)
        return [SentimentRaw(news, premium, mentions)]

    def _earnings(self, ticker: str) -> list[EarningsRaw]:
        symbols = [
            symbol for symbol in basket_symbols(ticker) if self._holds(EARNINGS_CALENDAR, symbol)
        ]
        if not symbols:
            return []
        rows = pl.concat([self._read(EARNINGS_CALENDAR, symbol) for symbol in symbols])
        first = self.manifest.first_live_landing
        live = None if first is None else datetime.fromisoformat(first)
        answers = self._answers(EARNINGS_CALENDAR, basket_symbols(ticker))
        return [EarningsRaw(ticker, rows, live, answers)]

    def _answers(self, table: Table, keys: Iterable[str]) -> dict[str, Answer]:
        held = self.manifest.answers
        return {key: held[table.name, key] for key in keys if (table.name, key) in held}

    def _holds(self, table: Table, key: str) -> bool:
        return (table.name, key) in self.manifest.entries

    def _read(self, table: Table, key: str) -> pl.DataFrame:
        """Return all versions of the rows of a key, none if it has not landed."""
        if not self._holds(table, key):
            return pl.DataFrame(
                schema={c.name: TYPES[c.dtype] for c in table.columns} | {LANDED: TIME}
            )
        if (table.name, key) not in self._shared:
            rows = read_rows(self.data_dir, table.name, [key], self.manifest)
            self._shared[table.name, key] = rows
        return self._shared[table.name, key]
