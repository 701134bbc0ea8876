"""Rows that the gate refused: what is there, which may be let through, and what that rebuilds.

A refused row is kept once, with its reason and the time it was first refused. Released, it stays
here with the time of its release and the generations of the views that were built without it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl
import structlog

from home.manifest import Manifest, latest, read_rows
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Column, Table
from ingestion.tables.frames import LANDED, TIME, UNNAMEABLE, as_declared, identity
from market.adjust import payable
from market.errors import InputError

FOLDER: Final = "quarantine/"
REASON: Final = "reason"
RELEASED: Final = "released_at"
# The generation of each view, as JSON, that the release of the row made out of date.
REPLACED: Final = "replaced"
ROW_ID: Final = "id"
SEPARATOR: Final = "; "

logger = structlog.get_logger(__name__)

_NULLS: Final = (
    pl.lit(None, TIME).alias(RELEASED),
    pl.lit(None, pl.String).alias(REPLACED),
)


def with_release(rows: pl.DataFrame) -> pl.DataFrame:
    """Return refused rows with the columns of their release, null where they have none."""
    return rows if RELEASED in rows.columns else rows.with_columns(_NULLS)


def refused_rows(
    data_dir: Path, manifest: Manifest, table: Table, key: str, reason: str | None = None
) -> pl.DataFrame:
    """Return the refused rows of a key, those whose reason holds a text.

    Returns
    -------
    pl.DataFrame
        `id`, the declared columns, `reason`, `landed_at` (the time of the first refusal),
        `released_at` and `replaced`.

    Raises
    ------
    InputError
        If none of the table and key was ever refused.
    """
    held = manifest.keys(FOLDER + table.name)
    if key not in held:
        raise InputError(
            f"quarantine of {table.name}: got key {key!r:.40}, it holds "
            f"{', '.join(held[:20]) or 'no row'}"
        )
    rows = _held(data_dir, manifest, table, key)
    rows = rows.insert_column(0, pl.Series(ROW_ID, _ids(table, rows), dtype=pl.String))
    return rows.filter(pl.col(REASON).str.contains(reason or "", literal=True))


def _held(data_dir: Path, manifest: Manifest, table: Table, key: str) -> pl.DataFrame:
    name = FOLDER + table.name
    return with_release(as_declared(name, read_rows(data_dir, name, [key], manifest)))


def refused_tables(manifest: Manifest) -> list[tuple[Table, str]]:
    """Return each table and key that holds refused rows, sorted."""
    return [
        (TABLES[name.removeprefix(FOLDER)], key)
        for name, key in sorted(manifest.entries)
        if name.startswith(FOLDER)
    ]


def damage(data_dir: Path, manifest: Manifest, table: Table, key: str) -> str | None:
    """Return why the refused rows of a key are not as they were kept, None where they are."""
    return manifest.fault(data_dir, manifest.entries[FOLDER + table.name, key])


def summary(
    data_dir: Path, manifest: Manifest, wanted: Sequence[tuple[Table, str]] | None = None
) -> pl.DataFrame:
    """Return how many rows were refused, by table, key, reason and landing.

    Parameters
    ----------
    data_dir, manifest
        Where the rows are.
    wanted
        The tables and keys, None for all.

    Returns
    -------
    pl.DataFrame
        `table`, `key`, `reason`, `refused_at`, `rows`, `released` (how many of them), `first` and
        `last` (the days they are dated).
    """
    schema = {
        "table": pl.String, "key": pl.String, REASON: pl.String, "refused_at": TIME,
        "rows": pl.UInt32, "released": pl.UInt32, "first": pl.String, "last": pl.String,
    }  # fmt: skip
    parts = [pl.DataFrame(schema=schema)]
    for table, key in refused_tables(manifest) if wanted is None else wanted:
        rows = refused_rows(data_dir, manifest, table, key)
        day = pl.col(table.dated).cast(pl.Date).cast(pl.String)
        counts = rows.group_by(REASON, pl.col(LANDED).alias("refused_at")).agg(
            rows=pl.len(), released=pl.col(RELEASED).count(), first=day.min(), last=day.max()
        )
        named = counts.with_columns(table=pl.lit(table.name), key=pl.lit(key))
        parts.append(named.select(list(schema)).sort("refused_at", REASON))
    return pl.concat(parts)


def choose(table: Table, key: str, rows: pl.DataFrame, ids: Collection[str] = ()) -> pl.DataFrame:
    """Return the rows of a key that are to be released: all not yet released, or those named.

    Parameters
    ----------
    table, key
        What the rows are.
    rows
        As `refused_rows` gives them.
    ids
        The rows chosen, none for all.

    Raises
    ------
    InputError
        If an id names no row, nothing is left to release, or a row breaks a rule that the lake
        itself needs.
    """
    unknown = sorted(set(ids) - set(rows[ROW_ID]))
    if unknown:
        raise InputError(
            f"--row: got {', '.join(unknown)}, allowed are the ids that "
            f"`optrade quarantine show --table {table.name} --key {key}` gives"
        )
    wanted = rows.filter(pl.col(ROW_ID).is_in(list(ids))) if ids else rows
    chosen = wanted.filter(pl.col(RELEASED).is_null())
    if chosen.is_empty():
        raise InputError(
            f"quarantine of {table.name}, {key}: got {wanted.height} rows chosen, none of them "
            "still to be released"
        )
    _refuse(table, key, chosen)
    return chosen


def vouched(table: Table) -> Table:
    """Return what a released row must still keep: the declaration less what a person can know.

    Whoever releases a row vouches for the order of a bar's prices, for jumps, for dates out of
    order, and for values above the highest thought possible. Types, keys, nulls, allowed words,
    lower bounds and finite numbers are what the lake and the features are built on. One row may
    have been refused in several landings.
    """
    columns = [replace(column, maximum=None) for column in table.columns]
    landed = Column(LANDED, "timestamp", "the first refusal, UTC")
    return replace(
        table, columns=(*columns, landed), key=(*table.key, LANDED), pairs=(), splits=None
    )


def check_payable(table: Table, key: str, stored: pl.DataFrame | None, rows: pl.DataFrame) -> None:
    """Refuse a release after which a dividend cannot be reinvested that could be before.

    The build would skip what had landed.

    Parameters
    ----------
    table, key
        What the rows are.
    stored, rows
        All versions without the released rows, None for none, and with them.

    Raises
    ------
    InputError
        If there is such a row: a released one, or one that a released one comes before.
    """
    wrong = _unpayable(table, rows)
    if stored is not None and wrong.height:
        wrong = wrong.join(_unpayable(table, stored), on=[*table.key, LANDED], how="anti")
    if table.splits is not None and wrong.height:
        day, paid = wrong.row(0, named=True)[table.dated], wrong[table.splits.dividend][0]
        raise InputError(
            f"quarantine of {table.name}, {key}: got a release that leaves a dividend of {paid:g} "
            f"on {day}, allowed is one below the close before; no feature can be built on it: "
            "choose other rows with --row, or have the source correct it"
        )


def _unpayable(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the newest versions whose dividend cannot be reinvested, see `market.adjust`."""
    newest = latest(rows, table.key).sort(table.dated)
    if table.splits is None:
        return newest.clear()
    names = (table.splits.prices[-1], table.splits.dividend, table.splits.ratio)
    right = payable(*(newest[name].to_numpy() for name in names))
    return newest.filter(~pl.Series(right, dtype=pl.Boolean))


