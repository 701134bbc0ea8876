"""The command that shows which version of a model was champion in which session."""

from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

COLUMNS = ["model", "version", "from", "until", "first session", "last session"]
Name = Annotated[
    str | None, typer.Option("--name", help="Registered model, such as direction_SPY; all if none.")
]
Session = Annotated[
    str | None, typer.Option("--session", help="Only the champion of this session.")
]


def champions(name: Name = None, session: Session = None, as_json: options.AsJson = False) -> None:
    """Show which version of a model was champion in which session."""
    from optrade.flows.train.champions import champion_documents
    from optrade.runtime import runtime

    found = champion_documents(runtime(), name, session)
    if as_json:
        print_json(found)
        return
    if session is not None:
        rows = [[model["name"], model["champion"]] for model in found]
        print_table(f"champions of session {session}", ["model", "version"], rows)
        return
    rows = [[model["name"], *reign.values()] for model in found for reign in model["reigns"]]
    print_table("champions", COLUMNS, rows)


COMMANDS = {"champions": champions}
