"""`optrade demo`: the loop from raw data to signals, with what came out of it."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from home.strict_json import Json
    from optrade.flows.demo import Outcome
    from optrade.runtime import OpenedSource

STEPS = 7
# Far stronger than any real market: some of the models pass the gate, others still do not.
PLANTED = 0.5
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of the simulated market.")]
Strength = Annotated[
    float,
    typer.Option("--signal-strength", help="True predictability planted in the simulated market."),
]


def demo(
    recorded_dir: options.RecordedDir = None,
    seed: Seed = 7,
    signal_strength: Strength = PLANTED,
    as_json: options.AsJson = False,
) -> None:
    """Walk the whole loop: data, features, training, gate, signals, HTTP. Needs no key."""
    from optrade.flows.demo import in_demo, run_demo
    from optrade.runtime import runtime

    name = "simulated" if recorded_dir is None else "recorded"
    strength = signal_strength if recorded_dir is None else 0.0
    run = in_demo(runtime(), name)
    opened = run.source(name, recorded_dir, seed, strength, None)
    typer.echo(f"optrade demo on {name} data, up to {opened.end.date()}", err=as_json)
    done = iter(range(1, STEPS + 1))
    with progress_bar() as progress:
        outcome = run_demo(
            run,
            opened,
            lambda words: typer.echo(f"[{next(done)}/{STEPS}] {words}", err=as_json),
            progress,
        )
    if as_json:
        print_json(_document(outcome, opened, strength))
    else:
        _show(outcome, opened, strength)


def _document(outcome: "Outcome", opened: "OpenedSource", strength: float) -> "dict[str, Json]":
    from optrade.cli.evidence import evidence_document
    from optrade.flows.demo import next_commands

    return {
        "home": str(outcome.home.root),
        "origin": opened.source.origin,
        "signal_strength": strength,
        "as_of": opened.as_of.isoformat(),
        "trained": [evidence_document(model) for model in outcome.trained],
        "signals": [signal.document() for signal in outcome.signals],
        "backfilled": [one.document() for one in outcome.past],
        "next": next_commands(outcome.home),
    }


def _show(outcome: "Outcome", opened: "OpenedSource", strength: float) -> None:
    from optrade.cli.evidence import COLUMNS, evidence_rows
    from optrade.cli.run.backfill import show as show_past
    from optrade.cli.run.signals import show_signals
    from optrade.flows.demo import next_commands, shown_path

    print_table("how good the models are, out of fold", COLUMNS, evidence_rows(outcome.trained))
    show_signals(outcome.signals)
    show_past(outcome.past, outcome.settled)
    home = shown_path(outcome.home.root)
    origin = opened.source.origin
    planted = f", planted signal strength {strength:g}" if origin == "simulated" else ""
    typer.echo(f"origin: {origin}{planted}; as of {opened.as_of.isoformat()}")
    if origin == "simulated":
        typer.echo("This market is made up: none of these figures says anything about a real one.")
    typer.echo(f"home: {home} (data/ features and ledger, models/, mlruns/)")
    typer.echo("Nothing is left running: the HTTP service and Redis are stopped. Go on with:")
    for line in next_commands(outcome.home):
        typer.echo(f"  {line}")


COMMANDS = {"demo": demo}
