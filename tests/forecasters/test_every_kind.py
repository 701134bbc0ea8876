"""Every model type that is trained: served as it was fitted, and refused when it is damaged."""

import copy
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasters.base import ForecastError
from forecasters.calls import called
from forecasters.document import Artifact
from serving.reading.artifact import load_artifact
from serving.reading.refusal import Refusal
from training.models.catalogue import MODELS

EVERY = [(word, task) for word, row in MODELS.items() for task in row.tasks]
CALLS = (0.8, 1.0, 1.4)
DEFINITIONS = "d" * 64
every = pytest.mark.parametrize(("word", "task"), EVERY)


def load(folder, task):
    return load_artifact(folder, task, "SPY", DEFINITIONS)


@every
def test_what_is_served_is_what_was_fitted(
    tmp_path, fitted, fitted_document, new_rows, write, word, task
):
    values, rows = new_rows
    changes = {} if task == "direction" else {"call_weights": list(CALLS)}
    write(tmp_path, fitted_document(word, task, **changes))
    model = load(tmp_path, task)
    said = fitted(word, task).say(values)
    if task == "direction":
        got = [model.probability_up(row) for row in rows]
        np.testing.assert_allclose(got, model.calibration.probability(said), rtol=0, atol=1e-9)
        assert np.ptp(got) > 0.01
        return
    found = [model.regime(row) for row in rows]
    got = [list(one.probabilities.values()) for one in found]
    np.testing.assert_allclose(got, said, rtol=0, atol=1e-9)
    assert [model.classes.index(one.called) for one in found] == called(said, CALLS).tolist()
    assert np.ptp(got, axis=0).max() > 0.01


@every
def test_threads_get_the_same_answers(tmp_path, fitted_document, new_rows, write, word, task):
    write(tmp_path, fitted_document(word, task))
    model = load(tmp_path, task)
    ask = model.probability_up if task == "direction" else model.regime
    alone = [ask(row) for row in new_rows[1]]
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: [ask(row) for row in new_rows[1][:20]], range(16)):
            assert found == alone[:20]


@every
def test_a_document_comes_back_as_written(tmp_path, fitted_document, write, word, task):
    document = fitted_document(word, task)
    write(tmp_path, document)
    assert load(tmp_path, task).model_dump() == document


@every
def test_a_model_does_not_stand_for_the_other_task(fitted, documents, word, task):
    (other,) = {"direction", "regime"} - {task}
    model = fitted(word, task)
    document = documents[other](features=model.features, parameters=model.parameters)
    with pytest.raises(ValueError, match=r"1 validation error for Artifact\n"):
        Artifact.model_validate(document)


def leaves(value, at=()):
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in leaves(v, (*at, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value[:8]) for p in leaves(v, (*at, i))]
    return [at]


def replaced(document, place, value):
    changed = copy.deepcopy(document)
    part = changed
    for step in place[:-1]:
        part = part[step]
    if value is DROPPED:
        del part[place[-1]]
    else:
        part[place[-1]] = value
    return changed


DROPPED = object()
WRONG = [DROPPED, None, "x", float("nan"), float("inf"), 1e400, [], {}, -1.0, 10**400, True]


@every
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_what_is_changed_and_signed_anew_is_refused_or_asked_in_peace(
    tmp_path_factory, fitted_document, new_rows, reseal, word, task, data
):
    """No answer but a probability or a refusal comes out of numbers that another hand wrote."""
    document = fitted_document(word, task)
    places = leaves(document["parameters"], ("parameters",))
    place = data.draw(st.sampled_from(places))
    # A longer way is cut somewhere: whole lists and objects are changed as well.
    place = place[: data.draw(st.integers(1, len(place)))]
    changed = reseal(replaced(document, place, data.draw(st.sampled_from(WRONG))))
    folder = tmp_path_factory.mktemp("changed")
    path = folder / "serving" / f"{task}_SPY.json"
    path.parent.mkdir()
    path.write_text(json.dumps(changed))
    try:
        model = load(folder, task)
        chances = (
            [model.probability_up(new_rows[1][0])]
            if task == "direction"
            else list(model.regime(new_rows[1][0]).probabilities.values())
        )
    except (Refusal, ForecastError) as refusal:
        assert len(refusal.detail) < 800
        assert "\n" not in refusal.detail
        return
    assert all(0 <= chance <= 1 for chance in chances)


def test_trees_are_read_by_the_library_and_others_without_it(tmp_path, fitted_document, write):
    write(tmp_path, fitted_document("paths", "regime"))
    write(tmp_path, fitted_document("trees", "direction"))
    code = (
        "import sys; from pathlib import Path; from serving.reading.artifact import load_artifact\n"
        f"home = Path({str(tmp_path)!r}); names = set()\n"
        "for task in ('regime', 'direction'):\n"
        f"    load_artifact(home, task, 'SPY', {DEFINITIONS!r})\n"
        "    print('xgboost' in sys.modules, 'joblib' in sys.modules, 'mlflow' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert found[0] == "False"
    assert found[3] == "True"


@pytest.mark.parametrize("weights", [[0.5, 0.6], [1.0], [-0.5, 1.5], [], [0.5, 0.25, 0.25]])
def test_weights_are_shares_one_a_member(fitted, fitted_document, tmp_path, write, weights):
    parameters = fitted("ensemble", "direction").parameters | {"weights": weights}
    write(tmp_path, fitted_document("ensemble", "direction", parameters=parameters))
    with pytest.raises(Refusal, match=r"parameters\.ensemble.*(weights|at least 1)"):
        load(tmp_path, "direction")


def test_a_member_of_weight_zero_is_allowed(fitted, fitted_document, tmp_path, write, new_rows):
    """A weight by likelihood may be smaller than a float can say."""
    parameters = fitted("blend", "regime").parameters | {"weights": [0.0, 0.0, 0.0, 1.0]}
    write(tmp_path, fitted_document("blend", "regime", parameters=parameters))
    alone = Artifact.model_validate(fitted_document("paths", "regime"))
    for row in new_rows[1][:5]:
        found = load(tmp_path, "regime").probabilities(row)
        assert found == pytest.approx(alone.probabilities(row), abs=1e-15)


def test_a_mixture_holds_no_mixture(fitted, fitted_document, tmp_path, write):
    inner = fitted("blend", "regime").parameters
    outer = {"kind": "pool", "weights": [1.0], "members": [inner]}
    write(tmp_path, fitted_document("blend", "regime", parameters=outer))
    with pytest.raises(Refusal, match="pool"):
        load(tmp_path, "regime")
