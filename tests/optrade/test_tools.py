"""The plain tools as real processes: each starts, answers, and is ended by its id."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
OPTRADE = BIN / "optrade"
pytestmark = pytest.mark.integration


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(command: list[str], home: Path, log: Path) -> Iterator[subprocess.Popen]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "OPTRADE_HOME": str(home)},
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=120)


def answer(url: str, process: subprocess.Popen, log: Path) -> httpx2.Response:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            found = httpx2.get(url, timeout=5)
        except httpx2.TransportError:
            time.sleep(0.3)
            continue
        if found.is_success:
            return found
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-2000:])


TOOLS = {
    "optrade dashboard": (["dashboard"], "/_stcore/health", "ok"),
    "optrade mlflow-ui": (["mlflow-ui"], "/health", "OK"),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_starts_and_answers(tool: str, trained_home, tmp_path: Path) -> None:
    arguments, path, said = TOOLS[tool]
    port = free_port()
    command = [str(OPTRADE), *arguments, "--port", str(port)]
    log = tmp_path / "log"
    with started(command, trained_home.home, log) as process:
        assert said in answer(f"http://127.0.0.1:{port}{path}", process, log).text
        started_by_it = psutil.Process(process.pid).children(recursive=True)
    assert psutil.wait_procs(started_by_it, timeout=30)[1] == []
    assert "Deprecat" not in log.read_text(), "a library's words to its writers"


def test_streamlit_by_itself(trained_home, tmp_path: Path) -> None:
    port = free_port()
    command = [str(BIN / "streamlit"), "run", "dashboard/app.py", "--server.port", str(port)]
    log = tmp_path / "log"
    with started(command, trained_home.home, log) as process:
        answer(f"http://127.0.0.1:{port}/_stcore/health", process, log)


def test_feast_ui_shows_the_views(trained_home, tmp_path: Path) -> None:
    port = free_port()
    yaml = trained_home.home / "data" / "feast" / "feature_store.yaml"
    command = [
        str(BIN / "feast"), "-c", "feature_repo", "-f", str(yaml),
        "ui", "--host", "127.0.0.1", "--port", str(port),
    ]  # fmt: skip
    log = tmp_path / "log"
    with started(command, trained_home.home, log) as process:
        base = f"http://127.0.0.1:{port}"
        answer(f"{base}/", process, log)


@pytest.mark.parametrize("tool", ["serve", "dashboard", "mlflow-ui"])
def test_a_taken_port_is_named(tool: str, trained_home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = trained_home(tool, "--port", port, code=2)
    assert port in done.stderr
    assert "--port" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
