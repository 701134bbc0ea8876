"""The path simulation as data: the rank by another way, its interval, and every wrong shape."""

import math

import numpy as np
import pandas as pd
import pytest

from feature_repo.features.catalogue import names
from forecasters.base import ForecastError
from forecasters.document import Artifact
from forecasters.paths import INPUTS, rank_interval
from home.records.signal import Signal
from serving.answer.signals import Models, build_signal
from serving.reading.row import FeatureRow

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")


@pytest.fixture(scope="module")
def document(fitted_document):
    return lambda **changes: fitted_document("paths", "regime", **changes)


@pytest.fixture(scope="module")
def model(document):
    return Artifact.model_validate(document())


def test_inputs_are_those_of_the_view():
    assert ("vix_close", *names("iv_path")) == INPUTS


def simulated_ranks(parameters, row):
    """The rank at the end of every path, session by session in plain Python."""
    x = [row[name] for name in parameters["features"]]
    far = x[7:]
    logs = [math.log(max(v, parameters["smallest"])) for v in x[3:7]] + far

    def line(part, inputs):
        return part["intercept"] + sum(
            c * (v - m) / s
            for v, m, s, c in zip(inputs, part["mean"], part["scale"], part["coef"], strict=True)
        )

    scale, drift = math.exp(line(parameters["volatility"], logs)), line(parameters["drift"], far)
    ranks = []
    for path in parameters["paths"]:
        levels = [x[0] * math.exp(scale * (z + drift * (i + 1) / 5)) for i, z in enumerate(path)]
        top, bottom = max(x[1], *levels), min(x[2], *levels)
        ranks.append(100 * (levels[-1] - bottom) / (top - bottom))
    return np.array(ranks)


def test_chances_and_interval_are_those_of_plain_arithmetic(fitted, model, new_rows):
    parameters = fitted("paths", "regime").parameters
    for row in new_rows[1][:10]:
        ranks = simulated_ranks(parameters, row)
        shares = [(ranks < 30).mean(), ((ranks >= 30) & (ranks < 60)).mean(), (ranks >= 60).mean()]
        found = model.regime(row)
        expected = [parameters["floor"] + (1 - 3 * parameters["floor"]) * s for s in shares]
        np.testing.assert_allclose(list(found.probabilities.values()), expected, atol=1e-12)
        ends = np.percentile(ranks, [50, 10, 90])
        assert found.iv_rank == pytest.approx(
            {"median": ends[0], "low": ends[1], "high": ends[2], "level": 0.8}, abs=1e-9
        )


def test_an_interval_of_one_value_is_that_value():
    same = rank_interval(np.full(7, 100.0 + 1e-13))
    assert same == {"median": 100.0, "low": 100.0, "high": 100.0, "level": 0.8}


@pytest.mark.parametrize("word", ["paths", "blend", "table", "logistic", "trees"])
def test_a_signal_shows_the_interval_where_paths_are_simulated(
    fitted_document, documents, model, new_rows, word
):
    regime = Artifact.model_validate(
        fitted_document(word, "regime", feature_service="volatility_paths")
    )
    row = new_rows[1][0] | {"returns_5d": 0.01, "fed_funds_effective": 4.0}
    direction = Artifact.model_validate(documents["direction"]())
    features = FeatureRow("SPY", pd.Timestamp("2025-06-30"), row, {"iv": 0, "iv_path": 0})
    signal = build_signal(
        features, Models(direction, regime), as_of=AS_OF, origin="recorded"
    ).document()
    Signal.model_validate(signal)
    shown = signal["volatility"]["iv_rank_forecast"]
    assert shown == (model.regime(row).iv_rank if word in ("paths", "blend") else None)


def test_confidence_is_of_the_class_called_though_it_be_not_the_likeliest(document, new_rows):
    """Decision 6 in the regime: what is called and how sure that is are one class's."""
    from serving.answer.signals import volatility

    seen = set()
    for row in new_rows[1]:
        values = row | {"iv_rank": max(0.0, min(100.0, row["iv_rank"]))}
        found = volatility(values, Artifact.model_validate(document(call_weights=[0.1, 1.0, 0.1])))
        assert found.confidence == found.regime_probabilities[found.predicted_regime]
        seen.add(found.confidence == max(found.regime_probabilities.values()))
        if len(seen) == 2:
            return
    pytest.fail("no row where the class called is not the likeliest")


@pytest.mark.parametrize("name", INPUTS[:3])
@pytest.mark.parametrize("level", [0.0, -12.0])
def test_a_level_that_is_not_positive_is_refused_by_name(model, new_rows, name, level):
    with pytest.raises(ForecastError, match=rf"out_of_range: {name}: got {level}"):
        model.regime(new_rows[1][0] | {name: level})


def test_rows_without_a_positive_level_are_unknown_in_a_batch_and_no_others(fitted, new_rows):
    model, values = fitted("paths", "regime").model, new_rows[0][:6, : len(INPUTS)].copy()
    clean = model.chances(values)
    values[2, 0], values[4, 2] = 0.0, -1.0
    found = model.chances(values)
    unknown = np.isin(np.arange(6), [2, 4])
    for got, expected in zip(vars(found).values(), vars(clean).values(), strict=True):
        assert np.isnan(got[unknown]).all()
        np.testing.assert_allclose(got[~unknown], expected[~unknown], atol=1e-12)


@pytest.mark.parametrize(("name", "value"), [(INPUTS[3], 1e300), (INPUTS[-1], -1e300)])
def test_inputs_that_overflow_are_refused(model, new_rows, name, value):
    changed = new_rows[1][0] | {name: value}
    try:
        assert sum(model.probabilities(changed).values()) == pytest.approx(1)
    except ForecastError as refusal:
        assert refusal.error == "not_finite"


def shapes(parameters):
    """Wrong shapes, each a change of good parameters."""
    ridge, lists = parameters["drift"], ("mean", "scale", "coef")
    return {
        "other features": {"features": [*parameters["features"][1:], "vix_close"]},
        "short path": {"paths": [[0.0] * 5, [0.0] * 4]},
        "long path": {"paths": [[0.0] * 6]},
        "flat paths": {"paths": [0.0] * 5},
        "no paths": {"paths": []},
        "wide drift": {"drift": ridge | {name: [*ridge[name], 1.0] for name in lists}},
        "short mean": {"drift": ridge | {"mean": ridge["mean"][1:]}},
        "scale of zero": {"drift": ridge | {"scale": [0.0] * 4}},
        "drift as volatility": {"volatility": ridge},
        "floor of a third": {"floor": 1 / 3},
        "negative floor": {"floor": -0.1},
        "smallest of zero": {"smallest": 0.0},
        "extra": {"extra": 1},
        "text": {"paths": "0"},
    }


NAMES = list(shapes({"features": list(INPUTS), "drift": {"mean": [], "scale": [], "coef": [],
                                                       "intercept": 0.0}}))  # fmt: skip


@pytest.mark.parametrize("wrong", NAMES)
def test_every_wrong_shape_is_refused(fitted, document, wrong):
    parameters = fitted("paths", "regime").parameters
    changed = parameters | shapes(parameters)[wrong]
    with pytest.raises(ValueError, match=r"parameters|features"):
        Artifact.model_validate(document(parameters=changed, features=changed["features"]))
