"""Model artifacts: what sklearn computes is what they compute, and nothing damaged is served."""

import copy
import json
import math
import os
import shutil
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from forecasters.base import ForecastError
from forecasters.document import Artifact
from home.layout import next_model, standby_models
from home.served_model import expect, write_checked
from home.strict_json import signature
from serving.reading.artifact import ArtifactFiles, artifact_path, load_artifact
from serving.reading.refusal import Refusal

DEFINITIONS = "d" * 64
TASKS = ("direction", "regime")


def load(models_dir, task="direction", ticker="SPY", definitions=DEFINITIONS):
    return load_artifact(models_dir, task, ticker, definitions)


def refused(models_dir, match, **arguments):
    with pytest.raises(Refusal, match=match) as caught:
        load(models_dir, **arguments)
    assert caught.value.error == "model_refused"
    return caught.value


@pytest.mark.parametrize("task", TASKS)
def test_an_artifact_comes_back_as_written(tmp_path, documents, write, task):
    document = documents[task]()
    write(tmp_path, document)
    assert load(tmp_path, task).model_dump() == document


@pytest.mark.parametrize("n", [1, 5, 40])
def test_direction_is_sklearn_and_platt(tmp_path, documents, write, rng, n):
    x = rng.normal(size=(300, n)) * rng.uniform(0.1, 50, n) + rng.normal(size=n)
    y = rng.random(300) < 1 / (1 + np.exp(-x[:, 0] / x[:, 0].std()))
    pipe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(x, y)
    platt = LogisticRegression(C=1e6).fit(pipe.decision_function(x)[:, None], y)
    names = [f"feature_{i}" for i in range(n)]
    write(
        tmp_path,
        documents["direction"](
            features=names,
            mean=pipe[0].mean_.tolist(),
            scale=pipe[0].scale_.tolist(),
            coef=pipe[1].coef_.tolist(),
            intercept=pipe[1].intercept_.tolist(),
            calibration={
                "slope": float(platt.coef_[0, 0]),
                "intercept": float(platt.intercept_[0]),
            },
        ),
    )
    artifact = load(tmp_path)
    expected = platt.predict_proba(pipe.decision_function(x)[:, None])[:, 1]
    got = [artifact.probability_up(dict(zip(names, row, strict=True))) for row in x]
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n", [1, 27])
def test_regime_is_sklearn_softmax(tmp_path, documents, write, rng, n):
    x = rng.normal(size=(400, n)) * rng.uniform(0.1, 50, n)
    y = np.digitize(x[:, 0] + rng.normal(size=400) * x[:, 0].std(), [-0.3, 0.4])
    pipe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(x, y)
    names = [f"feature_{i}" for i in range(n)]
    write(
        tmp_path,
        documents["regime"](
            features=names,
            mean=pipe[0].mean_.tolist(),
            scale=pipe[0].scale_.tolist(),
            coef=pipe[1].coef_.tolist(),
            intercept=pipe[1].intercept_.tolist(),
        ),
    )
    artifact = load(tmp_path, "regime")
    for row, expected in zip(x, pipe.predict_proba(x), strict=True):
        got = artifact.probabilities(dict(zip(names, row, strict=True)))
        assert list(got) == ["LOW", "NORMAL", "HIGH"]
        np.testing.assert_allclose(list(got.values()), expected, rtol=0, atol=1e-9)


def test_features_are_taken_by_name_and_not_by_place(documents, values, exact):
    artifact = Artifact.model_validate(documents["direction"]())
    turned = dict(reversed(values.items()))
    assert artifact.probability_up(turned) == artifact.probability_up(values)
    assert artifact.probability_up(values) == pytest.approx(
        exact(documents["direction"](), values), abs=1e-12
    )


@given(st.floats(-1e6, 1e6))
def test_probabilities_stay_probabilities_far_out(documents, z):
    up = Artifact.model_validate(documents["direction"](intercept=[z]))
    chances = Artifact.model_validate(documents["regime"](intercept=[z, 0.0, -z]))
    features = {"returns_5d": 0.0, "iv_rank": 50.0, "fed_funds_effective": 1.0,
                "vix_close": 20.0, "hv_20": 15.0}  # fmt: skip
    assert 0 <= up.probability_up(features) <= 1
    got = chances.probabilities(features)
    assert sum(got.values()) == pytest.approx(1)
    assert all(0 <= chance <= 1 for chance in got.values())


def test_features_that_overflow_the_model_are_refused(documents, values):
    huge = values | {"returns_5d": 1e308, "iv_rank": -1e308, "hv_20": 1e308, "vix_close": 1e308}
    for task, method in (("direction", "probability_up"), ("regime", "probabilities")):
        document = documents[task](scale=[1e-300, 1e-300, 1e-300])
        with pytest.raises(ForecastError, match="not_finite"), np.errstate(all="ignore"):
            getattr(Artifact.model_validate(document), method)(huge)


