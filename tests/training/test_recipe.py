from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import recipe, walk

DIRECTION_SETTINGS = Settings("SPY", resamples=50, optimize_threshold=True)
REGIME_SETTINGS = Settings("SPY", resamples=50)


def test_a_fold_of_a_direction_is_evaluated_as_training_does(
    make_direction: Callable[..., tuple[pd.DataFrame, pd.DataFrame]],
) -> None:
    frame, prices = make_direction(500, 1, 0.5)
    trained = walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)
    made = recipe(DIRECTION, frame, prices, DIRECTION_SETTINGS)
    found = made.evaluate(made.folds()[2])
    expected = trained.tested.of_fold(3)
    np.testing.assert_array_equal(found.sessions, expected.sessions)
    np.testing.assert_array_equal(found.model.probabilities, expected.model.probabilities)
    np.testing.assert_array_equal(found.model.calls, expected.model.calls)
    for name, forecast in expected.baselines.items():
        np.testing.assert_array_equal(found.baselines[name].calls, forecast.calls)


def test_a_fold_of_a_regime_is_evaluated_as_training_does(
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    frame = make_regime(500)
    trained = walk(REGIME, frame, None, REGIME_SETTINGS)
    made = recipe(REGIME, frame, None, REGIME_SETTINGS)
    found, expected = made.evaluate(made.folds()[-1]), trained.tested.of_fold(5)
    np.testing.assert_array_equal(found.model.probabilities, expected.model.probabilities)
    np.testing.assert_array_equal(found.scored, expected.scored)


def test_a_direction_without_prices_is_a_fault_of_the_program(
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    with pytest.raises(TypeError, match="prices"):
        recipe(DIRECTION, make_regime(300), None, DIRECTION_SETTINGS)
