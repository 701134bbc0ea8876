import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, softmax

from feature_repo.errors import InputError
from training.models import MODELS, class_probabilities, model_type
from training.tasks import TASKS

EVERY = [(word, task) for word, row in MODELS.items() for task in row.tasks]


def sample(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.r_[np.arange(n_classes), rng.integers(0, n_classes, 200)]
    return 50 + 10 * rng.standard_normal((len(labels), 4)) + 5 * labels[:, None], labels


@pytest.mark.parametrize(("word", "task"), EVERY)
def test_every_model_forecasts_its_tasks(word: str, task: str) -> None:
    n_classes = len(TASKS[task].classes)
    values, labels = sample(n_classes)
    row = MODELS[word]
    estimator = row.build().fit(values, labels)
    chance = estimator.predict_proba(values)
    assert chance.shape == (len(values), n_classes)
    assert estimator.classes_.tolist() == list(range(n_classes))
    assert row.converged(estimator)
    if n_classes == 2:
        assert expit(row.decision(estimator, values)) == pytest.approx(chance[:, 1])


@pytest.mark.parametrize(("word", "task"), EVERY)
def test_two_fits_of_a_model_agree(word: str, task: str) -> None:
    values, labels = sample(len(TASKS[task].classes))
    one, other = (MODELS[word].build().fit(values, labels) for _ in range(2))
    assert (one.predict_proba(values) == other.predict_proba(values)).all()


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_parameters_are_the_model(n_classes: int) -> None:
    values, labels = sample(n_classes)
    row = MODELS["logistic"]
    estimator = row.build().fit(values, labels)
    told = {key: np.array(value) for key, value in row.parameters(estimator).items()}
    z = ((values - told["mean"]) / told["scale"]) @ told["coef"].T + told["intercept"]
    chance = estimator.predict_proba(values)
    found = softmax(z, axis=1) if n_classes == 3 else np.c_[1 - expit(z[:, 0]), expit(z[:, 0])]
    np.testing.assert_allclose(found, chance, atol=1e-12)


def test_the_logistic_is_that_of_decision_8() -> None:
    regression = MODELS["logistic"].build().named_steps["model"]
    assert (regression.C, regression.solver, regression.max_iter) == (0.1, "lbfgs", 1000)


def test_an_optimiser_that_stops_early_is_told() -> None:
    values, labels = sample(2)
    estimator = MODELS["logistic"].build().fit(values, labels)
    estimator.named_steps["model"].n_iter_ = np.array([1000])
    assert not MODELS["logistic"].converged(estimator)


@settings(max_examples=10, deadline=None)
@given(absent=st.integers(0, 2), seed=st.integers(0, 50))
def test_a_class_never_seen_gets_the_add_one_probability(absent: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([code for code in range(3) if code != absent], 80)
    labels[:2] = [code for code in range(3) if code != absent]
    values = rng.standard_normal((80, 3))
    estimator = MODELS["logistic"].build().fit(values, labels)
    chance = class_probabilities(estimator, values, 3, 80)
    assert chance[:, absent] == pytest.approx(1 / 83)
    assert chance.sum(axis=1) == pytest.approx(1.0)
    known = estimator.predict_proba(values)
    rest = np.delete(chance, absent, axis=1)
    np.testing.assert_allclose(rest / rest.sum(1, keepdims=True), known, atol=1e-12)


def test_with_every_class_seen_probabilities_are_the_models_own() -> None:
    values, labels = sample(3)
    estimator = MODELS["logistic"].build().fit(values, labels)
    found = class_probabilities(estimator, values, 3, len(values))
    assert (found == estimator.predict_proba(values)).all()


@pytest.mark.parametrize(
    ("task", "word"), [("direction", "xgboost"), ("regime", ""), ("price", "logistic")]
)
def test_an_unknown_model_type_is_refused_with_what_is_allowed(task: str, word: str) -> None:
    with pytest.raises(InputError, match="allowed: "):
        model_type(task, word)


def test_the_refusal_names_logistic() -> None:
    with pytest.raises(InputError, match="got 'ensemble', allowed: logistic"):
        model_type("direction", "ensemble")
