"""Who becomes champion and what serves: a pure function of evidence, champion and trials."""

import numpy as np
import pandas as pd
import pytest

from home.records.training.evidence import TrainingEvidence
from tests.training.evidences import bare, gate
from training.judge.against_champion import Champion
from training.judge.decide import Decision, decide

DAYS = pd.bdate_range("2020-01-01", periods=300)


def losses(level: float, seed: int = 0) -> pd.DataFrame:
    noise = 0.05 * np.random.default_rng(seed).random(len(DAYS))
    return pd.DataFrame({"session": DAYS, "fold": 1, "loss": level + noise, "baseline_loss": 0.69})


def evidence(bound: float) -> TrainingEvidence:
    return bare(gate(bound, [bound, 0.1]))


def decision(bound: float, champion_level: float | None) -> Decision:
    champion = None if champion_level is None else Champion(4, "run", losses(champion_level))
    return decide(evidence(bound), losses(0.6), champion, [])


@pytest.mark.parametrize(
    ("bound", "champion_level", "alias", "serves"),
    [
        (0.01, None, "champion", True),
        (-0.01, None, "challenger", True),
        (0.01, 0.65, "champion", True),
        (0.01, 0.55, "challenger", False),
        (-0.01, 0.65, "challenger", False),
    ],
)
def test_a_challenger_serves_only_while_there_is_no_champion(
    bound: float, champion_level: float | None, alias: str, serves: bool
) -> None:
    found = decision(bound, champion_level)
    assert (found.alias, found.serves) == (alias, serves)
    assert found.verdict.promoted is (alias == "champion")
    assert found.evidence.verdict == found.verdict


def test_trials_are_counted_and_kept_where_none_are_given() -> None:
    candidate = losses(0.6)
    counted = decide(evidence(0.01), candidate, None, [losses(0.68, 2)]).evidence
    assert counted.trials.count == 2
    assert decide(counted, candidate, None).evidence.trials == counted.trials
    assert decide(evidence(0.01), candidate, None).evidence.trials is None


def test_the_evidence_given_is_not_changed() -> None:
    given = evidence(0.01)
    decide(given, losses(0.6), Champion(4, "run", losses(0.65)), [])
    assert given == evidence(0.01)
