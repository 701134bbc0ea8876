"""Position sizes: the smallest of what confidence, strategy and evidence allow."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.strategies.sizing import SIZES, overall_confidence, position_size


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_overall_of_decimal_confidences_is_the_decimal_sum(d, i):
    exact = Decimal("0.6") * Decimal(d) / 1000 + Decimal("0.4") * Decimal(i) / 1000
    assert overall_confidence(d / 1000, i / 1000) == float(exact)


@given(st.floats(0, 1), st.floats(0, 1))
def test_overall_lies_between_its_parts(d, i):
    assert min(d, i) - 1e-12 <= overall_confidence(d, i) <= max(d, i) + 1e-12


@pytest.mark.parametrize("same", [0.35, 0.45, 0.52, 0.55, 0.70])
def test_equal_confidences_give_themselves(same):
    assert overall_confidence(same, same) == same


@pytest.mark.parametrize(
    ("overall", "limit", "proven", "size"),
    [
        (0.70, "full", True, "full"),
        (0.6999999, "full", True, "half"),
        (0.55, "full", True, "half"),
        (0.99, "full", False, "half"),
        (0.99, "half", True, "half"),
        (0.50, "half", True, "half"),
        (0.99, "none", True, "none"),
        (0.99, "none", False, "none"),
    ],
)
def test_sizes(overall, limit, proven, size):
    assert position_size(overall, limit, proven=proven) == size


@given(st.floats(0, 1))
def test_no_limit_is_ever_exceeded(overall):
    for limit, proven in itertools.product(SIZES, [True, False]):
        size = SIZES.index(position_size(overall, limit, proven=proven))
        assert size <= SIZES.index(limit)
        assert proven or size <= SIZES.index("half")
