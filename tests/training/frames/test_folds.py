from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from market.calendar import session_shift, sessions
from market.errors import InputError
from training.frames.folds import Fold, combinatorial, walk_forward

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


def test_history_is_trained_on_and_never_tested() -> None:
    days = DAYS[:900].to_numpy()
    label_ends = ends(days)
    alone = walk_forward(days[300:], label_ends[300:], 5)
    folds = walk_forward(days, label_ends, 5, window_start=days[300])
    for fold, other in zip(folds, alone, strict=True):
        assert fold.test.tolist() == (other.test + 300).tolist(), "the same sessions are tested"
        assert fold.train.tolist() == [*range(300), *(other.train + 300)]


def test_only_the_rows_that_may_be_tested_are_and_all_are_trained_on() -> None:
    days = np.repeat(DAYS[:400].to_numpy(), 2)
    mine = np.tile([True, False], 400)
    mine[:200] = False  # the ticker that is tested is younger than the other
    young = walk_forward(days[mine], ends(days[mine]), 4)
    for fold, alone in zip(walk_forward(days, ends(days), 4, tested=mine), young, strict=True):
        assert mine[fold.test].all()
        assert days[fold.test].tolist() == days[mine][alone.test].tolist()
        first = days[fold.test].min()
        assert fold.train.tolist() == np.flatnonzero(ends(days) < first).tolist()


@pytest.mark.parametrize("embargo", [0, 1, 7])
def test_an_embargo_keeps_sessions_between_a_label_and_the_test_part(embargo: int) -> None:
    days = DAYS[:300].to_numpy()
    for fold in walk_forward(days, ends(days), 4, embargo=embargo):
        assert fold.test[0] - fold.train[-1] == 5 + 1 + embargo


def test_an_embargo_longer_than_what_lies_before_leaves_nothing_to_train_on() -> None:
    days = DAYS[:60].to_numpy()
    assert len(walk_forward(days, ends(days), 5, embargo=11)[0].train) == 0
    with pytest.raises(InputError, match="got -1 sessions, allowed is 0 or more"):
        walk_forward(days, ends(days), 5, embargo=-1)


def by_hand(
    days: np.ndarray,
    label_ends: np.ndarray,
    group: np.ndarray,
    choice: tuple[int, ...],
    embargo: int,
) -> tuple[list[int], list[int]]:
    """Each row against each tested row: spans that meet are purged, then the embargo."""
    test = [row for row in range(len(days)) if group[row] in choice]
    calendar = sorted(set(days.tolist()))
    shut = set()
    for at in choice:
        stretch = [row for row in test if group[row] == at]
        closed = max([days[stretch].max(), *(e for e in label_ends[stretch] if e == e)])
        shut |= set([day for day in calendar if day > closed.item()][:embargo])
    train = []
    for row in range(len(days)):
        if row in test or np.isnat(label_ends[row]) or days[row].item() in shut:
            continue
        met = False
        for at in choice:
            stretch = [one for one in test if group[one] == at]
            first = days[stretch].min()
            last = max([days[stretch].max(), *(e for e in label_ends[stretch] if e == e)])
            met |= days[row] <= last and label_ends[row] >= first
        if not met:
            train.append(row)
    return train, test


