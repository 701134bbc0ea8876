"""Strict JSON: what the standard library writes comes back, and its leniencies are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home import strict_json

texts = st.text(st.characters(exclude_categories=["Cs"]))
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(documents, st.booleans())
def test_documents_come_back(document, ascii_only):
    content = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert strict_json.loads(content) == document


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"NaN", "NaN is no JSON number"),
        (b"[-Infinity]", "Infinity is no JSON number"),
        (b'{"a": [1e999]}', "1e999 is beyond"),
        (b"-1E+400", "-1E\\+400 is beyond"),
        (b'{"a": 1, "a": 1}', "twice"),
        (b'[{"b": {"a": 1, "a": 2}}]', "twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'"\\ud800"', "surrogates"),
        (b'"\xc3"', "utf-8"),
        (b"", "Expecting value"),
        (b"01", "Extra data"),
        (b"1" * 10_000, "digits"),
    ],
    ids=lambda v: repr(v)[:20],
)
def test_leniencies_of_the_standard_library_are_refused(content, words):
    with pytest.raises(ValueError, match=words):
        strict_json.loads(content)


def test_a_pair_of_surrogate_escapes_is_one_character():
    assert strict_json.loads(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"
