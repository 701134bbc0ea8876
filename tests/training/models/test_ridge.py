"""The linear discriminant: a known regression, shrinkage by what the training part shows."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import Ridge

from tests.training.conftest import days
from training.fit.mixture import fit_direction
from training.frames.rows import direction_rows
from training.models.ridge import PENALTIES, RIDGE, agreement, directions, discriminant, fit
from training.models.sample import Sample


def sample(count: int, weights: np.ndarray, seed: int = 0) -> Sample:
    """Independent standard features, and a class with log-odds of their weighted sum."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, len(weights)))
    labels = (rng.random(count) < expit(values @ weights + 0.3)).astype(np.int64)
    names = tuple(f"f{at}" for at in range(len(weights)))
    sessions = days(count + 5).to_numpy("datetime64[ns]")
    return Sample(names, values, labels, 2, sessions[:count], sessions[5:], np.empty((count, 0)))


def test_directions_are_those_of_a_ridge_regression() -> None:
    given = sample(300, np.array([0.8, -0.4, 0.0]))
    mean, scale, weights = directions(given.values, given.labels)
    standard = (given.values - mean) / scale
    for penalty, found in zip(PENALTIES, weights, strict=True):
        peer = Ridge(alpha=penalty * 300).fit(standard, given.labels)
        np.testing.assert_allclose(found, peer.coef_, atol=1e-12)


def test_a_feature_that_is_another_once_more_takes_half_of_its_weight() -> None:
    given = sample(300, np.array([0.8, -0.4]))
    twice = np.column_stack([given.values, given.values[:, 0]])
    _, _, weights = directions(twice, given.labels)
    assert np.isfinite(weights).all()
    np.testing.assert_allclose(weights[:, 0], weights[:, 2], atol=1e-9)


def test_log_odds_are_those_that_made_the_classes() -> None:
    given = sample(3900, np.array([0.8, -0.4, 0.0, 0.0]))
    found = fit(given).parameters.decision(given.values)
    true = given.values @ np.array([0.8, -0.4, 0.0, 0.0]) + 0.3
    assert np.corrcoef(found, true)[0, 1] > 0.99
    assert np.polyfit(true, found, 1) == pytest.approx([1.0, 0.0], abs=0.15)


def test_many_idle_features_are_shrunk_more_than_few() -> None:
    def kept(idle: int) -> float:
        _, _, weights, _ = discriminant(sample(250, np.r_[0.7, np.zeros(idle)], seed=3))
        return float(np.abs(weights).max())

    assert kept(60) < 0.7 * kept(1)


def test_without_a_signal_the_log_odds_hardly_move() -> None:
    spread = [
        np.std(fit(given).parameters.decision(given.values))
        for given in (sample(800, np.zeros(20), seed) for seed in range(6))
    ]
    assert np.mean(spread) < 0.12


def test_a_part_too_small_for_inner_folds_says_its_base_rate() -> None:
    given = sample(9, np.array([3.0, 0.0]), seed=1)
    found = fit(given).parameters.decision(given.values)
    ups = given.labels.sum()
    assert np.ptp(found) == 0.0
    high, low = (ups + 1) / (ups + 2), 1 / (9 - ups + 2)
    target = (ups * high + (9 - ups) * low) / 9  # the smoothed targets of Platt
    assert found[0] == pytest.approx(logit(target), abs=1e-4)


def test_a_constant_forecast_agrees_with_nothing() -> None:
    up = np.array([True, False, True, True])
    said = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0]])
    assert agreement(said, up) == pytest.approx(np.array([0.0, np.sqrt(3.0) / 4.0]))


def test_its_own_log_odds_are_served_without_a_second_curve(make_direction: Any) -> None:
    rows = direction_rows(*make_direction(500, signal=0.8), "SPY", 5, safe=False)
    everything = np.arange(len(rows.sessions))
    found = fit_direction(rows, everything, RIDGE, 8, None)
    assert (found.calibration.slope, found.calibration.intercept) == (1.0, 0.0)
    up = expit(found.fit.decision(rows.values))
    assert found.forecast(rows.values).probabilities[:, 1] == pytest.approx(up)
