import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import auc

from home.records.training.explained import Curves
from training.explain.curves import (
    MAX_POINTS,
    WINDOW,
    confusion_table,
    curves,
    over_time,
    reliability,
    roc,
    wilson,
)
from training.judge.measures import session_weights
from training.judge.out_of_fold import OutOfFold, losses
from training.tasks.catalogue import TASKS
from training.tasks.declare import Task
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.tasks.scores import direction_scores, regime_scores

Make = Callable[..., OutOfFold]


@pytest.fixture(params=list(TASKS))
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS[request.param]


def test_curves_are_plain_and_small(task: Task, make_tested: Make) -> None:
    one = make_tested(task, 1_200)
    found = curves(task, one, session_weights(1_200, 50, 0))
    text = json.dumps(found.document(), allow_nan=False)
    assert Curves.from_json(text, "curves") == found
    assert len(text) < 40_000
    assert (found.all_days is not None) is task.has_flat
    assert found.decided.sessions == one.decided.sum()
    assert (found.decided.roc is None) is (task is REGIME)


def test_all_days_count_flat_sessions_by_what_they_did(make_tested: Make) -> None:
    one = make_tested(DIRECTION)
    found = curves(DIRECTION, one, session_weights(700, 50, 0))
    counts = found.all_days.confusion["model"].counts
    assert np.sum(counts) == one.scored.sum() > one.decided.sum()
    assert np.sum(counts, axis=1).tolist() == np.bincount(one.every_outcome[one.scored]).tolist()


def test_true_probabilities_lie_in_their_intervals_and_false_ones_do_not(
    task: Task, make_tested: Make
) -> None:
    one = make_tested(task, 1_200, flat=0.0)
    weights = session_weights(1_200, 200, 0)
    for bins in curves(task, one, weights).decided.reliability.values():
        inside = [row.interval[0] <= row.stated <= row.interval[1] for row in bins]
        assert np.mean(inside) >= 0.8
        assert sum(row.count for row in bins) == one.decided.sum()
        assert max(row.count for row in bins) <= 1.2 * one.decided.sum() / len(bins)
    up = one.every_outcome == task.classes.index(task.classes[-1])
    overstated = np.clip(one.model.probabilities[:, -1] + 0.25, 0.0, 1.0)
    outside = [row.interval[1] < row.stated for row in reliability(up, overstated, weights)[:-1]]
    assert np.mean(outside) > 0.8


def test_bins_keep_equal_probabilities_together() -> None:
    hit = np.random.default_rng(1).random(500) < 0.3
    weights = session_weights(500, 50, 0)
    constant = reliability(hit, np.full(500, 0.3), weights)
    assert [row.count for row in constant] == [500]
    assert constant[0].frequency == pytest.approx(hit.mean(), abs=1e-6)
    two = reliability(hit, np.repeat([0.2, 0.6], [350, 150]), weights)
    assert [(row.stated, row.count) for row in two] == [(0.2, 350), (0.6, 150)]


def test_a_few_sessions_between_ties_make_no_bin_of_their_own() -> None:
    hit = np.random.default_rng(3).random(500) < 0.3
    stated = np.concatenate([np.full(240, 0.2), np.linspace(0.21, 0.29, 8), np.full(252, 0.3)])
    rows = reliability(hit, stated, session_weights(500, 50, 0))
    assert [row.count for row in rows] == [240, 260]
    spread = reliability(hit, np.linspace(0.0, 1.0, 500), session_weights(500, 50, 0))
    assert [row.count for row in spread] == [50] * 10


def test_a_bin_of_one_outcome_still_has_an_interval() -> None:
    never = np.zeros(400, dtype=bool)
    rows = reliability(never, np.linspace(0.0, 0.1, 400), session_weights(400, 50, 0))
    assert all(row.frequency == 0.0 and row.interval[1] > 0.05 for row in rows)


def test_sessions_that_move_together_widen_the_interval() -> None:
    rng = np.random.default_rng(2)
    stated = rng.random(1_000)
    weights = session_weights(1_000, 200, 0)
    apart = rng.random(1_000) < 0.5
    together = np.repeat(rng.random(50) < 0.5, 20)
    widths = [
        np.mean([row.interval[1] - row.interval[0] for row in reliability(h, stated, weights)])
        for h in (apart, together)
    ]
    assert widths[1] > 1.15 * widths[0]


