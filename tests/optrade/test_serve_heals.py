"""A running `optrade serve` whose Redis is killed or flushed is well again by itself."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest

from optrade.flows.serve.service import check_port, free_port
from optrade.redis import server as redis_server
from optrade.redis.process import client
from serving.http.orphan import WORKER
from tests.optrade.conftest import CommandLine
from tests.optrade.test_tools import OPTRADE, answer, started

pytestmark = pytest.mark.integration


@pytest.fixture
def served(
    copied: CommandLine, tmp_path: Path
) -> Iterator[tuple[CommandLine, str, subprocess.Popen]]:
    """A home whose store is stopped, and the service over it."""
    copied("redis", "stop")
    port, log = free_port(), tmp_path / "log"
    with started([str(OPTRADE), "serve", "--port", str(port)], copied.home, log) as process:
        base = f"http://127.0.0.1:{port}"
        answer(f"{base}/readyz", process, log)
        yield copied, base, process
    # The watch ends with the service, and starts no server after it.
    assert ended(process.pid)


def children(parent: int) -> list[psutil.Process]:
    return psutil.Process(parent).children(recursive=True)


def ended(parent: int) -> bool:
    deadline = time.monotonic() + 30
    command = f"optrade.flows.serve.watch {parent}"
    while time.monotonic() < deadline:
        shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        if command not in shown.stdout:
            return True
        time.sleep(0.1)
    return False


def ask(base: str) -> httpx2.Response:
    return httpx2.post(f"{base}/signal", json={"ticker": "SPY"}, timeout=30)


def well_again(base: str) -> httpx2.Response:
    """Ask until there is a signal; what comes before are refusals that say why and when."""
    deadline = time.monotonic() + 120
    while (found := ask(base)).status_code != 200:
        assert time.monotonic() < deadline, found.text
        assert found.status_code == 503
        assert found.json()["error"] in ("store_unavailable", "not_published")
        assert "optrade serve" in found.json()["detail"]
        time.sleep(min(0.5, int(found.headers["retry-after"])))
    return found


def test_it_heals_and_leaves_nothing_behind(
    served: tuple[CommandLine, str, subprocess.Popen], tmp_path: Path
) -> None:
    home, base, process = served
    before = ask(base)
    assert before.status_code == 200
    first = redis_server.status(home.home / "data")
    os.kill(first.pid, signal.SIGKILL)
    assert well_again(base).json() == before.json()
    second = redis_server.status(home.home / "data")
    assert second.pid != first.pid
    client(second).flushall()
    assert well_again(base).json() == before.json()
    home("redis", "stop")
    assert well_again(base).json() == before.json()
    said = (tmp_path / "log").read_text()
    assert said.count("filled from parquet") >= 3
    assert "Deprecat" not in said, "a library's words to its writers"
    port = base.rpartition(":")[2]
    taken = home("serve", "--port", port, code=2).stderr
    assert "has it; end it with `kill" in taken
    left = children(process.pid)
    assert len(left) >= 2  # the worker and the watch
    process.kill()
    assert psutil.wait_procs(left, timeout=60)[1] == []
    check_port("127.0.0.1", int(port))


def test_ctrl_c_ends_it_in_order_and_a_kill_while_it_starts_leaves_nothing(
    copied: CommandLine, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    serve = [str(OPTRADE), "serve", "--host", "::1", "--port", str(port)]
    with started(serve, copied.home, log) as process:
        answer(f"http://[::1]:{port}/readyz", process, log)
        left = children(process.pid)
        for one in (process, *left):  # as a terminal tells all of them
            one.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert psutil.wait_procs(left, timeout=60)[1] == []
    assert f"serving on http://[::1]:{port} " in log.read_text()
    with started(serve, copied.home, log) as process:
        while not (left := workers(process.pid)):
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        process.kill()
        assert psutil.wait_procs(left, timeout=60)[1] == []


def workers(parent: int) -> list[psutil.Process]:
    return [one for one in children(parent) if WORKER in " ".join(one.cmdline())]
