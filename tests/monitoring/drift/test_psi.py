"""The index by hand, by property, and against Evidently and pandas."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from market.errors import InputError
from monitoring.drift.psi import (
    DECILES,
    EMPTY_SHARE,
    MAX_BINS,
    bin_counts,
    decile_bins,
    decile_psi,
    psi,
)

NUMBERS = st.floats(-1e6, 1e6).map(lambda number: round(number, 6))
SAMPLES = arrays(np.float64, st.integers(1, 60), elements=NUMBERS)
TIED = arrays(np.float64, st.integers(1, 60), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0]))
EITHER = st.one_of(SAMPLES, TIED)
COUNTS = arrays(np.float64, 10, elements=st.integers(0, 50).map(float))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_by_hand():
    # 20 to 30 % of one bin, 80 to 70 % of the other: 0.1 ln 1.5 - 0.1 ln 0.875.
    got = psi(np.array([2.0, 8.0]), np.array([30.0, 70.0]))
    assert got == pytest.approx(0.1 * math.log(1.5) - 0.1 * math.log(0.875))
    assert got == pytest.approx(0.0538996, abs=1e-7)


def test_ten_deciles_by_hand():
    reference = np.arange(1.0, 101.0)  # ten values a decile
    current = np.repeat([5.0, 95.0], 10)  # half in the lowest, half in the highest
    expected = 2 * (0.5 - 0.1) * math.log(5.0) + 8 * (0.1 - EMPTY_SHARE) * math.log(
        0.1 / EMPTY_SHARE
    )
    assert decile_psi(reference, current) == pytest.approx(expected)


def test_many_rows_at_once_are_each_row_alone():
    one, other = rng(1).integers(0, 9, (2, 7, 10)).astype(float)
    together = psi(one, other)
    assert together.shape == (7,)
    assert together == pytest.approx([float(psi(a, b)) for a, b in zip(one, other, strict=True)])
    assert psi(one[0], other) == pytest.approx([float(psi(one[0], b)) for b in other])


def test_a_bin_that_is_empty_in_both_adds_nothing():
    with_it = psi(np.array([3.0, 0.0, 7.0]), np.array([5.0, 0.0, 5.0]))
    assert with_it == pytest.approx(float(psi(np.array([3.0, 7.0]), np.array([5.0, 5.0]))))


def test_no_count_at_all_is_null():
    assert np.isnan(psi(np.zeros(10), np.ones(10)))


@given(COUNTS, COUNTS)
def test_never_negative_and_symmetric(one, other):
    assume(one.any() and other.any())
    assert psi(one, other) >= 0.0
    assert psi(one, other) == pytest.approx(float(psi(other, one)), rel=1e-12, abs=1e-15)


@given(COUNTS, st.integers(1, 9))
def test_equal_shares_give_zero(counts, times):
    assume(counts.any())
    assert psi(counts, counts * times) == pytest.approx(0.0, abs=1e-12)


@given(EITHER)
def test_a_sample_has_not_drifted_from_itself(sample):
    assert decile_psi(sample, sample) == 0.0
    assert decile_psi(sample, np.tile(sample, 3)) == pytest.approx(0.0, abs=1e-12)


@given(EITHER, EITHER)
def test_every_value_falls_into_one_of_at_most_ten_bins(reference, current):
    bins = decile_bins(reference)
    assert 1 < bins.count <= MAX_BINS
    codes = bins.codes(current)
    assert codes.min() >= 0
    assert codes.max() < bins.count
    assert bin_counts(codes, bins.count).sum() == len(current)
    assert len(set(bins.labels())) == bins.count


@given(EITHER, EITHER)
def test_bins_keep_the_order_of_values(reference, current):
    bins = decile_bins(reference)
    assert (np.diff(bins.codes(np.sort(current))) >= 0).all()


@given(EITHER, EITHER, st.sampled_from([0.5, 4.0, 1024.0]))
def test_units_do_not_matter(reference, current, scale):
    # Powers of two scale without rounding.
    assert decile_psi(reference * scale, current * scale) == decile_psi(reference, current)


@pytest.mark.parametrize("rows", [100, 137, 1_300, 1_309])
def test_bins_without_ties_are_those_of_pandas(rows):
    reference, current = rng(2).normal(size=rows), rng(3).normal(size=63)
    edges = pd.qcut(reference, DECILES, retbins=True)[1]
    edges[0], edges[-1] = -np.inf, np.inf
    bins = decile_bins(reference)
    assert bins.count == DECILES
    for sample in (reference, current):
        cut = pd.cut(sample, edges, labels=False)
        assert np.array_equal(bins.codes(sample), cut)


@pytest.mark.parametrize("share", [0.002, 0.03, 0.1, 0.15, 0.5, 0.85, 0.97, 0.998])
def test_a_flag_is_compared_flag_by_flag(share):
    reference = np.repeat([0.0, 1.0], [round(1000 * (1 - share)), round(1000 * share)])
    current = np.repeat([0.0, 1.0], [20, 43])
    counts = [[np.sum(x == 0), np.sum(x == 1)] for x in (reference, current)]
    expected = psi(*np.array(counts, dtype=float))
    assert decile_psi(reference, current) == pytest.approx(float(expected))
    assert decile_psi(reference, current) > 0.0


def test_up_to_five_equally_frequent_values_are_compared_value_by_value():
    reference = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], 20)
    current = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0], [4, 0, 3, 1, 9])
    expected = psi(np.full(5, 20.0), np.array([4.0, 0.0, 3.0, 1.0, 9.0]))
    assert decile_psi(reference, current) == pytest.approx(float(expected))


def test_a_constant_is_left_by_what_is_above_and_below():
    reference = np.full(200, 7.0)
    assert decile_psi(reference, np.full(30, 7.0)) == 0.0
    above, below = decile_psi(reference, np.full(30, 7.5)), decile_psi(reference, np.full(30, 6.5))
    assert above == below > 5.0
    assert decile_bins(reference).labels() == ["01: (-inf, 7)", "02: [7, 7]", "03: (7, inf)"]


def test_a_value_that_two_deciles_share_has_a_bin_of_its_own():
    low, rare, high = np.linspace(-1, 0, 22), np.linspace(0.5, 0.9, 5), np.linspace(2, 3, 54)
    bins = decile_bins(np.r_[low, rare, np.ones(19), high])
    assert bins.ties.tolist() == [1.0]
    assert len(set(bins.codes(np.array([0.9, 1.0, 2.0])))) == 3


def test_labels_say_which_end_belongs():
    reference = np.r_[np.zeros(50), np.arange(1.0, 51.0)]
    bins = decile_bins(reference)
    assert bins.labels()[:3] == ["01: (-inf, 0)", "02: [0, 0]", "03: (0, 0.5]"]
    assert bins.codes(np.array([-1.0, 0.0, 0.5, 0.6])).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("reference", "current"),
    [([], [1.0]), ([1.0], []), ([1.0, np.nan], [1.0]), ([1.0], [np.nan]), ([np.inf], [1.0])],
)
def test_nulls_and_nothing_are_refused(reference, current):
    with pytest.raises(InputError, match="finite"):
        decile_psi(np.array(reference), np.array(current))


def evidently_psi(reference: np.ndarray, current: np.ndarray) -> float:
    from evidently.legacy.calculations.stattests import psi_stat_test
    from evidently.legacy.core import ColumnType

    found = psi_stat_test.func(
        pd.Series(reference), pd.Series(current), ColumnType.Categorical, 0.1
    )
    return float(found[0])


@given(EITHER, EITHER)
@settings(max_examples=60, deadline=None)
def test_equals_evidently_on_any_bins(reference, current):
    bins = decile_bins(reference)
    expected = evidently_psi(bins.codes(reference), bins.codes(current))
    assert decile_psi(reference, current) == pytest.approx(expected, abs=1e-12, rel=1e-12)


@pytest.mark.parametrize("rare", [1, 2, 3])
def test_equals_evidently_where_the_smallest_share_is_tiny(rare):
    # A share of at most 0.0001 makes Evidently fill empty bins with a millionth of it.
    one = np.array([20_000.0, rare, 0.0, 40.0])
    other = np.array([50.0, 0.0, 3.0, 7.0])
    rows = [np.repeat(np.arange(4), counts.astype(int)) for counts in (one, other)]
    assert psi(one, other) == pytest.approx(evidently_psi(*rows), rel=1e-12)
    assert psi(other, one) == pytest.approx(evidently_psi(*rows[::-1]), rel=1e-12)


def test_short_samples_of_the_same_thing_are_far_apart():
    # The reason for a bootstrapped alarm level: no drift, reference of 1,000.
    source = rng(4)
    mean = {
        rows: np.mean(
            [decile_psi(*np.split(source.normal(size=1000 + rows), [1000])) for _ in range(60)]
        )
        for rows in (21, 63, 252)
    }
    assert mean == pytest.approx({21: 0.98, 63: 0.18, 252: 0.05}, rel=0.2)
