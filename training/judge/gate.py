"""Whether a candidate is proven and promoted (Decision 11): a pure function of evidence."""

from typing import Final

from home.records.training.judged import Compared, Gate, Trials, Verdict
from market.bootstrap import MEAN_BLOCK

#: Fewer common sessions than three mean blocks of the bootstrap say nothing of either model.
MIN_COMMON_SESSIONS: Final = 3 * MEAN_BLOCK
SPA_SIZE: Final = 0.05  # how often the best of idle trials may pass the reality check
TOLERANCE: Final = 1e-9  # nats; the same recipe on the same rows is not worse than itself


def judge(gate: Gate, champion: Compared | None, trials: Trials | None = None) -> Verdict:
    """Return the verdict on a candidate.

    Parameters
    ----------
    gate
        The baseline that it must beat.
    champion
        Whom it has to stand up to on common sessions, None if there is none.
    trials
        Where they are counted, what is called proven has to survive them.
    """
    beats_baseline, figures = _against_baseline(gate)
    survives, checked = _against_trials(trials)
    proven = beats_baseline and survives
    beats = f"{'proven' if proven else 'not proven'}: {figures}"
    # A gain that is nothing on its own is not made less by its trials.
    if beats_baseline and checked is not None:
        beats = f"{beats}; {checked}"
    if champion is None:
        ending = "no champion to compare with" if proven else "not promoted"
        return Verdict(proven=proven, promoted=proven, words=f"{beats}; {ending}")
    not_worse, compared = _against_champion(champion)
    promoted = proven and not_worse
    ending = "promoted" if promoted else "not promoted"
    return Verdict(proven=proven, promoted=promoted, words=f"{beats}; {compared}; {ending}")


def _against_baseline(gate: Gate) -> tuple[bool, str]:
    name = f"{gate.baseline.replace('_', ' ')}'s"
    if gate.bound is None or gate.improvement is None or gate.interval is None:
        return False, f"the difference from the {name} log loss has no interval"
    low, high = gate.interval
    figures = (
        f"pooled out-of-fold log loss {gate.value:.4f} against the {name} "
        f"{gate.baseline_value:.4f}, better by {gate.improvement:+.4f} "
        f"(95 % interval {low:+.4f} to {high:+.4f}, one-sided bound {gate.bound:+.4f})"
    )
    return gate.bound > 0.0, figures


def _against_trials(trials: Trials | None) -> tuple[bool, str | None]:
    """Return whether the claim survives the number of trials, and how; a single one does."""
    if trials is None or trials.count <= 1:
        return True, None
    best = f"the best of {trials.count} trials"
    spa = trials.spa
    if spa is None:
        return False, (
            f"{best} cannot be checked: {trials.sessions} common sessions, "
            f"needed {MIN_COMMON_SESSIONS}"
        )
    found = f"(SPA p = {spa.consistent:.3f}, needed below {SPA_SIZE})"
    if spa.consistent >= SPA_SIZE:
        return False, f"{best} does not survive their number {found}"
    if not spa.superior:
        return False, f"{best} survives their number {found}, but this is not among those that do"
    return True, f"survives the number of {trials.count} trials {found}"


def _against_champion(champion: Compared) -> tuple[bool, str]:
    version, sessions = champion.version, champion.sessions
    if sessions < MIN_COMMON_SESSIONS:
        return False, (
            f"champion version {version} shares {sessions} sessions, "
            f"needed {MIN_COMMON_SESSIONS} to compare"
        )
    if champion.loss is None or champion.champion_loss is None:
        return False, f"champion version {version} has no loss to compare with"
    not_worse = champion.loss <= champion.champion_loss + TOLERANCE
    return not_worse, (
        f"{'not worse' if not_worse else 'worse'} than champion version {version} on "
        f"{sessions} common sessions (log loss {champion.loss:.4f} against "
        f"{champion.champion_loss:.4f})"
    )
