"""Features of one key from its raw rows, as known at any time since the first landing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import numpy as np
import polars as pl

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from feature_repo.features.macro.group import DAILY, MONTHLY
from home.manifest import Answer, latest
from ingestion.lake.versions import out_of_order
from ingestion.tables.catalogue import (
    EARNINGS_CALENDAR,
    INDICES,
    MACRO_SERIES,
    MENTIONS,
    NEWS,
    NEWS_SENTIMENT,
    PRICES,
)
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED
from ingestion.views.aligned import (
    Aligned,
    align_indices,
    align_macro,
    align_prices,
    answered_by,
    up_to,
)
from ingestion.views.events import EarningsRaw, SentimentRaw, View, first_landings
from market.arrays import FloatArray

# The raw tables that each view is computed from: all of them, but any of those of sentiment.
TABLES_OF: Final = {
    "technical": (PRICES.name,),
    "iv": (PRICES.name, INDICES.name),
    "iv_lags": (PRICES.name, INDICES.name),
    "iv_path": (PRICES.name, INDICES.name),
    "macro": (MACRO_SERIES.name,),
    "sentiment": (NEWS.name, NEWS_SENTIMENT.name, MENTIONS.name),
    "earnings": (EARNINGS_CALENDAR.name,),
}
# The raw table whose values a view carries forward to sessions that have none of their own.
CARRIED: Final = {"macro": MACRO_SERIES.name, "earnings": EARNINGS_CALENDAR.name}


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
    """Prices of a ticker, by array name its volatility indices, and its events.

    Without one of its indices it has none; without an input of sentiment or earnings, not these.
    `definitions` are the technical group to compute by.
    """

    prices: pl.DataFrame
    indices: Mapping[str, pl.DataFrame]
    events: tuple[SentimentRaw | EarningsRaw, ...] = ()
    definitions: Group = GROUPS["technical"]

    def changes(self) -> list[datetime]:
        """Return the times at which the past of an input changed, ascending."""
        parts = [(PRICES, self.prices), *((INDICES, rows) for rows in self.indices.values())]
        times = {time for table, rows in parts for time in _changes(table, rows)}
        return sorted(times.union(*(events.changes() for events in self.events)))

    def views(self, known_by: datetime | None) -> Iterator[View]:
        """Yield technical, the iv views where every index had landed, sentiment, earnings."""
        prices = latest(self.prices, PRICES.key, known_by)
        if prices.is_empty():
            return
        priced = align_prices(prices)
        technical = self.definitions.compute(priced.arrays)
        yield "technical", priced, technical
        yield from self._iv(priced, technical, known_by)
        landed = first_landings(self.prices)
        for events in self.events:
            view = events.view(priced, landed, known_by)
            if view is not None:
                yield view

    def _iv(
        self, priced: Aligned, technical: dict[str, FloatArray], known_by: datetime | None
    ) -> Iterator[View]:
        indices = {name: latest(rows, INDICES.key, known_by) for name, rows in self.indices.items()}
        if not indices or any(rows.is_empty() for rows in indices.values()):
            return
        aligned = align_indices(priced, indices)
        iv = GROUPS["iv"].compute({**technical, **aligned.arrays})
        yield "iv", aligned, iv
        for name in ("iv_lags", "iv_path"):
            yield name, aligned, GROUPS[name].compute(iv)


@dataclass(frozen=True)
class MacroRaw:
    """All macro series, and the market's sessions with their first landing (`landed_at`).

    `answers` say up to which session the series are complete; later ones are pending.
    """

    rows: pl.DataFrame
    market: pl.DataFrame
    answers: tuple[Answer, ...] = ()

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
            known = [answered_by(answer, aligned.sessions) for answer in self.answers]
            aligned = up_to(aligned, np.logical_and.reduce([aligned.sessions.notna(), *known]))
            yield "macro", aligned, GROUPS["macro"].compute(aligned.arrays)


def _changes(table: Table, rows: pl.DataFrame) -> list[datetime]:
    return out_of_order(rows, table.key, table.dated, LANDED)
