"""Reading what others wrote: JSON documents and SQLite files, read only, every field checked."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from home.strict_json import Json
from market.errors import InputError

Kind = TypeVar("Kind")

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
        document = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: {type(error).__name__}: {error!s:.100}; write it again with the command "
            "that made it, or restore it from a copy"
        ) from error
    if not isinstance(document, dict):
        raise InputError(f"{path}: got {type(document).__name__}, allowed is a JSON object")
    return document


def pick(document: Mapping[str, Json], place: str, kind: type[Kind], source: str) -> Kind:
    """Return a field of a document, of one type.

    Parameters
    ----------
    document
        Nested mappings.
    place
        Names joined by dots, such as `prediction.probability`.
    kind
        Allowed type; float takes whole numbers too, and only finite ones.
    source
        What an error calls the document.

    Raises
    ------
    InputError
        If the field is missing or of another type.
    """
    value: Any = document
    for step in place.split("."):
        if not isinstance(value, Mapping) or step not in value:
            raise InputError(f"{source}: {place} is missing; make it again with this version")
        value = value[step]
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
    if wrong or (isinstance(value, float) and not math.isfinite(value)):
        raise InputError(
            f"{source}: {place} is {value!r:.40}, allowed is {kind.__name__}; "
            "make it again with this version"
        )
    return value


def known(document: Mapping[str, Json], place: str, kind: type[Kind], source: str) -> Kind | None:
    """Return a field that may be null or absent at its last step, None if it is; see `pick`."""
    *above, last = place.split(".")
    holder = pick(document, ".".join(above), dict, source) if above else document
    if isinstance(holder, Mapping) and holder.get(last) is None:
        return None
    return pick(document, place, kind, source)


def interval(document: Mapping[str, Json], source: str) -> tuple[float | None, float | None]:
    """Return the ends of a document's `interval`, None and None where it is not known.

    Raises
    ------
    InputError
        If it is no pair of numbers.
    """
    ends = known(document, "interval", list, source)
    if ends is None:
        return None, None
    if len(ends) != 2 or not all(isinstance(end, int | float) for end in ends):
        raise InputError(f"{source}: interval is {ends!r:.60}, allowed is a pair of numbers")
    return float(ends[0]), float(ends[1])


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
