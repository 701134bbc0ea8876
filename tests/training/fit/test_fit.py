"""Mixtures of fits: what they read, what they say, and when they say nothing."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from training.evidence import _chosen
from training.fit.decisions import pool_weights
from training.fit.fit import Mixed, fit_rows
from training.fit.mixture import INNER_FOLDS, fit_regime, member_probabilities, weighted
from training.frames.folds import walk_forward
from training.frames.rows import Rows, regime_rows
from training.models.catalogue import MODELS
from training.models.sample import Mixture

PAIR = Mixture("blend", ("regime",), ("logistic", "table"))


@pytest.fixture(scope="module")
def rows(make_volatility: Callable[..., pd.DataFrame]) -> Rows:
    return regime_rows(make_volatility(420, seed=5), "SPY", 5)


@pytest.fixture(scope="module")
def train(rows: Rows) -> np.ndarray:
    return np.arange(300)


@pytest.fixture(scope="module")
def mixed(rows: Rows, train: np.ndarray) -> Mixed:
    found = fit_rows(rows, train, MODELS["blend"], 2)
    assert isinstance(found, Mixed)
    return found


def test_members_are_the_models_fitted_alone(rows: Rows, train: np.ndarray, mixed: Mixed) -> None:
    for one in mixed.fits:
        alone = fit_rows(rows, train, MODELS[one.word], 2)
        assert one.parameters.model_dump() == alone.parameters.model_dump()
    assert mixed.weights == (0.25,) * 4
    assert mixed.word == "blend"


def test_its_selection_is_the_features_of_all_members_once(rows: Rows, mixed: Mixed) -> None:
    chosen = mixed.selection
    every = [name for one in mixed.fits for name in one.selection.names]
    assert chosen.names == tuple(dict.fromkeys(every))
    assert len(every) > len(chosen.names), "two members share a feature here"
    assert [rows.names[at] for at in chosen.columns] == list(chosen.names)
    assert len(chosen.information) == len(chosen.names)
    first = mixed.fits[0].selection
    assert chosen.names[: len(first.names)] == first.names
    assert chosen.information[: len(first.names)] == first.information


def test_it_says_the_weighted_mean_of_its_members(rows: Rows, mixed: Mixed) -> None:
    weights = tuple(softmax([0.3, -1.0, 0.0, 2.0]).tolist())
    values = rows.values[300:]
    said = replace(mixed, weights=weights).probabilities(values)
    parts = member_probabilities(mixed, values)
    assert parts.shape == (len(values), 4, 3)
    expected = sum(
        w * one.probabilities(values) for w, one in zip(weights, mixed.fits, strict=True)
    )
    np.testing.assert_allclose(said, expected, atol=1e-12)


def test_a_row_that_one_member_cannot_use_is_not_forecast(rows: Rows, mixed: Mixed) -> None:
    """A weight is never given to the others because one of them is silent."""
    values = rows.values[300:320].copy()
    path_only = rows.names.index("vix_log_vol_60")
    assert path_only not in mixed.fits[0].selection.columns
    values[4, path_only] = np.nan
    usable = np.arange(20) != 4
    assert (mixed.selection.usable(values) == usable).all()
    assert np.isfinite(mixed.fits[0].probabilities(values)).all()
    assert (np.isfinite(mixed.probabilities(values)).all(axis=1) == usable).all()


def test_rows_and_sessions_of_a_mixture_are_the_narrowest_and_the_widest(
    rows: Rows, train: np.ndarray
) -> None:
    values = rows.values.copy()
    values[:9, rows.names.index("vix_log_vol_60")] = np.nan
    mixed = fit_rows(replace(rows, values=values), train, MODELS["blend"], 2)
    assert (mixed.rows, mixed.dropped) == (291, 9)
    assert [one.rows for one in mixed.fits] == [300, 300, 300, 291]
    assert (mixed.first, mixed.last) == (rows.sessions[0], rows.sessions[299])
    assert mixed.fits[3].first == rows.sessions[9]


def test_weights_come_from_the_rows_that_every_member_forecast(rows: Rows) -> None:
    fitted = fit_rows(rows, np.arange(300), PAIR, 2)
    rng = np.random.default_rng(2)
    said, labels = rng.dirichlet(np.ones(3), (120, 2)), rng.integers(0, 3, 120)
    clean = weighted(fitted, said, labels)
    assert clean.fit.weights == pytest.approx(pool_weights(said, labels))
    holed, unknown = np.r_[said, said[:7]], np.r_[labels, labels[:4], [-1, -1, -1]]
    holed[120:124, 1] = np.nan
    again = weighted(fitted, holed, unknown)
    assert again.fit.weights == clean.fit.weights
    assert again.call_weights == clean.call_weights
    assert again.chosen_on == 120


def test_weights_are_chosen_inside_the_training_part(rows: Rows, train: np.ndarray) -> None:
    """Each member's inner forecasts, and nothing that the final fits say of their own rows."""
    found = fit_regime(rows, train, PAIR, 2)
    folds = walk_forward(rows.sessions[train], rows.label_ends[train], INNER_FOLDS)
    inner = [
        (member_probabilities(fit_rows(rows, fold.train, PAIR, 2), rows.values[fold.test]),
         rows.labels[fold.test])
        for fold in folds
    ]  # fmt: skip
    said, labels = (np.concatenate(part) for part in zip(*inner, strict=True))
    assert found.fit.weights == pytest.approx(pool_weights(said, labels))
    assert found.chosen_on == len(labels)
    own = member_probabilities(found.fit, rows.values[train])
    assert found.fit.weights != pytest.approx(pool_weights(own, rows.labels[train]))


def test_information_that_nobody_measured_is_unknown(rows: Rows, train: np.ndarray) -> None:
    fit = fit_rows(rows, train, MODELS["paths"], 2)
    told = _chosen(fit)["mutual_information"]
    assert told == dict.fromkeys(MODELS["paths"].inputs)
