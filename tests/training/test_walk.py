import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from market.calendar import sessions
from market.errors import InputError
from training.models.catalogue import words
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import Trained, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
FEW = 300  # resamples: enough for a verdict, quick enough for a unit test
DIRECTION_SETTINGS = Settings("SPY", optimize_threshold=True, resamples=FEW)
REGIME_SETTINGS = Settings("SPY", resamples=FEW)


def fitted_numbers(trained: Trained, fold: int) -> list[object]:
    """All that a fold's training part fitted."""
    forecaster = trained.folds[fold]
    fit = forecaster.fit
    numbers = [fit.selection.names, fit.selection.information, fit.rows, fit.dropped]
    numbers += [fit.parameters.model_dump(), replace(forecaster, fit=None)]
    return numbers


@pytest.mark.parametrize("fold", [0, 2, 4])
def test_the_test_part_changes_nothing_that_is_fitted(make_direction: Frames, fold: int) -> None:
    frame, prices = make_direction(500, signal=0.5)
    before = walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)
    start = pd.Timestamp(before.evidence.folds[fold].test_start)
    rng = np.random.default_rng(1)
    later, features = frame["session"] >= start, [f"f{at}" for at in range(8)]
    frame.loc[later, features] = 1e4 * rng.standard_normal((later.sum(), 8))
    after_start = prices["session"] >= start
    wild = 100 * np.exp(np.cumsum(0.1 * rng.standard_normal(after_start.sum())))
    prices.loc[after_start, "close"] = wild
    after = walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)
    for earlier in range(fold + 1):
        assert fitted_numbers(after, earlier) == fitted_numbers(before, earlier)
    assert fitted_numbers(after, 4) != fitted_numbers(before, 4) or fold == 4
    assert after.evidence.pooled.scores["log_loss"] != before.evidence.pooled.scores["log_loss"]


def test_the_test_part_changes_no_regime_fit(make_regime: Callable[..., pd.DataFrame]) -> None:
    frame = make_regime(600)
    before = walk(REGIME, frame, None, REGIME_SETTINGS)
    start = pd.Timestamp(before.evidence.folds[2].test_start)
    later = frame["session"] >= start
    frame.loc[later, "iv_rank"] = np.random.default_rng(2).random(later.sum()) * 100
    frame.loc[later, ["hint", "other"]] = 1e5
    after = walk(REGIME, frame, None, REGIME_SETTINGS)
    for fold in range(3):
        assert fitted_numbers(after, fold) == fitted_numbers(before, fold)


@pytest.mark.parametrize("word", [one for one in words("direction") if one != "logistic"])
def test_the_test_part_changes_no_fit_of_any_direction_model(
    make_direction: Frames, word: str
) -> None:
    frame, prices = make_direction(500, signal=0.5)
    settings = replace(DIRECTION_SETTINGS, model_type=word, n_folds=2)
    before = walk(DIRECTION, frame, prices, settings)
    start = pd.Timestamp(before.evidence.folds[1].test_start)
    frame.loc[frame["session"] >= start, [f"f{at}" for at in range(8)]] = -1e4
    prices.loc[prices["session"] >= start, "close"] *= 7.0
    after = walk(DIRECTION, frame, prices, settings)
    for fold in (0, 1):
        assert fitted_numbers(after, fold) == fitted_numbers(before, fold)
    assert after.evidence.pooled.scores["log_loss"] != before.evidence.pooled.scores["log_loss"]


@pytest.mark.parametrize("word", [one for one in words("regime") if one != "logistic"])
def test_the_test_part_changes_no_fit_of_any_regime_model(
    make_volatility: Callable[..., pd.DataFrame], word: str
) -> None:
    frame = make_volatility(620)
    settings = replace(REGIME_SETTINGS, model_type=word, feature_service="", n_folds=2)
    before = walk(REGIME, frame, None, settings)
    start = pd.Timestamp(before.evidence.folds[1].test_start)
    later = frame["session"] >= start
    frame.loc[later, frame.columns[2:]] = np.random.default_rng(2).uniform(
        1.0, 100.0, (later.sum(), len(frame.columns) - 2)
    )
    after = walk(REGIME, frame, None, settings)
    for fold in (0, 1):
        assert fitted_numbers(after, fold) == fitted_numbers(before, fold)
    assert after.evidence.pooled.scores["log_loss"] != before.evidence.pooled.scores["log_loss"]