def test_a_missing_feature_is_no_zero(documents, values):
    del values["iv_rank"]
    with pytest.raises(KeyError):
        Artifact.model_validate(documents["direction"]()).probability_up(values)


@pytest.mark.parametrize(
    ("task", "method"), [("direction", "probabilities"), ("regime", "probability_up")]
)
def test_a_model_does_not_answer_for_the_other_task(documents, values, task, method):
    with pytest.raises(ValueError, match="forecasts no"):
        getattr(Artifact.model_validate(documents[task]()), method)(values)


def test_no_model_says_what_to_do(tmp_path):
    with pytest.raises(Refusal, match="optrade train-all") as caught:
        load(tmp_path)
    assert caught.value.error == "model_missing"


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    artifact_path(tmp_path, "direction", "SPY").mkdir(parents=True)
    refused(tmp_path, "cannot be read")


def test_a_model_of_the_format_before_says_what_to_do(tmp_path, documents, write):
    write(tmp_path, documents["direction"](format=1))
    assert "got format 1, allowed is 2; train again" in refused(tmp_path, "format").detail


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("change", [lambda names: names[:-1], lambda names: [*names, "rsi_14"]])
def test_features_are_those_that_the_parameters_read(
    tmp_path, documents, write, reseal, task, change
):
    document = documents[task]()
    write(tmp_path, reseal(document | {"features": change(document["features"])}))
    refused(tmp_path, "allowed are names in both", task=task)


def test_an_unknown_value_is_refused_by_name(documents, values):
    for task, method in (("direction", "probability_up"), ("regime", "probabilities")):
        model = Artifact.model_validate(documents[task]())
        with pytest.raises(ForecastError, match=r"not_finite.*iv_rank is nan"):
            getattr(model, method)(values | {"iv_rank": math.nan})


@given(st.lists(st.floats(0.1, 10), min_size=3, max_size=3), st.floats(0, 100))
def test_the_class_called_has_the_largest_weighted_probability(documents, weights, rank):
    features = {"iv_rank": rank, "vix_close": 20.0, "hv_20": 15.0}
    found = Artifact.model_validate(documents["regime"](call_weights=weights)).regime(features)
    weighted = {n: p * w for (n, p), w in zip(found.probabilities.items(), weights, strict=True)}
    assert weighted[found.called] == max(weighted.values())
    assert found.iv_rank is None


def test_other_feature_definitions_are_refused(tmp_path, documents, write):
    write(tmp_path, documents["direction"]())
    assert "eeee" in refused(tmp_path, "this service computes", definitions="e" * 64).detail


@pytest.mark.parametrize(
    ("changes", "ticker"),
    [({"task": "regime"}, "SPY"), ({"ticker": "QQQ"}, "SPY"), ({"name": "direction_QQQ"}, "SPY")],
)
def test_a_model_in_another_one_s_place_is_refused(
    tmp_path, documents, write, reseal, changes, ticker
):
    document = documents["regime"]() if "task" in changes else documents["direction"](**changes)
    path = write(tmp_path, document)
    place = artifact_path(tmp_path, "direction", ticker)
    if path != place:
        path.rename(place)
    refused(tmp_path, "allowed are")


def places(value, at=()):
    """Every leaf of a document, as a path of keys."""
    if isinstance(value, dict):
        return [p for k, v in value.items() for p in places(v, (*at, k))]
    if isinstance(value, list):
        return [p for i, v in enumerate(value) for p in places(v, (*at, i))]
    return [at]


def set_at(document, place, value):
    changed = copy.deepcopy(document)
    part = changed
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    return changed


def another(value):
    if value is None:
        return 0.5
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else value + "x"


@pytest.mark.parametrize("task", TASKS)
def test_every_changed_value_is_refused(tmp_path, documents, write, task):
    document = documents[task]()
    for place in places(document):
        old = document
        for step in place:
            old = old[step]
        path = artifact_path(tmp_path, task, "SPY")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(set_at(document, place, another(old))))
        refused(tmp_path, "SHA-256", task=task)