def test_wilson_is_that_of_the_textbook() -> None:
    # Brown, Cai and DasGupta (2001): 10 of 100 gives 0.0552 to 0.1744.
    assert wilson(0.10, 100.0) == pytest.approx((0.0552, 0.1744), abs=1e-4)


def test_the_roc_has_the_area_that_is_scored_and_the_point_of_the_calls(make_tested: Make) -> None:
    one = make_tested(DIRECTION, 1_200)
    outcome, model = one.every_outcome, one.model
    curve = roc(outcome, model)
    assert curve is not None
    assert len(curve.true_positive_rate) <= MAX_POINTS
    scores = direction_scores(outcome, model, np.ones((1, 1_200)))
    area = auc(curve.false_positive_rate, curve.true_positive_rate)
    assert area == pytest.approx(scores["auc"][0], abs=2e-3)
    assert curve.calls[1] == pytest.approx(scores["recall"][0], abs=1e-6)
    assert (curve.true_positive_rate[0], curve.true_positive_rate[-1]) == (0.0, 1.0)


def test_one_class_has_no_roc(make_tested: Make) -> None:
    one = make_tested(DIRECTION)
    assert roc(np.ones(700, np.int64), one.model) is None
    assert roc(one.every_outcome, replace(one.model, probabilities=None)) is None


def test_the_scores_of_classes_are_those_of_the_evidence(make_tested: Make) -> None:
    one = make_tested(REGIME)
    table = confusion_table(REGIME, one.labels, one.model.calls)
    scores = regime_scores(one.labels, one.model, np.ones((1, 700)))
    for name in REGIME.classes:
        assert table.by_class[name].f1 == pytest.approx(scores[f"f1_{name.lower()}"][0])
        assert table.by_class[name].support == (one.labels == REGIME.classes.index(name)).sum()
    precision = [row.precision for row in table.by_class.values()]
    assert np.mean(precision) == pytest.approx(scores["macro_precision"][0])
    assert np.trace(table.counts) / 700 == pytest.approx(scores["accuracy"][0])


def test_a_class_never_called_has_no_precision() -> None:
    table = confusion_table(REGIME, np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    assert table.counts == [[2, 0, 0], [1, 1, 0], [0, 0, 0]]
    assert table.by_class["HIGH"].document() == {
        "precision": None,
        "recall": None,
        "f1": None,
        "support": 0,
    }


def test_scores_over_time_are_means_of_what_went_before(task: Task, make_tested: Make) -> None:
    one = make_tested(task)
    found = over_time(one)
    known = losses(one).set_index("session")
    day = found.rolling.sessions[100]
    end = int(np.flatnonzero(one.sessions == np.datetime64(day))[0])
    window = known.loc[one.sessions[end - WINDOW + 1] : one.sessions[end]]
    assert found.rolling.model[100] == pytest.approx(window["loss"].mean(), abs=1e-6)
    assert found.rolling.baseline[100] == pytest.approx(window["baseline_loss"].mean(), abs=1e-6)
    total = (known["baseline_loss"] - known["loss"]).sum()
    assert found.cumulative.difference[-1] == pytest.approx(total, abs=1e-6)
    assert found.cumulative.sessions[-1] == str(known.index[-1].date())
    assert found.folds == [str(one.sessions[at])[:10] for at in (0, 350)]
    assert len(found.rolling.sessions) <= MAX_POINTS


def test_a_test_part_shorter_than_the_window_has_no_rolling_score(make_tested: Make) -> None:
    found = over_time(make_tested(REGIME, 200))
    assert found.rolling.document() == {"sessions": [], "model": [], "baseline": []}
    assert len(found.cumulative.sessions) == 196


def test_a_window_with_few_losses_has_no_mean(make_tested: Make) -> None:
    one = make_tested(DIRECTION, flat=0.85)
    assert None in over_time(one).rolling.model
    assert pd.Series(over_time(make_tested(DIRECTION)).rolling.model).notna().all()
