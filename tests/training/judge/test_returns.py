"""Scores of quantiles against closed forms and second implementations."""

import numpy as np
import pytest
from scipy import stats

from forecasters.returns import PROBABILITIES
from training.frames.return_rows import HORIZONS
from training.judge.measures import session_weights
from training.judge.returns import (
    LEVEL,
    ReturnScores,
    ReturnsTested,
    covered,
    crps,
    log_score,
    measure_returns,
)

NORMAL = stats.norm.ppf(PROBABILITIES)


def test_the_score_of_normal_quantiles_is_that_of_the_normal():
    """Gneiting and Raftery 2007, equation 5."""
    outcome = np.array([-3.0, -0.4, 0.0, 1.7])
    exact = outcome * (2 * stats.norm.cdf(outcome) - 1) + 2 * stats.norm.pdf(outcome)
    exact -= 1 / np.sqrt(np.pi)
    found = crps(np.tile(NORMAL, (4, 1)), outcome)
    np.testing.assert_allclose(found, exact, atol=5e-3)


def test_the_log_score_is_of_a_density():
    def density(x):
        return np.exp(log_score(np.tile(NORMAL, (len(x), 1)), x))

    grid = np.linspace(-9, 9, 5001)
    assert density(grid).sum() * (grid[1] - grid[0]) == pytest.approx(1.0, abs=3e-3)
    inside = np.array([-1.5, -0.3, 0.1, 1.1])
    np.testing.assert_allclose(density(inside), stats.norm.pdf(inside), rtol=0.1)
    beyond = np.array([-2.5, 2.5])
    np.testing.assert_allclose(density(beyond), stats.norm.pdf(beyond), rtol=0.2)


def test_the_log_score_scales_with_its_unit():
    outcome = np.array([0.3, -5.0])
    wide = log_score(np.tile(4 * NORMAL, (2, 1)), 4 * outcome)
    np.testing.assert_allclose(wide, log_score(np.tile(NORMAL, (2, 1)), outcome) - np.log(4))


def test_the_interval_holds_its_share():
    outcome = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    inside = covered(np.tile(NORMAL, (2000, 1)), outcome)
    assert inside.mean() == pytest.approx(LEVEL, abs=2e-3)
    assert inside[200]
    assert not inside[[0, -1]].any()


def scores(rng, count, worse=0.0):
    shape = (count, len(HORIZONS))
    noise = rng.random(shape)
    return ReturnScores(1 + worse + noise, 2 - worse + noise, noise < LEVEL - worse)


def test_better_is_positive_throughout():
    count = 300
    rng = np.random.default_rng(0)
    model, other = scores(rng, count), scores(rng, count, worse=0.3)
    weights = session_weights(count, 100, seed=0)
    found = measure_returns(model, {"history": other}, "history", weights)
    assert all(row.difference > 0 for row in found.comparison)
    assert found.difference["history"].bound > 0
    expected = (other.loss - model.loss).mean()
    assert found.difference["history"].value == pytest.approx(expected)
    roots = np.sqrt(HORIZONS)
    assert found.scores["crps"] == pytest.approx((model.crps / roots).mean(axis=1).mean())
    assert found.scores["coverage_10"] == pytest.approx(model.inside[:, 1].mean())


def test_the_gate_is_the_better_baseline_of_all_sessions():
    rng = np.random.default_rng(0)
    days = np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]")
    scored = np.array([True] * 4 + [False] + [True] * 5)
    fold = np.repeat([1, 2], 5)
    tested = ReturnsTested(
        days, fold, scored, scores(rng, 9),
        {"index_lognormal": scores(rng, 9, worse=0.5), "history": scores(rng, 9, worse=0.1)},
    )  # fmt: skip
    assert tested.gate == "history"
    first = tested.of_fold(1)
    assert first.scored.sum() == len(first.model.loss) == 4
    np.testing.assert_array_equal(first.model.crps, tested.model.crps[:4])
    losses = tested.losses()
    assert list(losses.columns) == ["session", "fold", "loss", "baseline_loss"]
    np.testing.assert_array_equal(losses["baseline_loss"], tested.baselines["history"].loss)
    np.testing.assert_array_equal(losses["session"].to_numpy("datetime64[D]"), days[scored])
