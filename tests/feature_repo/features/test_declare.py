import numpy as np
import pytest

from feature_repo.features.declare import Feature, Group, Term
from market.errors import InputError


def feature(name, compute, **fields):
    return Feature(name, compute, **{"lookback": 1, "unit": "ratio", "formula": "f", **fields})


@pytest.fixture
def group():
    return Group(
        name="toy",
        entity="ticker",
        sources=("a", "b"),
        # Declared before what they need: the order is that of the inputs.
        features=(
            feature("doubled", lambda total: 2 * total),
            feature("c", lambda doubled, a: doubled - a),
            feature("b", lambda b: b.copy(), lookback=7),
        ),
        terms=(Term("total", lambda a, b: a + b),),
    )


def test_inputs_are_the_names_of_the_parameters(group):
    assert group.features[1].inputs == ("doubled", "a")
    assert group.terms[0].inputs == ("a", "b")


def test_rows_are_computed_after_their_inputs_and_returned_in_order(group):
    a, b = np.array([1.0, 2.0]), np.array([10.0, 20.0])
    values = group.compute({"a": a, "b": b, "unused": np.zeros(99)})
    assert list(values) == ["doubled", "c", "b"]
    np.testing.assert_array_equal(values["doubled"], [22, 44])
    np.testing.assert_array_equal(values["c"], [21, 42])
    np.testing.assert_array_equal(values["b"], b)


def test_the_lookback_of_a_group_is_its_longest(group):
    assert group.lookback == 7


def test_integers_are_taken_as_floats(group):
    values = group.compute({"a": np.array([1, 2]), "b": np.array([3, 4], dtype=np.int32)})
    assert values["b"].dtype == np.float64


def test_a_missing_array_is_refused_by_name(group):
    with pytest.raises(InputError, match=r"missing arrays b; allowed and needed are a, b"):
        group.compute({"a": np.zeros(3)})


@pytest.mark.parametrize("shape", [(4,), (3, 1), ()])
def test_arrays_of_other_shapes_are_refused(group, shape):
    with pytest.raises(InputError, match="align the arrays"):
        group.compute({"a": np.zeros(3), "b": np.zeros(shape)})


def test_arrays_of_equal_but_wrong_dimension_are_refused(group):
    with pytest.raises(InputError, match="one shape"):
        group.compute({"a": np.zeros((3, 2)), "b": np.zeros((3, 2))})


@pytest.mark.parametrize(
    ("features", "words"),
    [
        ((feature("x", lambda a: a), feature("x", lambda a: a)), "declared twice: x"),
        ((feature("a", lambda b: b),), "declared twice: a"),
        ((feature("x", lambda nowhere: nowhere),), "unknown input"),
        (
            (feature("x", lambda y: y), feature("y", lambda x: x)),
            "rows need each other",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(features, words):
    with pytest.raises(ValueError, match=words):
        Group("toy", "ticker", features, sources=("a", "b"))
