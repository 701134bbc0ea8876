from dataclasses import replace
from typing import Any

import pytest

from feature_repo.errors import InputError
from training.settings import DirectionSettings, RegimeSettings, direction_service


def test_the_defaults_are_those_of_the_decisions() -> None:
    direction, regime = DirectionSettings("SPY"), RegimeSettings("SPY")
    for one in (direction, regime):
        assert (one.n_features, one.n_folds, one.horizon) == (40, 5, 5)
        assert one.model_type == "logistic"
    assert (direction.feature_service, regime.feature_service) == ("direction", "volatility")
    assert direction.threshold_criterion == "f1"
    assert not direction.safe_features
    assert not direction.optimize_threshold


@pytest.mark.parametrize("made", [DirectionSettings("SPY"), RegimeSettings("SPY")])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "xgboost"}, "got 'xgboost', allowed: logistic"),
        ({"n_features": 0}, "bad n_features: got 0, allowed is 1 or more"),
        ({"n_folds": 0}, "bad n_folds: got 0"),
        ({"horizon": -5}, "bad horizon: got -5"),
    ],
)
def test_bad_settings_are_refused_before_any_work(
    made: Any, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        replace(made, **change)


def test_a_regression_mode_is_refused() -> None:
    with pytest.raises(InputError, match="got 'regression', allowed: classification"):
        RegimeSettings("SPY", mode="regression")


def test_an_unknown_criterion_is_refused() -> None:
    with pytest.raises(InputError, match="got 'profit', allowed are f1"):
        DirectionSettings("SPY", threshold_criterion="profit")


@pytest.mark.parametrize(
    ("views", "service"),
    [
        ({}, "direction"),
        ({"earnings": True}, "direction_earnings"),
        ({"earnings": True, "sentiment": True}, "direction_sentiment_earnings"),
    ],
)
def test_the_optional_views_name_the_service(views: dict[str, bool], service: str) -> None:
    assert direction_service(**views) == service
    assert DirectionSettings("SPY", feature_service=service).feature_service == service
