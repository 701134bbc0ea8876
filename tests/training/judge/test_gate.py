import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.records.training.judged import Compared, DeflatedScore, Gate, RealityCheck, Trials
from training.judge.gate import MIN_COMMON_SESSIONS, judge

FIGURES = st.floats(-1, 1)


def gate(bound: float | None, improvement: float | None = 0.01) -> Gate:
    return Gate(
        metric="log_loss",
        baseline="class_prior",
        value=0.65,
        baseline_value=0.66,
        improvement=improvement,
        interval=None if bound is None else [bound - 0.01, bound + 0.03],
        bound=bound,
    )


def champion(loss: float | None, champion_loss: float | None, sessions: int = 500) -> Compared:
    return Compared(
        version=3,
        run_id="run",
        sessions=sessions,
        loss=loss,
        champion_loss=champion_loss,
        difference=None,
        interval=None,
    )


@pytest.mark.parametrize(
    ("bound", "rival", "proven", "promoted"),
    [
        (0.002, None, True, True),
        (0.0, None, False, False),
        (-0.002, None, False, False),
        (None, None, False, False),
        (0.002, champion(0.64, 0.65), True, True),
        (0.002, champion(0.65, 0.65), True, True),
        (0.002, champion(0.66, 0.65), True, False),
        (-0.002, champion(0.60, 0.65), False, False),
        (0.002, champion(0.60, 0.65, MIN_COMMON_SESSIONS), True, True),
        (0.002, champion(0.60, 0.65, MIN_COMMON_SESSIONS - 1), True, False),
        (0.002, champion(None, None, 0), True, False),
        (None, champion(0.60, 0.65), False, False),
    ],
)
def test_the_gate_case_by_case(
    bound: float | None, rival: Compared | None, proven: bool, promoted: bool
) -> None:
    verdict = judge(gate(bound), rival)
    assert (verdict.proven, verdict.promoted) == (proven, promoted)


@given(bound=FIGURES, mine=FIGURES, theirs=FIGURES, sessions=st.integers(0, 200))
def test_nothing_is_promoted_unproven_or_against_a_better_champion(
    bound: float, mine: float, theirs: float, sessions: int
) -> None:
    verdict = judge(gate(bound), champion(mine, theirs, sessions))
    assert verdict.proven is (bound > 0)
    if verdict.promoted:
        assert verdict.proven
        assert mine <= theirs + 1e-9
        assert sessions >= MIN_COMMON_SESSIONS


def test_the_words_hold_the_figures_with_baseline_and_interval() -> None:
    words = judge(gate(-0.002), None).words
    for part in ("not proven", "0.6500", "class prior", "0.6600", "-0.0120 to +0.0280", "-0.0020"):
        assert part in words


def test_the_words_name_the_champion_and_why() -> None:
    assert "worse than champion version 3" in judge(gate(0.1), champion(0.7, 0.6)).words
    assert "not worse than champion version 3" in judge(gate(0.1), champion(0.6, 0.7)).words
    assert "shares 7 sessions, needed 60" in judge(gate(0.1), champion(0.6, 0.7, 7)).words


def test_an_unmeasured_difference_says_so() -> None:
    verdict = judge(gate(None), None)
    assert "has no interval" in verdict.words
    assert verdict.proven is False


def test_a_champion_without_a_loss_is_not_stood_up_to() -> None:
    verdict = judge(gate(0.1), champion(0.6, None))
    assert (verdict.proven, verdict.promoted) == (True, False)
    assert "champion version 3 has no loss to compare with" in verdict.words


def trials(count: int, p: float | None, superior: bool = True) -> Trials:
    spa = None
    if p is not None:
        spa = RealityCheck(lower=p, consistent=p, upper=p, superior=superior)
    deflated = DeflatedScore()
    return Trials(count=count, compared=count, sessions=40, spa=spa, deflated=deflated, words="")


@pytest.mark.parametrize(
    ("tried", "proven", "words"),
    [
        (trials(1, 0.40), True, None),
        (trials(1, None), True, None),
        (trials(7, 0.049), True, "survives the number of 7 trials (SPA p = 0.049"),
        (trials(7, 0.050), False, "the best of 7 trials does not survive their number"),
        (trials(7, 0.001, superior=False), False, "this is not among those that do"),
        (trials(7, None), False, "cannot be checked: 40 common sessions, needed 60"),
    ],
)
def test_a_claim_has_to_survive_the_number_of_its_trials(
    tried: Trials, proven: bool, words: str | None
) -> None:
    verdict = judge(gate(0.002), None, tried)
    assert (verdict.proven, verdict.promoted) == (proven, proven)
    assert verdict.words.startswith("proven:" if proven else "not proven:")
    assert words is None or words in verdict.words
    assert words is not None or "trial" not in verdict.words


def test_trials_make_nothing_proven_that_was_not() -> None:
    plain = judge(gate(-0.002), None)
    assert judge(gate(-0.002), None, trials(7, 0.001)) == plain


def test_what_does_not_survive_its_trials_replaces_no_champion() -> None:
    assert judge(gate(0.002), champion(0.60, 0.65), trials(7, 0.2)).promoted is False