@pytest.mark.parametrize("seed", range(6))
def test_noise_is_refused(make_direction: Frames, seed: int) -> None:
    trained = walk(DIRECTION, *make_direction(700, seed), DIRECTION_SETTINGS)
    assert not trained.evidence.verdict.proven
    assert not trained.evidence.verdict.promoted


@pytest.mark.parametrize("seed", range(3))
def test_a_strong_signal_is_promoted(make_direction: Frames, seed: int) -> None:
    trained = walk(DIRECTION, *make_direction(700, seed, signal=2.0), DIRECTION_SETTINGS)
    evidence = trained.evidence
    assert evidence.verdict.proven
    assert evidence.verdict.promoted
    assert evidence.features[0] == "f0"
    assert evidence.pooled.scores["auc"] > 0.8
    assert evidence.difference["class_prior"].interval[0] > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_rank_that_only_today_tells_is_refused(
    make_regime: Callable[..., pd.DataFrame], seed: int
) -> None:
    # The rank jumps between three levels, and so the transition table knows all there is.
    frame, rng = make_regime(900, seed), np.random.default_rng(seed)
    jumps = rng.random(900) < 0.05
    level = pd.Series(np.where(jumps, rng.integers(0, 3, 900), np.nan)).ffill().fillna(0.0)
    frame["iv_rank"] = np.array([15.0, 45.0, 80.0])[level.astype(int)]
    assert not walk(REGIME, frame, None, REGIME_SETTINGS).evidence.verdict.proven


def test_a_hint_of_the_rank_ahead_is_promoted(make_regime: Callable[..., pd.DataFrame]) -> None:
    evidence = walk(REGIME, make_regime(900, signal=3.0), None, REGIME_SETTINGS).evidence
    assert evidence.verdict.promoted
    assert evidence.gate.baseline == "transition_table"


def test_two_trainings_agree_to_the_last_digit(make_direction: Frames) -> None:
    frame, prices = make_direction(500, signal=0.5)
    one, other = (walk(DIRECTION, frame, prices, DIRECTION_SETTINGS) for _ in range(2))
    assert json.dumps(one.evidence.document()) == json.dumps(other.evidence.document())
    pd.testing.assert_frame_equal(one.losses, other.losses)


def test_the_final_calibration_is_of_the_whole_windows_out_of_fold_rows(
    make_direction: Frames,
) -> None:
    trained = walk(DIRECTION, *make_direction(600, signal=0.8), DIRECTION_SETTINGS)
    window = trained.evidence.window
    assert trained.forecaster.calibrated_on == window.tested_decided == len(trained.losses)
    assert trained.forecaster.fit.rows == window.decided
    assert trained.evidence.threshold == trained.forecaster.threshold.value
    assert trained.evidence.calibration.slope == trained.forecaster.calibration.slope


def test_without_the_flag_the_threshold_is_half(make_direction: Frames) -> None:
    settings = Settings("SPY", resamples=FEW)
    evidence = walk(DIRECTION, *make_direction(500), settings).evidence
    assert evidence.threshold == 0.50
    assert evidence.threshold_choice.criterion is None
    assert all(fold.threshold == 0.50 for fold in evidence.folds)


def test_fewer_features_than_asked_for_are_all_used(make_direction: Frames) -> None:
    evidence = walk(DIRECTION, *make_direction(500), DIRECTION_SETTINGS).evidence
    assert len(evidence.features) == 8 < DIRECTION_SETTINGS.n_features


def test_the_name_is_the_registered_one(make_regime: Callable[..., pd.DataFrame]) -> None:
    assert walk(REGIME, make_regime(600), None, REGIME_SETTINGS).name == "regime_SPY"


def test_too_few_sessions_are_refused(make_direction: Frames) -> None:
    with pytest.raises(InputError, match="got 295 labelled sessions, needed at least 360"):
        walk(DIRECTION, *make_direction(300), DIRECTION_SETTINGS)


