"""A process whose parent is killed ends by itself; one whose parent lives goes on."""

import os
import signal
import subprocess
import sys

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
