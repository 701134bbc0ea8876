import json
from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from training.diagnose.diagnose import (
    FURTHEST,
    SHARES,
    WORST,
    diagnose,
    learning_curve,
    second_opinion,
    worst_days,
)
from training.diagnose.features import alone, moved
from training.frames.folds import Fold
from training.judge.out_of_fold import out_of_fold
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.tasks.scores import row_log_loss
from training.walk import Recipe, recipe, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
SETTINGS = Settings("SPY", resamples=50)


@pytest.fixture
def noise(make_direction: Frames) -> Recipe:
    return recipe(DIRECTION, *make_direction(600, 3, 0.0), SETTINGS)


@pytest.fixture
def leaking(make_direction: Frames) -> Recipe:
    """Feature f0 holds much of the return to come."""
    return recipe(DIRECTION, *make_direction(600, 3, 2.0), SETTINGS)


def test_a_diagnosis_is_one_json_document(noise: Recipe) -> None:
    found = diagnose(noise)
    text = json.dumps(asdict(found), allow_nan=False)
    assert set(json.loads(text)) == {
        "learning_curve", "second_opinion", "features", "drift", "worst_days",
    }  # fmt: skip
    assert found.learning_curve[0].document("auc")["auc"] == found.learning_curve[0].score
    assert {row.name for row in found.features} == set(noise.rows.names)
    assert {row.name for row in found.drift} == set(noise.rows.names)


def test_the_curve_ends_at_the_score_of_the_training_itself(make_direction: Frames) -> None:
    frame, prices = make_direction(600, 3, 1.0)
    trained = walk(DIRECTION, frame, prices, SETTINGS)
    made = recipe(DIRECTION, frame, prices, SETTINGS)
    last = made.folds()[-1]
    curve = learning_curve(made, last)
    assert [row.sessions for row in curve] == [
        int(np.ceil(share * len(last.train))) for share in SHARES
    ]
    assert curve[0].start > curve[-1].start
    whole = trained.evidence.folds[-1]
    assert curve[-1].log_loss == pytest.approx(whole.scores["log_loss"])
    assert curve[-1].score == pytest.approx(whole.scores["auc"])
    assert curve[-1].baseline_log_loss == pytest.approx(whole.baselines["class_prior"]["log_loss"])
    assert curve[-1].interval[0] < curve[-1].difference < curve[-1].interval[1]
    assert curve[-1].log_loss < curve[0].log_loss, "a signal is learned better from more"


def test_a_part_too_short_to_be_fitted_says_so(noise: Recipe) -> None:
    last = noise.folds()[-1]
    short = Fold(last.train[-60:], last.test)
    first, *_, whole = learning_curve(noise, short)
    assert first.sessions == 8
    assert "too small" in first.why_not or "too few" in first.why_not
    assert first.log_loss is None
    assert first.interval is None
    assert whole.why_not is None


def test_a_second_opinion_tells_a_signal_from_noise(noise: Recipe, leaking: Recipe) -> None:
    nothing, something = second_opinion(noise), second_opinion(leaking)
    assert nothing.splits == something.splits == 15
    assert something.better == 1.0
    assert something.lowest > 0.0
    assert nothing.mean < 0.01 < something.mean
    assert nothing.lowest <= nothing.mean <= nothing.highest


def test_noise_holds_no_suspect(noise: Recipe) -> None:
    found = alone(noise.rows, noise.folds(), 2, seed=0)
    assert not [one.name for one in found if one.suspect]
    assert max(one.information for one in found) < 0.02


def test_a_feature_that_knows_the_future_is_the_first_suspect(leaking: Recipe) -> None:
    first, *others = alone(leaking.rows, leaking.folds(), 2, seed=0)
    assert (first.name, first.suspect) == ("f0", True)
    assert first.auc is not None
    assert first.auc > 0.7
    assert first.bound is not None
    assert 0.0 < first.bound < first.information
    assert not any(one.suspect for one in others)


def test_an_inverted_feature_is_as_suspect(leaking: Recipe) -> None:
    rows = leaking.rows
    turned = replace(rows, values=-rows.values)
    (one, other) = (alone(part, leaking.folds(), 2, seed=0)[0] for part in (rows, turned))
    assert other.suspect
    assert other.auc == pytest.approx(one.auc)


