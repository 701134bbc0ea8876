"""Who becomes champion and what serves: the table of states, and how evidence comes to a state."""

import itertools
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from home.records.evidence import Standing
from home.records.training.evidence import TrainingEvidence
from tests.training.evidences import bare, gate
from training.judge.against_champion import Champion
from training.judge.decide import Contest, Decision, Incumbents, Place, decide, place

DAYS = pd.bdate_range("2020-01-01", periods=300)
STANDINGS, CONTESTS = get_args(Standing), get_args(Contest)

# Standing, contest with the champion, another unrefuted version -> alias, what serves.
STATES = {
    ("proven", "none", False): ("champion", "candidate"),
    ("proven", "none", True): ("champion", "candidate"),
    ("proven", "won", True): ("champion", "candidate"),
    ("proven", "lost", True): ("challenger", "incumbent"),
    ("unproven", "none", False): ("challenger", "candidate"),
    ("unproven", "none", True): ("challenger", "candidate"),
    ("unproven", "won", True): ("challenger", "incumbent"),
    ("unproven", "lost", True): ("challenger", "incumbent"),
    ("refuted", "none", False): (None, "baseline"),
    ("refuted", "none", True): (None, "incumbent"),
    ("refuted", "won", True): (None, "incumbent"),
    ("refuted", "lost", True): (None, "incumbent"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_table_of_states(state: tuple[Standing, Contest, bool]) -> None:
    standing, contest, unrefuted = state
    assert place(standing, contest, unrefuted=unrefuted) == Place(*STATES[state])


def test_every_state_is_in_the_table() -> None:
    """A champion is an unrefuted version itself: beside one there is no state without."""
    states = itertools.product(STANDINGS, CONTESTS, (False, True))
    assert set(STATES) == {one for one in states if one[1] == "none" or one[2]}


@pytest.mark.parametrize("state", STATES)
def test_a_trial_changes_nothing(state: tuple[Standing, Contest, bool]) -> None:
    standing, contest, unrefuted = state
    found = place(standing, contest, unrefuted=unrefuted, trial=True)
    assert found == Place(None, "incumbent")


def losses(level: float, seed: int = 0, noise: float = 0.05) -> pd.DataFrame:
    drawn = noise * np.random.default_rng(seed).random(len(DAYS))
    return pd.DataFrame({"session": DAYS, "fold": 1, "loss": level + drawn, "baseline_loss": 0.69})


def evidence(standing: Standing) -> TrainingEvidence:
    figures = {"proven": (0.01, 0.1), "unproven": (-0.01, 0.1), "refuted": (-0.2, -0.1)}
    low, high = figures[standing]
    return bare(gate(low, [low, high]))


def decision(
    standing: Standing, rival: pd.DataFrame | None = None, *, same_recipe: bool = False
) -> Decision:
    champion = None if rival is None else Champion(4, "run", rival)
    before = Incumbents(champion, same_recipe, unrefuted=champion is not None)
    return decide(evidence(standing), losses(0.6), before, [])


@pytest.mark.parametrize("standing", STANDINGS)
def test_the_verdict_says_the_word_and_the_place(standing: Standing) -> None:
    found = decision(standing)
    assert found.verdict.standing == standing
    assert found.verdict.words.startswith(f"{standing}: ")
    assert found.verdict.proven is (standing == "proven")
    assert found.verdict.promoted is (found.place.alias == "champion")
    assert found.evidence.verdict == found.verdict
    assert ("the baseline serves" in found.verdict.words) is (standing == "refuted")


# Another recipe beside the champion: the interval of the difference, and whose mean is better.
CLEARLY_BETTER, CLEARLY_WORSE = losses(0.65), losses(0.55)
STRADDLING_BETTER, STRADDLING_WORSE = losses(0.455, 1, 0.36), losses(0.448, 1, 0.36)


@pytest.mark.parametrize(
    ("rival", "sides", "alias"),
    [
        (CLEARLY_BETTER, (1, 1), "champion"),
        (STRADDLING_BETTER, (-1, 1), "champion"),
        (STRADDLING_WORSE, (-1, 1), "challenger"),
        (CLEARLY_WORSE, (-1, -1), "challenger"),
    ],
)
def test_another_recipe_replaces_a_champion_by_the_better_mean(
    rival: pd.DataFrame, sides: tuple[int, int], alias: str
) -> None:
    found = decision("proven", rival)
    interval = found.evidence.champion.interval
    assert tuple(int(np.sign(end)) for end in interval) == sides
    assert found.place.alias == alias


@pytest.mark.parametrize("rival", [CLEARLY_BETTER, STRADDLING_WORSE, CLEARLY_WORSE])
def test_the_champion_s_own_recipe_is_refreshed_without_a_contest(rival: pd.DataFrame) -> None:
    assert decision("proven", rival, same_recipe=True).place == Place("champion", "candidate")
    assert decision("unproven", rival, same_recipe=True).place == Place("challenger", "incumbent")
    assert decision("refuted", rival, same_recipe=True).place == Place(None, "incumbent")


def test_trials_are_counted_and_kept_where_none_are_given() -> None:
    candidate = losses(0.6)
    counted = decide(evidence("proven"), candidate, Incumbents(), [losses(0.68, 2)]).evidence
    assert counted.trials.count == 2
    assert decide(counted, candidate, Incumbents()).evidence.trials == counted.trials
    assert decide(evidence("proven"), candidate, Incumbents()).evidence.trials is None


def test_the_evidence_given_is_not_changed() -> None:
    given = evidence("proven")
    decide(given, losses(0.6), Incumbents(Champion(4, "run", losses(0.65))), [])
    assert given == evidence("proven")
