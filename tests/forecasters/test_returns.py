"""The distribution of returns: quantiles, their interpolation, and paths that end at them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from forecasters.base import ForecastError
from forecasters.returns import BLOCK, MAX_SESSIONS, N_QUANTILES, PROBABILITIES, Returns
from market.errors import InputError

HORIZONS = [5, 10, 21]
ROW = np.array([20.0, -9.0, 0.3])


def made() -> dict[str, object]:
    """Skewed shapes with a drift; a variance of the index's square, and a little of a feature."""
    rng = np.random.default_rng(3)
    skewed = 1.1 - rng.gamma(4.0, 0.5, 20_000) / 2.0
    a_day = np.log(np.array(HORIZONS) / 252) - 2.0 * np.log(100.0)
    return {
        "features": ["vix_close", "log_variance_5", "fall_5d"],
        "horizons": HORIZONS,
        "intercept": (a_day + 0.1).tolist(),
        "coef": [[2.0, 0.01, 0.02]] * 3,
        "shapes": [np.quantile(skewed, PROBABILITIES).tolist()] * 3,
        "drift": [0.001, 0.002, 0.0042],
        "daily": (0.4 * rng.standard_t(5, 600)).tolist(),
    }


@pytest.fixture(scope="module")
def model() -> Returns:
    return Returns.model_validate(made())


@pytest.fixture(scope="module")
def distribution(model):
    return model.at(ROW)


def test_the_parameters_come_back_as_written(model):
    text = model.model_dump_json()
    assert Returns.model_validate(json.loads(text)).model_dump_json() == text


@pytest.mark.parametrize("at", range(3))
def test_at_a_fitted_horizon_they_are_the_scale_times_the_shape(model, distribution, at):
    told = made()
    log = told["intercept"][at] + 2.0 * np.log(20.0) - 0.09 + 0.006
    expected = told["drift"][at] + np.exp(log / 2.0) * np.array(told["shapes"][at])
    found = distribution.quantiles(HORIZONS[at])
    assert found.shape == (N_QUANTILES,)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(model.quantiles(ROW[None], HORIZONS[at])[0], expected, rtol=1e-12)
    assert distribution.deviation(HORIZONS[at]) == pytest.approx(expected.std())


def test_variance_and_drift_run_straight_between_horizons_and_beyond(distribution):
    """Here both grow with sessions, so every session has its share of each."""
    sessions = np.arange(1, MAX_SESSIONS + 1)
    found = np.array([distribution.quantiles(int(one)) for one in sessions])
    assert (np.diff(found, axis=1) >= 0).all()
    spread = found - found.mean(axis=1, keepdims=True)
    variance = (spread**2).mean(axis=1)
    np.testing.assert_allclose(variance, variance[0] * sessions, rtol=1e-9)
    drift = found.mean(axis=1)
    for first, last in ((0, 5), (5, 10), (10, 30)):
        inside = drift[max(first - 1, 0) : last]
        np.testing.assert_allclose(np.diff(inside, n=2), 0.0, atol=1e-15)
    deviations = [distribution.deviation(int(one)) for one in sessions]
    np.testing.assert_allclose(np.square(deviations), variance, rtol=1e-9)


def test_paths_end_at_the_quantiles_and_start_at_nothing(distribution):
    paths = distribution.paths(20, 995, seed=1)
    assert paths.shape == (995, 20)
    expected = np.interp((np.arange(995) + 0.5) / 995, PROBABILITIES, distribution.quantiles(20))
    np.testing.assert_allclose(np.sort(paths[:, -1]), expected, atol=1e-14)
    # So they are at every fitted horizon before, and between as wide as the distribution says.
    for session in distribution.sessions[1:].astype(int):
        if session < 20:
            expected = np.interp(
                (np.arange(995) + 0.5) / 995, PROBABILITIES, distribution.quantiles(session)
            )
            np.testing.assert_allclose(np.sort(paths[:, session - 1]), expected, atol=1e-14)
    assert paths[:, 2].std() == pytest.approx(distribution.deviation(3), rel=0.25)


def test_paths_go_on_where_two_horizons_have_one_variance(distribution):
    variances = distribution.variances.copy()
    variances[2] = variances[1]
    level = replace(distribution, variances=variances)
    paths = level.paths(int(level.sessions[2]), 50, seed=1)
    assert np.isfinite(paths).all()
    assert np.sort(paths[:, -1])[0] >= level.quantiles(int(level.sessions[2]))[0] - 1e-14


def test_paths_are_of_their_seed(distribution):
    first = distribution.paths(7, 50, seed=1)
    np.testing.assert_array_equal(first, distribution.paths(7, 50, seed=1))
    assert not np.array_equal(first, distribution.paths(7, 50, seed=2))
    assert distribution.paths(1, 1, seed=0).shape == (1, 1)


@pytest.mark.parametrize("sessions", [0, -1, MAX_SESSIONS + 1])
def test_sessions_beyond_the_model_are_refused(distribution, sessions):
    for ask in (
        distribution.quantiles,
        distribution.deviation,
        lambda ahead: distribution.paths(ahead, 10, 0),
    ):
        with pytest.raises(InputError, match=rf"got {sessions}, allowed are 1 to 30"):
            ask(sessions)
    with pytest.raises(InputError, match="count of 0"):
        distribution.paths(5, 0, 0)


def test_a_longer_horizon_has_no_less_variance():
    told = made()
    told["intercept"] = [-5.0, -6.0, -7.0]
    found = Returns.model_validate(told).log_variances(ROW[None])[0]
    assert (np.diff(found) >= 0).all()


def test_a_row_without_a_number_is_refused(model):
    with pytest.raises(ForecastError, match="out_of_range: vix_close: got 0"):
        model.at(np.array([0.0, -9.0, 0.0]))
    for wild in (1e6, -1e6, np.inf):
        with pytest.raises(ForecastError, match="not_finite"):
            model.at(np.array([20.0, wild, 0.0]))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("features", ["log_variance_5", "vix_close", "fall_5d"]),
        ("horizons", [10, 5, 21]),
        ("horizons", [5, 5, 21]),
        ("horizons", [5, 10, 31]),
        ("intercept", [1.0]),
        ("coef", [[2.0, 0.0]] * 3),
        ("shapes", [[0.0] * N_QUANTILES] * 3),
        ("shapes", [list(reversed(range(N_QUANTILES)))] * 3),
        ("shapes", [[0.0, 1.0]] * 3),
        ("drift", [0.0]),
        ("daily", [1.0] * (BLOCK - 1)),
    ],
)
def test_numbers_that_fit_no_model_are_refused(name, value):
    with pytest.raises(ValueError, match=name):
        Returns.model_validate(made() | {name: value})
