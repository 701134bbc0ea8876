"""Raw rows out of the lake, by what a build needs them for."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from home.manifest import Answer, Manifest, read_rows
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import LANDED, SESSION, TIME, as_declared
from ingestion.views.catalogue import part_of, views_of_entity
from ingestion.views.declare import View
from ingestion.views.raw import Raw, first_landings
from market.calendar import sessions
from market.errors import DamagedFile, InputError
from market.underlyings import MARKET

# A raw table and a key of it.
Name = tuple[str, str]


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
    """

    def __init__(self, data_dir: Path, manifest: Manifest) -> None:
        self.data_dir = data_dir
        self.manifest = manifest
        self._shared: dict[Name, pl.DataFrame] = {}

    def raw(self, entity: str, key: str) -> Raw:
        """Return the raw rows that the views of a ticker, or of the market, are computed from.

        Of a view that needs every one of its keys there are none without one of them, and none of
        one that needs a damaged file: that is told (Decision 24).

        Raises
        ------
        InputError
            If a ticker has no prices, or no prices have landed at all.
        DamagedFile
            If the ticker's prices are damaged, or those of all tickers.
        """
        views, damaged = views_of_entity(entity), self._damaged(entity, key)
        priced = [(PRICES.name, key)] if entity == "ticker" else []
        whole = [view for view in views if view.name not in damaged]
        landed = [name for view in whole for name in self._landed(view, key)]
        names = dict.fromkeys([*priced, *landed])
        rows = {name: self._read(name, shared=name[1] != key) for name in names}
        first_live = self.manifest.first_live_landing
        return Raw(
            entity=entity,
            key=key,
            rows=rows,
            sessions=first_landings(rows[priced[0]]) if priced else self._market(),
            answers={name: answer for view in views for name, answer in self._answers(view, key)},
            first_live=None if first_live is None else datetime.fromisoformat(first_live),
            damaged=damaged,
        )

    def inputs(self, entity: str, key: str) -> list[Name]:
        """Return the (table, key) of all raw rows that the features of a key are computed from."""
        tickers: Iterable[str] = (key,) if entity == "ticker" else self.manifest.keys(PRICES.name)
        needed = [name for view in views_of_entity(entity) for name in self._needed(view, key)]
        return list(dict.fromkeys([*((PRICES.name, ticker) for ticker in tickers), *needed]))

    def fault(self, name: Name) -> str | None:
        """Return why the file of a (table, key) is damaged and what to do, None if it is not."""
        entry = self.manifest.entries.get(name)
        return None if entry is None else self.manifest.fault(self.data_dir, entry)

    def _damaged(self, entity: str, key: str) -> dict[str, str]:
        """Return which views of a key need a damaged file, and why it is damaged."""
        found: dict[str, str] = {}
        for view in views_of_entity(entity):
            if view.events and not self._begun(view, key):
                continue
            below = [found[name] for base in view.built_on if (name := base.name) in found]
            faults = (self.fault(name) for name in self._needed(view, key))
            why = next((fault for fault in (*below, *faults) if fault is not None), None)
            if why is not None:
                found[view.name] = why
        return found

    def _begun(self, view: View, key: str) -> bool:
        """Return whether anything has landed that a view of a key is made of."""
        return any(name in self.manifest.entries for name in view.made_of(key))

    def _needed(self, view: View, key: str) -> list[Name]:
        """Return the names of a view's rows; what is read beside others comes with these."""
        return view.needs(key) if self._begun(view, key) else view.made_of(key)

    def _landed(self, view: View, key: str) -> list[Name]:
        """Return the names of a view's rows; none where one is missing that it needs."""
        needed = self._needed(view, key)
        landed = [name for name in needed if name in self.manifest.entries]
        return landed if view.events or len(landed) == len(needed) else []

    def _answers(self, view: View, key: str) -> Iterator[tuple[Name, Answer]]:
        """Yield how the source of the table that a view carries answered, by name."""
        for name in view.needs(key):
            answer = self.manifest.answers.get(name)
            if answer is not None and name[0] == view.carried:
                yield name, answer

    def _market(self) -> pl.DataFrame:
        """Return the market's sessions and when each, or one after it, first landed.

        They are those of the tickers whose prices are whole.
        """
        faults = {
            name: self.fault(name) for name in self.manifest.entries if name[0] == PRICES.name
        }
        damaged = {name: why for name, why in faults.items() if why is not None}
        if damaged and len(damaged) == len(faults):
            raise DamagedFile(next(iter(damaged.values())))
        entries = {name: e for name, e in self.manifest.entries.items() if name not in damaged}
        whole = replace(self.manifest, entries=entries)
        first, last = prices_span(whole, MARKET)
        days = pl.DataFrame({SESSION: list(sessions(first, last).date)})
        landed = pl.DataFrame(schema={SESSION: pl.Date, LANDED: TIME})
        for ticker in whole.keys(PRICES.name):
            columns = [SESSION, LANDED]
            rows = read_rows(self.data_dir, PRICES.name, [ticker], self.manifest, columns)
            landed = pl.concat([landed, rows]).group_by(SESSION).agg(pl.col(LANDED).min())
        return days.join(landed, on=SESSION, how="left", maintain_order="left").with_columns(
            pl.col(LANDED).fill_null(strategy="backward")
        )

    def _read(self, name: Name, *, shared: bool) -> pl.DataFrame:
        """Return all versions of the rows of a (table, key); those that others share are kept."""
        if name in self._shared:
            return self._shared[name]
        table, key = name
        part = part_of(table)
        rows = as_declared(table, read_rows(self.data_dir, table, [key], self.manifest, part=part))
        if shared:
            self._shared[name] = rows
        return rows
