"""A worker whose supervisor is gone ends: a killed one ends nobody, and leaves the port taken."""

import os
import signal
import threading
import time
from typing import Final

SECONDS: Final = 0.5
# What a request may take to be answered.
GRACE_SECONDS: Final = 10.0


def end_without(parent: int) -> None:
    """End this process, by a thread, as soon as `parent` is not its parent any more."""
    threading.Thread(target=_watch, args=(parent,), name="orphan", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
