"""`optrade redis`: the online store's own server of this home, unless REDIS_URL names another."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json

if TYPE_CHECKING:
    from home.strict_json import Json
    from optrade.redis.process import RedisAddress

app = typer.Typer(help="Start, stop or look at this home's own Redis.", cls=options.Group)
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="A port; otherwise a free one.")
]

STOPPED = (
    "redis stopped; who needs it starts it again: a running `optrade serve` of this home at once, "
    "other commands when they run"
)


@app.command()
def start(port: Port = None, as_json: options.AsJson = False) -> None:
    """Start the server, or find the running one."""
    from market.errors import InputError
    from optrade.redis import server as redis_server
    from optrade.runtime import runtime

    run = runtime()
    if run.settings.redis_url is not None:
        raise InputError("REDIS_URL names the server to use: unset it to start this home's own")
    address = redis_server.start(run.home.data, port=port)
    _show(f"redis runs on {address.host}:{address.port}", _document(address), as_json)


@app.command()
def stop(as_json: options.AsJson = False) -> None:
    """Stop the server of this home; who needs it starts it again, a running `serve` at once."""
    from optrade.redis import server as redis_server
    from optrade.runtime import runtime

    stopped = redis_server.stop(runtime().home.data)
    words = STOPPED if stopped else "redis was not running"
    _show(words, {"stopped": stopped}, as_json)


@app.command()
def status(as_json: options.AsJson = False) -> None:
    """Say whether the server runs, and where; of one that REDIS_URL names, whether it answers."""
    from optrade.redis import server as redis_server
    from optrade.redis.content import place
    from optrade.runtime import runtime

    run = runtime()
    address = redis_server.status(run.home.data)
    words = f"redis runs on {address.host}:{address.port}" if address else "redis is stopped"
    document = _document(address)
    if run.settings.redis_url is not None:
        document["redis_url"] = place(run.redis_url())
        words = f"REDIS_URL names {document['redis_url']}, which answers; this home's own {words}"
    _show(words, document, as_json)


def _document(address: "RedisAddress | None") -> "dict[str, Json]":
    if address is None:
        return {"running": False}
    return {"running": True, "host": address.host, "port": address.port}


def _show(words: str, document: "dict[str, Json]", as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(words)
