"""The command that shows which version of a model was champion in which session."""

from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

COLUMNS = ["model", "version", "type", "from", "until", "first session", "last session"]
Name = Annotated[
    str | None, typer.Option("--name", help="Registered model, such as direction_SPY; all if none.")
]
Session = Annotated[
    str | None, typer.Option("--session", help="Only the champion of this session.")
]


def champions(name: Name = None, session: Session = None, as_json: options.AsJson = False) -> None:
    """Show which version of a model was champion in which session."""
    from optrade.flows.train.champions import champions_in, model_reigns
    from optrade.runtime import runtime

    run = runtime()
    if session is not None:
        held = champions_in(run, name, session)
        if as_json:
            print_json([one.document() for one in held])
            return
        rows = [[one.name, one.champion, one.model] for one in held]
        print_table(f"champions of session {session}", ["model", "version", "type"], rows)
        return
    found = model_reigns(run, name)
    if as_json:
        print_json([one.document() for one in found])
        return
    told = [[one.name, *row.values()] for one in found for row in one.rows()]
    print_table("champions", COLUMNS, told)


COMMANDS = {"champions": champions}
