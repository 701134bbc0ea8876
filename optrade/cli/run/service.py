"""`optrade serve`: signals over HTTP."""

from typing import Annotated

import typer

from optrade.cli import options

Host = Annotated[str, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]
Proven = Annotated[
    bool, typer.Option("--require-proven", help="Refuse models that have not beaten a baseline.")
]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 3000,
    require_proven: Proven = False,
    capital: options.Capital = None,
    require_edge: options.RequireEdge = False,
) -> None:
    """Serve signals over HTTP until stopped: POST /signal {"ticker": "SPY"}."""
    import os

    from optrade.flows.serve.service import command, place, prepare, start_watch
    from optrade.runtime import runtime
    from serving.http.orphan import SUPERVISOR

    run = runtime().pricing(capital, require_edge=require_edge)
    environment = prepare(run, require_proven=require_proven, host=host, port=port)
    environment[SUPERVISOR] = str(os.getpid())
    where = f"http://{place(host, port)}"
    typer.echo(f"serving on {where} (documentation at /), stop with ctrl-c", err=True)
    start_watch(environment)
    arguments = command(host, port)
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - this process becomes the server


def dashboard(host: Host = "127.0.0.1", port: Port = 8501) -> None:
    """Open the dashboard in a browser at the address given, until stopped."""
    from optrade.flows.serve.tools import become, dashboard_command
    from optrade.runtime import runtime

    become(runtime(), dashboard_command(host, port), host, port)


def mlflow_ui(host: Host = "127.0.0.1", port: Port = 5000) -> None:
    """Show the runs, models and aliases of this home in MLflow's own pages, until stopped."""
    from optrade.flows.serve.tools import become, mlflow_command
    from optrade.runtime import runtime

    run = runtime()
    become(run, mlflow_command(run.home, host, port), host, port)


COMMANDS = {"serve": serve, "dashboard": dashboard, "mlflow-ui": mlflow_ui}
