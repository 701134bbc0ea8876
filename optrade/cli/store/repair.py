"""`optrade repair`: makes again what is damaged and can be made again."""

from typing import Annotated

import typer

from optrade.cli import options
from optrade.cli.endings import UNAVAILABLE
from optrade.cli.output import print_json, print_table, progress_bar

DropRaw = Annotated[
    bool,
    typer.Option("--drop-raw", help="Take damaged raw files out, so that they are fetched again."),
]


def repair(drop_raw: DropRaw = False, as_json: options.AsJson = False) -> None:
    """Make damaged features, models, registry and online store again; say what is lost."""
    from dataclasses import asdict

    from optrade.flows.repair import DONE
    from optrade.flows.repair import repair as mend
    from optrade.runtime import runtime

    with progress_bar() as progress:
        found = mend(runtime(), progress, drop_raw=drop_raw)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        rows = [[one.what, one.state, one.words] for one in found]
        print_table("repair", ["what", "state", "how"], rows)
    if not all(one.state in DONE for one in found):
        raise typer.Exit(UNAVAILABLE)


COMMANDS = {"repair": repair}