@pytest.mark.parametrize("task", TASKS)
def test_every_missing_field_is_refused_even_with_a_good_hash(tmp_path, documents, reseal, task):
    document = documents[task]()
    path = artifact_path(tmp_path, task, "SPY")
    path.parent.mkdir()
    for name in document:
        rest = {k: v for k, v in document.items() if k != name}
        path.write_text(json.dumps(rest if name == "sha256" else reseal(rest)))
        words = {"sha256": "it names none", "format": "allowed is 2"}.get(name, "required")
        refused(tmp_path, words, task=task)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 1},
        {"format": "2"},
        {"model": ""},
        {"parameters": None},
        {"parameters": {"kind": "pickle"}},
        {"parameters": {"features": ["returns_5d"]}},
        {"call_weights": [1.0, 1.0, 1.0]},
        {"alias": "retired"},
        {"version": 0},
        {"version": 1.0},
        {"version": True},
        {"extra": 1},
        {"classes": ["UP", "DOWN"]},
        {"features": []},
        {"features": ["returns_5d", "returns_5d", "iv_rank"]},
        {"features": ["returns_5d", "iv_rank"]},
        {"mean": [0.0, 0.0]},
        {"mean": [0.0, 0.0, "0"]},
        {"scale": [1.0, 1.0, 0.0]},
        {"scale": [1.0, 1.0, -1.0]},
        {"scale": [1.0]},
        {"coef": [[1.0, 2.0]]},
        {"coef": [[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]},
        {"coef": []},
        {"coef": [1.0, 2.0, 3.0]},
        {"intercept": []},
        {"intercept": [0.1, 0.2]},
        {"calibration": None},
        {"calibration": {"slope": 1.0}},
        {"threshold": None},
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"trained": {"start": "2012-01-03", "end": "2025-06-20", "rows": 0}},
        {"evidence": {"proven": True}},
        {
            "evidence": {
                "proven": True, "metric": "log_loss", "baseline": "class_prior",
                "improvement": None, "interval": None, "verdict": "proven",
            }
        },
    ],
    ids=lambda c: json.dumps(c)[:50],
)  # fmt: skip
def test_every_wrong_shape_is_refused_even_with_a_good_hash(tmp_path, documents, write, changes):
    write(tmp_path, documents["direction"](**changes))
    refused(tmp_path, "direction_SPY.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 0.5},
        {"calibration": {"slope": 1.0, "intercept": 0.0}},
        {"classes": ["LOW", "HIGH"], "coef": [[1.0] * 3] * 2, "intercept": [0.0] * 2},
        {"coef": [[1.0] * 3]},
        {"coef": [[1.0] * 3] * 2, "intercept": [0.0] * 2},
        {"call_weights": None},
        {"call_weights": [1.0, 1.0]},
        {"call_weights": [1.0, 0.0, 1.0]},
        {"call_weights": [1.0, -1.0, 1.0]},
    ],
)
def test_a_regime_of_wrong_shape_is_refused(tmp_path, documents, write, changes):
    write(tmp_path, documents["regime"](**changes))
    refused(tmp_path, "regime_SPY.json", task="regime")


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("name", ["mean", "scale", "intercept"])
def test_numbers_that_are_not_finite_are_refused(tmp_path, documents, write, text, name):
    document = documents["direction"]()
    path = write(tmp_path, document)
    good = json.dumps(document["parameters"][name])
    path.write_text(path.read_text().replace(good, good.replace(good[1:-1].split(",")[0], text)))
    refused(tmp_path, "no JSON document")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe{}", b'{"format":1,"format":1}', b"[" * 100_000,
     b"\x80\x04K\x01."],
)  # fmt: skip
def test_what_is_no_document_is_refused(tmp_path, content):
    path = artifact_path(tmp_path, "direction", "SPY")
    path.parent.mkdir()
    path.write_bytes(content)
    refused(tmp_path, r"JSON")


@given(st.data())
def test_no_flipped_bit_is_served(tmp_path_factory, documents, data):
    regime_document = documents["regime"]
    folder = tmp_path_factory.mktemp("flips")
    good = json.dumps(regime_document()).encode()
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= 1 << data.draw(st.integers(0, 7))
    path = artifact_path(folder, "regime", "SPY")
    path.parent.mkdir()
    path.write_bytes(bytes(bad))
    path.with_suffix(".sha256").write_text(f"{sha256(good).hexdigest()}  {path.name}\n")
    refused(folder, "", task="regime")


def test_its_own_hash_is_of_canonical_json(tmp_path, documents, write):
    document = documents["direction"]()
    write(tmp_path, document)
    assert load(tmp_path).sha256 == signature(document)


def test_no_file_vouches_for_itself(tmp_path, documents, write):
    """An earlier version, whole in itself, in the place of the one that serves."""
    path = write(tmp_path, documents["direction"](version=1))
    earlier = path.read_bytes()
    write(tmp_path, documents["direction"](version=2))
    path.write_bytes(earlier)
    refused(tmp_path, r"direction_SPY\.json is damaged: .* run `optrade repair`")


