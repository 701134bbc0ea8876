"""The simulation of the index on an index whose true chances can be counted, and its parts."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.iv.group import RANK_SESSIONS
from feature_repo.features.iv.path import HELD
from forecasters.paths import INPUTS, Paths, drift_inputs, volatility_inputs
from market.iv_rank import regime_codes
from market.targets import HORIZON
from tests.training.conftest import days, index_rank_frame
from training.fit.fit import Fit, fit_rows
from training.frames.rows import Rows, regime_rows
from training.models import paths as module
from training.models.catalogue import MODELS
from training.models.paths import FLOOR, PATH_DECIMALS, SMALLEST, SPREAD, fit, ridge
from training.models.sample import Sample, UnfittableError

PERSISTENCE, SHOCK = 0.97, 0.06
LENGTH, TRAIN = 2_400, 1_600


@pytest.fixture(scope="module")
def log_index() -> np.ndarray:
    log = [0.0]
    for shock in SHOCK * np.random.default_rng(11).standard_normal(LENGTH):
        log.append(PERSISTENCE * log[-1] + shock)
    return np.array(log) + np.log(20.0)


@pytest.fixture(scope="module")
def rows(log_index: np.ndarray) -> Rows:
    return regime_rows(index_rank_frame(np.exp(log_index), days(len(log_index))), "SPY", HORIZON)


@pytest.fixture(scope="module")
def fitted(rows: Rows) -> Fit:
    found = fit_rows(rows, np.arange(TRAIN), MODELS["paths"], 40)
    assert isinstance(found, Fit)
    return found


def true_chances(log_index: np.ndarray, at: int, count: int = 4_000) -> np.ndarray:
    """Shares of the classes five sessions after a row, by simulating the index as it was made."""
    today = at + RANK_SESSIONS
    rng, log = np.random.default_rng(at), np.full(count, log_index[today] - np.log(20.0))
    ahead = []
    for _ in range(HORIZON):
        log = PERSISTENCE * log + SHOCK * rng.standard_normal(count)
        ahead.append(20.0 * np.exp(log))
    held = np.tile(np.exp(log_index[today - HELD + 1 : today + 1])[:, None], (1, count))
    window = np.vstack([held, *ahead])
    low, high = window.min(axis=0), window.max(axis=0)
    return np.bincount(regime_codes(100 * (ahead[-1] - low) / (high - low)), minlength=3) / count


def test_its_chances_are_nearly_the_true_ones_and_nearer_than_the_tables(
    log_index: np.ndarray, rows: Rows, fitted: Fit
) -> None:
    tested = np.arange(TRAIN + HORIZON, len(rows.sessions), 9)
    true = np.array([true_chances(log_index, at) for at in tested])
    table = fit_rows(rows, np.arange(TRAIN), MODELS["table"], 40)
    said, tables = (one.probabilities(rows.values[tested]) for one in (fitted, table))
    # Wider than this market's law, which never has a week that it had not before.
    assert np.abs(said - true).mean() < 0.04
    assert np.abs(said - true).mean() < 0.75 * np.abs(tables - true).mean()

    def divergence(chance: np.ndarray) -> float:
        told = np.maximum(true, 1e-9)
        return float((told * np.log(told / chance)).sum(axis=1).mean())

    assert divergence(said) < 0.5 * divergence(tables), "nats a session lost to not knowing"


def test_scale_and_drift_put_each_training_row_on_its_own_path(rows: Rows, fitted: Fit) -> None:
    """Nothing is lost in the standardised paths but their rounding."""
    found = fitted.parameters
    assert isinstance(found, Paths)
    values = rows.values[:TRAIN][:, fitted.selection.columns]
    scale = np.exp(found.volatility.forecast(volatility_inputs(values, SMALLEST)))
    drift = found.drift.forecast(drift_inputs(values))
    steps = np.arange(1, HORIZON + 1) / HORIZON
    again = scale[:, None] * (found.paths / SPREAD + drift[:, None] * steps)
    np.testing.assert_allclose(again, rows.ahead[:TRAIN], atol=scale.max() * 10.0**-PATH_DECIMALS)
    assert np.median(scale) == pytest.approx(SHOCK, rel=0.15)
    assert np.abs(drift).max() < 1.0, "a mean-reverting forecast is weak"
    behind = values[:, INPUTS.index("vix_log_distance_250")]
    assert np.corrcoef(drift, behind)[0, 1] < -0.5, "it goes back to the mean"


def test_paths_are_wider_than_they_were(fitted: Fit) -> None:
    """The fit is of the log of a path's deviation, so their geometric mean is their spread."""
    steps = np.diff(fitted.parameters.paths, axis=1, prepend=0.0)
    deviations = np.sqrt(np.mean(steps**2, axis=1))
    assert np.exp(np.log(deviations).mean()) == pytest.approx(SPREAD, rel=0.02)


def test_every_class_keeps_a_chance_whatever_the_paths_say(rows: Rows, fitted: Fit) -> None:
    top = rows.values[:1][:, fitted.selection.columns].copy()
    top[0, :3] = [1e3, 1e3, 1.0]  # at its highest, far above its lowest
    said = fitted.parameters.chances(top).probabilities
    assert said[0] == pytest.approx([FLOOR, FLOOR, 1 - 2 * FLOOR])


