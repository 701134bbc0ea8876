"""`optrade reconcile`: why live differed from the backtest, cause by cause."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar
from optrade.cli.run.backtest import Fill, Mid

if TYPE_CHECKING:
    from trading.reconcile.ladder import Ladder, Reconciliation

SHOWN = 10  # sessions
WIDTH = 150
Start = Annotated[
    str | None,
    typer.Option("--start", help="First session; by default that of the first recorded signal."),
]
End = Annotated[str | None, typer.Option("--end", help="Last session.")]


def reconcile(
    tickers: options.Tickers = None,
    fill: Fill = "open",
    mid: Mid = False,
    period: options.Period = "max",
    start: Start = None,
    end: End = None,
    as_json: options.AsJson = False,
) -> None:
    """Say why what recorded signals came to differs from the backtest, adding up to the cent.

    Every session is climbed from the one to the other, a cause at a time: data that came later or
    was corrected, another model, price, fill or cost, an exit by hand, a session that was missed.
    """
    from market.errors import InputError
    from optrade.flows.backtest.run import asked_of_home
    from optrade.flows.reconcile.reconcile import nothing_known, report_of
    from optrade.flows.reconcile.reconcile import reconcile as climbed
    from optrade.flows.train.window import Window
    from optrade.runtime import runtime
    from trading.backtest.result import Rules

    if fill not in ("open", "close"):
        raise InputError(f"--fill: got {fill!r:.20}, allowed are open and close")
    for option, day in (("--start", start), ("--end", end)):
        check_day(option, day)
    if start is not None and end is not None and start > end:
        raise InputError(f"--start, --end: got {start} to {end}, allowed is no start after the end")
    run = runtime()
    names = options.chosen_tickers(run, tickers)
    rules = Rules(fill="open" if fill == "open" else "close", crossing=0.0 if mid else 1.0)
    # A range that is asked for may hold sessions that live missed.
    found = nothing_known(run, names) if start is None else None
    if found is None:
        with progress_bar() as progress:
            asked = asked_of_home(run, names, Window(period), progress)
            found = climbed(run, asked, rules, start, end)
    if as_json:
        print_json(report_of(found, rules).document())
    else:
        show(found)


def check_day(option: str, day: str | None) -> None:
    """Check that an option names a day; `InputError` where it does not."""
    from datetime import date

    from market.errors import InputError

    try:
        date.fromisoformat(day or "2000-01-01")
    except ValueError:
        raise InputError(
            f"{option}: got {day!r:.40}, allowed is a date such as 2025-06-30"
        ) from None


def show(found: "Reconciliation") -> None:
    """Print the sum in words, what each cause comes to, and the sessions furthest apart."""
    from trading.reconcile.ladder import usd

    typer.echo(found.words())
    rows = [[one.cause, f"{one.n:,}", usd(one.cents)] for one in found.causes()]
    if rows:
        print_table("by cause, USD a contract", ["cause", "sessions", "USD"], rows)
    worst = found.worst()[:SHOWN]
    if worst:
        title = f"the {len(worst)} sessions furthest apart"
        columns = ["session", "", "live", "backtest", "because of"]
        print_table(title, columns, [_row(one) for one in worst], width=WIDTH)
    left = "".join(f", {count:,} left out: {why}" for why, count in found.left_out.items())
    typer.echo(f"{len(found.ladders):,} sessions, {len(found.waiting):,} pending{left}")


def _row(one: "Ladder") -> list[str]:
    from trading.reconcile.ladder import usd

    steps = "\n".join(
        f"{usd(step.cents)} {step.cause}" + (f": {step.note}" if step.note else "")
        for step in one.steps
    )
    return [one.session, one.ticker, usd(one.live), usd(one.backtest), steps]


COMMANDS = {"reconcile": reconcile}
