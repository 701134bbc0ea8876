from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from forecasters.linear import Linear
from training.explain.importance import Part, block_order, linear_weights, permutation_importance
from training.fit.forecast import Forecast

NAMES = ("returns_5d", "rsi_14", "iv_rank", "idle")


def made(count: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of which the first says most and the third, twice there, a little; outcomes."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, 4))
    values[:, 1] = values[:, 2]
    odds = 1.6 * values[:, 0] + 0.6 * values[:, 2]
    return values, (rng.random(count) < 1.0 / (1.0 + np.exp(-odds))).astype(np.int64)


def part(seed: int = 0, columns: tuple[int, ...] = (0, 1, 2, 3), count: int = 400) -> Part:
    """A test part, forecast by a regression on some columns fitted elsewhere."""
    read = list(columns)
    before, known = made(2_000, seed + 100)
    fitted = LogisticRegression().fit(before[:, read], known)

    def forecast(values: np.ndarray) -> Forecast:
        usable = np.isfinite(values[:, read]).all(axis=1)
        chance = np.full((len(values), 2), np.nan)
        chance[usable] = fitted.predict_proba(values[usable][:, read])
        return Forecast(np.where(usable, (chance[:, 1] > 0.5).astype(np.int64), -1), chance)

    values, outcome = made(count, seed)
    return Part(forecast, values, outcome, frozenset(NAMES[at] for at in read))


def test_what_says_most_comes_first_and_what_says_nothing_last() -> None:
    found = permutation_importance([part(0), part(1)], NAMES, seed=0)
    rows = {row.name: row for row in found.features}
    assert found.features[0].name == "returns_5d"
    assert rows["returns_5d"].increase > 0.15
    assert rows["returns_5d"].increase > 5 * rows["returns_5d"].spread
    assert abs(rows["idle"].increase) < 0.01
    assert all(len(row.by_fold) == 2 for row in found.features)


def test_a_view_is_permuted_as_a_whole() -> None:
    found = permutation_importance([part()], NAMES, seed=0)
    views = {row.name: row.increase for row in found.views}
    alone = {row.name: row.increase for row in found.features}
    assert set(views) == {"technical", "iv", "other"}
    assert views["iv"] == alone["iv_rank"]
    # rsi_14 is iv_rank's twin: alone each leaves the other, with returns_5d none is left.
    assert views["technical"] > alone["returns_5d"]


def test_a_fold_that_does_not_read_a_feature_has_no_figure_for_it() -> None:
    found = permutation_importance([part(0), part(1, (2, 3))], NAMES, seed=0)
    rows = {row.name: row for row in found.features}
    assert rows["returns_5d"].by_fold[1] is None
    assert rows["returns_5d"].increase == pytest.approx(rows["returns_5d"].by_fold[0] / 2)


def test_the_increase_is_that_of_the_log_loss_by_hand() -> None:
    one = part(0, (0,), count=60)
    found = permutation_importance([one], NAMES, seed=3, repeats=1)
    order = block_order(60, np.random.default_rng(3))
    shuffled = one.values.copy()
    shuffled[:, 0] = one.values[order, 0]

    def loss(values: np.ndarray) -> float:
        chance = one.forecast(values).probabilities
        assert chance is not None
        return float(-np.log(chance[np.arange(60), one.outcome]).mean())

    by_hand = loss(shuffled) - loss(one.values)
    assert found.features[0].increase == pytest.approx(by_hand)
    assert found.features[0].spread is None


def test_sessions_without_a_class_or_a_feature_are_not_scored() -> None:
    one = part()
    values, outcome = one.values.copy(), one.outcome.copy()
    values[::7, 0] = np.nan
    outcome[::5] = -1
    rare = replace(one, values=values, outcome=outcome)
    rows = permutation_importance([rare], NAMES, seed=0).features
    assert rows[0].name == "returns_5d"
    assert all(np.isfinite(row.increase) for row in rows)


def test_fewer_sessions_scored_tell_the_same_story() -> None:
    every = permutation_importance([part()], NAMES, seed=0).features[0]
    some = permutation_importance([part()], NAMES, seed=0, max_rows=150).features[0]
    assert some.name == every.name
    assert some.increase != every.increase
    assert some.increase == pytest.approx(every.increase, rel=0.6)


def test_the_same_seed_gives_the_same_figures() -> None:
    first, again = (permutation_importance([part()], NAMES, seed=5) for _ in range(2))
    assert first == again != permutation_importance([part()], NAMES, seed=6)


@pytest.mark.parametrize("count", [1, 19, 20, 21, 400])
def test_blocks_change_places_whole(count: int) -> None:
    order = block_order(count, np.random.default_rng(0))
    assert sorted(order) == list(range(count))
    follows = (np.diff(order) == 1) | ((order[:-1] == count - 1) & (order[1:] == 0))
    assert follows.sum() >= count - max(2, count // 20) - 1
    assert count < 40 or (order != np.arange(count)).mean() > 0.9


def linear(features: list[str], coef: list[list[float]]) -> Linear:
    return Linear(
        features=features,
        mean=np.zeros(len(features)),
        scale=np.ones(len(features)),
        coef=np.array(coef),
        intercept=np.zeros(len(coef)),
    )


def test_linear_weights_name_class_and_folds() -> None:
    final = linear(["a", "b"], [[0.1, -0.8]])
    folds = [linear(["b"], [[-0.5]]), linear(["c", "b"], [[9.0, -1.0]])]
    rows = linear_weights(final, folds, ("DOWN", "UP"))
    assert [row.document() for row in rows] == [
        {
            "name": "b",
            "weights": {"UP": -0.8},
            "folds": 2,
            "low": {"UP": -1.0},
            "high": {"UP": -0.5},
        },
        {"name": "a", "weights": {"UP": 0.1}, "folds": 0, "low": None, "high": None},
    ]
    three = linear_weights(linear(["a"], [[1.0], [0.0], [-2.0]]), [], ("LOW", "NORMAL", "HIGH"))
    assert three[0].weights == {"LOW": 1.0, "NORMAL": 0.0, "HIGH": -2.0}
