import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import mutual_info_score

from market.errors import InputError
from training.fit.selection import correlation, equal_frequency_bins, mutual_information, select
from training.frames.coverage import coverage
from training.models.sample import UnfittableError

SEEDS = st.integers(0, 10_000)


def table(seed: int = 0, count: int = 400, width: int = 6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    values = rng.standard_normal((count, width))
    return values, labels


def names(values: np.ndarray) -> list[str]:
    return [f"f{at}" for at in range(values.shape[1])]


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, classes=st.integers(2, 4))
def test_information_is_the_plug_in_estimate_less_millers_bias(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, 300)
    feature = rng.standard_normal(300) + labels
    bins = equal_frequency_bins(feature)
    joint = pd.crosstab(bins, labels).to_numpy()
    occupied = (joint.sum(1) > 0).sum() + (joint.sum(0) > 0).sum() - (joint > 0).sum() - 1
    expected = mutual_info_score(bins, labels) + occupied / (2 * len(labels))
    assert mutual_information(feature, labels) == pytest.approx(expected, abs=1e-12)
    plain = mutual_info_classif(bins[:, None], labels, discrete_features=True)[0]
    assert plain == pytest.approx(mutual_info_score(bins, labels), abs=1e-12)


def test_information_of_noise_is_about_zero_whatever_the_number_of_bins() -> None:
    rng = np.random.default_rng(0)
    flags, decimals = [], []
    for _ in range(300):
        labels = rng.integers(0, 2, 250)
        flags.append(mutual_information(rng.integers(0, 2, 250).astype(float), labels))
        decimals.append(mutual_information(rng.standard_normal(250), labels))
    assert abs(np.mean(flags)) < 0.001
    assert abs(np.mean(decimals)) < 0.001


def test_information_leaves_out_null_rows() -> None:
    values, labels = table()
    feature = values[:, 0] + labels
    holed = np.where(np.arange(400) % 3 == 0, np.nan, feature)
    known = np.isfinite(holed)
    assert mutual_information(holed, labels) == mutual_information(feature[known], labels[known])


@given(seed=SEEDS, count=st.integers(11, 500))
def test_bins_of_a_continuous_feature_are_equally_full(seed: int, count: int) -> None:
    feature = np.random.default_rng(seed).standard_normal(count)
    bins = equal_frequency_bins(feature)
    sizes = np.bincount(bins, minlength=10)
    assert len(sizes) == 10
    assert sizes.max() - sizes.min() <= 1
    order = np.argsort(feature)
    assert (np.diff(bins[order]) >= 0).all()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 0.95, 0.99])
def test_a_rare_flag_keeps_its_own_bin(share: float) -> None:
    flag = (np.arange(1000) < 1000 * share).astype(float)
    assert len(np.unique(equal_frequency_bins(flag))) == 2


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_correlation_is_pearsons_over_common_rows(seed: int) -> None:
    values, _ = table(seed, 80, 4)
    values[:, 1] = values[:, 0] * 2 + 0.1 * values[:, 1]
    values += 1e3
    values[np.random.default_rng(seed).random(values.shape) < 0.2] = np.nan
    expected = pd.DataFrame(values).corr().to_numpy()
    np.testing.assert_allclose(correlation(values), expected, atol=1e-8)


def test_correlation_without_nulls_is_the_same() -> None:
    values, _ = table(3)
    np.testing.assert_allclose(correlation(values), np.corrcoef(values, rowvar=False), atol=1e-12)


def test_twins_go_before_the_ranking_and_the_first_stays() -> None:
    values, labels = table()
    values[:, 2] = -3.0 * values[:, 0] + 7.0
    found = select(values, names(values), labels)
    assert found.twins == {"f2": "f0"}
    assert "f2" not in found.names
    assert "f0" in found.names


def test_correlated_features_that_are_no_twins_stay() -> None:
    values, labels = table()
    values[:, 2] = values[:, 0] + 0.1 * values[:, 1]
    assert not select(values, names(values), labels).twins


def test_constant_columns_are_dropped_and_named() -> None:
    values, labels = table()
    values[:, 3] = 2.5
    found = select(values, names(values), labels)
    assert found.constant == ("f3",)
    assert "f3" not in found.names


@pytest.mark.parametrize(("nulls", "kept"), [(160, True), (161, False), (400, False), (0, True)])
def test_under_sixty_percent_known_is_left_out_and_named(nulls: int, kept: bool) -> None:
    values, labels = table()
    values[:nulls, 1] = np.nan
    found = select(values, names(values), labels)
    assert ("f1" in found.names) is kept
    assert found.left_out == ({} if kept else {"f1": (400 - nulls) / 400})


def test_the_most_informative_come_first() -> None:
    values, labels = table()
    values[:, 4] += 3 * labels
    values[:, 1] += labels
    found = select(values, names(values), labels, 2)
    assert found.names == ("f4", "f1")
    assert found.columns.tolist() == [4, 1]
    assert found.information[0] > found.information[1] > 0


def test_ties_keep_the_given_order() -> None:
    flag = np.tile([0.0, 1.0], 50)
    other = np.roll(flag, 0)
    other = np.where(np.arange(100) < 50, flag, 1 - flag)
    labels = np.repeat([0, 1], 50)
    values = np.column_stack([other, flag])
    assert select(values, ["b", "a"], labels, 1).names == ("b",)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, n=st.integers(1, 12))
def test_selection_is_deterministic_and_as_long_as_can_be(seed: int, n: int) -> None:
    values, labels = table(seed)
    first, second = (select(values, names(values), labels, n) for _ in range(2))
    assert first.names == second.names
    assert len(first.names) == min(n, 6)
    assert first.names == tuple(f"f{at}" for at in first.columns)


def test_the_columns_do_not_depend_on_units() -> None:
    values, labels = table(5)
    values[:, 2] += labels
    scaled = values * np.array([1e-6, 1e6, 3.0, 1.0, 1e3, 0.1]) + 5.0
    assert (
        select(values, names(values), labels, 3).names
        == select(scaled, names(values), labels, 3).names
    )


def test_no_feature_left_is_refused_with_counts() -> None:
    values, labels = table()
    values[:] = np.nan
    with pytest.raises(UnfittableError, match="got 6 candidates, of which 0"):
        select(values, names(values), labels)
    with pytest.raises(UnfittableError, match="of which 6 have 60% of their rows and none"):
        select(np.ones((10, 6)), names(values), labels[:10])


def test_zero_features_are_refused() -> None:
    values, labels = table()
    with pytest.raises(InputError, match="got 0 features"):
        select(values, names(values), labels, 0)


def test_coverage_counts_known_rows() -> None:
    assert coverage(np.array([[1.0, np.nan], [2.0, np.nan]])).tolist() == [1.0, 0.0]
    assert coverage(np.empty((0, 2))).tolist() == [0.0, 0.0]
