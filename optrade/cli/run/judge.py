"""`optrade judge`: whether the trades of another program say more than luck does."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table
from optrade.limits import MOST_TRIED

if TYPE_CHECKING:
    from home.records.backtest import CellRow
    from home.records.judged import JudgeReport

SHOWN = 20  # cells
COLUMNS = ["cell", "n", "won", "mean", "95 %", "95 % of all tried", "worst 5 %", "deflated"]

File = Annotated[
    Path,
    typer.Argument(
        help="Trades: of freqtrade (JSON, zip or CSV), lumibot, optopsy, QuantConnect or "
        "backtesting.py (CSV), or a CSV of entry, exit, pnl and perhaps risk and label."
    ),
]
Tried = Annotated[
    int,
    typer.Option(
        "--tried",
        min=0,
        max=MOST_TRIED,
        help="How many variants were tried in all, those that are not in the file too.",
    ),
]
By = Annotated[
    str | None,
    typer.Option("--by", help="Columns that label the trades, separated by commas."),
]
Output = Annotated[Path | None, typer.Option("--output", help="Write an HTML page there.")]


def judge(
    file: File,
    tried: Tried = 0,
    by: By = None,
    output: Output = None,
    as_json: options.AsJson = False,
) -> None:
    """Judge the closed trades of any backtester: what survives of all that was tried."""
    from market.errors import InputError
    from optrade.flows.judge import judge_file, write_page

    columns = [] if by is None else [name.strip() for name in by.split(",") if name.strip()]
    judged = judge_file(file, tried, columns)
    if output is not None:
        if output.exists() and output.samefile(file):
            raise InputError(f"--output: got {output}, the file of the trades; take another")
        write_page(judged, output)
    report = judged.report(output)
    if as_json:
        print_json(report.document())
    else:
        show(report)


def show(report: "JudgeReport") -> None:
    """Print the verdict, what was read, and the cells."""
    for line in report.verdict:
        typer.echo(line)
    left = "".join(f", {count:,} {why}" for why, count in report.left_out.items())
    typer.echo(
        f"{report.program}: {report.trades:,} closed trades{left}, {report.first} to {report.last}"
    )
    for note in report.notes:
        typer.echo(f"note: {note}")
    cells = report.cells[:SHOWN]
    unit = "of the risk" if report.of_risk else "USD"
    title = f"{len(cells)} of {report.tried} tried, returns {unit}"
    print_table(title, COLUMNS, [_cell(one, of_risk=report.of_risk) for one in cells])
    if report.page is not None:
        typer.echo(f"page: {report.page}")


def _cell(row: "CellRow", *, of_risk: bool) -> list[str | None]:
    return [
        row.name,
        f"{row.n:,}",
        f"{row.won:.0%}",
        _amount(row.mean, of_risk=of_risk),
        _interval(row.low, row.high, of_risk=of_risk),
        _interval(row.low_of_all, row.high_of_all, of_risk=of_risk),
        _amount(row.worst, of_risk=of_risk),
        None if row.deflated is None else f"{row.deflated:.2f}",
    ]


def _interval(low: float | None, high: float | None, *, of_risk: bool) -> str | None:
    if low is None or high is None:
        return None
    return f"[{_amount(low, of_risk=of_risk)}, {_amount(high, of_risk=of_risk)}]"


def _amount(value: float, *, of_risk: bool) -> str:
    return f"{value:+.1%}" if of_risk else f"{value:+,.0f}"


COMMANDS = {"judge": judge}
