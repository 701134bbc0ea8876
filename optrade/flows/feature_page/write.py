"""The page of all features on disk: written, compared, and measured on a home's data."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, find, names
from feature_repo.features.declare import Feature, Group
from feature_repo.on_demand import compute
from home.manifest import Manifest, current_rows, read_manifest
from market.errors import InputError
from optrade.flows.feature_page.measured import Measured, ViewMeasured, read_measured
from optrade.flows.feature_page.page import page

if TYPE_CHECKING:
    from home.layout import Home

DOCS: Final = Path(__file__).resolve().parents[3] / "docs"
PAGE: Final = DOCS / "features.md"
MEASURED: Final = DOCS / "measured.json"
DECIMALS: Final = 6


def write_page(measured: Path = MEASURED, to: Path = PAGE) -> None:
    """Write the page from the declarations and the committed measurements."""
    to.write_text(page(read_measured(measured)), encoding="utf-8")


def out_of_date(measured: Path = MEASURED, written: Path = PAGE) -> str | None:
    """Return where a written page differs from what would be written now; None if nowhere."""
    if not written.is_file():
        return f"{written.name} is not there"
    lines = page(read_measured(measured)).splitlines()
    pairs = zip_longest(lines, written.read_text(encoding="utf-8").splitlines(), fillvalue="")
    for number, (now, then) in enumerate(pairs, 1):
        if now != then:
            return f"{written.name} line {number}: got {then!r:.120}, allowed is {now!r:.120}"
    return None


def write_measured(home: "Home", to: Path = MEASURED) -> Measured:
    """Measure the views of a home and write what was found."""
    measured = measure(home.data)
    to.write_text(measured.text(), encoding="utf-8")
    return measured


def measure(data_dir: Path) -> Measured:
    """Return null shares and lookbacks of every view that a data folder holds, over all its keys.

    A feature on demand is computed on the sessions that every view it needs has; nothing is
    measured of one that needs a view the home lacks.

    Raises
    ------
    InputError
        If nothing is built there.
    """
    manifest = read_manifest(data_dir)
    if manifest.origin is None or not any(manifest.keys(view) for view in GROUPS):
        raise InputError(
            f"no features in {data_dir}: run `optrade ingest` first, or name another home by "
            "OPTRADE_HOME"
        )
    found = null_shares(data_dir, manifest)
    lookbacks = measured_lookbacks(data_dir, manifest)
    views = {name: with_lookbacks(view, lookbacks) for name, view in found.items()}
    return Measured(manifest.origin, views)


def null_shares(data_dir: Path, manifest: Manifest) -> dict[str, ViewMeasured]:
    """Return the null shares of every view that a data folder holds, by view."""
    held = [group for group in GROUPS.values() if manifest.keys(group.name)]
    rows = {group.name: view_rows(data_dir, manifest, group) for group in held}
    found = {view: of_view([(frame, names(view))]) for view, frame in rows.items()}
    for group in ON_DEMAND.values():
        parts = [(on_demand_rows(row, rows), (row.name,)) for row in computable(group, rows)]
        if parts:
            found[group.name] = of_view(parts)
    return found


def with_lookbacks(view: ViewMeasured, lookbacks: Mapping[str, int]) -> ViewMeasured:
    """Return what was found of a view, with the lookbacks of its features."""
    held = {name: lookbacks[name] for name in view.null_share if name in lookbacks}
    return replace(view, lookback=held)


def measured_lookbacks(data_dir: Path, manifest: Manifest) -> dict[str, int]:
    """Return the sessions of history that each stored feature was found to need, by name."""
    from audit.warmup import measured

    return measured(data_dir, manifest.keys("technical"))


def computable(group: Group, rows: Mapping[str, pl.DataFrame]) -> list[Feature]:
    """Return the features of an on-demand view whose stored inputs are all there."""
    return [row for row in group.features if all(find(name)[0].name in rows for name in row.inputs)]


def view_rows(data_dir: Path, manifest: Manifest, group: Group) -> pl.DataFrame:
    """Return the current rows of a stored view: `key`, `session` and the features."""
    rows = current_rows(data_dir, group.name, manifest=manifest)
    return rows.select(pl.col(group.entity).alias("key"), "session", *names(group.name))


def on_demand_rows(row: Feature, rows: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return an on-demand feature on the sessions that all the views it needs have."""
    by_view: dict[str, list[str]] = {}
    for name in row.inputs:
        by_view.setdefault(find(name)[0].name, []).append(name)
    first, *others = (rows[view].select("key", "session", *held) for view, held in by_view.items())
    for frame in others:
        first = first.join(frame, on=["key", "session"])
    arrays = {name: first[name].cast(pl.Float64).to_numpy() for name in row.inputs}
    return first.select("key", "session").with_columns(
        pl.Series(row.name, compute([row.name], arrays)[row.name])
    )


def of_view(parts: Sequence[tuple[pl.DataFrame, Sequence[str]]]) -> ViewMeasured:
    """Return what is found of a view's features, given as frames and the features of each.

    The keys, rows and sessions are those of the largest frame.
    """
    shares = {name: null_share(frame[name]) for frame, held in parts for name in held}
    whole = max((frame for frame, _ in parts), key=len)
    days = whole["session"].dt.strftime("%Y-%m-%d")
    keys = tuple(sorted(whole["key"].unique()))
    return ViewMeasured(keys, len(whole), str(days.min()), str(days.max()), shares)


def null_share(values: pl.Series) -> float:
    """Return the share of values that are null or NaN, 0 to 1; NaN is how NumPy writes a null."""
    known = values.drop_nulls().drop_nans()
    return round(1 - len(known) / len(values), DECIMALS)
