"""Requests of `POST /signal` a second, beside a BentoML service that does nothing.

`python -m benchmarks.http [--home .demo/simulated] [--requests 1000] [--json]` starts both on free
loopback ports, one after the other, asks each from 16 connections that are kept open, and ends
them. The floor is BentoML's own cost of an answer; one worker each.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from home.layout import Home
from market.errors import InputError
from optrade.flows import data
from optrade.flows.demo import own_redis
from optrade.flows.serve import service
from optrade.runtime import Runtime, runtime

ROOT = Path(__file__).resolve().parents[1]
NOOP = "benchmarks.http_noop:Noop"
CONNECTIONS = 16
WARM_UP = 64
READY_SECONDS = 90.0
BODY = json.dumps({"ticker": "SPY"}).encode()
HEADERS = {"content-type": "application/json"}
Figures = dict[str, float]


def ask_many(base: str, requests: int) -> Figures:
    """Return requests a second and the percentiles of an answer's milliseconds, at c=16."""
    seconds: list[float] = []
    faults: list[str] = []
    address = urlsplit(base).netloc
    shares = [requests // CONNECTIONS + (n < requests % CONNECTIONS) for n in range(CONNECTIONS)]
    threads = [
        threading.Thread(target=_ask, args=(address, share, seconds, faults)) for share in shares
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - start
    if faults:
        raise InputError(f"{base}/signal: {len(faults)} connections failed, the first: {faults[0]}")
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "requests": float(len(seconds)), "per_second": len(seconds) / wall,
        "p50_ms": cuts[49] * 1e3, "p95_ms": cuts[94] * 1e3,
    }  # fmt: skip


def _ask(address: str, share: int, seconds: list[float], faults: list[str]) -> None:
    connection = HTTPConnection(address, timeout=30)
    try:
        for _ in range(share):
            start = time.perf_counter()
            connection.request("POST", "/signal", BODY, HEADERS)
            answer = connection.getresponse()
            content = answer.read()
            seconds.append(time.perf_counter() - start)
            if answer.status != 200:
                faults.append(f"{answer.status} {content[:300].decode()}")
                return
    except (OSError, HTTPException) as error:
        faults.append(repr(error))
    finally:
        connection.close()


@contextmanager
def noop_service() -> Iterator[str]:
    """Serve the no-op on a free loopback port for the time of a `with` block."""
    port = service.free_port()
    bentoml = Path(sys.executable).with_name("bentoml")
    process = subprocess.Popen(
        [bentoml, "serve", NOOP, "--host", service.HOST, "--port", str(port)],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, f"{service.HOST}:{port}")
        yield f"http://{service.HOST}:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = HTTPConnection(address, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.2)
        finally:
            connection.close()
    raise InputError(f"the no-op service is not ready after {READY_SECONDS:.0f} s")


@contextmanager
def signal_service(run: Runtime) -> Iterator[str]:
    """Serve a home, its online store filled, for the time of a `with` block."""
    with own_redis(run):
        data.publish(run, run.as_of())
        with service.running(run) as base:
            yield base


def measure(run: Runtime, requests: int) -> dict[str, Figures]:
    """Return the figures of both services, and what a signal costs over the floor."""
    figures = {}
    with noop_service() as base:
        ask_many(base, WARM_UP)
        figures["bentoml no-op, async"] = floor = ask_many(base, requests)
    with signal_service(run) as base:
        ask_many(base, WARM_UP)
        figures["POST /signal"] = found = ask_many(base, requests)
    found["share_of_floor"] = found["per_second"] / floor["per_second"]
    return figures


def opened(home: Path) -> Runtime:
    """Return the runtime of a home.

    Raises
    ------
    InputError
        If there is no such home.
    """
    if not (home / "data" / "manifest.json").is_file():
        raise InputError(
            f"--home: got {home}, which holds no data; allowed is a home, such as the one that "
            "`optrade demo` makes in .demo/simulated"
        )
    return replace(runtime(), home=Home(home.resolve()))


def main() -> int:
    """Measure and print; return 2 where something has to be put right first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=ROOT / ".demo" / "simulated")
    parser.add_argument("--requests", type=int, default=1_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 100 <= arguments.requests <= 100_000:
        parser.error(f"--requests: got {arguments.requests}, allowed are 100 to 100,000")
    try:
        figures = measure(opened(arguments.home), arguments.requests)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps({"connections": CONNECTIONS, "services": figures}, indent=2))
        return 0
    print(f"{'c=16, one worker':22}{'requests/s':>12}{'p50 ms':>9}{'p95 ms':>9}")
    for name, row in figures.items():
        print(f"{name:22}{row['per_second']:12.0f}{row['p50_ms']:9.1f}{row['p95_ms']:9.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
