"""Services of two homes on one machine, as users start them."""

import re
import shutil
from pathlib import Path

import httpx2
import pytest

from optrade.flows.serve.service import free_port
from tests.optrade.conftest import CommandLine
from tests.optrade.test_tools import OPTRADE, answer, started

SIGNALS = re.compile(r'^optrade_signals_total\{[^}]*ticker="SPY"[^}]*\} (\S+)$', re.MULTILINE)


def ask(base: str) -> None:
    assert httpx2.post(f"{base}/signal", json={"ticker": "SPY"}, timeout=30).is_success


def counted(base: str) -> float:
    """How many signals of SPY a service says that it gave."""
    return sum(map(float, SIGNALS.findall(httpx2.get(f"{base}/metrics", timeout=30).text)))


@pytest.mark.integration
def test_each_home_s_service_keeps_its_metrics_apart(copied: CommandLine, tmp_path: Path) -> None:
    other = CommandLine(copied.commands, tmp_path / "other")
    shutil.copytree(copied.home, other.home)
    ports = free_port(), free_port()
    first, second = (f"http://127.0.0.1:{port}" for port in ports)

    def serve(home: Path, port: int):
        return started([str(OPTRADE), "serve", "--port", str(port)], home, home.parent / f"{port}")

    with serve(copied.home, ports[0]) as one:
        answer(f"{first}/readyz", one, tmp_path / f"{ports[0]}")
        ask(first)
        ask(first)
        # Whoever starts a service empties the folder of metrics that it finds.
        with serve(other.home, ports[1]) as two:
            answer(f"{second}/readyz", two, tmp_path / f"{ports[1]}")
            assert "/signal" in httpx2.get(f"{second}/docs.json", timeout=30).text
            ask(second)
            ask(first)
            assert (counted(first), counted(second)) == (3, 1)
        assert counted(first) == 3
    other("redis", "stop")
