import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from home.records.training.evidence import TrainingEvidence
from market.calendar import session_shift
from training.settings import Settings
from training.tasks.baselines import POOLED_TABLE
from training.tasks.catalogue import TASKS
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
KEYS = {
    "ticker",
    "model",
    "folds",
    "pooled",
    "baselines",
    "difference",
    "threshold",
    "features",
    "dropped_rows",
    "verdict",
}


@pytest.fixture(scope="module", params=list(TASKS))
def trained(
    request: pytest.FixtureRequest,
    make_direction: Frames,
    make_regime: Callable[..., pd.DataFrame],
) -> Trained:
    if request.param == "regime":
        return walk(REGIME, make_regime(500), None, Settings("SPY", resamples=100))
    settings = Settings("SPY", optimize_threshold=True, resamples=100)
    return walk(DIRECTION, *make_direction(500, signal=0.5), settings)


def test_evidence_holds_what_the_design_names(trained: Trained) -> None:
    evidence = trained.evidence
    assert set(evidence.document()) >= KEYS
    assert (evidence.ticker, evidence.model) == ("SPY", "logistic")
    assert set(evidence.verdict.document()) == {"proven", "standing", "promoted", "words"}
    alone = set(trained.task.baselines) - {POOLED_TABLE}  # no other rows to make a table of
    assert set(evidence.difference) == set(evidence.baselines) == alone
    assert all(difference.interval is not None for difference in evidence.difference.values())
    assert evidence.champion is None


def test_evidence_holds_curves_and_reasons(trained: Trained) -> None:
    evidence = trained.evidence
    counts = evidence.curves.decided.confusion["model"].counts
    assert np.sum(counts) == evidence.window.tested_decided
    ranked = {row.name for row in evidence.importance.permutation.features}
    assert set().union(*(fold.features for fold in evidence.folds)) == ranked


def test_evidence_is_plain_json(trained: Trained) -> None:
    text = json.dumps(trained.evidence.document(), allow_nan=False)
    assert TrainingEvidence.from_json(text, "evidence") == trained.evidence
    assert "trials" not in json.loads(text), "nobody has counted them"


def test_folds_tell_their_dates_and_scores(trained: Trained) -> None:
    folds = trained.evidence.folds
    assert [fold.fold for fold in folds] == [1, 2, 3, 4, 5]
    for fold in folds:
        train_end = pd.DatetimeIndex([fold.train_end])
        label_end = session_shift(train_end, 5)[0]
        assert label_end < pd.Timestamp(fold.test_start)
        assert session_shift(train_end, 6)[0] == pd.Timestamp(fold.test_start)
        assert fold.train_start == folds[0].train_start
        assert fold.scores["log_loss"] > 0
        assert fold.difference[trained.tested.gate].interval is not None
        assert fold.rows.train > 0
    assert folds[-1].test_end == trained.evidence.window.end
    assert len({fold.test_start for fold in folds}) == 5


def test_pooled_figures_are_the_folds_weighted_by_their_sessions(trained: Trained) -> None:
    folds, pooled = trained.evidence.folds, trained.evidence.pooled
    counts = [fold.rows.test for fold in folds]
    for score in ("log_loss", "accuracy", "brier"):
        figures = [fold.scores[score] for fold in folds]
        assert pooled.scores[score] == pytest.approx(np.average(figures, weights=counts))
        assert pooled.fold_mean[score] == pytest.approx(np.mean(figures))
    assert pooled.scores["log_loss"] == pytest.approx(trained.losses["loss"].mean())
    assert sum(counts) == len(trained.losses)


def test_the_gate_has_the_pooled_log_loss_of_its_baseline(trained: Trained) -> None:
    evidence, name = trained.evidence, trained.tested.gate
    gate = evidence.gate
    assert (gate.metric, gate.baseline) == ("log_loss", name)
    assert gate.value == evidence.pooled.scores["log_loss"]
    assert gate.baseline_value == evidence.baselines[name]["log_loss"]
    assert gate.improvement == pytest.approx(gate.baseline_value - gate.value)
    assert gate.interval == evidence.difference[name].interval
    assert evidence.verdict.proven is (gate.bound > 0)


def test_features_come_with_their_information(trained: Trained) -> None:
    evidence = trained.evidence
    assert list(evidence.mutual_information) == evidence.features
    nats = list(evidence.mutual_information.values())
    assert nats == sorted(nats, reverse=True)


def test_only_the_direction_has_a_threshold_and_flat_days(trained: Trained) -> None:
    evidence = trained.evidence
    direction = trained.task.name == "direction"
    for part in (evidence, *evidence.folds):
        for name in ("threshold", "threshold_choice", "calibration"):
            assert (getattr(part, name) is not None) is direction
        assert (part.call_weights is None) is direction
    assert (evidence.pooled.all_days is not None) is direction
    assert (evidence.pooled.at_half is not None) is direction
    window = evidence.window
    assert (window.decided < window.sessions) is direction


def test_left_out_features_are_named(make_regime: Callable[..., pd.DataFrame]) -> None:
    frame = make_regime(500)
    frame["twin"] = 2 * frame["other"]
    frame["fixed"] = 1.0
    frame["rare"] = np.where(np.arange(500) % 2 == 0, 1.0 * np.arange(500), np.nan)
    evidence = walk(REGIME, frame, None, Settings("SPY", resamples=50)).evidence
    assert evidence.twins == {"twin": "other"}
    assert evidence.constant == ["fixed"]
    assert evidence.left_out == {"rare": pytest.approx(0.5, abs=0.01)}


def test_dropped_rows_are_counted(make_regime: Callable[..., pd.DataFrame]) -> None:
    frame = make_regime(500)
    frame.loc[[0, 1, 2, 480, 481], "hint"] = np.nan
    evidence = walk(REGIME, frame, None, Settings("SPY", resamples=50)).evidence
    assert evidence.dropped_rows == 5
    assert evidence.trained_rows == 490
    assert evidence.window.tested_dropped == 2
    assert evidence.folds[0].rows.train_dropped == 3
    assert evidence.folds[4].rows.test_dropped == 2


@pytest.mark.parametrize(("signal", "seed", "words"), [(0.0, 2, "constant"), (0.4, 2, "edge")])
def test_warnings_tell_of_edges_and_of_constant_probabilities(
    make_direction: Frames, signal: float, seed: int, words: str
) -> None:
    settings = Settings("SPY", optimize_threshold=True, resamples=50)
    evidence = walk(DIRECTION, *make_direction(500, seed, signal), settings).evidence
    told = evidence.warnings
    parts = {"the final fit": evidence} | {f"fold {one.fold}": one for one in evidence.folds}
    for name, part in parts.items():
        mine = " ".join(text for text in told if text.startswith(f"{name}:"))
        assert ("constant" in mine) is (part.calibration.slope == 0.0)
        assert ("an edge of its grid" in mine) is (part.threshold in (0.30, 0.70))
    assert any(words in text for text in told)


def test_the_settings_are_recorded(trained: Trained) -> None:
    assert trained.evidence.settings["ticker"] == "SPY"
    assert trained.evidence.settings["n_folds"] == 5
