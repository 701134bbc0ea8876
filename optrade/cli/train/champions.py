"""The command that shows what serves, and which version was champion in which session."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table
from optrade.cli.train.live import live_words

if TYPE_CHECKING:
    from optrade.flows.train.champions import ModelChampion, ModelReigns

SERVES = ["model", "version", "type", "serves as", "newest challenger"]
COLUMNS = ["model", "version", "type", "from", "until", "first session", "last session"]
NONE_YET = "no champion yet: the first that the gate proves becomes one"
Name = Annotated[
    str | None, typer.Option("--name", help="Registered model, such as direction_SPY; all if none.")
]
Session = Annotated[
    str | None, typer.Option("--session", help="Only the champion of this session.")
]


def champions(name: Name = None, session: Session = None, as_json: options.AsJson = False) -> None:
    """Show what serves of each model, and which version was champion in which session."""
    from optrade.flows.train.champions import champions_in, model_reigns
    from optrade.runtime import runtime

    run = runtime()
    if session is not None:
        held = champions_in(run, name, session)
        if as_json:
            print_json([one.document() for one in held])
        else:
            _show_session(held, session)
        return
    found = model_reigns(run, name)
    if as_json:
        print_json([one.document() for one in found])
    else:
        _show(found)


def _show(found: "list[ModelReigns]") -> None:
    print_table("what serves", SERVES, [_serves(one) for one in found])
    told = [[one.name, *row.values()] for one in found for row in one.rows()]
    if told:
        print_table("champions", COLUMNS, told)
    else:
        typer.echo(NONE_YET)
    for one in found:
        if one.live is not None:
            typer.echo(live_words(one.live))


def _serves(one: "ModelReigns") -> list[object]:
    rival = one.challenger
    beside = None if rival is None else f"version {rival.version} ({rival.model}), {rival.standing}"
    if rival is not None and one.serves is not None and rival.version == one.serves.version:
        beside = "the same"
    if one.serves is None:
        return [one.name, None, None, f"nothing: {one.refused}", beside]
    return [one.name, one.serves.version, one.serves.model, one.serves.words, beside]


def _show_session(held: "list[ModelChampion]", session: str) -> None:
    if all(one.champion is None for one in held):
        typer.echo(f"no champion in session {session}: `optrade champions` says since when")
        return
    rows = [[one.name, one.champion, one.model] for one in held]
    print_table(f"champions of session {session}", ["model", "version", "type"], rows)


COMMANDS = {"champions": champions}
