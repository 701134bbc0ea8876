"""A worker whose supervisor is gone ends: a killed one ends nobody, and leaves the port taken."""

import os
import signal
import sys
import threading
import time
from typing import Final

SECONDS: Final = 0.5
# What a request may take to be answered.
GRACE_SECONDS: Final = 10.0
# Names the process that supervises, for a worker that loses it before it can ask.
SUPERVISOR: Final = "OPTRADE_SUPERVISOR"
# What BentoML runs as a worker.
WORKER: Final = "_bentoml_impl.worker.service"


def watch_supervisor() -> None:
    """In a worker of BentoML, end this process as soon as its supervisor is gone, or is already.

    In the supervisor, and wherever else the service is loaded, nothing happens.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.name == WORKER:
        end_without(int(os.environ.get(SUPERVISOR) or os.getppid()))


def end_without(parent: int) -> None:
    """End this process, by a thread, as soon as `parent` is not its parent any more."""
    threading.Thread(target=_watch, args=(parent,), name="orphan", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
