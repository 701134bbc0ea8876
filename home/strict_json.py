"""JSON as the standard has it: no NaN, no infinities, no field twice, whole UTF-8 only."""

import json
from typing import Any, NoReturn


def loads(content: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value of some bytes.

    Raises
    ------
    ValueError
        If they are no JSON document; the message says what is wrong.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_no_twins
        )
        # An escape may stand for half a character, which no text can hold.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a field stands twice in an object")
    return document