def test_a_market_that_only_rises_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(500)
    prices["close"] = 100.0 * 1.01 ** np.arange(500)
    with pytest.raises(InputError, match=r"of 1 classes .* train on a longer period"):
        walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)


def test_a_regime_that_never_occurs_is_refused(
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    frame = make_regime(600)
    frame["iv_rank"] = frame["iv_rank"].clip(upper=59.9)
    with pytest.raises(InputError, match="got LOW, NORMAL, needed LOW, NORMAL, HIGH"):
        walk(REGIME, frame, None, REGIME_SETTINGS)


def test_features_all_null_are_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(500)
    frame[[f"f{at}" for at in range(8)]] = np.nan
    with pytest.raises(InputError, match="no usable feature: got 8 candidates"):
        walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)


def test_a_frame_without_features_is_refused(make_direction: Frames) -> None:
    frame, prices = make_direction(500)
    with pytest.raises(InputError, match="no usable feature: got 0 candidates"):
        walk(DIRECTION, frame[["ticker", "session"]], prices, DIRECTION_SETTINGS)


def test_a_feature_that_starts_late_is_left_out_until_it_is_covered(
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    frame = make_regime(600, signal=2.0)
    frame.loc[:149, "hint"] = np.nan  # known in the last folds, not in the first
    trained = walk(REGIME, frame, None, REGIME_SETTINGS)
    folds = trained.evidence.folds
    assert "hint" not in folds[0].features
    assert folds[0].rows.train_dropped == 0
    assert "hint" in folds[4].features
    assert folds[4].rows.train_dropped == trained.evidence.dropped_rows == 150


def test_the_first_fold_may_lack_a_regime(make_regime: Callable[..., pd.DataFrame]) -> None:
    frame = make_regime(600)
    frame.loc[:140, "iv_rank"] = frame.loc[:140, "iv_rank"].clip(upper=59.0)
    evidence = walk(REGIME, frame, None, REGIME_SETTINGS).evidence
    assert np.isfinite(evidence.folds[0].scores["log_loss"])
    assert np.isfinite(evidence.pooled.scores["log_loss"])
    told = {row.name: row.folds for row in evidence.importance.weights}
    assert told["iv_rank"] == 4, "the first fold's weights tell other classes apart"


def test_fewer_folds_and_another_horizon_can_be_asked_for(make_direction: Frames) -> None:
    settings = Settings("SPY", n_folds=3, horizon=10, resamples=FEW)
    evidence = walk(DIRECTION, *make_direction(500), settings).evidence
    assert len(evidence.folds) == 3
    for fold in evidence.folds:
        ends = pd.Timestamp(fold.train_end), pd.Timestamp(fold.test_start)
        between = len(sessions(*ends)) - 2
        assert between == 10, "the gap is the horizon"


def test_balanced_accuracy_can_choose_the_threshold(make_direction: Frames) -> None:
    settings = Settings(
        "SPY", optimize_threshold=True, threshold_criterion="balanced_accuracy", resamples=FEW
    )
    evidence = walk(DIRECTION, *make_direction(500, signal=1.0), settings).evidence
    assert evidence.threshold_choice.criterion == "balanced_accuracy"


def test_one_ticker_of_many_is_trained(make_direction: Frames) -> None:
    frame, prices = make_direction(500, signal=0.5)
    other = frame.assign(ticker="QQQ", f0=1.0)
    alone = walk(DIRECTION, frame, prices, DIRECTION_SETTINGS).evidence
    among = walk(DIRECTION, pd.concat([other, frame]), prices, DIRECTION_SETTINGS).evidence
    assert among == alone


def test_the_frames_given_are_left_as_they_were(make_direction: Frames) -> None:
    frame, prices = make_direction(500)
    before = frame.copy(), prices.copy()
    walk(DIRECTION, frame, prices, DIRECTION_SETTINGS)
    pd.testing.assert_frame_equal(frame, before[0])
    pd.testing.assert_frame_equal(prices, before[1])
