"""Reading what others wrote: JSON documents and SQLite files, read only."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from home.strict_json import Json
from home.verified import read_regular
from market.errors import InputError

BUSY_SECONDS: Final = 5.0


class NothingYet(InputError):
    """There is nothing to show yet; the message names the command that makes it."""


def read_json(path: Path) -> dict[str, Json]:
    """Return a JSON document.

    Raises
    ------
    InputError
        If the file cannot be read, or is no JSON object.
    """
    try:
        content = read_regular(path)
    except OSError as error:
        raise InputError(f"{path} is missing: make it again with its command") from error
    return parse_json(path, content)


def parse_json(path: Path, content: bytes) -> dict[str, Json]:
    """Return the JSON object in the bytes of a file; see `read_json`."""
    try:
        document = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise InputError(
            f"{path}: {type(error).__name__}: {error!s:.100}; write it again with the command "
            "that made it, or restore it from a copy"
        ) from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: got {type(document).__name__}, allowed is a JSON object")
    return document


@contextmanager
def read_only(path: Path, what: str) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file that nothing can be written to through this connection.

    Raises
    ------
    InputError
        If the file or a query fails; `what` names the file in the message.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except sqlite3.Error as error:
        raise InputError(
            f"{what} {path}: {error}; check that it is whole and of this version, "
            "or restore it from a copy"
        ) from error
