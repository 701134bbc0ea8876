"""The HTTP service as a process: start it, wait until it answers, end it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx2

from home.records.signal import Signal
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from optrade.flows.serve.configuration import served_configuration
from optrade.flows.serve.online import ready_store
from optrade.ports import refusal
from serving.reading.configuration import write_configuration

if TYPE_CHECKING:
    from optrade.runtime import Runtime

SERVICE: Final = "serving.service:SignalService"
WATCH: Final = "optrade.flows.serve.watch"
HOST: Final = "127.0.0.1"
READY_SECONDS: Final = 90.0


def command(host: str, port: int) -> list[str]:
    """Return the command line of the service; BentoML takes addresses, and no names of hosts."""
    bentoml = Path(sys.executable).with_name("bentoml")
    address = str(_resolved(host, port)[1][0])
    return [str(bentoml), "serve", SERVICE, "--host", address, "--port", str(port)]


def prepare(run: "Runtime", *, require_proven: bool, host: str, port: int) -> dict[str, str]:
    """See that port and online store are ready, write the serving configuration.

    Returns
    -------
    dict
        The environment of the service.

    Raises
    ------
    InputError
        If the port is taken, or the store cannot be made ready; see `ready_store`.
    """
    check_port(host, port)
    configuration = served_configuration(run, require_proven=require_proven)
    ready_store(run)
    write_configuration(run.home.data, configuration)
    # Every service that starts empties BentoML's folder of metrics: one of all homes would lose
    # those of the others.
    kept = {"BENTOML_HOME": str(run.home.files.bentoml)}
    return {**os.environ, "OPTRADE_HOME": str(run.home.root), **kept}


def start_watch(environment: Mapping[str, str]) -> None:
    """Start the watch over the online store, beside this process, which is to be the service."""
    watching = [sys.executable, "-m", WATCH, str(os.getpid())]
    subprocess.Popen(watching, env=environment, stdin=subprocess.DEVNULL)  # noqa: S603


def check_port(host: str, port: int) -> None:
    """Refuse a port that something listens on already.

    Raises
    ------
    InputError
        Naming the port, the process that has it, and how to choose another.
    """
    try:
        family, address = _resolved(host, port)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise InputError(
            f"cannot listen on {place(host, port)} {refusal(error, port)} choose another with "
            "--port"
        ) from None


def place(host: str, port: int) -> str:
    """Return host and port as a URL holds them: an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str | int, ...]]:
    """Return the family of a host, and its first address as a socket takes it."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address


def free_port() -> int:
    """Return a loopback port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(run: "Runtime") -> Iterator[str]:
    """Serve on a free loopback port for the time of a `with` block; yield the base URL."""
    port = free_port()
    environment = prepare(run, require_proven=False, host=HOST, port=port)
    log = run.home.data / "serving.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command(HOST, port), env=environment, stdout=output, stderr=output
        )
        try:
            base = f"http://{HOST}:{port}"
            _wait_until_ready(process, base, log)
            yield base
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", base: str, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx2.get(f"{base}/readyz", timeout=5.0).is_success:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the service is not ready after {READY_SECONDS:.0f} s, see {log}")


def ask(base: str, ticker: str) -> Signal:
    """Return the answer of `POST /signal` for a ticker.

    Raises
    ------
    RuntimeError
        If the service refuses.
    """
    underlying = UNDERLYINGS[ticker]
    answer = httpx2.post(f"{base}/signal", json={"ticker": underlying.ticker}, timeout=30.0)
    if not answer.is_success:
        raise RuntimeError(f"/signal answered {answer.status_code}: {answer.text[:300]}")
    return Signal.from_json(answer.text, "the answer of /signal")
