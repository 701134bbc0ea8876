from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecasters.linear import Linear
from training.explain import reasons
from training.explain.reasons import importance
from training.fit.mixture import DirectionForecaster, fit_direction
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.models.catalogue import model_type
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.walk import training_rows, window_folds

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
Fitted = tuple[Rows, tuple[Fold, ...], tuple[DirectionForecaster, ...]]


@pytest.fixture
def fit(make_direction: Frames) -> Callable[[str], Fitted]:
    """Rows with a signal in f0, two folds, and what each fitted of a model type."""

    def make(word: str) -> Fitted:
        frame, prices = make_direction(400, signal=0.6)
        rows = training_rows(DIRECTION, frame, prices, Settings("SPY"), None)
        folds = window_folds(rows, 2)
        model = model_type("direction", word)
        return rows, folds, tuple(fit_direction(rows, one.train, model, 4, None) for one in folds)

    return make


def found(fitted: Fitted) -> dict[str, Any]:
    rows, folds, forecasters = fitted
    return importance(DIRECTION, rows, folds, forecasters, forecasters[-1], seed=0)


def test_a_linear_model_has_importance_and_weights(fit: Callable[[str], Fitted]) -> None:
    fitted = fit("logistic")
    one = found(fitted)
    chosen = fitted[2][-1].fit.selection.names
    assert {row.name for row in one.weights} == set(chosen)
    assert one.permutation.features[0].name == "f0"
    assert one.weights[0].name == "f0"
    assert one.weights[0].weights["UP"] > 0.0
    assert one.weights[0].folds == 2


def test_trees_have_no_weights(fit: Callable[[str], Fitted]) -> None:
    one = found(fit("trees"))
    assert one.weights is None
    assert one.permutation.features[0].name == "f0"


def test_a_linear_member_that_hardly_counts_explains_nothing(
    fit: Callable[[str], Fitted],
) -> None:
    rows, folds, forecasters = fit("ensemble")
    idle = replace(forecasters[-1], fit=replace(forecasters[-1].fit, weights=(0.01, 0.99)))
    one = importance(DIRECTION, rows, folds, forecasters, idle, seed=0)
    assert one.weights is None


def test_a_mixture_asked_once_says_the_same(
    fit: Callable[[str], Fitted], monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted = fit("ensemble")
    quick = found(fitted)
    monkeypatch.setattr(reasons, "_remembering", lambda forecaster: forecaster)
    assert found(fitted) == quick
    assert {row.name for row in quick.weights} <= set(fitted[2][-1].fit.selection.names)


def test_a_member_is_not_asked_again_about_what_it_does_not_read(
    fit: Callable[[str], Fitted],
) -> None:
    rows, _, forecasters = fit("ensemble")
    asked = []

    class Counted(Linear):
        def decision(self, values: np.ndarray) -> np.ndarray:
            asked.append(len(values))
            return super().decision(values)

    member = forecasters[-1].fit.fits[0]
    counted = Counted.model_validate(member.parameters.model_dump())
    first = replace(member, estimate=replace(member.estimate, parameters=counted))
    mixed = replace(forecasters[-1].fit, fits=(first, *forecasters[-1].fit.fits[1:]))
    one = reasons._remembering(replace(forecasters[-1], fit=mixed))
    values = rows.values.copy()
    one.forecast(values)
    unread = sorted(set(range(len(rows.names))) - set(first.selection.columns))
    values[:, unread] = 0.0
    one.forecast(values)
    assert len(asked) == 1
    values[:, first.selection.columns[0]] += 1.0
    one.forecast(values)
    assert len(asked) == 2
