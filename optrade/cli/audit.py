"""`optrade audit`: whether features and frames are what they should be; exit code 1 if not."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from audit.frames import Difference
    from audit.pit import PitReport

TICKERS = "SPY,QQQ,IWM"
# Figures of a series by vintage against a fixed lag, and their column titles.
FIGURES = {
    "series": "series",
    "vintages": "vintages",
    "sessions": "sessions",
    "differing": "differ",
    "unpublished": "not published",
    "mean_absolute": "mean",
    "largest_absolute": "largest",
    "worst_session": "on",
    "by_vintage": "by vintage",
    "by_lag": "by lag",
}
Service = Annotated[str, typer.Option("--service", help="A feature service, such as direction.")]

app = typer.Typer(help="Check features against leaks and against each other.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Check features against leaks and against each other."""


@app.command()
def pit(
    tickers: options.Tickers = TICKERS,
    service: Service = "direction",
    as_json: options.AsJson = False,
) -> None:
    """Compare training frames with a naive reading, and a fixed lag with real publications."""
    from optrade.flows.audit import point_in_time
    from optrade.runtime import runtime

    report = point_in_time(runtime(), service, options.parse_tickers(tickers))
    if as_json:
        print_json(report.document())
    else:
        _show(report)
    raise typer.Exit(1 if report.mismatches else 0)


def _show(report: "PitReport") -> None:
    where = f"{report.service}, {', '.join(report.tickers)}, {report.first} to {report.last}"
    parts = {"training frame, read twice": report.frame, "monthly levels, from raw": report.levels}
    held = {name: part for name, part in parts.items() if part is not None}
    print_table(
        f"point in time: {where}",
        ["check", "values", "mismatches"],
        [[name, part.compared, part.mismatches] for name, part in held.items()],
    )
    for name, part in held.items():
        _show_mismatches(name, part)
    _show_vintages(report)
    if report.not_yet_known:
        typer.echo(
            f"{report.not_yet_known} rows became known after the decision of their session: "
            "null in the frame"
        )
    if report.on_demand:
        typer.echo(f"not compared, computed when read: {', '.join(report.on_demand)}")


def _show_vintages(report: "PitReport") -> None:
    measured = [asdict(row) for row in report.vintages if row.note is None]
    if measured:
        rows = [[_cell(row[name]) for name in FIGURES] for row in measured]
        print_table("what a fixed lag would have changed", list(FIGURES.values()), rows)
    for row in report.vintages:
        if row.note is not None:
            typer.echo(f"{row.series}: {row.note}")


def _show_mismatches(name: str, part: "Difference") -> None:
    if part.mismatches:
        rows = [[_cell(value) for value in asdict(row).values()] for row in part.first]
        title = f"{name}: the first {len(rows)} of {part.mismatches} mismatches"
        print_table(title, list(asdict(part.first[0])), rows)


def _cell(value: object) -> object:
    return f"{value:.6g}" if isinstance(value, float) else value