@settings(max_examples=40, deadline=None)
@given(
    count=st.integers(12, 90),
    n_groups=st.integers(2, 6),
    taken=st.integers(1, 5),
    embargo=st.integers(0, 6),
    tickers=st.integers(1, 2),
    seed=st.integers(0, 100),
)
def test_combinatorial_folds_are_those_made_row_by_row(
    count: int, n_groups: int, taken: int, embargo: int, tickers: int, seed: int
) -> None:
    """On calendars with holes, labels of differing reach, unknown ends, rows in any order."""
    n_test = min(taken, n_groups - 1)
    rng = np.random.default_rng(seed)
    days = np.repeat(DAYS[:count].to_numpy()[rng.random(count) > 0.2], tickers)
    days = days[rng.permutation(len(days))]
    label_ends = days + rng.integers(1, 15, len(days)).astype("timedelta64[D]")
    label_ends[rng.random(len(days)) < 0.05] = np.datetime64("NaT")
    unique = np.unique(days)
    if len(unique) < n_groups:
        return
    length = len(unique) // n_groups
    group = np.minimum(np.searchsorted(unique, days) // length, n_groups - 1)
    folds = combinatorial(days, label_ends, n_groups, n_test, embargo)
    for fold, choice in zip(folds, combinations(range(n_groups), n_test), strict=True):
        train, test = by_hand(days, label_ends, group, choice, embargo)
        assert fold.test.tolist() == test
        # Neighbouring groups are one stretch: the embargo of the first lies inside the second.
        assert fold.train.tolist() == train
        for row in fold.train:
            spans_meet = (days[row] <= label_ends[fold.test]) & (label_ends[row] >= days[fold.test])
            assert not spans_meet.any(), "no training label overlaps a tested one"


@settings(max_examples=15, deadline=None)
@given(
    count=st.integers(200, 500),
    n_groups=st.integers(3, 8),
    taken=st.integers(2, 5),
    embargo=st.integers(0, 8),
    horizon=st.integers(1, 9),
)
def test_combinatorial_folds_are_skfolios_on_an_unbroken_calendar(
    count: int, n_groups: int, taken: int, embargo: int, horizon: int
) -> None:
    from skfolio.model_selection import CombinatorialPurgedCV

    n_test = min(taken, n_groups - 1)
    days = DAYS[:count].to_numpy()
    peer = CombinatorialPurgedCV(n_groups, n_test, purged_size=horizon, embargo_size=embargo)
    found = combinatorial(days, ends(days, horizon), n_groups, n_test, embargo)
    assert len(found) == peer.get_n_splits()
    for fold, (train, tested) in zip(found, peer.split(days), strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == sorted(np.concatenate(tested).tolist())


@settings(max_examples=25, deadline=None)
@given(
    count=st.integers(200, 700),
    n_folds=st.integers(1, 6),
    embargo=st.integers(0, 6),
    horizon=st.integers(1, 9),
)
def test_a_walk_forward_is_skfolios_on_an_unbroken_calendar(
    count: int, n_folds: int, embargo: int, horizon: int
) -> None:
    from skfolio.model_selection import WalkForward

    days = DAYS[:count].to_numpy()
    length, gap = count // (n_folds + 1), horizon + embargo
    peer = WalkForward(
        test_size=length,
        train_size=count - n_folds * length - gap,
        purged_size=gap,
        expand_train=True,
    )
    found = walk_forward(days, ends(days, horizon), n_folds, embargo=embargo)
    for fold, (train, test) in zip(found, peer.split(days), strict=True):
        assert fold.train.tolist() == train.tolist()
        assert fold.test.tolist() == test.tolist()


def test_combinations_of_one_ticker_train_on_the_others_that_do_not_meet_it() -> None:
    days = np.repeat(DAYS[:400].to_numpy(), 2)
    mine = np.tile([True, False], 400)
    mine[:200] = False  # its first hundred sessions are history
    grouped = np.unique(days[mine])
    alone = combinatorial(grouped, ends(grouped), 5, 2, 3)
    for fold, other in zip(
        combinatorial(days, ends(days), 5, 2, 3, tested=mine), alone, strict=True
    ):
        assert mine[fold.test].all()
        assert days[fold.test].tolist() == grouped[other.test].tolist()
        trained = set(days[fold.train])
        assert {day for day in trained if day >= grouped[0]} == set(grouped[other.train])
        reach = 5 if grouped[0] in days[fold.test] else 0
        assert {day for day in trained if day < grouped[0]} == set(DAYS[: 100 - reach].to_numpy())


def test_every_group_is_tested_equally_often() -> None:
    days = DAYS[:600].to_numpy()
    folds = combinatorial(days, ends(days), 6, 2)
    assert len(folds) == 15
    assert np.bincount(np.concatenate([fold.test for fold in folds])).tolist() == [5] * 600


def test_rows_of_a_session_are_on_one_side() -> None:
    days = np.repeat(DAYS[:200].to_numpy(), 3)
    fold: Fold
    for fold in combinatorial(days, ends(days), 5, 2):
        assert not set(days[fold.train]) & set(days[fold.test])


@pytest.mark.parametrize(
    ("n_groups", "n_test", "embargo"), [(1, 1, 0), (5, 5, 0), (5, 0, 0), (61, 2, 0)]
)
def test_counts_that_make_no_combination_are_refused(
    n_groups: int, n_test: int, embargo: int
) -> None:
    days = DAYS[:60].to_numpy()
    with pytest.raises(InputError, match=f"got {n_test} test groups of {n_groups} and 60 labelled"):
        combinatorial(days, ends(days), n_groups, n_test, embargo)
    with pytest.raises(InputError, match="bad embargo: got -3"):
        combinatorial(days, ends(days), 5, 2, -3)
