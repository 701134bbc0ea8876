from dataclasses import replace
from typing import Any

import pytest

from feature_repo.features.services import SERVICES
from market.errors import InputError
from training.models.catalogue import members, model_type, words
from training.settings import Settings
from training.tasks.catalogue import TASKS
from training.tasks.declare import Task
from training.tasks.direction import DIRECTION, direction_service
from training.tasks.regime import REGIME

SPY = Settings("SPY")
every_task = pytest.mark.parametrize("task", TASKS.values(), ids=list(TASKS))


def test_the_defaults_are_those_of_the_decisions() -> None:
    direction, regime = DIRECTION.resolve(SPY), REGIME.resolve(SPY)
    for one in (direction, regime):
        assert (one.n_features, one.n_folds, one.horizon) == (40, 5, 5)
        assert one.model_type == "logistic"
    assert (direction.feature_service, regime.feature_service) == ("direction", "volatility")
    assert direction.threshold_criterion == "f1"
    assert not direction.safe_features
    assert not direction.optimize_threshold


@every_task
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "xgboost"}, "got 'xgboost', allowed: "),
        ({"n_features": 0}, "bad n_features: got 0, allowed is 1 or more"),
        ({"n_folds": 0}, "bad n_folds: got 0"),
        ({"horizon": -5}, "bad horizon: got -5"),
    ],
)
def test_bad_settings_are_refused_before_any_work(
    task: Task, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        task.resolve(replace(SPY, **change))


@pytest.mark.parametrize("word", words("regime"))
def test_a_regime_model_names_the_service_that_holds_its_inputs(word: str) -> None:
    service = REGIME.resolve(Settings("SPY", model_type=word)).feature_service
    assert service == ("volatility_paths" if word in ("paths", "blend") else "volatility")
    read = {name for row in members(model_type("regime", word)) for name in row.inputs or ()}
    held = {reference.split(":")[1] for reference in SERVICES[service]}
    assert read <= held
    named = Settings("SPY", model_type=word, feature_service="another")
    assert REGIME.resolve(named).feature_service == "another"


@pytest.mark.parametrize(
    ("task", "other"), [(DIRECTION, "paths"), (DIRECTION, "table"), (REGIME, "ensemble")]
)
def test_a_model_of_the_other_task_is_refused(task: Task, other: str) -> None:
    with pytest.raises(InputError, match=f"got '{other}', allowed: "):
        task.resolve(Settings("SPY", model_type=other))


def test_an_unknown_criterion_is_refused() -> None:
    with pytest.raises(InputError, match="got 'profit', allowed are f1"):
        DIRECTION.resolve(Settings("SPY", threshold_criterion="profit"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("safe_features", True),
        ("optimize_threshold", True),
        ("threshold_criterion", "balanced_accuracy"),
    ],
)
def test_a_setting_of_another_task_is_refused_and_not_recorded(option: str, value: Any) -> None:
    settings = replace(SPY, **{option: value})
    assert DIRECTION.document(DIRECTION.resolve(settings))[option] == value
    with pytest.raises(InputError, match=f"{option} of a regime: got {value!r}, allowed is "):
        REGIME.resolve(settings)
    assert option not in REGIME.document(SPY)


@every_task
def test_settings_stay_when_resolved_again(task: Task) -> None:
    resolved = task.resolve(SPY)
    assert task.resolve(resolved) == resolved


@pytest.mark.parametrize(
    ("views", "service"),
    [
        ((), "direction"),
        (("earnings",), "direction_earnings"),
        (("earnings", "sentiment"), "direction_sentiment_earnings"),
    ],
)
def test_the_optional_views_name_the_service(views: tuple[str, ...], service: str) -> None:
    assert direction_service(views) == service
    named = Settings("SPY", feature_service=service)
    assert DIRECTION.resolve(named).feature_service == service
