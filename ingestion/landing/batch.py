"""Keys of a table that are fetched and landed together, and which keys tickers need."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import pandas as pd

from ingestion.landing.fetching import Days
from ingestion.sources.base import Source
from ingestion.tables.catalogue import OPTION_CHAINS, TABLES
from ingestion.tables.declare import Table
from ingestion.views.catalogue import VIEWS
from market.options.roots import chain_keys
from market.underlyings import MARKET, underlying

# A bound on memory, and few enough runs of the gate.
BATCH: Final = 100


@dataclass(frozen=True)
class Batch:
    """Keys of one table, fetched, gated and landed at once.

    Attributes
    ----------
    table
        The raw table.
    keys
        The keys asked for.
    days
        The first and last day asked for, without a zone; the first may be None, for all history.
    landed_at
        The time of the landing, with a zone.
    """

    table: Table
    keys: tuple[str, ...]
    days: Days
    landed_at: pd.Timestamp

    @property
    def end(self) -> pd.Timestamp:
        """The last complete session: later ones are held back."""
        return self.days[1]

    @property
    def name(self) -> str:
        """What a record knows it by: the table, and a hash of the keys."""
        return f"{self.table.name}/{sha256(','.join(self.keys).encode()).hexdigest()[:12]}"


def batches(
    source: Source,
    tickers: Sequence[str],
    start: pd.Timestamp | None,
    end: pd.Timestamp,
    landed_at: pd.Timestamp,
) -> list[Batch]:
    """Return all that tickers need of a source, see `fetch_all` for the parameters.

    Raises
    ------
    InputError
        If a ticker is not an underlying.
    """
    needed = needed_keys(tickers)
    return [
        Batch(table, tuple(keys[at : at + BATCH]), _days(source, table, start, end), landed_at)
        for table in TABLES.values()
        if table.name in source.tables
        for keys in [needed[table.name]]
        for at in range(0, len(keys), BATCH)
    ]


def needed_keys(tickers: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys of each raw table that tickers need: for their features, and their chains.

    Raises
    ------
    InputError
        If a ticker is not an underlying.
    """
    names = [underlying(ticker).ticker for ticker in tickers]
    chains = [(OPTION_CHAINS.name, key) for name in names for key in chain_keys(name)]
    needed = [*_of_views(names), *chains]
    keys: dict[str, list[str]] = {table: [] for table in TABLES}
    for table, key in dict.fromkeys(needed):
        keys[table].append(key)
    return keys


def _of_views(tickers: Iterable[str]) -> Iterator[tuple[str, str]]:
    for view in VIEWS:
        for key in tickers if view.entity == "ticker" else (MARKET,):
            yield from view.needs(key)


def _days(source: Source, table: Table, start: pd.Timestamp | None, end: pd.Timestamp) -> Days:
    # Option chains have no history but what was recorded: they are asked for as they stand.
    as_they_stand = table is OPTION_CHAINS and source.origin != "recorded"
    return (end if as_they_stand else start, end)
