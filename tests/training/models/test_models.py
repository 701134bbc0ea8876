"""Every row of the registry, for every task it has: what training and serving rely on."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from forecasters.unseen import AddOne
from market.errors import InputError
from tests.training.plain import evaluate
from training.fit.fit import AUXILIARY, Fit, fit_rows
from training.fit.mixture import Forecaster, fit_direction, fit_regime
from training.frames.rows import Rows, direction_rows, regime_rows
from training.models.catalogue import MODELS, members, model_type, words
from training.models.logistic import converged
from training.models.sample import Mixture, Model, Sample
from training.tasks.catalogue import TASKS

EVERY = [(task, word) for task in TASKS for word in words(task)]
every = pytest.mark.parametrize(("task", "word"), EVERY)
TRAIN = 330  # of some 400 rows
Fitting = Callable[..., Forecaster]


@pytest.fixture(scope="session")
def rows_of(make_volatility: Callable[..., pd.DataFrame]) -> Callable[[str], Rows]:
    """Rows of a task whose direction, like the rank, is partly told by a feature."""

    @cache
    def made(task: str) -> Rows:
        frame = make_volatility(400, seed=1)
        rng = np.random.default_rng(4)
        steps = 0.011 * rng.standard_normal(400)
        told = pd.Series(steps[::-1]).rolling(5).sum().to_numpy()[::-1]
        frame["hint"] += np.nan_to_num(np.roll(told, -1)) / 0.015
        if task == "regime":
            return regime_rows(frame, "SPY", 5)
        close = 100 * np.exp(np.cumsum(steps))
        prices = pd.DataFrame({"session": frame["session"], "close": close} | dict.fromkeys(
            ("open", "high", "low", "volume", "split"), 1.0) | {"dividend": 0.0})  # fmt: skip
        return direction_rows(frame, prices, "SPY", 5, safe=False)

    return made


def fit(task: str, word: str, rows: Rows, train: int = TRAIN) -> Forecaster:
    part = np.arange(train)
    if task == "direction":
        return fit_direction(rows, part, MODELS[word], 4, "f1")
    return fit_regime(rows, part, MODELS[word], 4)


@pytest.fixture(scope="session")
def fitted(rows_of: Callable[[str], Rows]) -> Callable[[str, str], Forecaster]:
    return cache(lambda task, word: fit(task, word, rows_of(task)))


def same(one: Forecaster, other: Forecaster) -> bool:
    """Whether all that was fitted and chosen is the same to the last digit."""
    parts = [pair.fit.parameters.model_dump() for pair in (one, other)]
    chosen = [replace(pair, fit=None) for pair in (one, other)]
    return parts[0] == parts[1] and chosen[0] == chosen[1]


def said(task: str, forecaster: Forecaster, values: np.ndarray) -> np.ndarray:
    if task == "direction":
        return forecaster.fit.decision(values)
    return forecaster.fit.probabilities(values)


def test_the_words_are_those_of_the_two_tasks() -> None:
    assert words("direction") == ("trees", "ensemble", "ridge", "logistic")
    assert set(words("regime")) == {"logistic", "table", "trees", "paths", "blend"}
    assert all(word == row.word for word, row in MODELS.items())


@every
def test_the_members_of_a_row_forecast_its_task(task: str, word: str) -> None:
    found = members(MODELS[word])
    assert all(isinstance(one, Model) and task in one.tasks for one in found)
    assert isinstance(MODELS[word], Mixture) is (len(found) > 1)
    if isinstance(MODELS[word], Mixture):
        assert tuple(one.word for one in found) == MODELS[word].members


@every
def test_a_forecast_has_every_class_of_every_row(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    rows, forecaster = rows_of(task), fitted(task, word)
    found = forecaster.forecast(rows.values)
    n_classes = len(TASKS[task].classes)
    assert found.probabilities.shape == (len(rows.sessions), n_classes)
    assert found.probabilities.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert (found.probabilities > 0).all()
    assert set(found.calls) <= set(range(n_classes))
    assert np.ptp(found.probabilities, axis=0).max() > 0.05, "it tells one row from another"
    assert forecaster.fit.converged
    if task == "direction":
        curve = forecaster.calibration
        up = expit(curve.slope * found.decision + curve.intercept)
        np.testing.assert_allclose(found.probabilities[:, 1], up, atol=1e-12)
        assert curve.slope > 0


@every
def test_a_row_is_forecast_alone(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    values, forecaster = rows_of(task).values, fitted(task, word)
    whole = forecaster.forecast(values).probabilities
    np.testing.assert_allclose(
        forecaster.forecast(values[40:45]).probabilities, whole[40:45], atol=1e-12
    )


@every
def test_a_null_among_the_features_is_no_forecast(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    rows, forecaster = rows_of(task), fitted(task, word)
    chosen = forecaster.fit.selection.columns
    for column in range(len(rows.names)):
        holed = rows.values[:6].copy()
        holed[2, column] = np.nan
        found = forecaster.forecast(holed)
        told = np.isfinite(found.probabilities).all(axis=1)
        assert told.tolist() == [at != 2 or column not in chosen for at in range(6)]
        assert ((found.calls >= 0) == told).all()
        assert np.isnan(found.probabilities[~told]).all()
        assert (forecaster.fit.selection.usable(holed) == told).all()


@every
def test_the_parameters_are_the_model(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    rows, fit = rows_of(task), fitted(task, word).fit
    values = rows.values[::13]
    found = evaluate(fit.parameters.model_dump(), list(rows.names), values, task)
    np.testing.assert_allclose(found, said(task, fitted(task, word), values), atol=1e-9)


@every
def test_two_fits_of_a_model_agree_to_the_last_digit(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    assert same(fit(task, word, rows_of(task)), fitted(task, word))


@every
def test_rows_outside_the_training_part_change_nothing(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    rows = rows_of(task)
    rng = np.random.default_rng(9)
    changed = {
        name: getattr(rows, name).copy() for name in ("values", "today", "ahead", "labels",
                                                      "every_outcome")
    }  # fmt: skip
    for name in ("values", "today", "ahead"):
        changed[name][TRAIN:] = 1e3 * rng.standard_normal(changed[name][TRAIN:].shape)
        changed[name][TRAIN::3] = np.nan
    changed["labels"][TRAIN:] = changed["every_outcome"][TRAIN:] = 0
    assert same(fit(task, word, replace(rows, **changed)), fitted(task, word))


@every
def test_rows_of_the_training_part_change_the_fit(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    """The other side of the test above: what it compares is not blind."""
    rows = rows_of(task)
    other = replace(rows, labels=np.roll(rows.labels, 60), ahead=np.roll(rows.ahead, 60, axis=0))
    assert not same(fit(task, word, other), fitted(task, word))


@every
def test_a_model_with_inputs_reads_them_and_others_none_of_the_paths(
    rows_of: Callable[[str], Rows], fitted: Callable[..., Forecaster], task: str, word: str
) -> None:
    parts: tuple[Fit, ...] = fitted(task, word).fit.fits
    for one in parts:
        if one.model.inputs is not None:
            assert one.selection.names == one.model.inputs
        else:
            assert not set(one.selection.names) & AUXILIARY
        assert [rows_of(task).names[at] for at in one.selection.columns] == list(
            one.selection.names
        )


def sample(n_classes: int, seed: int = 0) -> Sample:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 200)]
    values = 50 + 10 * rng.standard_normal((len(labels), 4)) + 5 * labels[:, None]
    days = np.arange(len(labels)).astype("datetime64[D]")
    ahead = np.full((len(labels), 5), np.nan)
    return Sample(("a", "b", "c", "d"), values, labels, n_classes, days, days + 5, ahead)


def test_the_logistic_is_that_of_decision_8() -> None:
    regression = MODELS["logistic"].fit(sample(2)).estimator.named_steps["model"]
    assert (regression.C, regression.solver, regression.max_iter) == (0.1, "lbfgs", 1000)


def test_an_optimiser_that_stops_early_is_told() -> None:
    found = MODELS["logistic"].fit(sample(2))
    assert found.converged
    found.estimator.named_steps["model"].n_iter_ = np.array([1000])
    assert not converged(found.estimator)


@settings(max_examples=10, deadline=None)
@given(absent=st.integers(0, 2), seed=st.integers(0, 50))
def test_a_class_never_seen_gets_the_add_one_probability(absent: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    given_ = sample(3, seed)
    present = [code for code in range(3) if code != absent]
    labels = rng.choice(present, len(given_.labels))
    labels[:2] = present
    found = MODELS["logistic"].fit(replace(given_, labels=labels))
    chance = found.parameters.chances(given_.values).probabilities
    assert chance[:, absent] == pytest.approx(1 / (len(labels) + 3))
    assert chance.sum(axis=1) == pytest.approx(1.0)
    again = AddOne.model_validate(json.loads(json.dumps(found.parameters.model_dump())))
    assert (again.chances(given_.values).probabilities == chance).all()
    known = found.estimator.predict_proba(given_.values)
    rest = np.delete(chance, absent, axis=1)
    np.testing.assert_allclose(rest / rest.sum(1, keepdims=True), known, atol=1e-12)


def test_with_every_class_seen_probabilities_are_the_models_own() -> None:
    given_ = sample(3)
    fitted = MODELS["logistic"].fit(given_)
    found = fitted.parameters.chances(given_.values).probabilities
    own = fitted.estimator.predict_proba(given_.values)
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("task", "word"),
    [("direction", "xgboost"), ("direction", "paths"), ("regime", "ensemble"), ("regime", ""),
     ("price", "logistic")],
)  # fmt: skip
def test_an_unknown_model_type_is_refused_with_what_is_allowed(task: str, word: str) -> None:
    allowed = ", ".join(words(task))
    with pytest.raises(InputError, match=f"got '{word}', allowed: {allowed}"):
        model_type(task, word)


@every
def test_a_known_model_type_is_its_row(task: str, word: str) -> None:
    assert model_type(task, word) is MODELS[word]


def test_a_model_of_regimes_only_gives_no_direction(
    rows_of: Callable[[str], Rows],
) -> None:
    rows = rows_of("regime")
    found = fit_rows(rows, np.arange(TRAIN), MODELS["table"], 4)
    with pytest.raises(TypeError, match="table forecasts no direction"):
        found.decision(rows.values)


def test_the_blend_weighs_its_members_and_the_ensemble_does_not(
    fitted: Callable[..., Forecaster],
) -> None:
    assert fitted("direction", "ensemble").fit.weights == (0.5, 0.5)
    weights = fitted("regime", "blend").fit.weights
    assert sum(weights) == pytest.approx(1.0, abs=1e-12)
    assert all(one > 0 for one in weights)
    assert any(abs(one - other) > 1e-3 for one, other in pairwise(weights))
