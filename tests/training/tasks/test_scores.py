from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from training.fit.forecast import Forecast
from training.tasks.scores import (
    auc,
    calibration_error,
    direction_scores,
    regime_scores,
    row_log_loss,
)

SEEDS = st.integers(0, 10_000)
BINARY = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "f1": metrics.f1_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
}


def binary(seed: int, count: int = 60) -> tuple[np.ndarray, Forecast, np.ndarray]:
    """Outcomes of both classes, calls of both classes, and whole-number weights."""
    rng = np.random.default_rng(seed)
    outcome = np.r_[0, 1, rng.integers(0, 2, count - 2)]
    up = np.round(rng.random(count) * 0.8 + 0.1 * outcome + 0.05, 2)
    calls = np.r_[1, 0, (up[2:] > 0.5).astype(int)]
    weights = np.vstack([np.ones(count), rng.integers(1, 4, (3, count))])
    return outcome, Forecast(calls, np.column_stack([1 - up, up]), 3 * up - 1), weights


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_direction_scores_are_scikit_learns_with_sample_weights(seed: int) -> None:
    outcome, forecast, weights = binary(seed)
    found = direction_scores(outcome, forecast, weights)
    up = forecast.probabilities[:, 1]
    for row, weight in enumerate(weights):
        for name, peer in BINARY.items():
            expected = peer(outcome, forecast.calls, sample_weight=weight)
            assert found[name][row] == pytest.approx(expected), name
        for name, peer in (
            ("log_loss", metrics.log_loss),
            ("brier", metrics.brier_score_loss),
            ("auc", metrics.roc_auc_score),
            ("auc_uncalibrated", metrics.roc_auc_score),
        ):
            assert found[name][row] == pytest.approx(peer(outcome, up, sample_weight=weight)), name


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_regime_scores_are_scikit_learns_with_sample_weights(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.r_[0, 1, 2, rng.integers(0, 3, 50)]
    chance = rng.dirichlet([1, 1, 1], 53)
    calls = np.r_[1, 2, 0, chance[3:].argmax(1)]
    weights = np.vstack([np.ones(53), rng.integers(1, 4, (2, 53))])
    found = regime_scores(outcome, Forecast(calls, chance), weights)
    for row, weight in enumerate(weights):
        one = {"sample_weight": weight}
        f1 = metrics.f1_score(outcome, calls, average=None, **one)
        expected = {
            "log_loss": metrics.log_loss(outcome, chance, **one),
            "accuracy": metrics.accuracy_score(outcome, calls, **one),
            "balanced_accuracy": metrics.balanced_accuracy_score(outcome, calls, **one),
            "macro_f1": f1.mean(),
            "macro_precision": metrics.precision_score(outcome, calls, average="macro", **one),
            "f1_low": f1[0],
            "f1_normal": f1[1],
            "f1_high": f1[2],
            "brier": np.average(((chance - np.eye(3)[outcome]) ** 2).sum(1), weights=weight),
        }
        for name, value in expected.items():
            assert found[name][row] == pytest.approx(value), name
        assert set(found) == {*expected, "calibration_error"}


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, levels=st.integers(1, 8))
def test_auc_counts_ties_half(seed: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    outcome = np.r_[0, 1, rng.integers(0, 2, 40)]
    score = rng.integers(0, levels, 42).astype(float)
    weights = rng.integers(1, 5, (2, 42)).astype(float)
    expected = [metrics.roc_auc_score(outcome, score, sample_weight=one) for one in weights]
    assert auc(outcome, score, weights) == pytest.approx(expected)


def test_a_whole_weight_is_a_repeated_row() -> None:
    outcome, forecast, weights = binary(4)
    drawn = np.repeat(np.arange(60), weights[1].astype(int))
    again = Forecast(forecast.calls[drawn], forecast.probabilities[drawn], forecast.decision[drawn])
    weighted = direction_scores(outcome, forecast, weights[1:2])
    repeated = direction_scores(outcome[drawn], again, np.ones((1, len(drawn))))
    for name in weighted:
        assert weighted[name] == pytest.approx(repeated[name]), name


def test_calibration_error_by_hand() -> None:
    probability = np.array([0.05, 0.05, 0.55, 0.55, 1.0])
    hit = np.array([False, True, True, True, True])
    # Bins: [0, .1) says .05, is .5 (2 rows); [.5, .6) says .55, is 1 (2 rows); [.9, 1] fits.
    expected = (2 * 0.45 + 2 * 0.45 + 0.0) / 5
    assert calibration_error(hit, probability, np.ones((1, 5)))[0] == pytest.approx(expected)


def test_regime_calibration_is_of_the_likeliest_class() -> None:
    chance = np.tile([0.7, 0.2, 0.1], (10, 1))
    outcome = np.array([0] * 7 + [1] * 3)
    scores = regime_scores(outcome, Forecast(np.zeros(10, int), chance), np.ones((1, 10)))
    assert scores["calibration_error"][0] == pytest.approx(0.0)


def test_a_rule_that_only_calls_has_no_probability_scores() -> None:
    outcome = np.array([0, 1, 1])
    scores = direction_scores(outcome, Forecast(np.ones(3, int), None), np.ones((1, 3)))
    for name in ("log_loss", "brier", "calibration_error", "auc", "auc_uncalibrated"):
        assert np.isnan(scores[name]).all()
    assert scores["accuracy"][0] == pytest.approx(2 / 3)


def test_undefined_scores_are_null_not_zero() -> None:
    outcome = np.zeros(4, int)
    scores = direction_scores(outcome, Forecast(np.zeros(4, int), None), np.ones((1, 4)))
    assert np.isnan(scores["precision"][0]), "no UP call was made"
    assert np.isnan(scores["recall"][0]), "no UP happened"
    assert np.isnan(scores["f1"][0])
    assert scores["balanced_accuracy"][0] == 1.0, "over the class that happened"


def test_no_rows_have_no_scores() -> None:
    none = Forecast(np.zeros(0, int), np.zeros((0, 2)))
    scores = direction_scores(np.zeros(0, int), none, np.ones((3, 0)))
    assert all(np.isnan(figures).all() and len(figures) == 3 for figures in scores.values())


def test_a_certain_miss_costs_much_but_not_infinity() -> None:
    losses = row_log_loss(np.array([1, 0]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert np.isfinite(losses).all()
    assert losses[0] > 30
    assert losses[1] == 0.0


def test_a_base_rate_that_moves_from_fold_to_fold_orders_nothing() -> None:
    outcome = np.array([0, 0, 1, 0, 1, 1])
    rate = np.array([0.6, 0.6, 0.6, 0.4, 0.4, 0.4])  # high where few UP followed
    chance = np.column_stack([1 - rate, rate])
    one = np.ones((1, 6))
    ranked = direction_scores(outcome, Forecast(np.ones(6, int), chance), one)["auc"][0]
    assert ranked == pytest.approx(1 / 3)
    lifted = Forecast(np.ones(6, int), chance, lift=np.zeros(6))
    assert direction_scores(outcome, lifted, one)["auc"][0] == 0.5


def test_some_rows_of_a_forecast() -> None:
    _, forecast, _ = binary(1)
    rows = np.arange(60) % 2 == 0
    part = forecast.of(rows)
    assert (part.calls == forecast.calls[rows]).all()
    assert (part.probabilities == forecast.probabilities[rows]).all()
    assert (part.decision == forecast.decision[rows]).all()
    assert (replace(forecast, lift=forecast.decision).of(rows).lift == part.decision).all()
    assert Forecast(forecast.calls, None).of(rows).probabilities is None
