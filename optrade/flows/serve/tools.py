"""Other people's pages over a home: Streamlit and MLflow, as processes of their own."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Never

from optrade.flows.serve.service import check_port
from optrade.flows.train.trained import require_registry
from training.registry.tracking_database import come_home, explained

if TYPE_CHECKING:
    from home.layout import Home
    from optrade.runtime import Runtime

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"


def dashboard_command(host: str, port: int) -> list[str]:
    """Return the command line of the dashboard."""
    return [
        _program("streamlit"), "run", str(APP),
        "--server.address", host, "--server.port", str(port),
        "--server.headless", "true", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def mlflow_command(home: "Home", host: str, port: int) -> list[str]:
    """Return the command line of MLflow's pages over the home's database.

    Raises
    ------
    InputError
        If nothing was ingested or trained yet: to look makes no database.
    StoreUnavailable
        If the database cannot be used.
    """
    require_registry(home)
    with explained(home.mlflow):
        come_home(home.mlruns)
    return [
        _program("mlflow"), "ui", "--host", host, "--port", str(port),
        "--backend-store-uri", f"sqlite:///{home.mlruns / 'mlflow.db'}",
        "--default-artifact-root", home.artifacts.as_uri(),
        "--workers", "1",  # each holds all of MLflow, and one person looks
    ]  # fmt: skip


def become(run: "Runtime", command: list[str], host: str, port: int) -> Never:
    """Replace this process by a command that serves on a port.

    Raises
    ------
    InputError
        If the port is taken.
    """
    check_port(host, port)
    # What libraries warn their writers of is nothing to who looks at pages.
    quiet = {"PYTHONWARNINGS": "ignore"}
    environment = {**quiet, **os.environ, "OPTRADE_HOME": str(run.home.root)}
    os.execve(command[0], command, environment)  # noqa: S606 - nothing is left to do here


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))
