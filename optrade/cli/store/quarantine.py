"""`optrade quarantine`: rows that the gate refused, and letting chosen ones through."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

import typer

from home.strict_json import Json
from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

app = typer.Typer(
    help="Look at rows that were refused at landing, or release some.", cls=options.Group
)
TABLE = "A raw table, such as indices."
KEY = "A ticker, symbol or series; _ for rows that name none."
Table = Annotated[str | None, typer.Option("--table", help=TABLE)]
Key = Annotated[str | None, typer.Option("--key", help=KEY)]
Reason = Annotated[
    str | None, typer.Option("--reason", help="Only rows whose reason holds this text.")
]


@app.command("list")
def list_counts(table: Table = None, key: Key = None, as_json: options.AsJson = False) -> None:
    """Count the refused rows by table, key, reason and landing.

    Exit code 3 where a file of them is damaged: the others are counted.
    """
    from optrade.flows.quarantine import counts
    from optrade.runtime import runtime

    rows, faults = counts(runtime().home, table, key)
    _print("quarantine", [asdict(row) for row in rows], as_json)
    _tell(faults)


@app.command()
def show(
    table: Table = None,
    key: Key = None,
    reason: Reason = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the refused rows, each with its id, its reason and whether it was released.

    Exit code 3 where a file of them is damaged: the others are shown.
    """
    from optrade.flows.quarantine import refused
    from optrade.runtime import runtime

    found, faults = refused(runtime().home, table, key, reason)
    rows = [asdict(row) for row in found]
    if not as_json:
        rows = [{**row, "row": _words(row["row"])} for row in rows]
    _print("refused rows", rows, as_json)
    _tell(faults)


@app.command()
def release(
    table: Annotated[str, typer.Option("--table", help=TABLE)],
    key: Annotated[str, typer.Option("--key", help=KEY)],
    reason: Reason = None,
    row: Annotated[
        list[str] | None, typer.Option("--row", help="The id of a row; may be given several times.")
    ] = None,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Land refused rows that you vouch for, and build the features that they change again.

    A released row is known from the time it was refused, as if it had passed. It stays in
    quarantine, marked with the time of its release.
    """
    from optrade.flows import quarantine
    from optrade.runtime import runtime

    run = runtime()
    clock = run.landing_time(as_of)
    with progress_bar() as progress:
        found = quarantine.release(run.home, table, key, (reason, row or ()), clock, progress)
    done = asdict(found)
    if as_json:
        print_json(done)
        return
    built = done.pop("features")
    _print("released", [done], as_json)
    _print("features", built, as_json)
    typer.echo("run `optrade materialize` to bring the new features into the online store")


def _print(title: str, rows: list[dict[str, Json]], as_json: bool) -> None:
    if as_json:
        print_json(rows)
    elif rows:
        print_table(title, list(rows[0]), [list(row.values()) for row in rows])
    else:
        typer.echo(f"{title}: none")


def _tell(faults: list[str]) -> None:
    for fault in faults:
        typer.echo(f"optrade: {fault}", err=True)
    if faults:
        raise typer.Exit(3)


def _words(row: Mapping[str, Json]) -> str:
    return ", ".join(f"{name} {'-' if value is None else value}" for name, value in row.items())