def replaced_generations(manifest: Manifest, views: Sequence[str]) -> str:
    """Return the generations of views that a release makes out of date, as JSON."""
    held = {view: manifest.tables[view].generation for view in views if view in manifest.tables}
    return json.dumps(held, sort_keys=True)


def outdated(data_dir: Path, manifest: Manifest) -> dict[str, int]:
    """Return, by view, the last generation that was built without a row released since.

    What a damaged file tells of releases is taken up once it is mended.
    """
    found: dict[str, int] = {}
    for table, key in refused_tables(manifest):
        if (fault := damage(data_dir, manifest, table, key)) is not None:
            logger.warning("releases not looked at", table=table.name, key=key, why=fault)
            continue
        rows = _held(data_dir, manifest, table, key)
        for text in rows[REPLACED].drop_nulls().unique():
            built: Mapping[str, int] = json.loads(text)
            found |= {view: max(number, found.get(view, 0)) for view, number in built.items()}
    return found


def _refuse(table: Table, key: str, chosen: pl.DataFrame) -> None:
    """Raise unless rows keep what the lake needs of any row."""
    from ingestion.gate.expectations import gate

    if key == UNNAMEABLE:
        raise InputError(
            f"quarantine of {table.name}: rows under {key} have a {table.partition} that can name "
            "no file, so they cannot land; correct them at their source"
        )
    needed = vouched(table)
    frame = chosen.select(needed.names).to_pandas().astype(needed.dtypes)
    _, bad = gate(needed, frame)
    broken = bad[REASON].to_list()
    texts = {f"{column.name}: text" for column in table.columns if column.dtype == "string"}
    broken += [why for why in chosen[REASON] if texts & set(why.split(SEPARATOR))]
    if broken:
        raise InputError(
            f"quarantine of {table.name}, {key}: got {len(broken)} of {chosen.height} rows that "
            f"cannot land, the first breaks: {broken[0]}; allowed are rows that keep what the lake "
            "itself needs: choose those with --row"
        )


def _ids(table: Table, rows: pl.DataFrame) -> list[str]:
    """Return a name for each row that its values and its reason give; shape (n_rows,)."""
    values = rows.select(*identity(table), REASON).iter_rows()
    return [
        hashlib.sha256(json.dumps(row, default=str).encode()).hexdigest()[:12] for row in values
    ]
