"""Whole `optrade` processes without the seconds of imports before.

One process imports what the commands need, and forks for each run: a run is a process of its own
from its first line to its last, with its own environment, streams and exit code. All workers of a
test run ask the same one.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

FORKS = """
import gc, json, multiprocessing, os, select, signal, socket, sys, time
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

def serve(asked):
    for line in asked:
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
        asked.write(json.dumps([process.exitcode for process in processes]) + "\\n")
        asked.flush()

fork = multiprocessing.get_context("fork")
listener = socket.socket(fileno=int(sys.argv[1]))
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # none of those who serve is waited for
while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        serve(connection.makefile("rw"))
        os._exit(0)
    connection.close()
"""


@dataclass(frozen=True)
class Command:
    """What one process runs: its words, its whole environment, and the start of its files' names.

    Its streams are `output` with `.stdout` and `.stderr` behind.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    output: str


@contextmanager
def forks() -> Iterator[str]:
    """Start the process that forks, and give the address at which it is asked.

    It listens at once, and answers when its imports are done.
    """
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        address = f"{folder}/forks"
        listener.bind(address)
        listener.listen()
        handle = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-c", FORKS, str(handle)], stdin=subprocess.PIPE, pass_fds=[handle]
        )
        try:
            yield address
        finally:
            process.kill()
            process.communicate()


class Commands:
    """A connection to the process that forks, a context manager."""

    def __init__(self, address: str) -> None:
        self._address = address

    def __enter__(self) -> Self:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(self._address)
        self._stream = self._connection.makefile("rw")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.close()
        self._connection.close()

    def run(self, *commands: Command, seconds: float | None = None) -> list[int]:
        """Start commands at once, kill them after `seconds` if given; return their exit codes."""
        runs = [asdict(command) for command in commands]
        self._stream.write(json.dumps({"runs": runs, "seconds": seconds}) + "\n")
        self._stream.flush()
        return list(json.loads(self._stream.readline()))


def read(output: str, stream: str) -> str:
    """Return what a command wrote to `stdout` or `stderr`."""
    return Path(f"{output}.{stream}").read_text()
