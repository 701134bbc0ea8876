"""Weights of a pool and of calls: what Bayes and arithmetic say of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from forecasters.calls import called
from training.fit.decisions import GRID, OVERLAP, call_weights, pool_weights

ARGMAX = (1.0, 1.0, 1.0)


def drawn(seed: int, count: int, members: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of some members, and outcomes that the first one's are true of."""
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.full(3, 1.5), (count, members))
    draws = rng.random((count, 1))
    return chance, (chance[:, 0].cumsum(axis=1) < draws).sum(axis=1).clip(max=2)


def macro_f1(outcome: np.ndarray, calls: np.ndarray) -> float:
    """Macro F1 over the classes that occur or are called."""
    f1 = []
    for k in set(outcome) | set(calls):
        hits = ((outcome == k) & (calls == k)).sum()
        f1.append(2 * hits / ((outcome == k).sum() + (calls == k).sum()))
    return float(np.mean(f1))


def test_the_score_of_these_tests_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for count in (3, 10, 90):
        outcome, calls = rng.integers(0, 3, (2, count))
        peer = f1_score(outcome, calls, average="macro")
        assert macro_f1(outcome, calls) == pytest.approx(peer)


@given(seed=st.integers(0, 10**6), count=st.integers(0, 60), members=st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_pool_weights_are_the_posterior_of_equal_priors(
    seed: int, count: int, members: int
) -> None:
    chance, outcome = drawn(seed, count, members)
    weights = pool_weights(chance, outcome)
    likelihood = np.array(
        [np.prod([row[one][k] for row, k in zip(chance, outcome, strict=True)])
         for one in range(members)]
    ) ** (1 / OVERLAP)  # fmt: skip
    assert weights == pytest.approx(likelihood / likelihood.sum(), abs=1e-9)
    assert weights.sum() == pytest.approx(1.0)


@given(seed=st.integers(0, 10**6), order=st.permutations(range(4)))
@settings(max_examples=25, deadline=None)
def test_pool_weights_follow_their_members(seed: int, order: list[int]) -> None:
    chance, outcome = drawn(seed, 50, 4)
    weights = pool_weights(chance, outcome)
    assert pool_weights(chance[:, order], outcome) == pytest.approx(weights[order])
    losses = -np.log(chance[np.arange(50), :, outcome]).mean(axis=0)
    assert np.argsort(losses).tolist() == np.argsort(-weights).tolist(), "the better one more"


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_alike_members_weigh_alike_and_one_alone_is_all(seed: int) -> None:
    chance, outcome = drawn(seed, 200)
    assert pool_weights(chance, outcome).tolist() == [1.0]
    assert pool_weights(np.repeat(chance, 3, axis=1), outcome) == pytest.approx(np.full(3, 1 / 3))


def test_a_member_that_was_sure_and_wrong_is_out_but_known_numbers_stay() -> None:
    chance, outcome = drawn(3, 40, 2)
    chance[:10, 1] = np.eye(3)[(outcome[:10] + 1) % 3]  # what happened had no chance
    weights = pool_weights(chance, outcome)
    assert weights[0] == pytest.approx(1.0)
    assert np.isfinite(weights).all()


def test_more_rows_of_the_same_kind_make_the_difference_larger() -> None:
    chance, outcome = drawn(5, 60, 2)
    few, many = (pool_weights(chance[:n], outcome[:n])[0] for n in (20, 60))
    assert 0.5 < few < many < 1.0


@given(seed=st.integers(0, 10**6), count=st.integers(1, 80), tilt=st.floats(0.3, 3.0))
@settings(max_examples=30, deadline=None)
def test_call_weights_are_the_best_of_the_grid_and_never_worse_than_the_likeliest(
    seed: int, count: int, tilt: float
) -> None:
    chance, outcome = drawn(seed, count)
    said = chance[:, 0] * [tilt, 1.0, 1.0]
    said /= said.sum(axis=1, keepdims=True)
    weights = call_weights(said, outcome)
    mine = macro_f1(outcome, called(said, weights))
    assert mine >= macro_f1(outcome, said.argmax(axis=1)) - 1e-9
    grid = [
        macro_f1(outcome, (said * [low, 1.0, high]).argmax(axis=1)) for low in GRID for high in GRID
    ]
    assert mine == pytest.approx(max(grid), abs=1e-9)
    assert weights[1] == 1.0
    assert {weights[0], weights[2]} <= set(GRID)


@given(seed=st.integers(0, 10**6), count=st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_of_equals_the_likeliest_class_is_called(seed: int, count: int) -> None:
    outcome = np.random.default_rng(seed).integers(0, 3, count)
    sure = np.full((count, 3), 0.05) + 0.85 * np.eye(3)[outcome]
    assert call_weights(sure, outcome) == ARGMAX, "no weight of the grid changes a call"
    low = np.tile([0.7, 0.2, 0.1], (count, 1))
    assert call_weights(low, np.zeros(count, dtype=int)) == ARGMAX


def test_a_class_called_too_seldom_is_given_more() -> None:
    chance, outcome = drawn(7, 3_000)
    shy = chance[:, 0] * [1.0, 1.0, 1 / 1.4]
    assert call_weights(shy / shy.sum(axis=1, keepdims=True), outcome)[2] > 1.0


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10, deadline=None)
def test_calls_are_of_the_weighted_probabilities_and_unknown_stays_unknown(seed: int) -> None:
    chance, _ = drawn(seed, 30)
    said = chance[:, 0]
    assert (called(said, ARGMAX) == said.argmax(axis=1)).all()
    weights = (0.7, 1.0, 1.4)
    expected = [max(range(3), key=lambda k: row[k] * weights[k]) for row in said]
    assert called(said, weights).tolist() == expected
    said[4, 1] = np.nan
    said[9] = np.nan
    found = called(said, weights)
    assert found[[4, 9]].tolist() == [-1, -1]
    assert np.delete(found, [4, 9]).tolist() == np.delete(expected, [4, 9]).tolist()


def test_without_a_row_nothing_is_preferred() -> None:
    nothing, no_outcome = np.empty((0, 3)), np.empty(0, dtype=int)
    assert call_weights(nothing, no_outcome) == ARGMAX
    assert pool_weights(np.empty((0, 4, 3)), no_outcome) == pytest.approx(np.full(4, 0.25))
