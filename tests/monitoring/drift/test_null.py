"""Resamples by property, and what they promise by simulation."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import chi2

from monitoring.drift.null import Blocks, alarm_levels, alarmed_level, null_psi
from monitoring.drift.psi import bin_counts, decile_bins, psi


def blocks(resamples=400, longest=200, mean_block=20, seed=0) -> Blocks:
    return Blocks(resamples, longest, mean_block, np.random.SeedSequence(seed))


def series(rows: int, columns: int, autocorrelation: float = 0.0, seed: int = 0) -> np.ndarray:
    shocks = np.random.default_rng(seed).normal(size=(rows, columns))
    shocks[0] /= np.sqrt(1 - autocorrelation**2)
    return lfilter([1.0], [1.0, -autocorrelation], shocks, axis=0)


def compared(sample: np.ndarray, reference_rows: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the reference codes and the index of each column."""
    codes, figures = [], []
    for column in sample.T:
        reference, current = np.split(column, [reference_rows])
        bins = decile_bins(reference)
        codes.append(bins.codes(reference))
        counts = (bin_counts(bins.codes(part), bins.count) for part in (reference, current))
        figures.append(float(psi(*counts)))
    return codes, np.array(figures)


@pytest.mark.parametrize(("drawn", "length"), [(200, 200), (63, 200), (150, 40), (1, 1)])
def test_rows_come_from_the_sample_and_each_as_often(drawn, length):
    rows = blocks().rows(drawn, length)
    assert rows.shape == (400, drawn)
    assert rows.min() >= 0
    assert rows.max() < length
    counts = blocks().counts(drawn, length)
    assert (counts.sum(axis=1) == drawn).all()
    assert counts.sum(axis=0) == pytest.approx(drawn * 400 / length, rel=0.4)
    assert np.array_equal(counts[7], np.bincount(rows[7], minlength=length))


@pytest.mark.parametrize("mean_block", [1, 5, 20])
def test_blocks_run_on_around_the_circle_and_have_the_mean_length(mean_block):
    rows = blocks(mean_block=mean_block).rows(200, 200)
    breaks = (np.diff(rows, axis=1) % 200 != 1).mean()
    # A new block continues the old one by chance once in 200.
    assert 1 / breaks == pytest.approx(mean_block * 200 / 199, rel=0.05)


def test_begins_are_uniform():
    begins = blocks(resamples=2_000, mean_block=10).rows(1, 10)[:, 0]
    counts = np.bincount(begins, minlength=10)
    assert ((counts - 200) ** 2 / 200).sum() < chi2.ppf(0.999, 9)


def test_shorter_samples_use_the_same_blocks():
    longer, shorter = blocks().rows(150, 200), blocks().rows(100, 200)
    assert np.array_equal(longer[:, :100], shorter)
    begin = blocks().rows(1, 200)[:, 0] / 200
    assert blocks().rows(1, 100)[:, 0] / 100 == pytest.approx(begin, abs=0.01)


def test_each_feature_alone_gives_what_all_together_give():
    codes, _ = compared(series(400, 5), 300)
    codes[2], known = codes[2][:250], [100, 100, 100, 60, 100]
    together = null_psi(codes, known, 50, resamples=200, seed=3)
    assert together.shape == (200, 5)
    for place in (0, 1, 4):
        alone = null_psi([codes[place]], [100], 50, resamples=200, seed=3)
        assert np.array_equal(together[:, [place]], alone)
    assert not np.array_equal(together[:, 2], together[:, 0])


def test_a_figure_is_the_index_of_its_two_resamples():
    codes, _ = compared(series(400, 1), 300)
    seeds = np.random.SeedSequence(5).spawn(2)
    reference = Blocks(20, 300, 50, seeds[0]).rows(300, 300)
    current = Blocks(20, 100, 50, seeds[1]).rows(100, 300)
    expected = [
        float(psi(*(bin_counts(codes[0][part[row]], 10) for part in (reference, current))))
        for row in range(20)
    ]
    assert null_psi(codes, [100], 50, resamples=20, seed=5)[:, 0] == pytest.approx(expected)


def test_twins_have_the_same_null_and_are_counted_together():
    codes, _ = compared(series(400, 1), 300)
    null = null_psi(codes * 30, [100] * 30, 50, resamples=500)
    assert (null == null[:, :1]).all()
    levels = alarm_levels(null)
    assert levels == pytest.approx(np.quantile(null[:, 0], 0.99))
    # All 30 pass together in 1 case of 100, and none does in the others.
    assert set((null > levels).sum(axis=1)) == {0, 30}


def test_a_constant_has_level_zero():
    null = null_psi([np.ones(200, dtype=np.int64)], [50], 50, resamples=50)
    assert not null.any()
    assert alarm_levels(null) == 0.0
    assert alarmed_level(null, alarm_levels(null)) == 0


def test_nothing_to_compare_is_an_empty_null():
    assert null_psi([], [], 63, resamples=10).shape == (10, 0)


def test_the_seed_decides():
    codes, _ = compared(series(400, 1), 300)
    first, again, other = (null_psi(codes, [100], 50, 50, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("autocorrelation", "most"), [(0.0, 0.025), (0.8, 0.045), (0.95, 0.06), (0.99, 0.08)]
)
def test_without_drift_few_pass_their_level(autocorrelation, most):
    passed, past_the_words = [], []
    for seed in range(5):  # features of one call share their resamples, and so their luck
        codes, figures = compared(series(1_363, 100, autocorrelation, seed), 1_300)
        levels = alarm_levels(null_psi(codes, [63] * 100, 63, resamples=400, seed=seed))
        passed += (figures > levels).tolist()
        past_the_words += (figures > 0.25).tolist()
    assert 0.0 < np.mean(passed) < most
    # A fixed limit would be passed by one window in eight, or by nearly all.
    assert np.mean(past_the_words) > (0.9 if autocorrelation >= 0.95 else 0.12)


def test_short_blocks_would_call_persistence_drift():
    codes, figures = compared(series(1_363, 200, 0.99, seed=9), 1_300)
    share = {
        block: (figures > alarm_levels(null_psi(codes, [63] * 200, block, resamples=300))).mean()
        for block in (20, 63)
    }
    assert share[20] > 2 * share[63]


@pytest.mark.parametrize("shift", [-1.5, 1.5])
def test_a_planted_shift_passes_its_level(shift):
    sample = series(1_363, 50, 0.5, seed=10)
    sample[1_300:] += shift
    codes, figures = compared(sample, 1_300)
    assert (figures > alarm_levels(null_psi(codes, [63] * 50, 63, resamples=300))).mean() > 0.9
