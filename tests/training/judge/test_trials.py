import json
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from home.records.training.judged import DeflatedScore, Trials
from market.bootstrap import resample_weights
from training.judge.trials import (
    deflated_score,
    effective_sessions,
    expected_maximum,
    long_run_variance,
    reality_check,
    trials_evidence,
)

Losses = Callable[..., pd.DataFrame]


def losses(gain: np.ndarray, start: str = "2015-01-02") -> pd.DataFrame:
    index = pd.bdate_range(start, periods=len(gain))
    return pd.DataFrame({"session": index, "loss": 0.7 - gain, "baseline_loss": 0.7})


def persistent(rng: np.random.Generator, count: int, columns: int = 1) -> np.ndarray:
    """Gains without a mean, correlated from session to session; (count, columns)."""
    shocks = rng.standard_normal((count, columns))
    for at in range(1, count):
        shocks[at] += 0.7 * shocks[at - 1]
    return shocks


def test_the_long_run_variance_is_what_the_bootstrap_gives() -> None:
    gain = persistent(np.random.default_rng(1), 400)[:, 0]
    means = resample_weights(400, seed=3, resamples=10_000) @ gain / 400
    assert long_run_variance(gain) == pytest.approx(400 * means.var(), rel=0.03)


def test_effective_sessions_of_independent_and_of_dependent_gains() -> None:
    rng = np.random.default_rng(2)
    # An AR(1) of 0.7 keeps (1 - 0.7) / (1 + 0.7) of its sessions; a block of 20 sees most of it.
    dependent = persistent(rng, 5_000)[:, 0]
    assert effective_sessions(dependent) / 5_000 == pytest.approx(0.3 / 1.7, rel=0.25)
    assert effective_sessions(rng.standard_normal(5_000)) > 0.9 * 5_000
    alternating = np.resize([1.0, -1.0], 200)
    assert effective_sessions(alternating) == 200.0


@pytest.mark.parametrize("trials", [2, 5, 20, 100])
def test_the_expected_maximum_is_that_of_as_many_normal_scores(trials: int) -> None:
    drawn = np.random.default_rng(trials).standard_normal((20_000, trials)).max(axis=1).mean()
    assert expected_maximum(trials) == pytest.approx(drawn, abs=0.06)
    assert expected_maximum(1) == 0.0


def test_the_deflated_score_by_hand() -> None:
    gain = np.array([0.3, -0.1, 0.2, 0.1, -0.2, 0.4, 0.0, 0.1] * 20)
    mean, sd = gain.mean(), gain.std(ddof=1)
    centred = (gain - mean) / gain.std()
    skewness, kurtosis = (centred**3).mean(), (centred**4).mean()
    n, score = effective_sessions(gain), mean / sd
    high = (1 - 0.5772156649) * norm.ppf(1 - 1 / 7) + 0.5772156649 * norm.ppf(1 - 1 / (7 * math.e))
    statistic = (score - high / math.sqrt(n - 1)) * math.sqrt(n - 1)
    statistic /= math.sqrt(1 - skewness * score + (kurtosis - 1) / 4 * score**2)
    found = deflated_score(gain, trials=7)
    assert found.probability == pytest.approx(norm.cdf(statistic))
    assert (found.skewness, found.kurtosis) == pytest.approx((skewness, kurtosis))


def test_more_trials_leave_less_of_a_score() -> None:
    gain = 0.1 + np.random.default_rng(4).standard_normal(800)
    left = [deflated_score(gain, trials).probability for trials in (1, 2, 10, 100)]
    assert left == sorted(left, reverse=True)
    assert left[0] > 0.95 > left[-1]


def test_a_gain_without_spread_has_no_deflated_score() -> None:
    assert deflated_score(np.full(100, 0.1), 3) == DeflatedScore()
    assert deflated_score(np.array([0.1]), 3) == DeflatedScore()


def test_the_deflated_score_passes_the_best_of_idle_trials_as_rarely_as_it_says() -> None:
    # 10 idle trials, the best taken: at 95 % a single-trial score passes 40 % of the time.
    rng = np.random.default_rng(5)
    passed = naive = 0
    for _ in range(300):
        gains = rng.standard_normal((500, 10))
        best = gains[:, gains.mean(axis=0).argmax()]
        passed += deflated_score(best, 10).probability > 0.95
        naive += deflated_score(best, 1).probability > 0.95
    assert naive > 75
    assert passed < 25


def test_the_reality_check_of_idle_trials_is_rarely_small() -> None:
    rng = np.random.default_rng(6)
    found = [
        reality_check(persistent(rng, 300, 4), resamples=199, seed=at).consistent
        for at in range(80)
    ]
    # 5 % of 80 is 4; a block of 20 in 300 sessions rejects a little more often than that.
    assert sum(p < 0.05 for p in found) <= 11
    assert 0.35 < np.mean(found) < 0.75


