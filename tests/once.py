"""What is dear to make, made by one worker of a test run for all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of a name that all workers share, filled by the first that asks.

    The others wait for it, and only read it.
    """
    mine = factory.getbasetemp()
    folder = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / name
    with FileLock(folder.with_suffix(".lock")):
        if not folder.with_suffix(".done").exists():
            folder.mkdir()
            make(folder)
            folder.with_suffix(".done").touch()
    return folder
