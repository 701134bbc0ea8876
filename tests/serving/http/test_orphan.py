"""A process whose parent is killed ends by itself; one whose parent lives goes on."""

import os
import signal
import subprocess
import sys
import threading

from serving.http.orphan import SUPERVISOR, watch_supervisor

# Sleeps for ever beside the watch, and says its id; its parent waits for it.
CHILD = (
    "import os, time; from serving.http.orphan import end_without; end_without(os.getppid()); "
    "print(os.getpid(), flush=True); time.sleep(300)"
)
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_it_ends_with_its_parent_however_that_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, 0)
        parent.send_signal(signal.SIGKILL)
        # The child holds the other end, so that this ends when it has.
        assert parent.stdout.read() == b""
    assert parent.returncode == -signal.SIGKILL


def test_a_worker_that_lost_its_supervisor_before_it_could_ask_ends() -> None:
    # The name of a process that is not its parent: it was handed to another one meanwhile.
    code = (
        "import sys; from importlib.machinery import ModuleSpec; from serving.http import orphan; "
        "sys.modules['__main__'].__spec__ = ModuleSpec(orphan.WORKER, None); "
        "orphan.watch_supervisor(); import time; time.sleep(300)"
    )
    other = {**os.environ, SUPERVISOR: str(os.getppid())}
    done = subprocess.run([sys.executable, "-c", code], env=other, check=False, timeout=60)
    assert done.returncode == -signal.SIGTERM


def test_what_is_no_worker_watches_nothing(monkeypatch) -> None:
    monkeypatch.setenv(SUPERVISOR, str(os.getpid()))
    before = threading.enumerate()
    watch_supervisor()
    assert threading.enumerate() == before
