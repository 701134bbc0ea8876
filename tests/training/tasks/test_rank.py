"""The IV rank with an interval: its score, what it is held against, and what it refuses."""

import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from home.records.training.rank import RankEvidence
from market.errors import InputError
from training.judge.rank import LEVEL, crps
from training.settings import Settings
from training.walk import walk_rank

PATHS = Settings("SPY", model_type="paths", n_folds=2, resamples=100)
Volatility = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def frame(make_volatility: Volatility) -> pd.DataFrame:
    return make_volatility(900, seed=5)


@pytest.fixture(scope="module")
def evidence(frame: pd.DataFrame) -> RankEvidence:
    return walk_rank(frame, PATHS)


@pytest.mark.parametrize("seed", range(5))
def test_the_score_is_that_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    draws, outcome = rng.uniform(0, 100, 40), float(rng.uniform(0, 100))
    spread = np.abs(draws[:, None] - draws[None, :]).mean()
    assert crps(draws, outcome) == pytest.approx(np.abs(draws - outcome).mean() - spread / 2)


def test_a_certain_forecast_is_scored_by_its_distance() -> None:
    assert crps(np.full(7, 40.0), 40.0) == pytest.approx(0.0)
    assert crps(np.full(7, 40.0), 55.0) == pytest.approx(15.0)


def test_the_verdict_is_what_the_difference_bounds(evidence: RankEvidence) -> None:
    gain = evidence.difference["persistence"]
    assert gain.value == pytest.approx(gain.baseline_value - gain.model)
    assert gain.interval[0] < gain.value < gain.interval[1]
    assert evidence.verdict.proven is (gain.bound > 0.0)
    assert 0.6 < evidence.pooled["coverage"] < 0.95


def test_the_newest_forecast_is_of_the_last_session(
    frame: pd.DataFrame, evidence: RankEvidence
) -> None:
    newest = evidence.forecast
    assert newest.session == str(frame["session"].iloc[-1].date())
    assert 0.0 <= newest.low <= newest.median <= newest.high <= 100.0
    assert newest.level == LEVEL
    text = json.dumps(evidence.document(), allow_nan=False)
    assert RankEvidence.from_json(text, "evidence") == evidence


def test_what_comes_after_a_fold_changes_none_of_its_scores(
    frame: pd.DataFrame, evidence: RankEvidence
) -> None:
    last = pd.Timestamp(evidence.folds[0].test_end)
    changed = frame.copy()
    # Labels of the first fold reach five sessions on: what lies ten days after is not its own.
    later = changed["session"] > last + pd.Timedelta(days=10)
    changed.loc[later, "vix_log_vol_20"] *= 3.0
    again = walk_rank(changed, PATHS)
    assert again.folds[0] == evidence.folds[0]
    assert again.folds[1] != evidence.folds[1]


def test_a_model_of_classes_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="got model type 'table', allowed is paths"):
        walk_rank(frame, Settings("SPY", model_type="table"))
