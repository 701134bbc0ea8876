"""The true odds are calibrated, and the best scores are those of the odds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from ingestion.sources.simulated.market import Exposure, Law, Shocks, State, signal_gain, walk
from ingestion.sources.simulated.truth import best_score, direction_odds
from market.targets import MOVE

LAW = Law()
MARKET = Exposure(np.array(1.0), np.array(0.01))
odds = st.lists(st.tuples(st.floats(0.01, 0.5), st.floats(0.01, 0.5)), min_size=1, max_size=30).map(
    lambda rows: np.array(rows).T
)


def states(seed: int, count: int = 400) -> State:
    slow, fast, own, trend = np.random.default_rng(seed).standard_normal((4, count))
    return State(0.4 * slow, 0.4 * fast, 0.2 * own, trend)


def true_odds(strength: float, known: State, paths: int = 512) -> tuple[np.ndarray, np.ndarray]:
    return direction_odds(
        LAW, MARKET, signal_gain(strength), known, np.random.default_rng(5), paths
    )


@given(odds=odds)
def test_the_best_scores_are_those_of_sklearn_on_weighted_outcomes(odds: np.ndarray) -> None:
    up, down = odds
    score = up / (up + down)
    outcome = np.repeat([1, 0], len(up))
    weight = np.append(up, down)
    best = best_score(up, down)
    both = np.append(score, score)
    assert best.auc == pytest.approx(roc_auc_score(outcome, both, sample_weight=weight))
    assert best.log_loss == pytest.approx(log_loss(outcome, both, sample_weight=weight))
    prior = np.full(2 * len(up), up.sum() / weight.sum())
    assert best.prior_log_loss == pytest.approx(log_loss(outcome, prior, sample_weight=weight))
    assert best.decided == pytest.approx(weight.sum() / len(up))


@given(odds=odds)
def test_nothing_is_worse_than_the_prior(odds: np.ndarray) -> None:
    best = best_score(*odds)
    assert best.auc >= 0.5 - 1e-12
    assert best.log_loss <= best.prior_log_loss + 1e-12


def test_an_outcome_that_cannot_be_costs_nothing() -> None:
    best = best_score(np.array([0.4, 0.0]), np.array([0.0, 0.4]))
    assert best.auc == 1.0
    assert best.log_loss == 0.0
    assert best.prior_log_loss == pytest.approx(np.log(2))


def test_odds_are_probabilities_and_the_same_each_time() -> None:
    up, down = true_odds(0.2, states(1))
    assert up.shape == down.shape == (400,)
    assert ((up >= 0) & (down >= 0) & (up + down <= 1)).all()
    again = true_odds(0.2, states(1))
    np.testing.assert_array_equal(again, (up, down))


def test_odds_of_a_close_do_not_depend_on_the_others() -> None:
    known = states(2, 600)
    up, _ = true_odds(0.2, known)
    part, _ = true_odds(0.2, State(*(column[300:310] for column in known)))
    np.testing.assert_array_equal(part, up[300:310])


def test_more_volatility_decides_more_days() -> None:
    calm, wild = (State(*np.full((4, 1), [[v], [0.0], [0.0], [0.0]])) for v in (-0.6, 0.6))
    assert sum(true_odds(0.0, calm))[0] + 0.2 < sum(true_odds(0.0, wild))[0]


def test_a_high_trend_lowers_the_odds_of_up_where_a_reversal_is_planted() -> None:
    trend = np.linspace(-2.0, 2.0, 9)
    known = State(np.zeros(9), np.zeros(9), np.zeros(9), trend)
    up, down = true_odds(0.3, known)
    assert (np.diff(up) < 0).all()
    assert (np.diff(down) > 0).all()
    flat, _ = true_odds(0.0, known)
    assert np.ptp(flat) == 0.0


def test_the_best_auc_grows_with_the_strength() -> None:
    known = states(3)
    auc = [best_score(*true_odds(s, known)).auc for s in (0.0, 0.05, 0.1, 0.2, 0.4, 0.6)]
    assert (np.diff(auc) > 0).all()
    assert auc[0] < 0.52
    assert auc[3] > 0.58
    assert auc[-1] > 0.9


def test_without_a_signal_nothing_is_won_over_the_prior() -> None:
    best = best_score(*true_odds(0.0, states(4)))
    assert best.prior_log_loss - best.log_loss < 0.001


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_days_come_out_as_often_as_their_odds_say(strength: float) -> None:
    rng = np.random.default_rng(6)
    known = states(7, 2000)
    up, down = true_odds(strength, known, paths=2048)
    normal = rng.standard_normal((6, 5, 2000))
    jump = (rng.random((5, 2000)) < LAW.jump_rate).astype(float)
    shocks = Shocks(normal[0], normal[1], normal[2], jump, normal[3], normal[4], normal[5])
    ahead = np.expm1(walk(LAW, MARKET, signal_gain(strength), known, shocks).log_return.sum(0))
    for outcome, probability in ((ahead > MOVE, up), (ahead < -MOVE, down)):
        for part in np.array_split(np.argsort(probability), 4):
            error = np.sqrt((probability[part] * (1 - probability[part])).sum()) / len(part)
            assert abs(outcome[part].mean() - probability[part].mean()) < 4 * error + 0.01
