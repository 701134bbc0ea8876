"""`optrade audit`: whether features and frames are what they should be; exit code 1 if not."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from audit.frames import Difference
    from audit.lookahead import LookaheadReport
    from audit.parity import ParityReport
    from audit.pit import PitReport
    from audit.warmup import WarmupReport

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
Cuts = Annotated[int, typer.Option("--cuts", min=1, max=5000, help="Sessions to cut at.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Chooses the sessions to cut at.")]
Sessions = Annotated[
    int, typer.Option("--sessions", min=1, max=5000, help="How many of the last sessions.")
]

app = typer.Typer(help="Check features against leaks and against each other.", cls=options.Group)


@app.callback()
def audit() -> None:
    """Check features against leaks and against each other."""


@app.command()
def pit(
    tickers: options.Tickers = None,
    service: Service = "direction",
    as_json: options.AsJson = False,
) -> None:
    """Compare training frames with a naive reading, and a fixed lag with real publications."""
    from optrade.flows.audit import point_in_time
    from optrade.runtime import runtime

    run = runtime()
    report = point_in_time(run, service, options.chosen_tickers(run, tickers))
    if as_json:
        print_json(report.document())
    else:
        _show(report)
    raise typer.Exit(1 if report.mismatches else 0)


@app.command()
def lookahead(
    tickers: options.Tickers = None,
    cuts: Cuts = 20,
    seed: Seed = 0,
    as_json: options.AsJson = False,
) -> None:
    """Cut off the future at sessions of the past, build again, and compare with what is stored."""
    from optrade.flows.audit import look_ahead
    from optrade.runtime import runtime

    run = runtime()
    report = look_ahead(run, options.chosen_tickers(run, tickers), cuts, seed)
    if as_json:
        print_json(report.document())
    else:
        _show_lookahead(report)
    raise typer.Exit(1 if report.leaks else 0)


@app.command()
def warmup(tickers: options.Tickers = None, as_json: options.AsJson = False) -> None:
    """Measure the history that each feature needs, against the lookback that it declares."""
    from optrade.flows.audit import warm_up
    from optrade.runtime import runtime

    run = runtime()
    report = warm_up(run, options.chosen_tickers(run, tickers))
    if as_json:
        print_json(report.document())
    else:
        _show_warmup(report)
    raise typer.Exit(1 if report.too_short else 0)


@app.command()
def parity(
    tickers: options.Tickers = None,
    sessions: Sessions = 60,
    as_json: options.AsJson = False,
) -> None:
    """Compare what is served with what a training frame holds, and recorded signals with both."""
    from optrade.flows.audit import parity as compared
    from optrade.runtime import runtime

    run = runtime()
    report = compared(run, options.chosen_tickers(run, tickers), sessions)
    if as_json:
        print_json(report.document())
    else:
        _show_parity(report)
    raise typer.Exit(1 if report.mismatches else 0)


def _show_lookahead(report: "LookaheadReport") -> None:
    print_table(
        f"look-ahead: {', '.join(report.tickers)}, {report.cuts} cuts, seed {report.seed}",
        ["rows", "values", "features that leak"],
        [[report.rows, report.compared, len(report.leaks)]],
    )
    if report.leaks:
        columns = ["view", "key", "feature", "sessions", "first", "stored", "without the future"]
        rows = [[_cell(value) for value in asdict(leak).values()] for leak in report.leaks]
        print_table("features that read later sessions", columns, rows)
    if report.absent:
        typer.echo(f"not in this home: {', '.join(report.absent)}")


def _show_warmup(report: "WarmupReport") -> None:
    columns = ["view", "feature", "declared", "measured"]
    rows = [[row.view, row.feature, row.declared, row.measured] for row in report.features]
    print_table(f"sessions of history: {', '.join(report.tickers)}", columns, rows)
    for row in report.too_short:
        typer.echo(
            f"{row.view}:{row.feature} declares {row.declared} sessions, "
            f"needs {row.measured or 'more'}"
        )


def _show_parity(report: "ParityReport") -> None:
    parts = {
        f"materializing read, last {report.sessions} sessions": report.history,
        "online store": report.online,
        "recorded signals": report.signals,
    }
    held = {name: part for name, part in parts.items() if part is not None}
    print_table(
        f"parity: {', '.join(report.tickers)}",
        ["check", "values", "mismatches"],
        [[name, part.compared, part.mismatches] for name, part in held.items()],
    )
    for name, part in held.items():
        _show_mismatches(name, part)
    for row in report.not_checked:
        typer.echo(f"not checked: {row.what} ({row.count}): {row.reason}")


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
