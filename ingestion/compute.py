"""Features of one key from its raw rows, as known at any time since the first landing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import polars as pl

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Array
from feature_repo.features.macro import DAILY, MONTHLY
from feature_repo.manifest import latest
from ingestion.align import Aligned, align_indices, align_macro, align_prices
from ingestion.frames import LANDED
from ingestion.table import Table
from ingestion.tables import INDICES, MACRO_SERIES, PRICES
from ingestion.versions import out_of_order

View = tuple[str, Aligned, dict[str, Array]]

# The raw tables that each view is computed from.
TABLES_OF: Final = {
    "technical": ("prices",),
    "iv": ("prices", "indices"),
    "iv_lags": ("prices", "indices"),
    "macro": ("macro_series",),
}
# The raw table whose values a view carries forward to sessions that have none of their own.
CARRIED: Final = {"macro": "macro_series"}


class Raw(Protocol):
    """All versions of the raw rows of one key."""

    def changes(self) -> list[datetime]:
        """Return the times at which its past changed, ascending."""
        ...

    def views(self, known_by: datetime | None) -> Iterator[View]:
        """Yield each view, with its alignment and features, from the rows landed by a time."""
        ...


@dataclass(frozen=True)
class TickerRaw:
    """Prices of a ticker and, by array name, its volatility indices; empty without one of them."""

    prices: pl.DataFrame
    indices: Mapping[str, pl.DataFrame]

    def changes(self) -> list[datetime]:
        """Return the times at which the past of prices or indices changed, ascending."""
        parts = [(PRICES, self.prices), *((INDICES, rows) for rows in self.indices.values())]
        return sorted({time for table, rows in parts for time in _changes(table, rows)})

    def views(self, known_by: datetime | None) -> Iterator[View]:
        """Yield technical, then iv and iv_lags where every index had landed."""
        prices = latest(self.prices, PRICES.key, known_by)
        if prices.is_empty():
            return
        priced = align_prices(prices)
        technical = GROUPS["technical"].compute(priced.arrays)
        yield "technical", priced, technical
        indices = {name: latest(rows, INDICES.key, known_by) for name, rows in self.indices.items()}
        if not indices or any(rows.is_empty() for rows in indices.values()):
            return
        aligned = align_indices(priced, indices)
        iv = GROUPS["iv"].compute({**technical, **aligned.arrays})
        yield "iv", aligned, iv
        yield "iv_lags", aligned, GROUPS["iv_lags"].compute(iv)


@dataclass(frozen=True)
class MacroRaw:
    """All macro series, and the market's sessions with their first landing (`landed_at`)."""

    rows: pl.DataFrame
    market: pl.DataFrame

    def changes(self) -> list[datetime]:
        """Return the times at which the past of a series changed, ascending."""
        parts = self.rows.partition_by("series")
        return sorted({time for part in parts for time in _changes(MACRO_SERIES, part)})

    def views(self, known_by: datetime | None) -> Iterator[View]:
        """Yield macro, for the sessions landed by then, once every series had landed."""
        rows, market = latest(self.rows, MACRO_SERIES.key, known_by), self.market
        if known_by is not None:
            market = market.filter(pl.col(LANDED) <= known_by)
        if {*DAILY, *MONTHLY} <= set(rows["series"].unique()) and market.height:
            aligned = align_macro(rows, market)
            yield "macro", aligned, GROUPS["macro"].compute(aligned.arrays)


def _changes(table: Table, rows: pl.DataFrame) -> list[datetime]:
    return out_of_order(rows, table.key, table.dated, LANDED)
