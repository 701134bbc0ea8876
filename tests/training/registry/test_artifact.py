import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from forecasters.document import Artifact
from home.files import write_durably
from home.strict_json import canonical, signed
from tests.training.plain import evaluate
from training.fit.mixture import DirectionForecaster
from training.registry.artifact import (
    baseline_document,
    serving_bytes,
    serving_document,
    write_joblib,
)
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
AT = pd.Timestamp("2024-11-29 21:30:05", tz="UTC")


@pytest.fixture(scope="module")
def direction_of(make_direction: Frames) -> Callable[[str], Trained]:
    """A direction model of a word, trained once."""

    @cache
    def trained(word: str) -> Trained:
        settings = Settings("SPY", word, optimize_threshold=True, resamples=50)
        return walk(DIRECTION, *make_direction(500, signal=1.0), settings)

    return trained


@pytest.fixture(scope="module")
def regime_of(make_volatility: Callable[..., pd.DataFrame]) -> Callable[[str], Trained]:
    """A regime model of a word, trained once."""
    return cache(
        lambda word: walk(REGIME, make_volatility(900), None, Settings("SPY", word, resamples=50))
    )


@pytest.fixture
def direction(direction_of: Callable[[str], Trained]) -> Trained:
    return direction_of("logistic")


@pytest.fixture
def regime(regime_of: Callable[[str], Trained]) -> Trained:
    return regime_of("logistic")


def document_of(trained: Trained) -> dict[str, Any]:
    return serving_document(trained, trained.evidence, 3, "a1b2", "challenger", "feed")


def read_back(folder: Path, trained: Trained) -> dict[str, Any]:
    path = folder / f"{trained.name}.json"
    path.write_bytes(serving_bytes(document_of(trained)))
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("word", ["logistic", "ensemble"])
def test_the_direction_read_back_is_the_fitted_one(
    tmp_path: Path, direction_of: Callable[[str], Trained], word: str
) -> None:
    direction = direction_of(word)
    document = read_back(tmp_path, direction)
    # Numbers that float32 holds: trees compare in it.
    everything = np.random.default_rng(0).standard_normal((200, 8)).astype(np.float32)
    everything = everything.astype(np.float64)
    z = evaluate(document["parameters"], [f"f{at}" for at in range(8)], everything, "direction")
    curve = document["calibration"]
    up = 1.0 / (1.0 + np.exp(-(curve["slope"] * z + curve["intercept"])))
    said = direction.forecaster.forecast(everything)
    np.testing.assert_allclose(up, said.probabilities[:, 1], atol=1e-9)
    assert ((up > document["threshold"]) == said.calls).all()
    assert curve["slope"] > 0


@pytest.mark.parametrize("word", ["logistic", "blend"])
def test_the_regime_read_back_is_the_fitted_one(
    tmp_path: Path,
    regime_of: Callable[[str], Trained],
    make_volatility: Callable[..., pd.DataFrame],
    word: str,
) -> None:
    regime, frame = regime_of(word), make_volatility(900).iloc[::23, 2:]
    document = read_back(tmp_path, regime)
    chance = evaluate(document["parameters"], list(frame), frame.to_numpy(), "regime")
    said = regime.forecaster.forecast(frame.to_numpy())
    np.testing.assert_allclose(chance, said.probabilities, atol=1e-9)
    assert ((chance * document["call_weights"]).argmax(axis=1) == said.calls).all()
    assert document["classes"] == ["LOW", "NORMAL", "HIGH"]
    assert document["calibration"] is document["threshold"] is None


def test_the_document_of_a_mixture_names_what_all_members_read(
    regime_of: Callable[[str], Trained],
) -> None:
    document = document_of(regime_of("blend"))
    parts = document["parameters"]["members"]
    assert [part["kind"] for part in parts] == ["linear", "table", "trees", "paths"]
    read = [name for part in parts for name in part["features"]]
    assert document["features"] == list(dict.fromkeys(read))
    assert document["feature_service"] == "volatility_paths"
    assert document["model"] == "blend"


def test_each_task_has_its_own_rule_to_call_by(direction: Trained, regime: Trained) -> None:
    for trained in (direction, regime):
        document, is_direction = document_of(trained), trained is direction
        for name in ("calibration", "threshold"):
            assert (document[name] is not None) is is_direction
        assert (document["call_weights"] is None) is is_direction
    weights = document_of(regime)["call_weights"]
    assert weights == list(regime.forecaster.call_weights) == regime.evidence.call_weights
    assert len(weights) == 3
    assert min(weights) > 0


def test_the_document_holds_what_the_contract_names(direction: Trained) -> None:
    document = document_of(direction)
    assert set(document) == {
        "format",
        "name",
        "task",
        "model",
        "ticker",
        "version",
        "run_id",
        "alias",
        "feature_service",
        "definition_hash",
        "features",
        "parameters",
        "classes",
        "calibration",
        "threshold",
        "call_weights",
        "trained",
        "evidence",
        "sha256",
    }
    assert document["name"] == "direction_SPY"
    assert document["classes"] == ["DOWN", "UP"]
    assert document["feature_service"] == "direction"
    assert document["format"] == 2
    assert document["parameters"]["features"] == document["features"]
    assert np.shape(document["parameters"]["coef"]) == (1, len(document["features"]))
    window = direction.evidence.window
    assert document["trained"]["rows"] == window.decided
    assert window.start <= document["trained"]["start"] <= document["trained"]["end"]
    assert document["trained"]["end"] <= window.end


