import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, f1_score

from market.errors import InputError
from training.fit.threshold import CRITERIA, GRID, choose, fixed, scores

ROWS = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def split(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in rows]), np.array([up for _, up in rows])


def test_the_grid_is_that_of_decision_9() -> None:
    assert len(GRID) == 41
    assert GRID.tolist() == [round(0.30 + 0.01 * at, 2) for at in range(41)]


@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_f1_is_scikit_learns(rows: list[tuple[float, bool]]) -> None:
    probability, up = split(rows)
    expected = [f1_score(up, probability > cut, zero_division=0.0) for cut in GRID]
    np.testing.assert_allclose(scores(probability, up, "f1"), expected, atol=1e-12)


@pytest.mark.filterwarnings("ignore:y_pred contains", "ignore:A single label")
@settings(max_examples=15, deadline=None)
@given(rows=ROWS)
def test_balanced_accuracy_is_scikit_learns(rows: list[tuple[float, bool]]) -> None:
    probability, up = split(rows)
    expected = [balanced_accuracy_score(up, probability > cut) for cut in GRID]
    found = scores(probability, up, "balanced_accuracy")
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(rows=ROWS, criterion=st.sampled_from(CRITERIA))
def test_the_choice_is_the_best_of_the_grid(rows: list[tuple[float, bool]], criterion: str) -> None:
    probability, up = split(rows)
    chosen = choose(probability, up, criterion)
    every = scores(probability, up, criterion)
    assert chosen.value in GRID
    assert chosen.score == pytest.approx(every.max())
    equals = GRID[np.isclose(every, every.max(), atol=1e-12)]
    assert abs(chosen.value - 0.5) == pytest.approx(np.abs(equals - 0.5).min())


def test_a_constant_probability_leaves_the_threshold_in_the_middle() -> None:
    up = np.array([True, True, False])
    chosen = choose(np.full(3, 0.62), up)
    assert chosen.value == 0.50
    assert not chosen.at_edge


def test_the_threshold_itself_is_not_up() -> None:
    assert scores(np.array([0.30]), np.array([True]), "f1")[0] == 0.0


@pytest.mark.parametrize(("low", "edge"), [(0.305, 0.30), (0.355, 0.35)])
def test_an_edge_of_the_grid_is_told(low: float, edge: float) -> None:
    probability = np.array([low, low, low, edge - 0.01])
    chosen = choose(probability, np.array([True, True, True, False]))
    assert chosen.value == edge
    assert chosen.at_edge is (edge == 0.30)


def test_the_upper_edge_is_told() -> None:
    chosen = choose(np.array([0.70, 0.71]), np.array([False, True]))
    assert chosen.value == 0.70
    assert chosen.at_edge


def test_the_default_threshold_is_half_and_no_edge() -> None:
    assert fixed().value == 0.50
    assert fixed().criterion is None
    assert not fixed().at_edge


def test_unknown_criterion_and_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="got 'profit', allowed are f1, balanced_accuracy"):
        choose(np.array([0.5]), np.array([True]), "profit")
    with pytest.raises(InputError, match="no out-of-fold row"):
        choose(np.array([]), np.array([], dtype=bool))
