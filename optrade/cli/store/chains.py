"""The command that records option chains alone."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from home.strict_json import Json
from optrade.cli import options
from optrade.cli.output import print_json

if TYPE_CHECKING:
    from ingestion.landing.report import TableReport

Vendor = Annotated[
    str | None, typer.Option("--source", help="cboe, yahoo, tradier or massive: one vendor.")
]
Export = Annotated[
    Path | None, typer.Option("--export", help="Then write all landed chains into a parquet file.")
]
Merge = Annotated[
    Path | None, typer.Option("--merge", help="First land the chains of such a file.")
]


# Told on standard error, a line each.
UNTOLD: Final = ("stale_keys", "stale", "unavailable", "findings", "refused")


def record_chains(
    source: Vendor = None,
    tickers: options.Tickers = None,
    export: Export = None,
    merge: Merge = None,
    as_json: options.AsJson = False,
) -> None:
    """Record today's option chains from one vendor; pass landed ones on as a file, take one in."""
    from market.errors import InputError
    from optrade.flows import chains
    from optrade.runtime import runtime

    if source is None and export is None and merge is None:
        raise InputError(
            "record-chains: got nothing to do, allowed are --source, --export, --merge"
        )
    run = runtime()
    names = options.chosen_tickers(run, tickers)
    vendor = None if source is None else chains.vendor_of_chains(source)
    merged = None if merge is None else chains.merge(run.home, merge, run.now)
    recorded = None
    if vendor is not None:
        typer.echo(f"optrade: {vendor.title}'s terms: {vendor.terms}", err=True)
        recorded = list(chains.record(run.home, vendor, run.live_options(), names, run.now))
    written = None if export is None else chains.export(run.home, names, export)
    report: dict[str, Json] = {}
    if merged is not None:
        report["merged"] = merged.document()
    if recorded is not None:
        report["recorded"] = [row.document() for row in recorded]
    if written is not None:
        report["exported"] = {**asdict(written), "path": str(written.path)}
    if as_json:
        print_json(report)
    else:
        for line in _lines(report):
            typer.echo(line)
    _tell([*([] if merged is None else [merged]), *(recorded or [])])


def _tell(reports: list["TableReport"]) -> None:
    """Say what was refused and what did not land, and end with 3 where something did not."""
    for line in filter(None, (row.refused_line() for row in reports)):
        typer.echo(line, err=True)
    failed = [why for row in reports if (why := row.stale or row.unavailable)]
    for why in failed:
        typer.echo(f"optrade: {why}", err=True)
    if failed:
        raise typer.Exit(3)


def _lines(report: dict[str, Json]) -> list[str]:
    """Return what was done, a line each; why something was not is told beside."""
    lines = []
    for what, rows in report.items():
        found = rows if isinstance(rows, list) else [rows]
        lines += [f"{what}: {_words(row)}" for row in found if isinstance(row, dict)]
        if not found:
            lines.append(f"{what}: nothing, all of it was recorded within the last half hour")
    return lines


def _words(row: Mapping[str, Json]) -> str:
    shown = {name: value for name, value in row.items() if value not in (None, [], {}, 0)}
    counts = [name for name in row if name.startswith("rows")]
    told = {name: value for name, value in shown.items() if name not in UNTOLD}
    return ", ".join(f"{k} {v}" for k, v in told.items()) if shown.keys() & counts else "nothing"


COMMANDS = {"record-chains": record_chains}