def test_the_evidence_of_the_document_is_the_gates(direction: Trained) -> None:
    found, gate = document_of(direction)["evidence"], direction.evidence.gate
    assert found == {
        "proven": direction.evidence.verdict.proven,
        "standing": direction.evidence.verdict.standing,
        "metric": "log_loss",
        "baseline": direction.tested.gate,
        "improvement": gate.improvement,
        "interval": gate.interval,
        "verdict": direction.evidence.verdict.words,
    }


@pytest.mark.parametrize("task", ["direction", "regime"])
def test_the_baseline_that_serves_says_what_the_gate_s_baseline_says(
    direction: Trained, regime: Trained, make_direction: Frames, task: str
) -> None:
    trained = {"direction": direction, "regime": regime}[task]
    document = document_of(trained)
    given = baseline_document(trained, trained.evidence, document)
    found = Artifact.model_validate(given)
    assert (found.name, found.version, found.run_id) == (trained.name, 3, "a1b2")
    assert (found.alias, found.model) == ("baseline", trained.tested.gate)
    assert found.evidence.standing == "unproven"
    assert found.evidence.verdict.startswith("baseline: no model is better; version 3 (logistic)")
    assert signed(given) == given
    if task == "direction":
        labels = trained.tested.labels
        assert found.features == []
        share = found.probability_up({})
        assert 0.0 < share < 1.0
        assert abs(share - (labels[labels >= 0] == 1).mean()) < 0.2
        assert found.direction({}).called == ("UP" if share > 0.5 else "DOWN")
        return
    assert found.features == ["iv_rank"]
    ranks = np.arange(0.5, 100.0)
    told = np.array([[*found.probabilities({"iv_rank": rank}).values()] for rank in ranks])
    table = trained.baseline.parameters.chances(ranks[:, None]).probabilities
    np.testing.assert_allclose(told, table, atol=1e-15)
    assert {found.regime({"iv_rank": rank}).called for rank in ranks} <= set(found.classes)


def test_a_model_without_an_alias_cannot_be_read_for_serving(direction: Trained) -> None:
    document = serving_document(direction, direction.evidence, 3, "a1b2", None, "feed")
    with pytest.raises(ValueError, match="alias"):
        Artifact.model_validate(document)


def test_the_hash_is_of_the_canonical_json_without_itself(regime: Trained, tmp_path: Path) -> None:
    document = read_back(tmp_path, regime)
    told = document.pop("sha256")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert told == hashlib.sha256(text.encode()).hexdigest()
    document["parameters"]["coef"][0][0] += 1e-12
    assert signed(document)["sha256"] != told


def test_signing_again_replaces_the_hash() -> None:
    once = signed({"b": 1.5, "a": [1]})
    assert signed(once) == once
    assert canonical({"b": 1.5, "a": [1]}) == b'{"a":[1],"b":1.5}'


def test_no_nan_is_ever_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"mean": [float("nan")]})


def test_the_joblib_holds_what_the_seed_names(tmp_path: Path, direction: Trained) -> None:
    path = write_joblib(tmp_path, direction, AT, {"version": 3})
    assert path == tmp_path / "SPY" / "robust_classifier_logistic_20241129_213005.joblib"
    found = joblib.load(path)
    forecaster = direction.forecaster
    assert isinstance(forecaster, DirectionForecaster)
    assert found["feature_names"] == list(forecaster.fit.selection.names)
    assert found["optimal_threshold"] == forecaster.threshold.value
    assert found["metadata"] == {"version": 3}
    values = np.random.default_rng(2).standard_normal((20, len(found["feature_names"])))
    expected = forecaster.fit.estimate.estimator.decision_function(values)
    again = found["model"].decision_function(found["scaler"].transform(values))
    np.testing.assert_allclose(again, expected, atol=1e-12)


def test_the_regimes_joblib_has_its_own_name(tmp_path: Path, regime: Trained) -> None:
    path = write_joblib(tmp_path, regime, AT, {})
    assert path.name == "volatility_forecaster_logistic_20241129_213005.joblib"
    assert joblib.load(path)["optimal_threshold"] is None


def test_the_joblib_of_a_mixture_holds_every_member(
    tmp_path: Path, direction_of: Callable[[str], Trained]
) -> None:
    trained = direction_of("ensemble")
    path = write_joblib(tmp_path, trained, AT, {})
    assert path.name == "robust_classifier_ensemble_20241129_213005.joblib"
    found = joblib.load(path)
    assert set(found["members"]) == {"logistic", "trees"}
    assert "model" not in found
    values = np.random.default_rng(2).standard_normal((20, 8))
    logistic, grown = (found["members"][word] for word in ("logistic", "trees"))
    assert grown["scaler"] is None, "trees take features as they are"
    said = [
        logistic["model"].decision_function(
            logistic["scaler"].transform(
                values[:, trained.forecaster.fit.fits[0].selection.columns]
            )
        ),
        grown["model"].inplace_predict(
            values[:, trained.forecaster.fit.fits[1].selection.columns], predict_type="margin"
        ),
    ]
    expected = trained.forecaster.forecast(values).decision
    np.testing.assert_allclose(np.mean(said, axis=0), expected, atol=1e-6)


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.json"
    write_durably(path, b"a long first text")
    write_durably(path, b"second")
    assert path.read_bytes() == b"second"
    assert [one.name for one in path.parent.iterdir()] == ["model.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    write_durably(path, b"old")
    path.chmod(0o600)
    with pytest.raises(TypeError):
        write_durably(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["model.json"]
