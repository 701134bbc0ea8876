"""The command that makes a recorded signal again."""

from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json
from optrade.limits import LARGEST

Number = Annotated[
    int, typer.Argument(max=LARGEST, help="Of the signal, as `signal --record` names it.")
]
SHOWN = 20


def replay(
    number: Number,
    capital: options.Capital = None,
    require_edge: options.RequireEdge = False,
) -> None:
    """Make a recorded signal again from the same data and models, and print its JSON.

    Exit code 1 where it differs or cannot be made: each cause is named on stderr. The options are
    those that the signal was recorded with; without them those of the home count.
    """
    from optrade.flows.replay.replay import replay as made_again
    from optrade.runtime import runtime
    from serving.answer.structure import Pricing

    run = runtime().pricing(capital, require_edge=require_edge)
    settings = run.settings
    found = made_again(run, number, Pricing(settings.capital, settings.require_edge))
    if found.again is not None:
        print_json(found.again.document())
    for words in found.notes:
        typer.echo(f"optrade: {words}; the signal was made of what was known before", err=True)
    for words in found.causes[:SHOWN]:
        typer.echo(f"optrade: signal {number} differs: {words}", err=True)
    if len(found.causes) > SHOWN:
        typer.echo(f"optrade: and {len(found.causes) - SHOWN} more", err=True)
    if not found.same:
        raise typer.Exit(1)


COMMANDS = {"replay": replay}