def test_a_model_without_a_hash_beside_it_is_refused(tmp_path, documents, write):
    write(tmp_path, documents["direction"]()).with_suffix(".sha256").unlink()
    refused(tmp_path, r"direction_SPY\.sha256 says nothing")


def test_a_proven_model_needs_its_figure_and_an_unproven_one_may_lack_it(
    tmp_path, documents, write
):
    evidence = {
        "proven": False, "metric": "log_loss", "baseline": "class_prior",
        "improvement": None, "interval": None, "verdict": "not proven: no interval",
    }  # fmt: skip
    write(tmp_path, documents["direction"](evidence=evidence))
    assert load(tmp_path).evidence.improvement is None
    assert math.isfinite(load(tmp_path).threshold)


OTHERS = {"proven": False, "metric": "log_loss", "baseline": "class_prior"}


@pytest.mark.parametrize(
    ("figures", "standing"),
    [
        ({"improvement": -0.4, "interval": [-0.6, -0.2]}, "refuted"),
        ({"improvement": -0.4, "interval": [-0.6, 0.0]}, "unproven"),
        ({"improvement": 0.1, "interval": [0.05, 0.2]}, "unproven"),
        ({"improvement": None, "interval": None}, "unproven"),
    ],
)
def test_a_file_from_before_there_was_the_word_is_read_by_its_figures(
    tmp_path, documents, write, figures, standing
):
    evidence = {**OTHERS, **figures, "verdict": "not proven"}
    write(tmp_path, documents["direction"](evidence=evidence))
    if standing == "refuted":
        with pytest.raises(Refusal, match=r"refuted: direction_SPY version 3 .logistic.") as caught:
            load(tmp_path)
        assert caught.value.error == "refuted"
        return
    assert load(tmp_path).evidence.standing == standing


@pytest.mark.parametrize("standing", ["proven", "refuted", "fine"])
def test_a_word_that_the_figures_do_not_bear_out_is_refused(tmp_path, documents, write, standing):
    figures = {"improvement": 0.1, "interval": [-0.05, 0.2], "verdict": "words"}
    write(tmp_path, documents["direction"](evidence={**OTHERS, **figures, "standing": standing}))
    refused(tmp_path, "standing")


def test_what_is_about_to_take_the_place_of_a_file_serves(tmp_path, documents, write):
    path = write(tmp_path, documents["direction"](version=1))
    files = ArtifactFiles(tmp_path, DEFINITIONS)
    assert files.load("direction", "SPY").version == 1
    content = json.dumps(documents["direction"](version=2)).encode()
    expect(path, content)
    next_model(path).write_bytes(content)
    assert files.load("direction", "SPY").version == 2
    next_model(path).rename(path)
    assert files.load("direction", "SPY").version == 2
    path.rename(next_model(path))
    assert files.load("direction", "SPY").version == 2, "the first version of all"


def test_others_are_asked_proven_first_then_the_newest_and_never_a_refuted_one(tmp_path, documents):
    folder = standby_models(tmp_path, "direction_SPY")
    assert ArtifactFiles(tmp_path, DEFINITIONS).standby("direction", "SPY") == []
    folder.mkdir(parents=True)
    loose = {**OTHERS, "improvement": 0.1, "interval": [-0.05, 0.2], "verdict": "words"}
    changes = (
        {"version": 1}, {"version": 4, "evidence": loose}, {"version": 6, "evidence": loose},
        {"version": 7, "definition_hash": "of another process"},
        {"version": 8, "evidence": loose | {"improvement": -0.4, "interval": [-0.6, -0.2]}},
    )  # fmt: skip
    for change in changes:
        path = folder / f"{change['version']}.json"
        write_checked(path, json.dumps(documents["direction"](**change)).encode())
    (folder / "9.json").write_text("cut sho")
    shutil.copy(folder / "1.json", folder / "10.json")  # no hash vouches for it
    found = ArtifactFiles(tmp_path, DEFINITIONS).standby("direction", "SPY")
    assert [one.version for one in found] == [1, 6, 4]


NO_HASH = {
    "is a folder": Path.mkdir,
    "is a pipe": os.mkfifo,
    "cannot be read": lambda path: path.symlink_to(path.name),  # a circle
}


@pytest.mark.parametrize("words", NO_HASH)
def test_a_hash_that_is_no_file_refuses_its_model(words, tmp_path, documents, write):
    beside = write(tmp_path, documents["direction"]()).with_suffix(".sha256")
    beside.unlink()
    NO_HASH[words](beside)
    found = refused(tmp_path, rf"direction_SPY\.sha256 {words}.*; then run `optrade repair`")
    assert "\n" not in found.detail