def test_a_null_is_a_value_of_its_own(leaking: Recipe) -> None:
    """A feature that is null exactly before a rise tells as much as one that says so."""
    rows = leaking.rows
    values = rows.values.copy()
    values[:, 1] = np.where(rows.labels == 1, np.nan, values[:, 1])
    found = alone(replace(rows, values=values), leaking.folds(), 2, seed=0)
    assert found[0].name == "f1"
    assert found[0].information > 0.5
    assert found[0].auc is None, "it has no order"


def test_a_regime_feature_is_measured_against_todays_rank(
    make_regime: Callable[..., pd.DataFrame],
) -> None:
    settings = Settings("SPY", resamples=50)
    honest = recipe(REGIME, make_regime(700, 1, 0.3), None, settings)
    known = {one.name: one for one in alone(honest.rows, honest.folds(), 3, seed=0)}
    assert known["iv_rank"].information > 0.1, "the rank is persistent"
    assert known["iv_rank"].bound == pytest.approx(0.0, abs=1e-12)
    assert not any(one.suspect for one in known.values())
    assert all(one.auc is None for one in known.values())
    leaking = recipe(REGIME, make_regime(700, 1, 30.0), None, settings)
    first = alone(leaking.rows, leaking.folds(), 3, seed=0)[0]
    assert (first.name, first.suspect) == ("hint", True)


def test_drift_is_the_kolmogorov_smirnov_distance_of_the_worst_fold(noise: Recipe) -> None:
    folds, rows = noise.folds(), noise.rows
    values = rows.values.copy()
    values[folds[2].test, 4] += 2.0
    values[folds[1].test[:50], 5] = np.nan
    found = moved(replace(rows, values=values), folds)
    first = found[0]
    assert (first.name, first.fold) == ("f4", 3)
    for one in found:
        column = values[:, rows.names.index(one.name)]
        known = [
            ks_2samp(*(part[np.isfinite(part)] for part in (column[fold.train], column[fold.test])))
            for fold in folds
        ]
        assert one.ks == pytest.approx(max(test.statistic for test in known))
        assert one.mean_ks == pytest.approx(np.mean([test.statistic for test in known]))
    assert [one.ks for one in found] == sorted((one.ks for one in found), reverse=True)


def test_a_feature_known_on_one_side_only_has_no_distance(noise: Recipe) -> None:
    folds, rows = noise.folds(), noise.rows
    values = rows.values.copy()
    values[:, 0] = np.nan
    (one,) = (row for row in moved(replace(rows, values=values), folds) if row.name == "f0")
    assert (one.ks, one.mean_ks, one.null_shift) == (None, None, 0.0)


def test_the_worst_days_are_those_of_the_training(make_direction: Frames) -> None:
    frame, prices = make_direction(600, 3, 1.0)
    far = frame["session"] == frame["session"].iloc[550]
    frame.loc[far, "f3"] = 1e3
    trained = walk(DIRECTION, frame, prices, SETTINGS)
    days = diagnose(recipe(DIRECTION, frame, prices, SETTINGS)).worst_days
    worst = trained.losses.sort_values("loss", ascending=False)[:WORST]
    assert [day.loss for day in days] == pytest.approx(worst["loss"].tolist())
    assert [day.session for day in days] == worst["session"].dt.strftime("%Y-%m-%d").tolist()
    for day in days:
        chance = np.array([list(day.probabilities.values())])
        happened = np.array([["DOWN", "UP"].index(day.happened)])
        assert day.loss == pytest.approx(row_log_loss(happened, chance)[0])
        assert day.called in ("DOWN", "UP")
        assert len(day.furthest) == FURTHEST
        away = [abs(one.deviations) for one in day.furthest]
        assert away == sorted(away, reverse=True)


def test_the_furthest_feature_is_counted_in_standard_deviations_of_training(
    noise: Recipe,
) -> None:
    last, rows = noise.folds()[-1], noise.rows
    values = rows.values.copy()
    values[last.test, 6] = 40.0
    away = replace(noise, rows=replace(rows, values=values))
    forecasters = [away.fit(last.train)]
    days = worst_days(
        away, [last], forecasters, out_of_fold(away.task, away.rows, [last], forecasters)
    )
    before = rows.values[last.train, 6]
    assert len(days) == WORST
    for day in days:
        first = day.furthest[0]
        assert (first.name, first.value) == ("f6", 40.0)
        assert first.deviations == pytest.approx((40.0 - before.mean()) / before.std())