def made(count: int, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    values = np.abs(rng.standard_normal((count, len(INPUTS)))) + 0.1
    sessions = np.arange(count).astype("datetime64[D]")
    ahead = np.cumsum(0.05 * rng.standard_normal((count, HORIZON)), axis=1)
    labels = rng.integers(0, 3, count)
    return Sample(INPUTS, values, labels, 3, sessions, sessions + 7, ahead)


def test_rows_without_all_their_next_sessions_are_left_out() -> None:
    sample = made(160)
    holed = sample.ahead.copy()
    holed[7, 2] = holed[90:95, 4] = np.nan
    kept = np.delete(np.arange(160), [7, *range(90, 95)])
    found = fit(replace(sample, ahead=holed)).parameters
    by_row = ("values", "labels", "sessions", "label_ends", "ahead")
    known = {name: getattr(sample, name)[kept] for name in by_row}
    rest = fit(replace(sample, **known)).parameters
    assert found.paths.shape == (154, HORIZON)
    np.testing.assert_array_equal(found.paths, rest.paths)


def test_the_newest_paths_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    sample = made(200)
    every = fit(sample).parameters.paths
    monkeypatch.setattr(module, "MAX_PATHS", 60)
    np.testing.assert_array_equal(fit(sample).parameters.paths, every[-60:])


def test_too_few_paths_are_refused() -> None:
    sample = made(150)
    ahead = sample.ahead.copy()
    ahead[51:, -1] = np.nan
    with pytest.raises(UnfittableError, match=r"too few paths .* got 51, needed 100; train on"):
        fit(replace(sample, ahead=ahead))


def test_another_horizon_is_refused(log_index: np.ndarray) -> None:
    rows = regime_rows(index_rank_frame(np.exp(log_index), days(len(log_index))), "SPY", 10)
    with pytest.raises(UnfittableError, match="got 10 sessions, allowed is 5"):
        fit_rows(rows, np.arange(600), MODELS["paths"], 40)


def test_a_frame_without_the_index_is_refused(make_regime: Callable[..., pd.DataFrame]) -> None:
    rows = regime_rows(make_regime(300), "SPY", 5)
    with pytest.raises(UnfittableError, match=r"reads vix_close, .* which the frame lacks"):
        fit_rows(rows, np.arange(295), MODELS["paths"], 40)


def test_log_changes_ahead_are_by_the_calendar(log_index: np.ndarray, rows: Rows) -> None:
    today = np.arange(0, 900, 31)
    for step in range(1, HORIZON + 1):
        expected = log_index[RANK_SESSIONS + today + step] - log_index[RANK_SESSIONS + today]
        np.testing.assert_allclose(rows.ahead[today, step - 1], expected, atol=1e-12)
    frame = index_rank_frame(np.exp(log_index), days(len(log_index)))
    broken = regime_rows(frame.drop(index=103), "SPY", HORIZON)
    at = np.flatnonzero(broken.sessions == frame["session"].to_numpy()[101])[0]
    assert np.isnan(broken.ahead[at]).tolist() == [False, True, False, False, False]


def test_volatile_days_have_wide_paths_and_all_paths_are_standardised() -> None:
    sample = made(1_500)
    volatility = 0.05 * np.exp(0.5 * np.random.default_rng(1).standard_normal(1_500))
    values = sample.values.copy()
    values[:, 3:7] = volatility[:, None]
    ahead = sample.ahead / 0.05 * volatility[:, None]
    found = fit(replace(sample, values=values, ahead=ahead)).parameters
    scale = np.exp(found.volatility.forecast(volatility_inputs(values, SMALLEST)))
    assert np.corrcoef(np.log(scale), np.log(volatility))[0, 1] > 0.95
    quarter = np.argsort(volatility)[: 1_500 // 4], np.argsort(volatility)[-1_500 // 4 :]
    raw, standard = ([one[part, -1].std() for part in quarter] for one in (ahead, found.paths))
    assert raw[1] / raw[0] > 3.0
    assert standard[1] / standard[0] == pytest.approx(1.0, abs=0.15)


@given(seed=st.integers(0, 10**6), penalty=st.sampled_from([1e-3, 0.1, 3.0]))
@settings(max_examples=20, deadline=None)
def test_the_ridge_solves_its_normal_equations(seed: int, penalty: float) -> None:
    rng = np.random.default_rng(seed)
    inputs, target = rng.standard_normal((60, 3)) * [1, 50, 0.01] + 7, rng.standard_normal(60)
    inputs[:, 1] = inputs[0, 1] if seed % 3 == 0 else inputs[:, 1]  # a constant column
    found = ridge(inputs, target, penalty)
    x = (inputs - inputs.mean(axis=0)) / found.scale
    y = target - target.mean()
    expected = np.linalg.solve(x.T @ x / 60 + penalty * np.eye(3), x.T @ y / 60)
    np.testing.assert_allclose(found.coef, expected, atol=1e-9)
    np.testing.assert_allclose(found.forecast(inputs), x @ expected + target.mean(), atol=1e-9)


def test_an_index_that_never_moved_is_fitted_at_the_smallest_scale() -> None:
    sample = made(150)
    still = fit(replace(sample, ahead=np.zeros_like(sample.ahead))).parameters
    scale = np.exp(still.volatility.forecast(volatility_inputs(sample.values, SMALLEST)))
    np.testing.assert_allclose(scale, SMALLEST)
    assert not still.paths.any()
