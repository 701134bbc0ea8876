import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from feature_repo.errors import InputError
from feature_repo.markets import session_shift, sessions
from training.validation import walk_forward

DAYS = sessions("2010-01-04", "2015-12-31")


def ends(days: np.ndarray, horizon: int = 5) -> np.ndarray:
    import pandas as pd

    return session_shift(pd.DatetimeIndex(days), horizon).to_numpy()


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(30, 600),
    n_folds=st.integers(1, 8),
    horizon=st.integers(1, 12),
    missing=st.floats(0.0, 0.4),
    seed=st.integers(0, 10),
)
def test_nothing_known_only_later_is_trained_on(
    count: int, n_folds: int, horizon: int, missing: float, seed: int
) -> None:
    keep = np.random.default_rng(seed).random(count) >= missing
    days = DAYS[:count][keep].to_numpy()
    label_ends = ends(days, horizon)
    before: set[int] = set()
    for fold in walk_forward(days, label_ends, n_folds):
        first, last = days[fold.test].min(), days[fold.test].max()
        assert (label_ends[fold.train] < first).all()
        assert (days[fold.train] < first).all()
        assert not set(fold.train) & set(fold.test)
        assert set(fold.test) == set(np.flatnonzero((days >= first) & (days <= last)))
        assert before <= set(fold.train), "the training part expands"
        assert len(fold.test) == len(days) // (n_folds + 1)
        # Nothing that was known in time is thrown away.
        assert set(fold.train) == {i for i, end in enumerate(label_ends) if end < first}
        before = set(fold.train)


@settings(max_examples=50, deadline=None)
@given(count=st.integers(60, 700), n_folds=st.integers(2, 7), horizon=st.integers(1, 9))
def test_on_an_unbroken_calendar_it_is_the_time_series_split(
    count: int, n_folds: int, horizon: int
) -> None:
    days = DAYS[:count].to_numpy()
    split = TimeSeriesSplit(n_splits=n_folds, gap=horizon)
    if count // (n_folds + 1) <= horizon:
        return  # scikit-learn refuses a first part that the gap swallows; ours leaves it empty
    found = walk_forward(days, ends(days, horizon), n_folds)
    for fold, (train, test) in zip(found, split.split(days), strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == test.tolist()


def test_several_rows_a_session_stay_together() -> None:
    days = np.repeat(DAYS[:120].to_numpy(), 3)
    shuffled = np.random.default_rng(0).permutation(len(days))
    days = days[shuffled]
    label_ends = ends(days)
    single = walk_forward(DAYS[:120].to_numpy(), ends(DAYS[:120].to_numpy()), 5)
    for fold, alone in zip(walk_forward(days, label_ends, 5), single, strict=True):
        assert set(days[fold.test]) == set(DAYS[:120].to_numpy()[alone.test])
        assert len(fold.test) == 3 * len(alone.test)
        assert len(fold.train) == 3 * len(alone.train)


def test_the_test_parts_are_adjacent_and_end_with_the_last_session() -> None:
    days = DAYS[:1003].to_numpy()
    folds = walk_forward(days, ends(days), 5)
    tested = np.concatenate([fold.test for fold in folds])
    assert tested.tolist() == list(range(1003 - 5 * 167, 1003))


def test_an_unknown_label_end_is_never_trained_on() -> None:
    days = DAYS[:100].to_numpy()
    label_ends = ends(days).copy()
    label_ends[3] = np.datetime64("NaT")
    assert all(3 not in fold.train for fold in walk_forward(days, label_ends, 4))


@pytest.mark.parametrize(("count", "n_folds", "least"), [(5, 5, 1), (359, 5, 60), (10, 0, 1)])
def test_too_few_sessions_are_refused(count: int, n_folds: int, least: int) -> None:
    days = DAYS[:count].to_numpy()
    with pytest.raises(InputError, match=f"got {count} labelled sessions") as refused:
        walk_forward(days, ends(days), n_folds, least)
    assert "needed at least" in str(refused.value)
    assert "longer period" in str(refused.value)


def test_just_enough_sessions_are_accepted() -> None:
    days = DAYS[:360].to_numpy()
    assert len(walk_forward(days, ends(days), 5, 60)) == 5
