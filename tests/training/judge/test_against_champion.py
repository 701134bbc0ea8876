import numpy as np
import pandas as pd
import pytest

from home.records.training.evidence import TrainingEvidence
from tests.training.evidences import bare, gate
from training.judge.against_champion import Champion, comparison
from training.judge.decide import Incumbents, decide

DAYS = pd.bdate_range("2020-01-01", periods=300)


def losses(days: pd.DatetimeIndex, level: float, seed: int = 0) -> pd.DataFrame:
    noise = 0.05 * np.random.default_rng(seed).random(len(days))
    return pd.DataFrame({"session": days, "fold": 1, "loss": level + noise, "baseline_loss": 0.69})


def evidence(bound: float = 0.01) -> TrainingEvidence:
    return bare(gate(bound, [0.01, 0.1]))


def test_only_common_sessions_are_compared() -> None:
    mine, theirs = losses(DAYS[50:], 0.60), losses(DAYS[:250], 0.65, seed=1)
    theirs.loc[:49, "loss"] = 99.0  # sessions that the candidate was not tested on
    found = comparison(mine, Champion(2, "run", theirs), 200, 0)
    assert found.sessions == 200
    assert found.loss == pytest.approx(mine["loss"][:200].mean())
    assert found.champion_loss == pytest.approx(theirs["loss"][50:].mean())
    assert found.difference == pytest.approx(found.champion_loss - found.loss)
    low, high = found.interval
    assert low < found.difference < high
    assert (found.version, found.run_id) == (2, "run")


def test_no_common_session_has_no_figure() -> None:
    found = comparison(losses(DAYS[:100], 0.6), Champion(1, "run", losses(DAYS[100:], 0.6)), 50, 0)
    assert found.sessions == 0
    assert found.loss is found.champion_loss is found.interval is None


@pytest.mark.parametrize(("level", "promoted"), [(0.60, True), (0.55, True), (0.65, False)])
def test_a_candidate_must_not_be_worse_than_the_champion(level: float, promoted: bool) -> None:
    champion = Champion(4, "run", losses(DAYS, 0.60))
    found = decide(evidence(), losses(DAYS, level), Incumbents(champion)).evidence
    assert found.verdict.promoted is promoted
    assert found.verdict.proven
    assert "champion version 4" in found.verdict.words


def test_an_unproven_candidate_is_not_promoted_however_weak_the_champion() -> None:
    champion = Champion(4, "run", losses(DAYS, 5.0))
    found = decide(evidence(bound=-0.01), losses(DAYS, 0.6), Incumbents(champion)).evidence
    assert not found.verdict.promoted


def test_too_few_common_sessions_are_no_comparison() -> None:
    champion = Champion(4, "run", losses(DAYS[:40], 5.0))
    assert not decide(evidence(), losses(DAYS, 0.6), Incumbents(champion)).evidence.verdict.promoted


def test_without_a_champion_the_gate_alone_decides() -> None:
    given = evidence()
    found = decide(given, losses(DAYS, 0.6), Incumbents()).evidence
    assert found.verdict.promoted
    assert found.champion is None
    assert given == evidence(), "the evidence given is left as it was"
