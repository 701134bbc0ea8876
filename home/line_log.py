"""A file of JSON lines that is only ever added to: each line whole, or not there."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from home.files import sync_folder
from home.strict_json import Json
from home.verified import read_regular
from market.errors import InputError


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from adding to a file while the body runs; they wait."""
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


def append(path: Path, line: Mapping[str, Json]) -> None:
    """Add a line that is on disk when this returns.

    What a kill left of a line before it is dropped: it never was a line. Where the disk refuses
    the line, the file is as it was.
    """
    left = f"{json.dumps(line, sort_keys=True, allow_nan=False)}\n".encode()
    new = not path.exists()
    # Without a buffer, which would go on with the rest of the line when it is closed.
    with path.open("ab", buffering=0) as file:
        whole = len(_whole(path.read_bytes()))
        if file.tell() > whole:
            file.truncate(whole)
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError as error:
            file.truncate(whole)
            error.filename = error.filename or str(path)
            raise
    if new:
        sync_folder(path.parent)


def read_log(path: Path) -> list[dict[str, Json]]:
    """Return the lines of a file, none where there is no file.

    Raises
    ------
    InputError
        If a whole line is no JSON.
    """
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return []
    lines = _whole(content).decode().splitlines()
    return [_parsed(path, number, line) for number, line in enumerate(lines, 1)]


def _whole(content: bytes) -> bytes:
    """Return the part that ends with a line's end."""
    return content[: content.rfind(b"\n") + 1]


def _parsed(path: Path, number: int, line: str) -> dict[str, Json]:
    try:
        return dict(json.loads(line))
    except ValueError as error:
        raise InputError(
            f"{path} line {number} is no JSON: got {line!r:.60}; restore the file from a copy: "
            "it says which locked windows were looked at"
        ) from error
