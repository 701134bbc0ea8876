"""The commands that the demo ends with run as they are typed in the folder it was started from."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from home.layout import Home
from optrade.flows.demo import next_commands
from optrade.flows.serve.service import free_port
from tests.optrade.test_tools import answer, started

pytestmark = pytest.mark.integration


@pytest.fixture
def lines(copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As printed in a folder beside the home, whose name needs quoting."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    copied.home.rename(tmp_path / "the home")
    monkeypatch.chdir(folder)
    yield next_commands(Home(tmp_path / "the home"))
    (tmp_path / "the home").rename(copied.home)


def run(line: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k not in ("OPTRADE_HOME", "REDIS_URL")}
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, env=environment, check=False
    )


def test_the_signal_is_given(lines: list[str]) -> None:
    done = run(lines[0])
    assert done.returncode == 0, done.stderr
    assert "2024-11-15" in done.stdout


@pytest.mark.parametrize(("place", "path"), [(1, "/readyz"), (2, "/_stcore/health")])
def test_the_servers_start(lines: list[str], place: int, path: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    # `exec env`, so that no shell is left around it that would not pass on the end of the test.
    typed = f"cd {shlex.quote(str(Path.cwd()))} && exec env {lines[place]} --port {port}"
    command = ["/bin/sh", "-c", typed]
    with started(command, tmp_path / "no home", log) as process:
        answer(f"http://127.0.0.1:{port}{path}", process, log)


def test_a_program_on_the_path_is_named_by_its_name(
    lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(" optrade " in line for line in lines)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    found = next_commands(Home(Path("home").resolve()))
    assert found[0] == "OPTRADE_HOME=home optrade signal --ticker SPY"
