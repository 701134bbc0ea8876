"""`optrade backfill`: the ledger filled with what models that had not seen a session would say."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from optrade.flows.backfill.signals import Backfilled
    from trading.ledger.settle import Settlement

Start = Annotated[
    str | None, typer.Option("--start", help="First session; by default a year before the last.")
]
End = Annotated[str | None, typer.Option("--end", help="Last session; by default the newest.")]
COLUMNS = ["ticker", "new", "there before", "of them other now", "first", "last", "without"]


def backfill(
    tickers: options.Tickers = None,
    start: Start = None,
    end: End = None,
    period: options.Period = "5y",
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Record what walk-forward models would have said of past sessions, and what it came to.

    Each session's signal is of the newest fold's models that had not seen it, on features as they
    were known then. It is marked as backfilled, and no live score counts it.
    """
    from optrade.flows.backfill.signals import asked_days
    from optrade.flows.backfill.signals import backfill as record
    from optrade.flows.monitoring import settle_signals
    from optrade.flows.train.window import Window
    from optrade.runtime import runtime

    run = runtime()
    names = options.chosen_tickers(run, tickers)
    clock = run.as_of(as_of)
    days = asked_days(start, end, clock)
    with progress_bar() as progress:
        found = record(run, names, days, Window(period), progress)
        settled = settle_signals(run, clock)
    if as_json:
        print_json({
            "backfilled": [one.document() for one in found],
            "settled": len(settled.new),
            "pending": len(settled.pending),
            "positions": len(settled.structures),
            "held": len(settled.held),
        })  # fmt: skip
    else:
        show(found, settled)


def show(found: "list[Backfilled]", settled: "Settlement") -> None:
    """Print what was recorded, and what it came to."""
    print_table("backfilled: nobody could have followed these", COLUMNS, [
        [one.ticker, one.written, one.kept, one.other, one.first, one.last,
         sum(one.lacking.values())] for one in found
    ])  # fmt: skip
    for one in found:
        for why, count in one.lacking.most_common():
            typer.echo(f"{one.ticker}: {count} sessions without a signal: {why}")
    typer.echo(
        f"settled now: {len(settled.new)}, pending: {len(settled.pending)}; positions ended: "
        f"{len(settled.structures)}, held: {len(settled.held)}"
    )


COMMANDS = {"backfill": backfill}
