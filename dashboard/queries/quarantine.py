"""The rows that the gate refused: where, in which columns, why, and which were let through."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pandas as pd
import polars as pl

from dashboard.queries.data import QUARANTINE, frame_of, landed_manifest, unreadable
from home.manifest import Manifest, current_rows

# What a row of a table is dated by: the one that it has.
DATES: Final = ("session", "observation_date", "date", "published", "recorded_at", "quote_time")
ASIDE: Final = ("reason", "landed_at", "released_at", "replaced")


@dataclass(frozen=True)
class Refused:
    """One row that the gate refused, its values in words.

    `columns` are those that the reason names; `released_at` is None for a row that is kept out.
    """

    table: str
    key: str
    date: str | None
    columns: str
    reason: str
    row: str
    landed_at: datetime
    released_at: datetime | None


def quarantined(data_dir: Path) -> pd.DataFrame:
    """Return every row that the gate refused, the newest landing first.

    Returns
    -------
    DataFrame
        The fields of `Refused`; empty if nothing was refused.

    Raises
    ------
    NothingYet
        If nothing has landed.
    InputError
        If the manifest or a file is damaged.
    """
    manifest = landed_manifest(data_dir)
    names = sorted({table for table, _ in manifest.entries if table.startswith(QUARANTINE)})
    found = frame_of(Refused, (row for name in names for row in _refused(data_dir, name, manifest)))
    return found.sort_values("landed_at", ascending=False, ignore_index=True, kind="stable")


def _refused(data_dir: Path, name: str, manifest: Manifest) -> list[Refused]:
    try:
        frame = current_rows(data_dir, name, manifest=manifest)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(name, error) from error
    key = manifest.tables[name].key[0]
    date = next((column for column in DATES if column in frame.columns), None)
    shown = [column for column in frame.columns if column not in (key, date, *ASIDE)]
    return [
        Refused(
            table=name.removeprefix(QUARANTINE),
            key=row[key],
            date=None if date is None else str(row[date]),
            columns=", ".join(_named(row["reason"], frame.columns)),
            reason=row["reason"],
            row=", ".join(f"{column} {row[column]}" for column in shown),
            landed_at=row["landed_at"],
            released_at=row.get("released_at"),
        )
        for row in frame.iter_rows(named=True)
    ]


def _named(reason: str, columns: Iterable[str]) -> list[str]:
    words = set(re.findall(r"\w+", reason))
    return [column for column in columns if column in words and column not in ASIDE]
