"""Rows that the gate refused: what there is, and letting chosen ones through."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from home.manifest import Manifest, read_manifest
from home.strict_json import Json
from ingestion.build.build import ViewReport, build_features
from ingestion.lake.lake import Lake
from ingestion.lake.quarantine import (
    REASON,
    RELEASED,
    ROW_ID,
    choose,
    damage,
    outdated,
    refused_rows,
    refused_tables,
    summary,
)
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED
from ingestion.views.catalogue import VIEW_OF, groups_of_table
from market.errors import InputError

if TYPE_CHECKING:
    from home.layout import Home
    from home.progress import Progress


@dataclass(frozen=True)
class Count:
    """How many rows of a key were refused at one time for one reason, and the days they span."""

    table: str
    key: str
    reason: str
    refused_at: str
    rows: int
    released: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class RefusedRow:
    """A row that the gate refused; `released_at` is None until it is released."""

    id: str
    table: str
    key: str
    reason: str
    refused_at: str
    released_at: str | None
    row: Mapping[str, Json]


@dataclass(frozen=True)
class Release:
    """How many rows were released, what landed of them, and the views that were built."""

    table: str
    key: str
    released: int
    released_at: str
    rows_new: int
    rows_corrected: int
    features: list[ViewReport]


def counts(
    home: "Home", table: str | None = None, key: str | None = None
) -> tuple[list[Count], list[str]]:
    """Return how many rows were refused, a row for each table, key, reason and landing.

    Returns
    -------
    tuple
        The rows, and for each file that is damaged, which takes no other's rows with it, why.

    Raises
    ------
    InputError
        If nothing has landed in the home, or there is no such table.
    """
    home.origin()
    manifest = read_manifest(home.data)
    whole, faults = _whole(home, manifest, table, key)
    rows = summary(home.data, manifest, whole).iter_rows(named=True)
    return [Count(**_plain(row)) for row in rows], faults


def refused(
    home: "Home", table: str | None = None, key: str | None = None, reason: str | None = None
) -> tuple[list[RefusedRow], list[str]]:
    """Return the refused rows, those whose reason holds a text, with what became of each.

    Returns
    -------
    tuple
        As `counts`.

    Raises
    ------
    InputError
        As `counts`.
    """
    home.origin()
    manifest = read_manifest(home.data)
    whole, faults = _whole(home, manifest, table, key)
    rows = [
        RefusedRow(
            id=row[ROW_ID],
            table=found.name,
            key=name,
            reason=row[REASON],
            refused_at=row[LANDED].isoformat(),
            released_at=None if row[RELEASED] is None else row[RELEASED].isoformat(),
            row=_plain({column: row[column] for column in found.names}),
        )
        for found, name in whole
        for row in refused_rows(home.data, manifest, found, name, reason).iter_rows(named=True)
    ]
    return rows, faults


def release(
    home: "Home",
    table: str,
    key: str,
    choice: tuple[str | None, Collection[str]],
    as_of: pd.Timestamp,
    progress: "Progress",
) -> Release:
    """Land chosen refused rows, and build the views that they change into a new generation.

    A release whose build was cut short is taken up again by the next one, as by any build.

    Parameters
    ----------
    home, table, key
        Where the rows are.
    choice
        A text that their reasons hold (None: any), and the ids of the rows (none: all).
    as_of
        The time of the release, which is recorded.
    progress
        Called with (what, done, total) after each key that was built.

    Raises
    ------
    InputError
        If no row is chosen, or one of them breaks a rule that the lake itself needs.
    """
    home.origin()
    reason, ids = choice
    with Lake(home.data) as lake:
        shape = _table(table)
        rows = refused_rows(lake.data_dir, lake.manifest, shape, key, reason)
        released = new = corrected = 0
        if rows[RELEASED].null_count() or not _behind(lake):
            chosen = choose(shape, key, rows, ids)
            landing = lake.release(shape, key, chosen, as_of, groups_of_table(shape))
            released, new, corrected = chosen.height, landing.rows_new, landing.rows_corrected
        built: list[ViewReport] = []
        if any(view in lake.manifest.tables for view in VIEW_OF):
            tickers = lake.manifest.keys("prices")
            built = build_features(lake, tickers, as_of, progress)
    return Release(table, key, released, as_of.isoformat(), new, corrected, built)


def _behind(lake: Lake) -> bool:
    """Return whether a view still waits to be built again after a release."""
    tables = lake.manifest.tables
    return any(
        view in tables and tables[view].generation <= generation
        for view, generation in outdated(lake.data_dir, lake.manifest).items()
    )


def _whole(
    home: "Home", manifest: Manifest, table: str | None, key: str | None
) -> tuple[list[tuple[Table, str]], list[str]]:
    """Return the tables and keys asked for whose refused rows can be read, and why others not."""
    wanted = None if table is None else _table(table)
    found = {
        (shape, name): damage(home.data, manifest, shape, name)
        for shape, name in refused_tables(manifest)
        if wanted in (None, shape) and key in (None, name)
    }
    whole = [chosen for chosen, fault in found.items() if fault is None]
    return whole, [fault for fault in found.values() if fault is not None]


def _table(name: str) -> Table:
    if name not in TABLES:
        raise InputError(f"--table: got {name!r:.40}, allowed are {', '.join(TABLES)}")
    return TABLES[name]


def _plain(row: Mapping[str, object]) -> dict[str, Json]:
    """Return values that JSON has: finite numbers, texts, None."""
    return {name: _json_value(value) for name, value in row.items()}


def _json_value(value: object) -> Json:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, date):  # a time is one as well
        return value.isoformat()
    return value
