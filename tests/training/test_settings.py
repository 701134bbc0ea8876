from dataclasses import replace
from typing import Any

import pytest

from feature_repo.features.services import SERVICES
from market.errors import InputError
from training.models import members, model_type, words
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
        ({"model_type": "xgboost"}, "got 'xgboost', allowed: logistic, "),
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


@pytest.mark.parametrize("word", words("regime"))
def test_a_regime_model_names_the_service_that_holds_its_inputs(word: str) -> None:
    service = RegimeSettings("SPY", model_type=word).feature_service
    assert service == ("volatility_paths" if word in ("paths", "blend") else "volatility")
    read = {name for row in members(model_type("regime", word)) for name in row.inputs or ()}
    held = {reference.split(":")[1] for reference in SERVICES[service]}
    assert read <= held
    named = RegimeSettings("SPY", model_type=word, feature_service="another")
    assert named.feature_service == "another"


@pytest.mark.parametrize(
    ("made", "other"),
    [(DirectionSettings, "paths"), (DirectionSettings, "table"), (RegimeSettings, "ensemble")],
)
def test_a_model_of_the_other_task_is_refused(made: Any, other: str) -> None:
    with pytest.raises(InputError, match=f"got '{other}', allowed: "):
        made("SPY", model_type=other)


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
