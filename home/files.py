"""Files that are whole or absent, whenever the process dies."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

TEMPORARY: Final = ".tmp"


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place, flushed to disk; a reader sees the old bytes or the new, never a part.

    The name itself is durable only after `sync_folder` of its folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: Path, keep: Collection[Path]) -> None:
    """Remove every file below a folder that is not in `keep`, unfinished ones included."""
    for path in folder.rglob("*"):
        if path not in keep and path.is_file():
            path.unlink()
