import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasters.transition_table import rank_bin
from market.iv_rank import REGIME_CUTS
from training.models.transition_table import RANK_CUTS, fit_table
from training.tasks.baselines import (
    COIN,
    DIRECTION_BASELINES,
    POOLED_TABLE,
    REGIME_BASELINES,
    class_prior,
    return_sign,
    transition_table,
)
from training.tasks.catalogue import TASKS

EVERY = [(task, name) for task in TASKS.values() for name in task.baselines]


def test_the_baselines_are_those_of_decision_10() -> None:
    calls = {"always_up", "always_down", "return_sign"}
    assert set(DIRECTION_BASELINES) == {"class_prior", COIN, *calls}
    tables = {"transition_table", POOLED_TABLE}
    assert set(REGIME_BASELINES) == {*tables, COIN, "persistence", "majority"}
    assert REGIME_BASELINES[POOLED_TABLE] is transition_table, "the same table of other rows"
    assert RANK_CUTS == (10, 20, 30, 40, 50, 60, 75, 90)
    assert set(REGIME_CUTS) < set(RANK_CUTS)


@pytest.mark.parametrize(("task", "name"), EVERY)
@given(seed=st.integers(0, 1000), count=st.integers(1, 30))
def test_every_baseline_calls_a_class_of_its_task_on_every_row(
    task: object, name: str, seed: int, count: int
) -> None:
    rng = np.random.default_rng(seed)
    n_classes = len(task.classes)
    labels = rng.integers(0, n_classes, 50)
    before, today = rng.random(50) * 100, rng.random(count) * 100
    said = task.baselines[name](labels, before, today)
    assert len(said.calls) == count
    assert ((said.calls >= 0) & (said.calls < n_classes)).all()
    if said.probabilities is not None:
        assert said.probabilities.shape == (count, n_classes)
        assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(count))


@pytest.mark.parametrize(("task", "name"), EVERY)
def test_no_baseline_sees_other_test_rows(task: object, name: str) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(task.classes), 50)
    before, today = rng.random(50) * 100, rng.random(20) * 100
    whole, first = (task.baselines[name](labels, before, part) for part in (today, today[:7]))
    assert (whole.calls[:7] == first.calls).all()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_gates_baselines_serve_the_probabilities_they_are_judged_by(task: object) -> None:
    labels, before, today = np.array([0, 1, 0, 1]), np.full(4, 20.0), np.array([20.0])
    for name, fit in task.gate_baselines.items():
        judged, served = task.baselines[name](labels, before, today), fit(labels, before)
        values = np.tile(today[:, None], (1, len(served.names())))
        if task.name == "direction":
            up = 1.0 / (1.0 + np.exp(-served.decision(values)))
            chances = np.column_stack([1.0 - up, up])
        else:
            chances = served.chances(values).probabilities
        assert chances == pytest.approx(judged.probabilities)


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_coin_has_no_opinion(task: object) -> None:
    """Its calls go round, so that its accuracy is that of guessing."""
    n_classes = len(task.classes)
    said = task.baselines[COIN](np.zeros(3, int), np.zeros(3), np.zeros(6))
    assert (said.probabilities == 1.0 / n_classes).all()
    assert np.bincount(said.calls).tolist() == [6 // n_classes] * n_classes


def test_the_class_prior_is_the_share_of_the_training_part() -> None:
    said = class_prior(np.array([1, 1, 1, 0]), np.zeros(4), np.zeros(2))
    assert said.probabilities.tolist() == [[0.25, 0.75], [0.25, 0.75]]
    assert said.calls.tolist() == [1, 1]
    assert said.lift.tolist() == [0.0, 0.0], "a base rate orders no days"


def test_the_sign_of_no_return_is_not_up() -> None:
    said = return_sign(np.zeros(0, int), np.zeros(0), np.array([-0.01, 0.0, 0.01]))
    assert said.calls.tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("rank", "place"),
    [
        (0, 0),
        (9.99, 0),
        (10, 1),
        (29.9, 2),
        (30, 3),
        (60, 6),
        (74.9, 6),
        (75, 7),
        (90, 8),
        (100, 8),
    ],
)
def test_rank_bins_are_half_open(rank: float, place: int) -> None:
    assert rank_bin(np.array([rank], dtype=np.float64), RANK_CUTS).tolist() == [place]


def test_the_transition_table_by_hand() -> None:
    rank = np.array([5.0, 5.0, 9.9, 10.0, 95.0, np.nan])
    labels = np.array([0, 0, 1, 2, 2, 0])
    table = fit_table(labels, rank).probabilities
    assert table.shape == (9, 3)
    assert table[0] == pytest.approx([3 / 6, 2 / 6, 1 / 6])  # two LOW, one NORMAL, one each added
    assert table[1] == pytest.approx([1 / 4, 1 / 4, 2 / 4])
    assert table[8] == pytest.approx([1 / 4, 1 / 4, 2 / 4])
    assert table[4] == pytest.approx([1 / 3, 1 / 3, 1 / 3])  # never seen: nothing is known
    said = transition_table(labels, rank, np.array([7.0, 12.0]))
    assert said.probabilities[0] == pytest.approx(table[0])
    assert said.calls.tolist() == [0, 2]


def test_persistence_and_majority_by_hand() -> None:
    today = np.array([10.0, 30.0, 60.0])
    labels = np.array([1, 1, 2])
    assert REGIME_BASELINES["persistence"](labels, np.zeros(3), today).calls.tolist() == [0, 1, 2]
    assert REGIME_BASELINES["majority"](labels, np.zeros(3), today).calls.tolist() == [1, 1, 1]
