from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from home.records.training.judged import Gate
from training.fit.forecast import Forecast
from training.fit.mixture import fit_direction
from training.frames.folds import Fold, walk_forward
from training.frames.rows import Rows, direction_rows
from training.judge.gate import judge
from training.judge.measures import (
    CALL_SCORES,
    at_half,
    compare,
    measure,
    measure_all_days,
    measure_at_half,
    session_weights,
)
from training.judge.out_of_fold import OutOfFold, hardest, losses, out_of_fold
from training.models.catalogue import MODELS
from training.tasks.baselines import COIN
from training.tasks.direction import DIRECTION
from training.tasks.scores import LOSSES

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
Make = Callable[..., OutOfFold]


@pytest.fixture(scope="module")
def rows(make_direction: Frames) -> Rows:
    found = direction_rows(*make_direction(420, signal=0.6), "SPY", 5, safe=False)
    holed = found.values.copy()
    holed[300:310, 0] = np.nan
    return replace(found, values=holed)


@pytest.fixture(scope="module")
def folds(rows: Rows) -> tuple[Fold, ...]:
    return walk_forward(rows.sessions, rows.label_ends, 3)


@pytest.fixture(scope="module")
def tested(rows: Rows, folds: tuple[Fold, ...]) -> OutOfFold:
    fitted = [fit_direction(rows, fold.train, MODELS["logistic"], 4, "f1") for fold in folds]
    return out_of_fold(DIRECTION, rows, folds, fitted)


def test_every_test_session_is_there_once(
    rows: Rows, folds: tuple[Fold, ...], tested: OutOfFold
) -> None:
    assert tested.sessions.tolist() == rows.sessions[-len(tested.sessions) :].tolist()
    assert np.bincount(tested.fold).tolist() == [0, *(len(fold.test) for fold in folds)]
    assert (~tested.scored).sum() == 10, "those with a null among the selected features"
    assert (tested.decided == (tested.scored & (tested.labels >= 0))).all()


def test_baselines_are_fitted_in_the_training_part(
    rows: Rows, folds: tuple[Fold, ...], tested: OutOfFold
) -> None:
    for number, fold in enumerate(folds, 1):
        decided = rows.labels[fold.train][rows.labels[fold.train] >= 0]
        said = tested.of_fold(number).baselines["class_prior"].probabilities
        assert said[:, 1] == pytest.approx(np.full(len(fold.test), decided.mean()))


def test_the_figures_are_scikit_learns_on_decided_sessions(tested: OutOfFold) -> None:
    weights = session_weights(len(tested.sessions), 50, 0)
    found = measure(DIRECTION, tested, weights)
    decided = tested.decided
    outcome, up = tested.labels[decided], tested.model.probabilities[decided, 1]
    assert found.scores["log_loss"] == pytest.approx(metrics.log_loss(outcome, up))
    # Ranked above the base rate of each fold.
    lift = tested.model.lift[decided]
    assert found.scores["auc"] == pytest.approx(metrics.roc_auc_score(outcome, lift))
    assert found.baselines["class_prior"]["auc"] == 0.5
    calls = tested.model.calls[decided]
    assert found.scores["f1"] == pytest.approx(metrics.f1_score(outcome, calls))
    prior = tested.baselines["class_prior"].probabilities[decided, 1]
    expected = metrics.log_loss(outcome, prior)
    assert found.baselines["class_prior"]["log_loss"] == pytest.approx(expected)
    assert found.baselines["always_up"]["accuracy"] == pytest.approx(outcome.mean())


def test_no_score_stands_without_baseline_and_interval(tested: OutOfFold) -> None:
    weights = session_weights(len(tested.sessions), 200, 0)
    measured = measure(DIRECTION, tested, weights)
    assert [row.score for row in measured.comparison] == list(measured.scores)
    for part in (
        measured,
        measure_all_days(DIRECTION, tested, weights),
        measure_at_half(DIRECTION, tested, weights),
    ):
        for row in part.comparison:
            assert row.model == part.scores[row.score]
            if row.score not in CALL_SCORES:
                assert row.baseline == tested.gate
            if row.difference is not None:
                low, high = row.interval
                assert low <= row.difference + 1e-9
                assert row.difference - 1e-9 <= high
            else:
                assert row.baseline_value is None or row.model is None


def test_calls_are_held_against_the_rule_that_calls_best(tested: OutOfFold) -> None:
    """To call one class always is right most often here: whoever does the same shows no skill."""
    outcome = tested.labels[tested.decided]
    shares = {
        name: (said.of(tested.decided).calls == outcome).mean()
        for name, said in tested.baselines.items()
    }
    assert shares["always_down"] == max(shares.values()) > shares["coin"] > shares["always_up"]
    calls = np.zeros_like(tested.model.calls)
    as_always = replace(tested, model=replace(tested.model, calls=calls))
    measured = measure(DIRECTION, as_always, session_weights(len(tested.sessions), 50, 0))
    (row,) = (row for row in measured.comparison if row.score == "accuracy")
    assert (row.baseline, row.difference, row.interval) == ("always_down", 0.0, [0.0, 0.0])


