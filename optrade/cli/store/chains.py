"""The command that records option chains alone."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from home.strict_json import Json
from optrade.cli import options
from optrade.cli.output import print_json

Vendor = Annotated[
    str | None, typer.Option("--source", help="cboe, yahoo, tradier or massive: one vendor.")
]
Export = Annotated[
    Path | None, typer.Option("--export", help="Then write all landed chains into a parquet file.")
]
Merge = Annotated[
    Path | None, typer.Option("--merge", help="First land the chains of such a file.")
]


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
    failed = [row.stale or row.unavailable for row in recorded or ()]
    for why in filter(None, failed):
        typer.echo(f"optrade: {why}", err=True)
    if any(failed):
        raise typer.Exit(3)


def _lines(report: dict[str, Json]) -> list[str]:
    """Return what was done, a line each."""
    lines = []
    for what, rows in report.items():
        for row in rows if isinstance(rows, list) else [rows]:
            told = row if isinstance(row, dict) else {}
            shown = {name: value for name, value in told.items() if value not in (None, [], 0)}
            lines.append(f"{what}: " + ", ".join(f"{k} {v}" for k, v in shown.items()))
    return lines


COMMANDS = {"record-chains": record_chains}
