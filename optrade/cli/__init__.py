"""The `optrade` command. Commands import what they need when they run."""

import sys
from typing import Annotated

import typer

from optrade.cli.endings import CLOSED, INTERRUPTED, end, is_closed, is_read
from optrade.cli.options import Command, Group
from optrade.cli.run import (
    backfill,
    backtest,
    chain,
    daily,
    demo,
    doctor,
    judge,
    monitoring,
    paper,
    prices,
    reconcile,
    redis,
    replay,
    service,
    signals,
)
from optrade.cli.store import audit, catalogue, chains, data, quarantine, repair
from optrade.cli.train import champions, diagnose, locked, models

app = typer.Typer(
    name="optrade",
    cls=Group,
    add_completion=False,
    context_settings={"max_content_width": 110},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
MODULES = (
    demo,
    doctor,
    repair,
    data,
    chains,
    models,
    champions,
    diagnose,
    signals,
    prices,
    chain,
    backtest,
    reconcile,
    backfill,
    judge,
    monitoring,
    paper,
    replay,
    service,
    daily,
    catalogue,
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(version("optrade"))
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options signals from a feature store that cannot leak, with honest evidence."""


for module in MODULES:
    for name, command in module.COMMANDS.items():
        # What is not built says so, whatever is asked of it.
        settings = {"ignore_unknown_options": name in daily.UNBUILT}
        app.command(name, cls=Command, context_settings=settings)(command)
GROUPS = {
    "audit": audit.app,
    "locked": locked.app,
    "quarantine": quarantine.app,
    "redis": redis.app,
}
for name, group in GROUPS.items():
    app.add_typer(group, name=name)


def main() -> None:
    """Run the command line: one clear line on stderr and an exit code, whatever went wrong."""
    try:
        code = _run()
    except (SystemExit, BrokenPipeError) as error:
        if not is_closed(error):
            raise
        code = CLOSED  # the libraries that print end with 1, which here says something else
    sys.exit(code if is_read() else CLOSED)


def _run() -> int | None:
    try:
        code: int | None = app(standalone_mode=False)
    except KeyboardInterrupt as stop:
        return end(stop)
    except Exception as error:  # noqa: BLE001 - the last resort: no command ends in a traceback
        return end(error)
    # What Typer makes of Ctrl-C.
    return end(KeyboardInterrupt()) if code == INTERRUPTED else code
