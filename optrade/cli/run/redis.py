"""`optrade redis`: the online store's own server of this home."""

from typing import Annotated

import typer

app = typer.Typer(help="Start, stop or look at this home's own Redis.", no_args_is_help=True)
Port = Annotated[
    int | None, typer.Option("--port", min=1, max=65535, help="A port; otherwise a free one.")
]


@app.command()
def start(port: Port = None) -> None:
    """Start the server, or find the running one."""
    from optrade.redis import server as redis_server
    from optrade.runtime import runtime

    address = redis_server.start(runtime().home.data, port=port)
    typer.echo(f"redis runs on {address.host}:{address.port}")


@app.command()
def stop() -> None:
    """Stop the server of this home."""
    from optrade.redis import server as redis_server
    from optrade.runtime import runtime

    stopped = redis_server.stop(runtime().home.data)
    typer.echo("redis stopped" if stopped else "redis was not running")


@app.command()
def status() -> None:
    """Say whether the server runs, and where."""
    from optrade.redis import server as redis_server
    from optrade.runtime import runtime

    address = redis_server.status(runtime().home.data)
    typer.echo(f"redis runs on {address.host}:{address.port}" if address else "redis is stopped")