def test_the_reality_check_finds_a_planted_gain_and_who_has_it() -> None:
    gains = persistent(np.random.default_rng(7), 1_000, 5)
    gains[:, 2] += 0.6
    idle_first = reality_check(gains, resamples=499, seed=0)
    assert idle_first.consistent < 0.01
    assert idle_first.lower <= idle_first.consistent <= idle_first.upper
    assert not idle_first.superior
    assert reality_check(gains[:, [2, 0, 1, 3, 4]], resamples=499, seed=0).superior


def test_a_trial_found_in_a_later_step_survives_when_none_is_left() -> None:
    rng = np.random.default_rng(5)
    noise = rng.standard_normal((600, 1))
    gains = np.hstack([0.09 + noise, 0.6 + 0.1 * rng.standard_normal((600, 1))])
    found = [reality_check(gains + shift, 500, 0).superior for shift in np.arange(0, 0.1, 0.01)]
    assert set(found) == {True, False}, "from hidden by the better one to better in itself"
    assert found == sorted(found)


def test_a_noisy_idle_trial_does_not_hide_a_steady_gain() -> None:
    rng = np.random.default_rng(8)
    steady = 0.05 + 0.3 * rng.standard_normal(1_000)
    noisy = 30.0 * rng.standard_normal(1_000)
    found = reality_check(np.column_stack([steady, noisy]), resamples=499, seed=0)
    assert found.consistent < 0.01
    assert found.superior


def test_one_trial_is_a_one_sided_test_of_its_own_gain() -> None:
    gain = 0.06 + np.random.default_rng(9).standard_normal(800)
    found = reality_check(gain[:, None], resamples=1_999, seed=0)
    by_hand = norm.sf(gain.mean() / math.sqrt(long_run_variance(gain) / 800))
    assert found.consistent == pytest.approx(by_hand, abs=0.03)
    assert found.lower == found.upper == found.consistent


def test_trials_that_all_lose_are_no_evidence() -> None:
    found = reality_check(np.random.default_rng(10).standard_normal((300, 3)) - 1.0, 199, 0)
    assert (found.lower, found.consistent, found.upper) == (1.0, 1.0, 1.0)
    assert not found.superior


def test_trials_of_other_sessions_count_but_are_not_compared() -> None:
    rng = np.random.default_rng(11)
    mine = losses(rng.standard_normal(300))
    same, short = losses(rng.standard_normal(300)), losses(rng.standard_normal(40))
    earlier = losses(rng.standard_normal(300), start="2001-01-02")
    found = trials_evidence(mine, [earlier, same.iloc[10:], short], resamples=99, seed=0)
    assert (found.count, found.compared, found.sessions) == (4, 2, 290)
    assert found.deflated == deflated_score(
        (mine["baseline_loss"] - mine["loss"]).to_numpy(), trials=4
    )


def test_the_compared_trials_keep_four_fifths_of_the_candidate_together() -> None:
    rng = np.random.default_rng(12)
    mine = losses(rng.standard_normal(300))
    late, early = mine.iloc[50:], mine.iloc[:250]
    found = trials_evidence(mine, [late, early], resamples=99, seed=0)
    assert (found.compared, found.sessions) == (2, 250)


def test_a_trial_is_compared_by_session_not_by_position() -> None:
    gain = persistent(np.random.default_rng(13), 400)[:, 0]
    mine = losses(gain)
    shuffled = mine.sample(frac=1.0, random_state=0)
    alone = trials_evidence(mine, [], resamples=199, seed=0)
    assert trials_evidence(mine, [shuffled], resamples=199, seed=0).spa == alone.spa


def test_too_few_sessions_have_no_reality_check_and_say_so() -> None:
    found = trials_evidence(losses(np.random.default_rng(14).standard_normal(50)), [], 99, 0)
    assert found.spa is None
    assert "50 sessions are too few" in found.words


def test_the_words_hold_the_figures_and_all_is_plain_json() -> None:
    rng = np.random.default_rng(15)
    frames = [losses(rng.standard_normal(300)) for _ in range(3)]
    found = trials_evidence(frames[0], frames[1:], resamples=99, seed=0)
    text = json.dumps(found.document(), allow_nan=False)
    assert Trials.from_json(text, "trials") == found
    for part in ("3 trials", f"{found.spa.consistent:.3f}", "best of 3", "300 sessions"):
        assert part in found.words


def test_trials_are_compared_over_the_candidates_baseline() -> None:
    """Another trial that beat an easier baseline of its own has beaten nothing here."""
    rng = np.random.default_rng(7)
    mine, eased = (losses(0.01 * rng.standard_normal(300)) for _ in range(2))
    eased[["loss", "baseline_loss"]] += 0.1
    eased["loss"] -= 0.05
    found = trials_evidence(mine, [eased], 199, 0)
    assert found.compared == 2
    assert found.spa.consistent > 0.1
