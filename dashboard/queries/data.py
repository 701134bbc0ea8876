"""What the lake holds, how old it is, and where the latest rows have nulls."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from dashboard.queries.documents import NothingYet
from home.manifest import Entry, Manifest, damaged, read_manifest
from market.errors import InputError

NOTHING: Final = (
    "No data has landed: run `optrade demo` for a simulated home, or "
    "`optrade ingest --source simulated` (or live, or recorded)."
)
QUARANTINE: Final = "quarantine/"
PRICES: Final = "prices"
CARRIED: Final = "carried"
KEYS: Final = ("ticker", "market", "session", "event_timestamp", "created_timestamp", CARRIED)


@dataclass(frozen=True)
class LakeFile:
    """One file of the lake; `age` in sessions, None where it is empty or nothing is newest."""

    kind: str
    table: str
    key: str
    rows: int
    first: str
    last: str
    age: int | None
    landed_at: pd.Timestamp
    generation: int
    definitions: str | None


@dataclass(frozen=True)
class Nulls:
    """How much of the newest row of a view is null, and whether to act.

    The share (0 to 1) is None without features. `carried` names the months in whose place the
    one before stands, None where there is none.
    """

    view: str
    key: str
    session: str
    features: int
    nulls: int
    null_share: float | None
    names: str
    act: str
    carried: str | None


def landed_manifest(data_dir: Path) -> Manifest:
    """Return the manifest of a home with data.

    Raises
    ------
    NothingYet
        If nothing has landed.
    InputError
        If the manifest is damaged.
    """
    manifest = read_manifest(data_dir)
    if not manifest.entries:
        raise NothingYet(NOTHING)
    return manifest


def origin(data_dir: Path) -> str | None:
    """Return where the data of a home comes from, None if nothing has landed."""
    return read_manifest(data_dir).origin


def newest_session(manifest: Manifest, now: pd.Timestamp) -> pd.Timestamp | None:
    """Return the session that ages count from, None if a home that stands still has no prices.

    The last complete one for a live home; the last one with prices for a recorded or simulated
    one, which does not age.
    """
    from market.calendar import last_complete_session

    if manifest.origin == "live":
        return last_complete_session(now)
    last = max(
        (e.last for e in manifest.entries.values() if e.table == PRICES and e.last), default=""
    )
    return pd.Timestamp(last) if last else None


def kind_of(manifest: Manifest, table: str) -> str:
    """Return raw, view or quarantine."""
    if table.startswith(QUARANTINE):
        return "quarantine"
    return "raw" if manifest.tables[table].definition_hash is None else "view"


def tables(data_dir: Path, now: pd.Timestamp) -> pd.DataFrame:
    """Return one row for each file of the lake.

    Returns
    -------
    DataFrame
        `kind`, `table`, `key`, `rows`, `first`, `last` (ISO dates), `age` (sessions completed
        after `last`, see `newest_session`), `landed_at` (UTC), `generation`, `definitions`
        (first 12 digits of their hash, views only).

    Raises
    ------
    NothingYet
        If nothing has landed.
    InputError
        If the manifest is damaged.
    """
    manifest = landed_manifest(data_dir)
    entries = _sorted(manifest)
    ages = _ages(entries, newest_session(manifest, now))
    rows = [_row(manifest, entry, age) for entry, age in zip(entries, ages, strict=True)]
    return frame_of(LakeFile, rows).astype({"age": "Int64"})


def _sorted(manifest: Manifest) -> list[Entry]:
    return sorted(manifest.entries.values(), key=lambda e: (e.table, e.key))


def frame_of(kind: type, rows: Iterable[object]) -> pd.DataFrame:
    """Return frozen rows of a kind as a table that has its columns even where there is no row."""
    return pd.DataFrame(list(rows), columns=[column.name for column in fields(kind)])


def _row(manifest: Manifest, entry: Entry, age: int | None) -> LakeFile:
    definitions = manifest.tables[entry.table].definition_hash
    return LakeFile(
        kind=kind_of(manifest, entry.table),
        table=entry.table,
        key=entry.key,
        rows=entry.rows,
        first=entry.first,
        last=entry.last,
        age=age,
        landed_at=pd.Timestamp(entry.landed_at),
        generation=entry.generation,
        definitions=None if definitions is None else definitions[:12],
    )


def _ages(entries: list[Entry], newest: pd.Timestamp | None) -> list[int | None]:
    """Return the sessions of (last, newest] for each file; a date need not be a session."""
    from market.calendar import sessions

    if newest is None:
        return [None] * len(entries)
    lasts = pd.DatetimeIndex([entry.last for entry in entries])
    days = sessions(min([newest, *lasts.dropna()]), newest)
    after = days.searchsorted(lasts, side="right")
    counts = np.maximum(len(days) - after, 0)
    return [None if unknown else int(n) for n, unknown in zip(counts, lasts.isna(), strict=True)]


def latest_nulls(data_dir: Path) -> pd.DataFrame:
    """Return how much of the newest row of each view is null.

    Returns
    -------
    DataFrame
        `view`, `key`, `session`, `features`, `nulls`, `null_share` (0 to 1), `names` of the null
        features, `act` (whether to, and how), `carried`; the largest share first.

    Raises
    ------
    NothingYet
        If nothing has landed.
    InputError
        If the manifest or a file is damaged.
    """
    manifest = landed_manifest(data_dir)
    views = (e for e in _sorted(manifest) if kind_of(manifest, e.table) == "view")
    found = frame_of(Nulls, (_nulls(data_dir, manifest, entry) for entry in views))
    return found.sort_values("null_share", ascending=False, ignore_index=True, kind="stable")


def absent_views(data_dir: Path) -> tuple[str, ...]:
    """Return the feature views in which nothing has landed, in catalogue order.

    Raises
    ------
    NothingYet
        If nothing has landed at all.
    InputError
        If the manifest is damaged.
    """
    from feature_repo.features.catalogue import GROUPS

    manifest = landed_manifest(data_dir)
    return tuple(view for view in GROUPS if not manifest.keys(view))


def _nulls(data_dir: Path, manifest: Manifest, entry: Entry) -> Nulls:
    row = _last_row(data_dir, manifest, entry).row(0, named=True)
    values = {name: value for name, value in row.items() if name not in KEYS}
    missing = [name for name, value in values.items() if value is None or np.isnan(value)]
    return Nulls(
        view=entry.table,
        key=entry.key,
        session=str(row["session"]),
        features=len(values),
        nulls=len(missing),
        null_share=len(missing) / len(values) if values else None,
        names=", ".join(missing),
        act=_act(entry.table, missing),
        carried=row.get(CARRIED),
    )


def _act(view: str, missing: list[str]) -> str:
    from feature_repo.features.catalogue import OPTIONAL_GROUPS

    if not missing:
        return "no"
    if view in OPTIONAL_GROUPS:
        return "no, unless a model reads them"
    return "yes: `optrade doctor`; no signal of a model that reads them"


def _last_row(data_dir: Path, manifest: Manifest, entry: Entry) -> pl.DataFrame:
    # Rows are sorted by session, then by creation: the last is the newest version of the newest.
    try:
        path = manifest.path(data_dir, entry)
        frame = pl.scan_parquet(path, glob=False).tail(1).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise unreadable(entry.path, error) from error
    if frame.is_empty():
        raise InputError(f"{entry.path} holds no row; run `optrade build-features` again")
    return frame


def damaged_files(data_dir: Path) -> list[str]:
    """Return the files whose bytes are missing or not as landed; reads all of them."""
    return damaged(data_dir)


def unreadable(name: str, error: Exception) -> InputError:
    """Return the error of a table or file of the lake that cannot be read."""
    return InputError(
        f"cannot read {name}: {type(error).__name__}: {error!s:.100}; restore it from a copy, "
        "or land into a new home"
    )
