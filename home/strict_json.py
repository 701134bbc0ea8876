"""JSON as the standard has it: no NaN, no infinities, no field twice, whole UTF-8 only.

A number that would be read as an infinity (1e999) is one.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from math import isinf
from typing import NoReturn, TypeAlias

#: Any JSON value: for a document that has no record, such as what a vendor answers.
Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"


def loads(content: bytes) -> Json:
    """Return the JSON value of some bytes.

    Raises
    ------
    ValueError
        If they are no JSON document; the message says what is wrong.
    """
    try:
        value: Json = json.loads(
            content.decode("utf-8"),
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_no_twins,
        )
        # An escape may stand for half a character, which no text can hold.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def canonical(value: object) -> bytes:
    """Return the one JSON text of a value: sorted fields, no spaces.

    Raises
    ------
    ValueError
        If a number in it is not finite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode()


def signature(document: Mapping[str, Json]) -> str:
    """Return the SHA-256 of a document's canonical JSON, its own field `sha256` left out."""
    bare = {name: value for name, value in document.items() if name != "sha256"}
    return sha256(canonical(bare)).hexdigest()


def signed(document: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document with its `signature` as the field `sha256`, any earlier one replaced."""
    return {**document, "sha256": signature(document)}


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise ValueError(f"{text:.20} is beyond the numbers that can be held")
    return number


def _no_twins(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a field stands twice in an object")
    return document
