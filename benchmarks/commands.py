"""Whole commands as a person runs them: wall seconds and memory summed over all processes.

`python -m benchmarks.commands [--json]` runs `optrade --help` five times, and `optrade demo`
twice in a scratch folder: the second run is the figure, the first fills caches.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

OPTRADE = Path(sys.executable).with_name("optrade")
SAMPLE_SECONDS = 0.1


def run_command(arguments: list[str], folder: str) -> tuple[float, float]:
    """Return wall seconds and the peak of the summed resident memory, in MiB.

    Shared pages count once for each process that maps them, so the sum is an upper bound.
    """
    start = time.perf_counter()
    with Path(folder, "output.txt").open("wb") as output:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            stdout=output,
            stderr=output,
            env={**os.environ, "OPTRADE_HOME": folder},
        )
        peak = 0.0
        seen: dict[int, psutil.Process] = {}
        while process.poll() is None:
            peak = max(peak, _resident(process.pid, seen))
            time.sleep(SAMPLE_SECONDS if process.args[1] == "demo" else 0.005)
    if process.returncode:
        raise RuntimeError(Path(folder, "output.txt").read_text()[-2000:])
    return time.perf_counter() - start, peak


def _resident(pid: int, seen: dict[int, psutil.Process]) -> float:
    """Return the memory of a process and all it ever started, daemons included, in MiB."""
    try:
        parent = psutil.Process(pid)
        for child in (parent, *parent.children(recursive=True)):
            seen.setdefault(child.pid, child)
    except psutil.NoSuchProcess:
        return 0.0
    total = 0
    for process in seen.values():
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def measure(demo_arguments: list[str]) -> dict[str, dict[str, float]]:
    """Return the figures of each command."""
    with tempfile.TemporaryDirectory() as folder:
        helps = [run_command([str(OPTRADE), "--help"], folder)[0] for _ in range(6)][1:]
        demo = [str(OPTRADE), "demo", *demo_arguments]
        run_command(demo, folder)
        seconds, peak = run_command(demo, folder)
    return {
        "optrade --help": {"seconds": statistics.median(helps), "goal_seconds": 0.3},
        "optrade demo, second run": {
            "seconds": seconds, "goal_seconds": 90.0, "peak_mib": peak, "goal_mib": 2048.0,
        },
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("demo_arguments", nargs="*", help="after --: passed to optrade demo")
    arguments = parser.parse_args()
    figures = measure(arguments.demo_arguments)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, row in figures.items():
        words = ", ".join(f"{key} {value:.3g}" for key, value in row.items())
        print(f"{name}: {words}")


if __name__ == "__main__":
    main()
