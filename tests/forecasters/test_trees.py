"""Trees in the library's own JSON: every text that would lead it astray is refused before it."""

import copy
import json

import numpy as np
import pytest

from forecasters.base import ForecastError
from forecasters.booster import parse
from forecasters.document import Artifact

TREE = ("learner", "gradient_booster", "model", "trees", 0)
MODEL = TREE[:3]


@pytest.fixture(scope="module", params=["direction", "regime"])
def task(request):
    return request.param


@pytest.fixture(scope="module")
def good(fitted, task):
    return json.loads(fitted("trees", task).parameters["booster"])


def changed(document, place, value):
    new = copy.deepcopy(document)
    part = new
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value(part[place[-1]]) if callable(value) else value
    return new


def ask(fitted_document, fitted, task, text, features=None):
    parameters = fitted("trees", task).parameters | {"booster": text}
    if features is not None:
        parameters["features"] = features
    return Artifact.model_validate(
        fitted_document("trees", task, parameters=parameters, features=parameters["features"])
    )


ASTRAY = {
    "a child that is not there": ((*TREE, "left_children", 0), 10_000),
    "a child before the first": ((*TREE, "right_children", 0), -7),
    "one child alone": ((*TREE, "left_children", 0), -1),
    "a child that is its own parent": ((*TREE, "left_children", 0), 0),
    "a feature that is not there": ((*TREE, "split_indices", 0), 10_000),
    "a feature before the first": ((*TREE, "split_indices", 0), -1),
    "a list too short": ((*TREE, "split_conditions"), lambda found: found[:-1]),
    "nodes that are not there": ((*TREE, "tree_param", "num_nodes"), "999"),
    "another width": ((*TREE, "tree_param", "num_feature"), "3"),
    "a category": ((*TREE, "split_type", 0), 1),
    "a value as text": ((*TREE, "split_conditions", 0), "0"),
    "fewer trees than counted": ((*MODEL, "trees"), lambda found: found[:-1]),
    "no trees": ((*MODEL, "trees"), []),
    "trees of another class": ((*MODEL, "tree_info", 0), 2),
    "rounds of another length": ((*MODEL, "iteration_indptr", -1), 1),
    "a dart": (("learner", "gradient_booster", "name"), "dart"),
    "another objective": (("learner", "objective", "name"), "reg:squarederror"),
    "no objective": (("learner", "objective"), {}),
    "another number of classes": (("learner", "learner_model_param", "num_class"), "4"),
    "another number of features": (("learner", "learner_model_param", "num_feature"), "13"),
    "two targets": (("learner", "learner_model_param", "num_target"), "2"),
    "attributes": (("learner", "attributes"), {"best_iteration": "0"}),
    "no learner": (("learner",), None),
}


@pytest.mark.parametrize("place", ASTRAY)
def test_a_text_that_leads_astray_is_refused(fitted_document, fitted, task, good, place):
    text = json.dumps(changed(good, *ASTRAY[place]))
    with pytest.raises(ValueError, match="booster") as caught:
        ask(fitted_document, fitted, task, text)
    with pytest.raises(ValueError, match="booster") as alone:
        parse(text).check(len(fitted("trees", task).features))
    assert str(alone.value) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "{}", '{"learner": NaN}', "binf\x00"])
def test_a_text_that_is_no_booster_is_refused(fitted_document, fitted, task, text):
    with pytest.raises(ValueError, match="booster"):
        ask(fitted_document, fitted, task, text)


def test_what_the_library_itself_refuses_is_refused_in_a_line(fitted_document, fitted, task, good):
    text = json.dumps(changed(good, ("learner", "learner_model_param", "base_score"), "many"))
    with pytest.raises(ValueError, match="xgboost refuses it"):
        ask(fitted_document, fitted, task, text)


def test_a_booster_of_another_width_is_refused(fitted_document, fitted, task, good):
    features = fitted("trees", task).features
    for names in (features[:-1], [*features, "rsi_14"]):
        with pytest.raises(ValueError, match="booster features"):
            ask(fitted_document, fitted, task, json.dumps(good), names)


def test_a_booster_of_the_other_task_is_refused(fitted_document, fitted, task):
    other = {"direction": "regime", "regime": "direction"}[task]
    with pytest.raises(ValueError, match=rf"forecasts a {other}, not a {task}"):
        ask(fitted_document, fitted, task, fitted("trees", other).parameters["booster"])


def test_values_that_the_library_has_no_number_for_are_refused(
    fitted_document, fitted, task, good, new_rows
):
    model = ask(fitted_document, fitted, task, json.dumps(good))
    method = model.probability_up if task == "direction" else model.regime
    with pytest.raises(ForecastError, match="not_finite"):
        method(new_rows[1][0] | {"hv_20": 1e39})


def test_rows_that_the_library_has_no_number_for_are_unknown_and_no_others(fitted, task, new_rows):
    model = fitted("trees", task)
    values = new_rows[0][:5].copy()
    clean = model.say(values)
    values[3, -1] = 1e39
    found = model.say(values)
    assert np.isnan(found[3]).all()
    np.testing.assert_array_equal(np.delete(found, 3, axis=0), np.delete(clean, 3, axis=0))
