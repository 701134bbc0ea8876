"""Folders that are whole or absent, whenever the process dies."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from home.files import sync
from market.errors import InputError


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, which takes the place of `folder` when all went well.

    Until then the old one stays as it was, and after an error too. What a killed process left
    behind is removed by the next.

    Raises
    ------
    InputError
        If another process is writing the same folder, or `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"folder {folder}: it is a file; name a folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh, old = (folder.with_name(f".{folder.name}.{word}") for word in ("new", "old"))
    with _only_writer(folder):
        _restore(folder, old)
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        try:
            yield fresh
            _flush(fresh)
            _swap(folder, fresh, old)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"folder {folder}: another process is writing it; wait until it is done"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _restore(folder: Path, old: Path) -> None:
    """Put back a folder that a process killed between the two renames had moved away."""
    if old.exists() and not folder.exists():
        old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _swap(folder: Path, fresh: Path, old: Path) -> None:
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    sync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in folder.iterdir():
        sync(path)
    sync(folder)