def test_every_baseline_has_a_difference_with_an_interval(tested: OutOfFold) -> None:
    found = measure(DIRECTION, tested, session_weights(len(tested.sessions), 200, 0))
    assert set(found.difference) == set(DIRECTION.baselines)
    for name, difference in found.difference.items():
        metric = "log_loss" if name in DIRECTION.gate_baselines else "accuracy"
        assert difference.metric == metric
        model = found.scores[metric]
        baseline = found.baselines[name][metric]
        gain = baseline - model if metric == "log_loss" else model - baseline
        assert difference.value == pytest.approx(gain)
        low, high = difference.interval
        assert low <= difference.bound <= high


def test_the_interval_is_of_the_mean_loss_difference(tested: OutOfFold) -> None:
    weights = session_weights(len(tested.sessions), 300, 4)
    found = measure(DIRECTION, tested, weights).difference[tested.gate]
    table = losses(tested)
    better = (table["baseline_loss"] - table["loss"]).to_numpy()
    assert found.value == pytest.approx(better.mean())
    drawn = weights[1:, tested.decided]
    resampled = (drawn @ better) / drawn.sum(axis=1)
    assert found.interval == pytest.approx(np.quantile(resampled, [0.025, 0.975]))
    assert found.bound == pytest.approx(np.quantile(resampled, 0.05))


def said_up(share: float, count: int) -> Forecast:
    return Forecast(np.zeros(count, np.int64), np.tile([1.0 - share, share], (count, 1)))


@pytest.mark.parametrize(
    ("prior", "taken"), [(0.62, "coin"), (0.45, "class_prior"), (0.5, "class_prior")]
)
def test_the_gates_baseline_is_the_best_of_its_task(prior: float, taken: str) -> None:
    """Of days half UP less two a prior of 0.62 is worse than a coin, one of 0.45 is better."""
    labels, decided = np.array([0] * 51 + [1] * 39 + [-1] * 9), np.repeat([True, False], [90, 9])
    gates = {"class_prior": said_up(prior, 99), COIN: said_up(0.5, 99)}
    assert hardest(labels, decided, gates) == taken
    assert hardest(labels, np.zeros(99, np.bool_), gates) == "class_prior", "of no days the first"


def test_what_beats_a_stale_prior_and_no_coin_is_not_proven(make_tested: Make) -> None:
    """A prior left behind by its market: each day's forecast lies between it and a coin."""
    idle = make_tested(DIRECTION, flat=0.0)
    count = len(idle.sessions)
    baselines = idle.baselines | {"class_prior": said_up(0.7, count), COIN: said_up(0.5, count)}
    gates = {name: baselines[name] for name in DIRECTION.gate_baselines}
    gate = hardest(idle.labels, idle.decided, gates)
    stale = replace(idle, model=said_up(0.6, count), baselines=baselines, gate=gate)
    found = measure(DIRECTION, stale, session_weights(count, 200, 0))
    assert found.difference["class_prior"].bound > 0.0
    verdict = judge(Gate.against(stale.gate, found.difference[stale.gate]))
    assert not verdict.proven
    assert "against the coin's 0.6931" in verdict.words


def test_losses_are_those_of_the_decided_sessions(tested: OutOfFold) -> None:
    table = losses(tested)
    assert (table["session"].to_numpy() == tested.sessions[tested.decided]).all()
    assert table.columns.tolist() == ["session", "fold", "loss", "baseline_loss"]
    assert np.isfinite(table[["loss", "baseline_loss"]]).all(axis=None)


def test_all_days_count_flat_ones_by_sign_and_as_a_miss(tested: OutOfFold) -> None:
    found = measure_all_days(DIRECTION, tested, session_weights(len(tested.sessions), 50, 0))
    scored = tested.scored
    calls, outcome = tested.model.calls[scored], tested.every_outcome[scored]
    assert found.sessions == scored.sum() > tested.decided.sum()
    assert found.scores["accuracy"] == pytest.approx((calls == outcome).mean())
    hits = (tested.model.calls[tested.decided] == tested.labels[tested.decided]).sum()
    assert found.scores["label_accuracy"] == pytest.approx(hits / scored.sum())


def test_calls_at_half_ignore_the_threshold(tested: OutOfFold) -> None:
    found = measure_at_half(DIRECTION, tested, session_weights(len(tested.sessions), 50, 0))
    decided = tested.decided
    outcome, up = tested.labels[decided], tested.model.probabilities[decided, 1]
    assert found.scores["accuracy"] == pytest.approx(((up > 0.5) == outcome).mean())
    assert set(found.scores) == {"accuracy", "balanced_accuracy", "f1", "precision", "recall"}
    assert (
        at_half(tested.model).probabilities[decided] == tested.model.probabilities[decided]
    ).all()


@pytest.mark.parametrize("score", ["log_loss", "brier", "calibration_error", "accuracy", "auc"])
def test_a_positive_difference_always_means_better(score: str) -> None:
    less, more = np.full(40, 0.3), np.full(40, 0.4)
    better, worse = (less, more) if score in LOSSES else (more, less)
    row = compare({score: better}, {"prior": {score: worse}}, "prior", "prior")[0]
    assert row.difference == pytest.approx(0.1)
    assert row.interval == pytest.approx([0.1, 0.1])


def test_rules_without_probabilities_are_no_forecasts_to_threshold(tested: OutOfFold) -> None:
    with pytest.raises(TypeError, match="no threshold"):
        at_half(tested.baselines["always_up"])
