"""The raw rows of one key, as values: all versions, or those landed by a time."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import polars as pl

from home.manifest import Answer, latest
from ingestion.tables.catalogue import PRICES
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, SESSION, TIME, TYPES
from ingestion.views.aligned import Aligned, align_prices
from market.adjust import payable


@dataclass(frozen=True)
class Raw:
    """All versions of the raw rows that the views of one key are computed from.

    Attributes
    ----------
    entity, key
        What the views' rows belong to: a ticker, or the market.
    rows
        Table name and key to all versions of its rows, in the order of `read_rows`; only what has
        landed.
    sessions
        The key's sessions, ascending, and when each first landed with a price (`landed_at`).
    answers
        Table name and key to how the source answered for it; only of tables that are carried.
    first_live
        The home's first live landing, None where there was none.
    damaged
        The views that need a damaged file, by name, and which file that is; no rows of them.
    """

    entity: str
    key: str
    rows: Mapping[tuple[str, str], pl.DataFrame]
    sessions: pl.DataFrame
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    first_live: datetime | None = None
    damaged: Mapping[str, str] = field(default_factory=dict)

    def landed_by(self, time: datetime | None) -> "Raw":
        """Return the rows and sessions that had landed by a time; None for all."""
        if time is None:
            return self
        landed = pl.col(LANDED) <= time
        rows = {name: versions.filter(landed) for name, versions in self.rows.items()}
        return replace(self, rows=rows, sessions=self.sessions.filter(landed))

    def of(self, table: Table) -> dict[str, pl.DataFrame]:
        """Return all versions of the rows of a table, by key, for the keys that have landed."""
        return {key: rows for (name, key), rows in self.rows.items() if name == table.name}

    def versions(self, table: Table) -> pl.DataFrame:
        """Return all versions of the rows of a table, key after key; none if it has not landed."""
        parts = self.of(table).values()
        return pl.concat(parts) if parts else no_rows(table)

    def answers_of(self, table: Table) -> dict[str, Answer]:
        """Return how the source answered for the keys of a table."""
        return {key: answer for (name, key), answer in self.answers.items() if name == table.name}

    @cached_property
    def priced(self) -> Aligned:
        """The adjusted prices of a ticker by its sessions: the base of all of its views."""
        newest, _ = computable(self.rows[PRICES.name, self.key])
        return align_prices(newest)

    @cached_property
    def skipped(self) -> pl.DataFrame:
        """The versions of prices that no adjustment can compute with, where there are prices."""
        prices = self.rows.get((PRICES.name, self.key))
        return no_rows(PRICES) if prices is None else computable(prices)[1]


def computable(prices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the newest versions of prices that can be adjusted together, and those skipped.

    The gate refuses a version whose dividend is not below the close before; one that landed all the
    same, as before there was the rule, is skipped by the same rule, and the version before it
    stands.

    Parameters
    ----------
    prices
        All versions of the rows of one ticker.
    """
    skipped = [prices.clear()]
    while True:
        newest = latest(prices, PRICES.key).sort(PRICES.dated)
        columns = (newest[name].to_numpy() for name in ("close", "dividend", "split"))
        wrong = newest.filter(~pl.Series(payable(*columns), dtype=pl.Boolean))
        if wrong.is_empty():
            return newest, pl.concat(skipped)
        skipped.append(wrong)
        prices = prices.join(wrong, on=[*PRICES.key, LANDED], how="anti", maintain_order="left")


def first_landings(prices: pl.DataFrame) -> pl.DataFrame:
    """Return the sessions of all versions of prices, ascending, and when each first landed."""
    return prices.group_by(SESSION).agg(pl.col(LANDED).min()).sort(SESSION)


def no_rows(table: Table) -> pl.DataFrame:
    """Return a frame of no rows of a table, as the lake stores them."""
    return pl.DataFrame(schema={c.name: TYPES[c.dtype] for c in table.columns} | {LANDED: TIME})
