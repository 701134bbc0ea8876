"""JSON as vendors send it: numbers, texts, days and times, read to the letter."""

import json
import math
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.wire.json_answer import (
    as_object,
    as_rows,
    day,
    field,
    moment,
    number,
    read_json,
    text,
    whole,
)
from market.errors import SchemaViolation, SourceUnavailable

UNKNOWN = [{}, {"x": None}, {"x": math.nan}, {"x": ""}]


@pytest.mark.parametrize("row", UNKNOWN, ids=repr)
def test_what_is_not_there_is_null(row: dict[str, Any]) -> None:
    assert math.isnan(number("V", row, "x"))
    assert text("V", row, "x") is None
    assert day("V", row, "x") is pd.NaT
    assert moment("V", row, "x") is pd.NaT
    with pytest.raises(SchemaViolation, match=r"V, field x: got .*, allowed is a whole number"):
        whole("V", row, "x")


READ: list[tuple[Callable[..., Any], Any, Any]] = [
    (number, 5, 5.0),
    (number, "5.50", 5.5),
    (number, " -.5e2 ", -50.0),
    (number, 1e999, math.inf),
    (whole, 7, 7),
    (whole, "7", 7),
    (whole, 7.0, 7),
    (whole, 2**53 + 1, 2**53 + 1),
    (whole, "9007199254740993", 2**53 + 1),
    (text, " a b ", "a b"),
    (text, "\ud83d\ude80", "🚀"),
    (text, "cut \ud83d", "cut \ufffd"),
    (day, "2024-02-29", pd.Timestamp("2024-02-29")),
    (moment, 1709672400, pd.Timestamp("2024-03-05 21:00", tz="UTC")),
    (moment, "1709672400.5", pd.Timestamp("2024-03-05 21:00:00.5", tz="UTC")),
]


@pytest.mark.parametrize(("read", "value", "expected"), READ)
def test_reads(read: Callable[..., Any], value: object, expected: object) -> None:
    got = read("V", {"x": value}, "x")
    assert got == expected
    assert type(got) is type(expected)


UNREADABLE: list[tuple[Callable[..., Any], Any]] = [
    *((number, value) for value in (True, "1,000", "1_000", "nan", "inf", "٣", "0x1", [], {})),
    (number, 10**400),
    *((whole, value) for value in (1.5, "1.0", True, math.inf, 2**63, "x", [1])),
    *((text, value) for value in (5, True, [], {"a": 1}, math.inf)),
    *((day, value) for value in ("2024-02-30", "2024-2-3", "20240203", "02/03/2024", "0001-01-01",
                                 "2024-02-03T00:00", "9999-12-31", 20240203)),
    *((moment, value) for value in (-1, 1e18, math.inf, "now", 1709672400_000, True)),
]  # fmt: skip


@pytest.mark.parametrize(("read", "value"), UNREADABLE)
def test_what_cannot_be_read_is_shown_in_one_line(read: Callable[..., Any], value: object) -> None:
    with pytest.raises(SchemaViolation, match=r"^V, row 3, field x: got .*, allowed ") as caught:
        read("V, row 3", {"x": value}, "x")
    assert len(str(caught.value)) < 200


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_whole_numbers_are_exact_in_every_form(value: int) -> None:
    assert whole("V", json.loads(json.dumps({"x": value})), "x") == value
    if abs(value) < 10**18:
        assert whole("V", {"x": str(value)}, "x") == value


@given(st.floats(allow_nan=False))
def test_a_number_is_the_same_as_a_number_and_as_a_text(value: float) -> None:
    assert number("V", json.loads(json.dumps({"x": value})), "x") == value
    if math.isfinite(value):
        assert number("V", {"x": repr(value)}, "x") == value


@given(st.integers(1, 9_223_372_035))
def test_a_time_is_exact_to_the_second(seconds: int) -> None:
    assert moment("V", {"x": seconds}, "x").timestamp() == seconds


@given(st.text(st.characters(), max_size=40))
def test_any_text_can_be_written_as_utf_8(value: str) -> None:
    read = text("V", json.loads(json.dumps({"x": value})), "x")
    assert read is None or read.encode("utf-8").decode("utf-8") == read


@given(st.dates(pd.Timestamp.min.ceil("D").date(), pd.Timestamp.max.floor("D").date()))
def test_every_day_that_fits_is_read(value: Any) -> None:
    assert day("V", {"x": value.isoformat()}, "x") == pd.Timestamp(value)


# --- shapes -------------------------------------------------------------------------------------


def test_rows_and_objects_pass_as_they_are() -> None:
    rows = [{"a": 1}, {"b": 2}]
    assert as_rows("V", rows, ("a", "b")) == rows
    assert as_rows("V", [], ("a",)) == []
    assert as_object("V", {"a": 1}) == {"a": 1}
    assert field("V", {"a": None}, "a") is None


SHAPES = {
    "no list": (lambda: as_rows("V", {"a": 1}, ()), "V: got a JSON object of 1, allowed is a list"),
    "no object": (lambda: as_object("V", [1, 2]), "V: got a JSON list of 2, allowed is a JSON ob"),
    "row no object": (lambda: as_rows("V", [{}, []], ()), "V, row 1: got an empty JSON list, all"),
    "renamed": (lambda: as_rows("V", [{"b": 1}], ("a",)), "V: no row has the field a, got b"),
    "missing": (lambda: field("V", {"b": 1, "c": 2}, "a"), "V: missing field a, got b, c"),
    "nothing there": (lambda: field("V", {}, "a"), "V: missing field a, got no field"),
}


@pytest.mark.parametrize(("read", "words"), SHAPES.values(), ids=SHAPES)
def test_other_shapes_are_refused(read: Callable[[], object], words: str) -> None:
    with pytest.raises(SchemaViolation) as caught:
        read()
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "V: got an empty answer, allowed is JSON; try again later"),
        (" \n", "V: got an empty answer"),
        ("<html>", "V: got a web page ('<html>'); try again later"),
        ('{"a": [1, 2', "V: got something that is not JSON, or cut short ('{\"a\": [1, 2')"),
        ("{'a': 1}", "V: got something that is not JSON"),
        ("1" * 5000, "V: got something that is not JSON"),
    ],
)
def test_what_is_not_json_is_not_meant(answer: str, words: str) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        read_json("V", answer)
    assert str(caught.value).startswith(words)
    assert caught.value.__context__ is None


def test_endless_nesting_is_refused() -> None:
    with pytest.raises(SchemaViolation, match="V: got JSON nested too deep to read"):
        read_json("V", "[" * 200_000)


@given(st.text(max_size=60))
def test_any_answer_is_read_or_refused(answer: str) -> None:
    try:
        read_json("V", answer)
    except SourceUnavailable as error:
        assert str(error).startswith("V: got ")
