"""`optrade backtest`: what such signals would have been worth, and whether any of it is more."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from home.records.backtest import BacktestCell, BacktestReport, PolicyRow

SHOWN = 12  # cells
Fill = Annotated[
    str, typer.Option("--fill", help="open: at the next session's; close: at the signal's own.")
]
Mid = Annotated[bool, typer.Option("--mid", help="Trade at mid instead of across the spread.")]
POLICIES = [
    "policy", "total", "a year", "Sharpe", "Sortino", "drawdown", "trades", "won", "of risk",
]  # fmt: skip
CELLS = ["cell", "n", "won", "of risk", "95 %", "95 % of all tried", "a point off", "worst 5 %"]
WIDTH = 150


def backtest(
    tickers: options.Tickers = None,
    fill: Fill = "open",
    mid: Mid = False,
    capital: options.Capital = None,
    period: options.Period = "max",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Trade walk-forward forecasts by every policy and structure, and judge what came out.

    Each session's forecasts are those of models that had not seen it. Prices are synthetic, of the
    volatility index; with --fill close, sessions whose own chain has landed are traded on its
    quotes.
    """
    from market.errors import InputError
    from optrade.flows.backtest.run import asked_of_home, report_of, run_backtest, write_page
    from optrade.flows.train.window import Window
    from optrade.runtime import runtime
    from trading.backtest.portfolio import CAPITAL
    from trading.backtest.result import Rules

    if fill not in ("open", "close"):
        raise InputError(f"--fill: got {fill!r:.20}, allowed are open and close")
    run = runtime()
    names = options.chosen_tickers(run, tickers)
    rules = Rules(
        fill="open" if fill == "open" else "close",
        crossing=0.0 if mid else 1.0,
        capital=capital or run.settings.capital or CAPITAL,
    )
    with progress_bar() as progress:
        asked = asked_of_home(run, names, Window(period, start, end), progress)
        found = run_backtest(asked, rules)
    report = report_of(found, run.home.origin(), str(write_page(run, found)))
    if as_json:
        print_json(report.document())
    else:
        show(report)


def show(report: "BacktestReport") -> None:
    """Print the verdict, the policies and the cells that lie highest."""
    if report.origin == "simulated":
        from trading.report.tearsheet import MADE_UP

        typer.echo(f"{MADE_UP}.")
    for line in report.verdict:
        typer.echo(line)
    title = f"{report.first} to {report.last}, every book of {report.rules.capital:,.0f} USD"
    print_table(title, POLICIES, [_policy(one) for one in report.policies], width=WIDTH)
    cells = report.cells[:SHOWN]
    title = f"the {len(cells)} best of {report.tried} cells; * the matrix's"
    print_table(title, CELLS, [_cell(one) for one in cells], width=WIDTH)
    counts = ", ".join(f"{count:,} {kind}" for kind, count in report.prices.items())
    typer.echo(f"trades by price: {counts}")
    if report.page is not None:
        typer.echo(f"page: {report.page}")


def _policy(row: "PolicyRow") -> list[str | None]:
    reach = "" if row.range is None else f" [{row.range[0]:+.0%}, {row.range[1]:+.0%}]"
    return [
        row.name,
        f"{row.total:+.0%}{reach}",
        f"{row.yearly:+.1%}",
        None if row.sharpe is None else f"{row.sharpe:+.2f}",
        None if row.sortino is None else f"{row.sortino:+.2f}",
        f"{row.drawdown:.0%}",
        None if row.trades is None else f"{row.trades:,}",
        None if row.won is None else f"{row.won:.0%}",
        None if row.mean is None else f"{row.mean:+.1%}",
    ]


def _cell(row: "BacktestCell") -> list[str | None]:
    return [
        f"{'* ' if row.matrix else ''}{row.name}{', survives' if row.survives else ''}",
        f"{row.n:,}",
        f"{row.won:.0%}",
        f"{row.mean:+.1%}",
        _interval(row.low, row.high),
        _interval(row.low_of_all, row.high_of_all),
        f"{row.worst_level:+.1%}",
        f"{row.worst:+.0%}",
    ]


def _interval(low: float | None, high: float | None) -> str | None:
    return None if low is None or high is None else f"[{low:+.1%}, {high:+.1%}]"


COMMANDS = {"backtest": backtest}
