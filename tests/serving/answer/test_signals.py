"""Signals from a row and two models: every field of the design, worked out another way."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasters.document import Artifact
from home.records.signal import Signal
from serving.answer.signals import Models, build_signal
from serving.reading.row import FeatureRow
from trading.strategies.selector import Forecasts, select

AS_OF = pd.Timestamp("2025-06-30 16:30", tz="America/New_York")
SEED_FIELDS = [
    "strategy", "direction", "iv_regime", "direction_confidence", "iv_confidence",
    "overall_confidence", "position_size", "reasoning", "trade_parameters",
]  # fmt: skip
DESIGN_FIELDS = [
    "ticker", "session", "prediction", "iv_context", "volatility", "alternatives", "structure",
    "structure_note", "evidence", "provenance",
]  # fmt: skip


@pytest.fixture(scope="session")
def make(documents):
    def signal(values, direction=None, regime=None):
        models = Models(
            Artifact.model_validate(documents["direction"](**(direction or {}))),
            Artifact.model_validate(documents["regime"](**(regime or {}))),
        )
        row = FeatureRow("SPY", pd.Timestamp("2025-06-30"), values, {"technical": 0, "iv": 0})
        return build_signal(row, models, as_of=AS_OF, origin="recorded").document()

    return signal


def evidence(proven):
    return {
        "proven": proven, "standing": "proven" if proven else "unproven",
        "metric": "log_loss", "baseline": "class_prior",
        "improvement": 0.01, "interval": [-0.01, 0.03], "verdict": "words",
    }  # fmt: skip


def test_a_signal_holds_the_fields_of_seed_and_design_and_no_other(make, values):
    signal = make(values)
    assert sorted(signal) == sorted(SEED_FIELDS + DESIGN_FIELDS)
    Signal.model_validate(signal)


def test_a_signal_is_plain_json(make, values):
    signal = make(values)
    assert json.loads(json.dumps(signal, allow_nan=False)) == signal


def test_prediction_is_the_seed_s(make, values, documents, exact):
    signal = make(values)
    p = exact(documents["direction"](), values)
    assert signal["prediction"] == {
        "direction": "UP",
        "probability": pytest.approx(p, abs=1e-12),
        "confidence": pytest.approx(max(p, 1 - p), abs=1e-12),
        "threshold_used": 0.45,
    }


def test_iv_context_describes_today_by_its_band(make, values):
    context = make(values | {"iv_rank": 55.0})["iv_context"]
    assert context == {"iv_rank": 55.0, "iv_regime": "elevated", "iv_hv_spread": 2.25}


@pytest.mark.parametrize(
    ("rank", "favoured", "expected"),
    [(10.0, 2, "EXPANDING"), (10.0, 0, "STABLE"), (80.0, 0, "CONTRACTING"), (55.0, 1, "STABLE")],
)
def test_volatility_is_the_seed_s(make, values, rank, favoured, expected):
    intercept = [0.0, 0.0, 0.0]
    intercept[favoured] = 3.0
    flat = {"coef": [[0.0] * 3] * 3, "intercept": intercept}
    found = make(values | {"iv_rank": rank}, regime=flat)["volatility"]
    assert found["predicted_regime"] == ["LOW", "NORMAL", "HIGH"][favoured]
    assert found["expected_iv_direction"] == expected
    assert list(found["regime_probabilities"]) == ["LOW", "NORMAL", "HIGH"]
    assert found["confidence"] == max(found["regime_probabilities"].values())


def at_probability(p_logit, threshold):
    return {
        "coef": [[0.0] * 3], "intercept": [p_logit], "threshold": threshold,
        "calibration": {"slope": 1.0, "intercept": 0.0},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("threshold", "direction", "confidence"), [(0.5, "DOWN", 0.5), (0.49, "UP", 0.5)]
)
def test_up_needs_more_than_the_threshold(make, values, threshold, direction, confidence):
    signal = make(values, direction=at_probability(0.0, threshold))
    assert signal["prediction"]["direction"] == signal["direction"] == direction
    assert signal["direction_confidence"] == confidence


def test_a_low_threshold_calls_up_but_does_not_trade_it(make, values):
    """Decision 6: below its floor no directional trade is made, whatever the threshold."""
    signal = make(values, direction=at_probability(-0.5, 0.30))
    assert signal["direction"] == "UP"
    assert signal["direction_confidence"] == signal["prediction"]["probability"] < 0.5
    assert signal["prediction"]["confidence"] > 0.5
    assert signal["strategy"] == "NO TRADE"


def test_no_trade_is_a_full_signal(make, values):
    signal = make(values, direction=at_probability(0.0, 0.45))
    assert (signal["strategy"], signal["position_size"]) == ("NO TRADE", "none")
    assert sorted(signal) == sorted(SEED_FIELDS + DESIGN_FIELDS)
    assert signal["structure"] is None
    Signal.model_validate(signal)


@given(
    st.floats(-3, 3),
    st.floats(0.3, 0.7),
    st.lists(st.floats(-2, 2), min_size=3, max_size=3),
    st.booleans(),
    st.booleans(),
)
def test_the_recommendation_is_the_selector_s_own(
    make, values_once, logit, threshold, intercept, proven_direction, proven_regime
):
    signal = make(
        values_once,
        direction=at_probability(logit, threshold) | {"evidence": evidence(proven_direction)},
        regime={
            "coef": [[0.0] * 3] * 3, "intercept": intercept, "evidence": evidence(proven_regime),
        },
    )  # fmt: skip
    p = signal["prediction"]["probability"]
    up = p > threshold
    expected = select(
        Forecasts(
            "UP" if up else "DOWN",
            p if up else 1 - p,
            signal["volatility"]["predicted_regime"],
            signal["volatility"]["confidence"],
        ),
        proven=proven_direction and proven_regime,
    )
    for name in SEED_FIELDS:
        assert signal[name] == getattr(expected, name)
    assert [a["strategy"] for a in signal["alternatives"]] == [
        a.strategy for a in expected.alternatives
    ]
    Signal.model_validate(signal)


@pytest.fixture(scope="session")
def values_once():
    return {
        "returns_5d": 0.0, "iv_rank": 40.0, "fed_funds_effective": 4.0, "vix_close": 17.0,
        "hv_20": 13.0, "iv_hv_spread": 4.0,
    }  # fmt: skip


@pytest.mark.parametrize("direction", [True, False])
@pytest.mark.parametrize("regime", [True, False])
def test_proven_needs_both_gates(make, values, direction, regime):
    signal = make(
        values,
        direction={"evidence": evidence(direction)},
        regime={"evidence": evidence(regime)},
    )
    assert signal["evidence"] == {
        "proven": direction and regime,
        "direction": evidence(direction),
        "regime": evidence(regime),
    }


def test_provenance_names_clock_origin_models_and_ages(make, values, documents):
    provenance = make(values)["provenance"]
    assert provenance["as_of"] == "2025-06-30T20:30:00+00:00"
    assert provenance["origin"] == "recorded"
    assert provenance["age_in_sessions"] == {"technical": 0, "iv": 0}
    for task in ("direction", "regime"):
        document = documents[task]()
        assert provenance["models"][task] == {
            "name": f"{task}_SPY",
            "model": "logistic",
            "version": document["version"],
            "alias": "champion",
            "note": None,
            "run_id": document["run_id"],
            "artifact_sha256": document["sha256"],
            "feature_service": document["feature_service"],
        }


def test_a_baseline_that_serves_says_that_no_model_is_better(make, values):
    signal = make(values, direction={"alias": "baseline", "model": "class_prior"})
    model = signal["provenance"]["models"]["direction"]
    assert (model["alias"], model["model"]) == ("baseline", "class_prior")
    assert model["note"] == "baseline: no model is better"


def test_features_needed_are_those_of_both_models_and_of_the_context(documents):
    models = Models(
        Artifact.model_validate(documents["direction"]()),
        Artifact.model_validate(documents["regime"]()),
    )
    assert models.features() == [
        "returns_5d", "iv_rank", "fed_funds_effective", "vix_close", "hv_20", "iv_hv_spread",
    ]  # fmt: skip


def test_models_in_each_other_s_place_are_an_error(documents, values):
    direction = Artifact.model_validate(documents["direction"]())
    row = FeatureRow("SPY", pd.Timestamp("2025-06-30"), values, {})
    with pytest.raises(ValueError, match="forecasts no regime"):
        build_signal(row, Models(direction, direction), as_of=AS_OF, origin="recorded")
    regime = Artifact.model_validate(documents["regime"]())
    with pytest.raises(ValueError, match="no direction model"):
        build_signal(row, Models(regime, regime), as_of=AS_OF, origin="recorded")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("prediction", "probability"), float("nan")),
        (("prediction", "probability"), 1.5),
        (("iv_context", "iv_hv_spread"), float("inf")),
        (("overall_confidence",), "0.5"),
        (("position_size",), "double"),
        (("provenance", "age_in_sessions"), {"iv": -1}),
        (("session",), "30.06.2025"),
        (("extra",), 1),
    ],
)
def test_the_schema_refuses_what_is_no_signal(make, values, place, value):
    signal = make(values)
    part = signal
    for step in place[:-1]:
        part = part[step]
    part[place[-1]] = value
    with pytest.raises(ValueError, match="1 validation error"):
        Signal.model_validate(signal)
