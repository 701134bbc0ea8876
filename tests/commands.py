"""Whole `optrade` processes without the seconds of imports before.

One process imports what the commands need, and forks for each run: a run is a process of its own
from its first line to its last, with its own environment, streams and exit code.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

FORKS = """
import gc, json, multiprocessing, os, signal, sys, time
before = dict(os.environ)
from optrade.settings import quiet_libraries
quiet_libraries()
import alembic.command
import arch.bootstrap
import evidently.presets
import great_expectations
import feast.infra.online_stores.redis
import feature_repo.asof_store
import feature_repo.definitions
import ingestion.sources.recorded.source
import ingestion.sources.simulated.source
import optrade.flows.audit
import optrade.flows.data
import optrade.flows.doctor.examine
import optrade.flows.monitoring
import optrade.flows.serve.signals
import matplotlib.backends.backend_svg
import matplotlib.figure
import mlflow.sklearn
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store
import optrade.flows.train.models
import serving.reading.online
import skops.io
import stamina
import training.registry.mlflow_runs
from feature_repo.features.definition_hash import definition_hash
from market.calendar import calendar
from optrade.cli import main
calendar()
definition_hash()
set_by_imports = {k: v for k, v in os.environ.items() if before.get(k) != v}
stamina.set_testing(True, attempts=99, cap=True)  # every try, and no wait between them
gc.collect()
gc.freeze()  # what is imported stays out of the collections of the runs

def run(environment, output, arguments):
    os.environ.clear()
    os.environ.update(set_by_imports | environment)
    for number, name in ((1, "stdout"), (2, "stderr")):
        path = f"{output}.{name}"
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["optrade", *arguments]
    signal.alarm(300)
    main()

fork = multiprocessing.get_context("fork")
print("[]", flush=True)
for line in sys.stdin:
    ask = json.loads(line)
    processes = [fork.Process(target=run, kwargs=one) for one in ask["runs"]]
    for process in processes:
        process.start()
    if ask["seconds"] is not None:
        time.sleep(ask["seconds"])
        for process in processes:
            process.kill()
    for process in processes:
        process.join()
    print(json.dumps([process.exitcode for process in processes]), flush=True)
"""


@dataclass(frozen=True)
class Command:
    """What one process runs: its words, its whole environment, and the start of its files' names.

    Its streams are `output` with `.stdout` and `.stderr` behind.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    output: str


class Commands:
    """The forking process, a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORKS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def run(self, *commands: Command, seconds: float | None = None) -> list[int]:
        """Start commands at once, kill them after `seconds` if given; return their exit codes."""
        runs = [asdict(command) for command in commands]
        self._process.stdin.write(json.dumps({"runs": runs, "seconds": seconds}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> list[int]:
        return list(json.loads(self._process.stdout.readline()))


def read(output: str, stream: str) -> str:
    """Return what a command wrote to `stdout` or `stderr`."""
    return Path(f"{output}.{stream}").read_text()
