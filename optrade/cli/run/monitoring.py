"""Commands that look back: settle outcomes, report drift."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table
from optrade.cli.run.paper import event_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from home.records.drift import FeatureDrift
    from home.strict_json import Json
    from trading.ledger.settle import Pending, Settlement

Sessions = Annotated[
    int,
    typer.Option("--sessions", min=1, max=5000, help="Length of the current window, in sessions."),
]
SHOWN = 15


def settle(as_of: options.AsOf = None, as_json: options.AsJson = False) -> None:
    """Write what recorded signals came to, once their five sessions have passed.

    Exit code 3 where nothing could be read of a ticker with pending signals.
    """
    from optrade.flows.monitoring import settle_signals
    from optrade.runtime import runtime
    from trading.ledger.connection import is_new

    run = runtime()
    # A home that never recorded may be without data, and so without a clock.
    clock = run.now if as_of is None and is_new(run.home.ledger) else run.as_of(as_of)
    done = settle_signals(run, clock)
    if as_json:
        print_json(
            {
                **_outcomes(done),
                "paper": [event.document() for event in done.paper],
                "waits": [*done.waits],
                "shadows": done.shadows and _outcomes(done.shadows),
            }
        )
    else:
        _show_settled(done)
    for ticker, why in done.unread.items():
        typer.echo(f"optrade: {ticker} is not settled: {why}", err=True)
    if done.unread:
        raise typer.Exit(3)


def _outcomes(done: "Settlement") -> "dict[str, Json]":
    return {
        "new": [outcome.document() | {"key": outcome.key._asdict()} for outcome in done.new],
        "settled_before": done.settled_before,
        "pending": _waiting(done.pending),
        "structures": [one.document() | {"key": one.key._asdict()} for one in done.structures],
        "held": _waiting(done.held),
    }


def _waiting(rows: "Sequence[Pending]") -> "Json":
    return [{"key": row.key._asdict(), "reason": row.reason} for row in rows]


def _show_settled(done: "Settlement") -> None:
    if not (done.new or done.settled_before or done.pending):
        typer.echo("nothing to settle: no signal was recorded (`optrade signal-all --record`)")
        return
    typer.echo(
        f"settled now: {len(done.new)}, before: {done.settled_before}, pending: {len(done.pending)}"
    )
    latest = sorted(done.pending, key=lambda row: (row.key.session, row.key.ticker), reverse=True)
    for row in latest[:SHOWN]:
        typer.echo(f"pending {row.key.ticker} {row.key.session}: {row.reason}")
    if done.structures or done.held:
        typer.echo(f"positions ended now: {len(done.structures)}, held: {len(done.held)}")
    for one in done.structures[:SHOWN]:
        typer.echo(
            f"{one.ticker} {one.session} {one.strategy}: {one.reason} on {one.end_session}, "
            f"{one.profit:+,.2f} USD a contract, marked by: {one.pricing}"
        )
    if (beside := done.shadows) is not None:
        typer.echo(
            f"shadows settled now: {len(beside.new)}, before: {beside.settled_before}, pending: "
            f"{len(beside.pending)}"
        )
    show_paper(done)


def show_paper(done: "Settlement") -> None:
    """Print what the paper book did in a settlement, and what it waits for."""
    for event in done.paper:
        if (words := event_words(event)) is not None:
            typer.echo(f"paper {words}")
    for words in done.waits:
        typer.echo(f"paper {words}")


def drift(
    ticker: options.Ticker,
    sessions: Sessions = 63,
    as_json: options.AsJson = False,
) -> None:
    """Compare recent features with those a model was trained on: PSI, nulls, alarm levels."""
    from monitoring.drift.index_page import verdict
    from optrade.flows.monitoring import report_drift
    from optrade.runtime import runtime

    name = options.parse_ticker(ticker)
    report, page = report_drift(runtime(), name, sessions)
    if as_json:
        print_json(report.document())
        return
    rows = by_alarm(report.features)[:SHOWN]
    columns = ["name", "view", "psi", "alarm_level", "alarm", "null_share"]
    print_table(
        f"{name}: drift of {len(report.features)} features, the {len(rows)} nearest to an alarm",
        columns,
        [[_cell(getattr(row, column)) for column in columns] for row in rows],
    )
    typer.echo(verdict(report))
    typer.echo(f"report: {page}")


def by_alarm(features: "Sequence[FeatureDrift]") -> "list[FeatureDrift]":
    """Return what is alarmed first, then what is nearest to its own level; unknown ones last."""

    def of_level(row: "FeatureDrift") -> float:
        return row.psi / row.alarm_level if row.psi is not None and row.alarm_level else -1.0

    return sorted(features, key=lambda row: (not row.alarm, -of_level(row)))


def _cell(value: object) -> object:
    return f"{value:.3f}" if isinstance(value, float) else value


COMMANDS = {"settle": settle, "drift": drift}
