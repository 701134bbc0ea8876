import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.records.training.judged import Compared, DeflatedScore, Gate, RealityCheck, Trials
from training.judge.gate import MIN_COMMON_SESSIONS, beats_champion, gain, judge, stand

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
    ("bound", "standing"),
    [
        (0.002, "proven"),
        (0.0, "unproven"),
        (-0.029, "unproven"),
        (-0.03, "unproven"),
        (-0.031, "refuted"),
        (None, "unproven"),
    ],
)
def test_the_gate_case_by_case(bound: float | None, standing: str) -> None:
    """The interval reaches 0.03 beyond the bound: refuted lies wholly below 0."""
    verdict = judge(gate(bound))
    assert verdict.standing == standing
    assert (verdict.proven, verdict.promoted) == (standing == "proven",) * 2
    assert verdict.words.startswith(f"{standing}: ")


@pytest.mark.parametrize(
    ("rival", "wins"),
    [
        (champion(0.64, 0.65), True),
        (champion(0.65, 0.65), True),
        (champion(0.66, 0.65), False),
        (champion(0.60, 0.65, MIN_COMMON_SESSIONS), True),
        (champion(0.60, 0.65, MIN_COMMON_SESSIONS - 1), False),
        (champion(None, None, 0), False),
    ],
)
def test_beside_the_champion_case_by_case(rival: Compared, wins: bool) -> None:
    assert beats_champion(rival, same_recipe=False)[0] is wins
    assert beats_champion(rival, same_recipe=True)[0]


def test_an_interval_wholly_on_the_champion_s_side_loses_whatever_the_mean() -> None:
    rival = champion(0.60, 0.65).model_copy(update={"interval": [-0.2, -0.1]})
    assert not beats_champion(rival, same_recipe=False)[0]


@given(bound=FIGURES)
def test_nothing_is_proven_and_refuted(bound: float) -> None:
    verdict = judge(gate(bound))
    assert verdict.proven is (bound > 0)
    assert (verdict.standing == "refuted") is (bound + 0.03 < 0)


@given(mine=FIGURES, theirs=FIGURES, sessions=st.integers(0, 200))
def test_no_better_champion_is_beaten(mine: float, theirs: float, sessions: int) -> None:
    if beats_champion(champion(mine, theirs, sessions), same_recipe=False)[0]:
        assert mine <= theirs + 1e-9
        assert sessions >= MIN_COMMON_SESSIONS


def test_the_words_hold_the_figures_with_baseline_and_interval() -> None:
    words = judge(gate(-0.002)).words
    for part in (
        "unproven",
        "0.6500",
        "class prior",
        "0.6600",
        "-0.0120 to +0.0280",
        "-0.0020",
        "better by 0.0",
    ):
        assert part in words


def test_what_is_worse_is_not_called_better() -> None:
    assert gain(-0.01234) == "worse by 0.0123"
    assert gain(0.5, 2) == "better by 0.50"


def beside(rival: Compared) -> str:
    return beats_champion(rival, same_recipe=False)[1]


def test_the_words_name_the_champion_and_why() -> None:
    spread = champion(0.7, 0.6).model_copy(update={"interval": [-0.15, -0.05]})
    lost = beside(spread)
    assert lost.startswith("worse than champion version 3")
    assert "0.6000, worse by 0.1000, 95 % interval -0.1500 to -0.0500)" in lost
    assert "not worse than champion version 3" in beside(champion(0.6, 0.7))
    assert "shares 7 sessions, needed 60" in beside(champion(0.6, 0.7, 7))


def test_an_unmeasured_difference_says_so() -> None:
    verdict = judge(gate(None))
    assert "has no interval" in verdict.words
    assert verdict.proven is False


def test_a_champion_without_a_loss_is_not_stood_up_to() -> None:
    wins, words = beats_champion(champion(0.6, None), same_recipe=False)
    assert not wins
    assert words == "champion version 3 has no loss to compare with"


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
    standing, said = stand(gate(0.002), tried)
    assert standing == ("proven" if proven else "unproven")
    assert said.startswith(f"{standing}:")
    assert words is None or words in said
    assert words is not None or "trial" not in said


def test_trials_make_nothing_proven_that_was_not() -> None:
    for bound in (-0.002, -0.1):
        assert stand(gate(bound), trials(7, 0.001)) == stand(gate(bound))
