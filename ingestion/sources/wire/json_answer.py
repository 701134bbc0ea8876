"""A vendor's answer in JSON, read to the letter: what is not there is null, the unreadable refused.

A number may be sent as a text of digits. A field that is missing in one row, null, NaN or an empty
text is unknown, hence null; the gate judges whether a row may go without it.
"""

import json
import math
import re
from collections.abc import Sequence
from typing import Final

import pandas as pd

from home.strict_json import Json
from market.errors import SchemaViolation, SourceUnavailable

SHOWN: Final = 60
# Digits as vendors write them: Python's own reading takes underscores, words and other scripts too.
NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
WHOLE: Final = re.compile(r"[+-]?[0-9]{1,18}")
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
LARGEST_INT: Final = 2**63 - 1
# What a time in nanoseconds can hold, in seconds; one in milliseconds lies far beyond.
LAST_SECOND: Final = LARGEST_INT // 10**9

Row = dict[str, Json]


def read_json(what: str, text: str) -> Json:
    """Return the value of a JSON answer.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    text
        The answer.

    Raises
    ------
    SourceUnavailable
        If it is empty, a web page, or cut short: the vendor did not mean it, and sends the real
        one later.
    SchemaViolation
        If it is nested beyond reading.
    """
    try:
        document: Json = json.loads(text)
    except RecursionError:
        fault: Exception = too_deep(what)
    except ValueError:
        fault = SourceUnavailable(f"{what}: {no_json(text)}; try again later")
    else:
        return document
    raise fault


def no_json(text: str) -> str:
    """Return what was got in place of JSON, in words."""
    start = text.strip()
    if not start:
        return "got an empty answer, allowed is JSON"
    kind = "a web page" if start.startswith("<") else "something that is not JSON, or cut short"
    return f"got {kind} ({start[:SHOWN]!r})"


def too_deep(what: str) -> SchemaViolation:
    """Return the error of an answer that no parser follows to its end."""
    return SchemaViolation(f"{what}: got JSON nested too deep to read, allowed are lists of rows")


def as_object(what: str, value: object) -> Row:
    """Return a JSON object.

    Raises
    ------
    SchemaViolation
        If it is anything else.
    """
    if not isinstance(value, dict):
        raise SchemaViolation(f"{what}: got {_shown(value)}, allowed is a JSON object")
    return value


def as_rows(what: str, value: object, fields: Sequence[str]) -> list[Row]:
    """Return a JSON list of objects.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    value
        What stands where the list should be.
    fields
        The names that at least one row must have: a name that none has was renamed.

    Raises
    ------
    SchemaViolation
        If it is no list, a row is no object, or no row has one of the fields.
    """
    if not isinstance(value, list):
        raise SchemaViolation(f"{what}: got {_shown(value)}, allowed is a list of rows")
    rows = [as_object(f"{what}, row {at}", row) for at, row in enumerate(value)]
    missing = [name for name in fields if rows and not any(name in row for row in rows)]
    if missing:
        raise SchemaViolation(
            f"{what}: no row has the field {', '.join(missing)}, got {', '.join(rows[0])[:200]}"
        )
    return rows


def field(what: str, row: Row, name: str) -> Json:
    """Return a field that must be there, whatever its value.

    Raises
    ------
    SchemaViolation
        If it is missing.
    """
    if name not in row:
        names = ", ".join(row)[:200] or "no field"
        raise SchemaViolation(f"{what}: missing field {name}, got {names}")
    return row[name]


def number(what: str, row: Row, name: str) -> float:
    """Return a number; NaN where it is unknown.

    Raises
    ------
    SchemaViolation
        If the value is no number and no text of one.
    """
    value = row.get(name)
    if value is None or value == "":
        return math.nan
    text = isinstance(value, str) and NUMBER.fullmatch(value.strip())
    if text or (isinstance(value, int | float) and not isinstance(value, bool)):
        try:
            return float(value)
        except OverflowError:  # an integer of more than 308 digits
            pass
    raise SchemaViolation(f"{what}, field {name}: got {_shown(value)}, allowed is a number or null")


def whole(what: str, row: Row, name: str) -> int:
    """Return a whole number that must be known.

    Raises
    ------
    SchemaViolation
        If it is missing, null, no number, or not whole.
    """
    value = row.get(name)
    digits = isinstance(value, str) and WHOLE.fullmatch(value.strip())
    if digits or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INT:
        return value
    raise SchemaViolation(f"{what}, field {name}: got {_shown(value)}, allowed is a whole number")


def text(what: str, row: Row, name: str) -> str | None:
    """Return a text without blanks around it; None where it is unknown or empty.

    Half a character, as a vendor leaves where it cuts a text, becomes the replacement character.

    Raises
    ------
    SchemaViolation
        If the value is no text.
    """
    value = row.get(name)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if not isinstance(value, str):
        raise SchemaViolation(
            f"{what}, field {name}: got {_shown(value)}, allowed is a text or null"
        )
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip() or None


def day(what: str, row: Row, name: str) -> pd.Timestamp:
    """Return a day, midnight without a zone; NaT where it is unknown.

    Raises
    ------
    SchemaViolation
        If the value is no day written YYYY-MM-DD.
    """
    value = text(what, row, name)
    if value is None:
        return pd.NaT
    try:
        if DATE.fullmatch(value):
            return pd.Timestamp(value).as_unit("ns")
    except ValueError:  # the 30th of February, or a year beyond nanoseconds
        pass
    raise SchemaViolation(
        f"{what}, field {name}: got {_shown(value)}, allowed is a day as YYYY-MM-DD or null"
    )


def moment(what: str, row: Row, name: str) -> pd.Timestamp:
    """Return a time in UTC from seconds since 1970; NaT where it is unknown, and for 0.

    Raises
    ------
    SchemaViolation
        If the value is no number of seconds.
    """
    seconds = number(what, row, name)
    if math.isnan(seconds) or seconds == 0.0:
        return pd.NaT
    if not 0.0 < seconds < LAST_SECOND:
        raise SchemaViolation(
            f"{what}, field {name}: got {_shown(row[name])}, allowed are seconds since 1970"
        )
    part, full = math.modf(seconds)
    return pd.Timestamp(int(full) * 10**9 + round(part * 1e9), tz="UTC")


def _shown(value: object) -> str:
    """Return a value in few words: a list or an object by its kind."""
    if isinstance(value, list | dict):
        kind = "list" if isinstance(value, list) else "object"
        return f"a JSON {kind} of {len(value)}" if value else f"an empty JSON {kind}"
    if isinstance(value, int) and abs(value) > LARGEST_INT:
        return "an integer of more than 64 bits"  # Python refuses to write out the longest ones
    return ascii(value)[:SHOWN]
