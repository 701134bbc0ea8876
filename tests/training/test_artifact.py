import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from training.artifact import (
    canonical,
    serving_document,
    signed,
    write_atomically,
    write_joblib,
    write_serving,
)
from training.fitting import DirectionForecaster
from training.train import (
    DirectionSettings,
    RegimeSettings,
    Trained,
    train_direction,
    train_regime,
)

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
AT = pd.Timestamp("2024-11-29 21:30:05", tz="UTC")


@pytest.fixture
def direction(make_direction: Frames) -> Trained:
    settings = DirectionSettings("SPY", optimize_threshold=True, resamples=50)
    return train_direction(*make_direction(500, signal=1.0), settings)


@pytest.fixture
def regime(make_regime: Callable[..., pd.DataFrame]) -> Trained:
    return train_regime(make_regime(500), RegimeSettings("SPY", resamples=50))


def document_of(trained: Trained) -> dict[str, Any]:
    return serving_document(trained, trained.evidence, 3, "a1b2", "challenger", "feed")


def read_back(folder: Path, trained: Trained) -> dict[str, Any]:
    return json.loads(write_serving(folder, document_of(trained)).read_text("utf-8"))


def decision(document: dict[str, Any], values: np.ndarray) -> np.ndarray:
    standard = (values - np.array(document["mean"])) / np.array(document["scale"])
    return standard @ np.array(document["coef"]).T + np.array(document["intercept"])


def test_the_direction_read_back_is_the_fitted_one(tmp_path: Path, direction: Trained) -> None:
    document = read_back(tmp_path, direction)
    rng = np.random.default_rng(0)
    everything = rng.standard_normal((200, 8))
    columns = [int(name[1:]) for name in document["features"]]
    z = decision(document, everything[:, columns])[:, 0]
    curve = document["calibration"]
    up = 1.0 / (1.0 + np.exp(-(curve["slope"] * z + curve["intercept"])))
    said = direction.forecaster.forecast(everything)
    np.testing.assert_allclose(up, said.probabilities[:, 1], atol=1e-9)
    assert ((up > document["threshold"]) == said.calls).all()
    assert curve["slope"] > 0


def test_the_regime_read_back_is_the_fitted_one(tmp_path: Path, regime: Trained) -> None:
    document = read_back(tmp_path, regime)
    values = np.random.default_rng(1).standard_normal((200, 3)) * [20, 1, 1] + [50, 0, 0]
    names = ["iv_rank", "hint", "other"]
    z = decision(document, values[:, [names.index(name) for name in document["features"]]])
    chance = np.exp(z - z.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    said = regime.forecaster.forecast(values).probabilities
    np.testing.assert_allclose(chance, said, atol=1e-9)
    assert document["classes"] == ["LOW", "NORMAL", "HIGH"]
    assert document["calibration"] is document["threshold"] is None


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
        "mean",
        "scale",
        "coef",
        "intercept",
        "classes",
        "calibration",
        "threshold",
        "trained",
        "evidence",
        "sha256",
    }
    assert document["name"] == "direction_SPY"
    assert document["classes"] == ["DOWN", "UP"]
    assert document["feature_service"] == "direction"
    assert np.shape(document["coef"]) == (1, len(document["features"]))
    window = direction.evidence["window"]
    assert document["trained"]["rows"] == window["decided"]
    assert window["start"] <= document["trained"]["start"] <= document["trained"]["end"]
    assert document["trained"]["end"] <= window["end"]


def test_the_evidence_of_the_document_is_the_gates(direction: Trained) -> None:
    found, gate = document_of(direction)["evidence"], direction.evidence["gate"]
    assert found == {
        "proven": direction.evidence["verdict"]["proven"],
        "metric": "log_loss",
        "baseline": "class_prior",
        "improvement": gate["improvement"],
        "interval": gate["interval"],
        "verdict": direction.evidence["verdict"]["words"],
    }


def test_the_hash_is_of_the_canonical_json_without_itself(regime: Trained, tmp_path: Path) -> None:
    document = read_back(tmp_path, regime)
    told = document.pop("sha256")
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    assert told == hashlib.sha256(text.encode()).hexdigest()
    document["coef"][0][0] += 1e-12
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
    expected = forecaster.fit.estimator.decision_function(values)
    again = found["model"].decision_function(found["scaler"].transform(values))
    np.testing.assert_allclose(again, expected, atol=1e-12)


def test_the_regimes_joblib_has_its_own_name(tmp_path: Path, regime: Trained) -> None:
    path = write_joblib(tmp_path, regime, AT, {})
    assert path.name == "volatility_forecaster_logistic_20241129_213005.joblib"
    assert joblib.load(path)["optimal_threshold"] is None


def test_a_write_replaces_the_whole_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.json"
    write_atomically(path, b"a long first text")
    write_atomically(path, b"second")
    assert path.read_bytes() == b"second"
    assert [one.name for one in path.parent.iterdir()] == ["model.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    write_atomically(path, b"old")
    path.chmod(0o600)
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["model.json"]
