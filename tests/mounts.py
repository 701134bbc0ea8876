"""A disk that is really full, and one mounted read-only, for tests: root alone may mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SIZE = 4 * 2**20


def mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not permitted here: {done.stderr.strip()}")


@contextmanager
def mounted(folder: Path, *words: str) -> Iterator[Path]:
    folder.mkdir(exist_ok=True)
    mount(*words, str(folder))
    try:
        yield folder
    finally:
        # Lazily: MLflow keeps its databases open.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs") as folder:
        yield folder


@contextmanager
def full(disk: Path, *, but: int = 0) -> Iterator[Path]:
    """Fill a disk up to some bytes; yield it."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        free = os.statvfs(disk)
        file.write(bytes(max(free.f_bavail * free.f_frsize - but, 0)))
    try:
        yield disk
    finally:
        ballast.unlink()


@contextmanager
def read_only(disk: Path) -> Iterator[Path]:
    """Yield a disk mounted once more, read-only."""
    with mounted(disk.with_name("view"), "--bind", str(disk)) as view:
        mount("-o", "remount,ro,bind", str(view))
        yield view


DISKS = {
    "full": (full, r"the disk is full|database or disk is full|No space left"),
    "read-only": (read_only, r"read-only|readonly"),
}
