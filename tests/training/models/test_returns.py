"""Fits of the distribution of returns: the law of a made market, and the baselines' formulas."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from forecasters.returns import PROBABILITIES
from tests.training.returns_market import make_market
from training.frames.return_rows import HORIZONS, pooled_returns, return_rows
from training.models.returns import (
    INPUTS,
    MAX_DAYS,
    MIN_OWN_ROWS,
    fit_history,
    fit_lognormal,
    fit_returns,
)
from training.models.sample import UnfittableError


def rows_of(seed, ticker="SPY", count=900):
    frame, prices = make_market(count, seed, ticker)
    rows = return_rows(frame, prices, ticker)
    return rows.where(rows.usable)


@pytest.fixture(scope="module")
def rows():
    return rows_of(3)


def test_the_scale_is_least_squares_and_the_shape_past_returns_in_it(rows):
    model = fit_returns(rows)
    inputs = np.column_stack([np.log(rows.values[:, 0]), rows.values[:, 1:]])
    assert tuple(model.features) == INPUTS == rows.names
    for at, horizon in enumerate(HORIZONS):
        design = np.column_stack([np.ones(len(inputs)), inputs])
        solved = np.linalg.lstsq(design, np.log(rows.variances[:, at]), rcond=None)[0]
        assert model.intercept[at] == pytest.approx(solved[0])
        np.testing.assert_allclose(model.coef[at], solved[1:], rtol=1e-6)
        standard = rows.returns[:, at] / np.exp(design @ solved / 2)
        wider = 1 + horizon / len(inputs)
        expected = np.quantile(standard, PROBABILITIES, method="hazen") * wider
        np.testing.assert_allclose(model.shapes[at], expected, rtol=1e-6, atol=1e-9)
    assert len(model.daily) == min(len(inputs), MAX_DAYS)
    # Of days as of weeks: both in deviations of the same forecast.
    assert np.std(model.daily) == pytest.approx(model.shapes[0].std(), rel=0.25)


def test_other_tickers_count_less_and_lend_spread_where_little_of_the_own_has_passed(rows):
    other = rows_of(4, "QQQ")
    wild = replace(other, returns=3.0 * other.returns)
    alone, mixed = fit_returns(rows), fit_returns(pooled_returns(rows, [other]))
    wilder = fit_returns(pooled_returns(rows, [wild]))
    ratio = wilder.shapes / mixed.shapes
    assert np.ptp(ratio, axis=1).max() < 1e-9
    lent = ratio[:, 0]
    # Of 21 sessions fewer have passed than of 5, so more is lent; never all.
    assert 1.0 < lent[0] < lent[1] < lent[2] < 2.9
    assert not np.allclose(alone.shapes, mixed.shapes)
    assert not np.allclose(alone.coef, mixed.coef)
    np.testing.assert_allclose(mixed.shapes.std(axis=1), alone.shapes.std(axis=1), rtol=0.1)


def test_the_index_lognormal_is_normal_in_logs_with_its_own_drift_and_scale(rows):
    both = pooled_returns(rows, [rows_of(4, "QQQ")])
    model = fit_lognormal(both)
    for at, horizon in enumerate(HORIZONS):
        move = rows.returns[:, at]
        index = rows.values[:, 0] / 100 * np.sqrt(horizon / 252)
        scale = np.sqrt(np.mean(((move - move.mean()) / index) ** 2))
        expected = stats.norm(move.mean(), scale * 0.2 * np.sqrt(horizon / 252))
        found = model.quantiles(np.array([[20.0]]), horizon)[0]
        np.testing.assert_allclose(found, expected.ppf(PROBABILITIES), rtol=1e-9)


def test_history_is_what_was_whatever_is_known(rows):
    model = fit_history(pooled_returns(rows, [rows_of(4, "QQQ")]))
    for at, horizon in enumerate(HORIZONS):
        expected = np.quantile(rows.returns[:, at], PROBABILITIES)
        for level in (10.0, 60.0):
            found = model.quantiles(np.array([[level]]), horizon)[0]
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_too_few_own_rows_are_refused(rows):
    few = rows.where(np.arange(MIN_OWN_ROWS - 1))
    for fit in (fit_returns, fit_lognormal, fit_history):
        with pytest.raises(UnfittableError, match=f"got {MIN_OWN_ROWS - 1} usable sessions"):
            fit(pooled_returns(few, [rows_of(4, "QQQ")]))
