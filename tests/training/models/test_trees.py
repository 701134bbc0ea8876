"""Boosted trees: how many are grown is chosen inside the training part, and nothing is chance."""

from dataclasses import replace

import numpy as np
import pytest
import xgboost

from forecasters.calls import sigmoid
from training.models.catalogue import MODELS
from training.models.sample import Estimate, Sample
from training.models.trees import HELD_OUT, MAX_TREES, PATIENCE, SETTINGS, _split

TREES = MODELS["trees"]
NAMES = ("a", "b", "c")


def made(count: int = 300, n_classes: int = 2, signal: float = 1.5, seed: int = 0) -> Sample:
    """A sample whose class the first feature tells in part."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, len(NAMES)))
    score = signal * values[:, 0] + rng.standard_normal(count)
    labels = np.searchsorted([0.0] if n_classes == 2 else [-0.7, 0.7], score).astype(np.int64)
    days = np.arange(count).astype("datetime64[D]")
    ahead = np.full((count, 5), np.nan)
    return Sample(NAMES, values, labels, n_classes, days, days + 5, ahead)


def chances(found: Estimate, values: np.ndarray) -> np.ndarray:
    """Probability of every class of a fit of two classes or three."""
    if "binary:logistic" not in getattr(found.parameters, "booster", ""):
        return found.parameters.chances(values).probabilities
    up = sigmoid(found.parameters.decision(values))
    return np.column_stack([1.0 - up, up])


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_signal_is_found_and_noise_grows_hardly_a_tree(n_classes: int) -> None:
    told = TREES.fit(made(n_classes=n_classes))
    idle = [TREES.fit(made(n_classes=n_classes, signal=0.0, seed=seed)) for seed in range(5)]
    grown = np.median([one.estimator.num_boosted_rounds() for one in idle])
    assert 2 * grown < told.estimator.num_boosted_rounds() <= MAX_TREES
    new = made(n_classes=n_classes, seed=1)
    chance = chances(told, new.values)
    loss = -np.log(chance[np.arange(300), new.labels]).mean()
    assert loss < 0.85 * np.log(n_classes)


def test_the_number_of_trees_is_that_of_the_best_score_on_the_last_fifth() -> None:
    sample = made()
    booster = TREES.fit(sample).estimator
    early, late = _split(sample)
    known = SETTINGS | {"objective": "binary:logistic"}
    part = xgboost.DMatrix(sample.values[early], sample.labels[early])
    grown = xgboost.train(known, part, MAX_TREES)
    outcome, losses = sample.labels[late] == 1, []
    for count in range(1, MAX_TREES + 1):
        up = grown.predict(xgboost.DMatrix(sample.values[late]), iteration_range=(0, count))
        losses.append(-np.log(np.where(outcome, up, 1 - up)).mean())
    best = booster.num_boosted_rounds()
    assert losses[best - 1] == pytest.approx(min(losses[: best + PATIENCE]), abs=1e-6)


def test_no_row_whose_label_reaches_the_last_fifth_chooses_with_it() -> None:
    sample = made(300)
    early, late = _split(sample)
    assert len(late) == 300 // HELD_OUT
    assert sample.label_ends[early].max() < sample.sessions[late].min()
    assert len(early) == 300 - len(late) - 5
    pooled = replace(sample, sessions=np.repeat(sample.sessions[:150], 2),
                     label_ends=np.repeat(sample.label_ends[:150], 2))  # fmt: skip
    early, late = _split(pooled)
    assert len(late) == 2 * (150 // HELD_OUT), "a session's rows stay together"
    assert pooled.label_ends[early].max() < pooled.sessions[late].min()


def test_too_few_sessions_to_choose_on_grow_one_tree() -> None:
    assert TREES.fit(made(5)).estimator.num_boosted_rounds() == 1


@pytest.mark.parametrize("n_classes", [2, 3])
def test_fits_agree_to_the_byte_whatever_the_order_of_memory(n_classes: int) -> None:
    sample = made(n_classes=n_classes)
    other = replace(sample, values=np.asfortranarray(sample.values))
    one, two = (TREES.fit(x).parameters.booster for x in (sample, other))
    assert one == two


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_never_seen_gets_the_add_one_probability(absent: int) -> None:
    sample = made(n_classes=3)
    labels = np.where(sample.labels == absent, (absent + 1) % 3, sample.labels)
    found = TREES.fit(replace(sample, labels=labels))
    chance = chances(found, sample.values)
    assert chance[:, absent] == pytest.approx(1 / 303)
    assert chance.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    present = [code for code in range(3) if code != absent]
    own = found.estimator.inplace_predict(sample.values)[:, present].astype(float)
    np.testing.assert_allclose(
        chance[:, present] / (1 - 1 / 303), own / own.sum(axis=1, keepdims=True), atol=1e-6
    )


def test_two_classes_on_one_side_of_the_last_fifth_are_fitted() -> None:
    sample = made()
    labels = np.where(np.arange(300) < 230, 1, sample.labels)
    chance = chances(TREES.fit(replace(sample, labels=labels)), sample.values)
    assert ((chance > 0) & (chance < 1)).all()
