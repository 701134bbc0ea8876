"""The day in one command, and the commands that are named but not built yet."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from home.strict_json import Json
from optrade.cli import options
from optrade.cli.output import progress_bar
from optrade.cli.run.monitoring import show_paper
from optrade.cli.run.signals import show_signals, tell_refused, tell_silent
from optrade.cli.store.data import show_ingest

if TYPE_CHECKING:
    from optrade.operations.day import Day

UNBUILT = {
    "schedule": "run `optrade run-daily` from cron half an hour after the close",
}
Rest = Annotated[list[str] | None, typer.Argument(hidden=True)]


def run_daily(
    source: options.Source = None,
    tickers: options.Tickers = None,
    recorded_dir: options.RecordedDir = None,
    seed: options.Seed = None,
    signal_strength: options.SignalStrength = None,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Ingest, settle what is due, then give and record the day's signals.

    A step that fails leaves the others to do what they can. Exit code 2 where no model is trained
    yet (the rest of the day is done), 3 where a step failed, or a source or a ticker has nothing
    to give; so it is of a recorded home without --recorded-dir, which brings no new data in.
    """
    from home.records.signal import Signal
    from optrade.flows.train.trained import is_served, require_served
    from optrade.operations.day import run_day, source_of_day
    from optrade.runtime import runtime

    run = runtime()
    chosen = source_of_day(run, source, recorded_dir, seed, signal_strength, as_of)
    names = options.chosen_tickers(run, tickers)
    with progress_bar() as progress:
        day = run_day(run, chosen, names, progress)
    if not as_json:
        show_signals([answer for answer in day.answers if isinstance(answer, Signal)])
    undone = is_served(run.home) and tell_refused(day.answers)
    for line in day.failures():
        typer.echo(f"optrade: {' '.join(line.split())}", err=True)
    tell_silent([*day.shadows])
    show_ingest(day.ingested, as_json, _after(day, as_json))
    if day.settled is not None and not as_json:
        show_paper(day.settled)
    require_served(run.home)
    if undone or day.failed:
        raise typer.Exit(3)


def _after(day: "Day", as_json: bool) -> dict[str, Json]:
    """Return what came after the data: in JSON with the signals, and why a step was not done."""
    done = day.settled
    counts = {} if done is None else {"new": len(done.new), "pending": len(done.pending)}
    if not as_json:
        return {"settled": counts} if counts else {}
    settled: Json = done and {
        **counts,
        "paper": [event.document() for event in done.paper],
        "waits": [*done.waits],
    }
    signals: Json = [answer.document() for answer in day.answers]
    return {"settled": settled, "signals": signals, "failed": {**day.failed}}


def _unbuilt(name: str) -> Callable[..., None]:
    def refuse(rest: Rest = None) -> None:
        from market.errors import InputError

        asked = " ".join([name, *(rest or [])])
        raise InputError(f"{asked:.60}: not in this version; {UNBUILT[name]}")

    refuse.__doc__ = f"Not in this version: {UNBUILT[name]}."
    return refuse


COMMANDS = {"run-daily": run_daily, **{name: _unbuilt(name) for name in UNBUILT}}
