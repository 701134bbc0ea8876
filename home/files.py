"""Files that are whole or absent, whenever the process dies."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from market.errors import StoreUnavailable

TEMPORARY: Final = ".tmp"


def write_durably(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put a file in place, its bytes and its name flushed to disk, whoever else writes it.

    Parameters
    ----------
    path
        The file; its folder is made if missing.
    content
        Its bytes.
    private
        Only its owner may read it, from its first moment on.

    Raises
    ------
    StoreUnavailable
        If a folder stands in its place.
    """
    # A name of this process alone: two that write one file at once do not mix their parts.
    _replace(path, content, path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}"), private)
    sync_folder(path.parent)


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place, flushed to disk; a reader sees the old bytes or the new, never a part.

    For files that a lock lets one process write: what a killed one left unfinished is written
    over by the next. The name itself is durable only after `sync_folder` of its folder, which many
    files share.

    Parameters
    ----------
    path
        The file; its folder is made if missing.
    content
        Its bytes.

    Raises
    ------
    StoreUnavailable
        If a folder stands in its place.
    """
    _replace(path, content, path.with_name(f".{path.name}{TEMPORARY}"), private=False)


def _replace(path: Path, content: bytes, temporary: Path, private: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.unlink(missing_ok=True)
    try:
        _require_no_folder(path)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _mode(private=private))
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)  # a full disk names no file; nobody knows the temporary one
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _require_no_folder(path: Path) -> None:
    """Refuse a folder in the place of a file by its own name; the system names the other file."""
    if path.is_dir() and not path.is_symlink():
        raise StoreUnavailable(f"{path} is a folder, allowed is a file; move it away")


def _mode(*, private: bool) -> int:
    """Return the permissions of a new file, which the process's umask narrows."""
    return 0o600 if private else 0o666


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk."""
    sync(folder)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, keep: Collection[Path]) -> None:
    """Remove every file below a folder that is not in `keep`, unfinished ones included."""
    for path in folder.rglob("*"):
        if path not in keep and path.is_file():
            path.unlink()
