"""`optrade catalogue`: the page of all features, written from their declarations."""

from pathlib import Path
from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json

MeasuredFile = Annotated[
    Path | None,
    typer.Option("--measured", help="Measurements to show; docs/measured.json if not named."),
]
PageFile = Annotated[
    Path | None, typer.Option("--page", help="The page; docs/features.md if not named.")
]
Check = Annotated[
    bool, typer.Option("--check", help="Write nothing; exit code 1 if the page is out of date.")
]
Measure = Annotated[
    bool, typer.Option("--measure", help="First measure this home and write the measurements.")
]


def catalogue(
    measured: MeasuredFile = None,
    page: PageFile = None,
    check: Check = False,
    measure: Measure = False,
    as_json: options.AsJson = False,
) -> None:
    """Write the page of all features: formula, unit, lookback, inputs, nulls and services."""
    from market.errors import InputError
    from optrade.flows.feature_page import write as flow
    from optrade.runtime import runtime

    if check and measure:
        raise InputError("--check writes nothing and --measure does: give one of them")
    found, written = measured or flow.MEASURED, page or flow.PAGE
    if check:
        fault = flow.out_of_date(found, written)
        if as_json:
            print_json({"page": str(written), "written": False, "out_of_date": fault})
        else:
            typer.echo(fault or f"{written.name} is up to date")
        raise typer.Exit(0 if fault is None else 1)
    if measure:
        flow.write_measured(runtime().home, found)
    flow.write_page(found, written)
    if as_json:
        print_json({"page": str(written), "written": True, "out_of_date": None})
    else:
        typer.echo(f"wrote {written.name}")


COMMANDS = {"catalogue": catalogue}
