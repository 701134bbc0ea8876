"""Whether a candidate is proven, unproven or refuted, and how it fares beside the champion.

A pure function of evidence (Decisions 11, 20 and 21).
"""

from typing import Final

from home.records.evidence import Standing, standing_of
from home.records.training.judged import Compared, Gate, Trials, Verdict
from market.bootstrap import MEAN_BLOCK

#: Fewer common sessions than three mean blocks of the bootstrap say nothing of either model.
MIN_COMMON_SESSIONS: Final = 3 * MEAN_BLOCK
SPA_SIZE: Final = 0.05  # how often the best of idle trials may pass the reality check
#: The gate's metrics as words say them; of each less is better.
METRICS: Final = {"log_loss": "log loss", "crps": "CRPS"}
TOLERANCE: Final = 1e-9  # of a loss; the same forecasts are not worse than themselves


def stand(gate: Gate, trials: Trials | None = None) -> tuple[Standing, str]:
    """Return the standing of a candidate against its baseline, and why.

    Parameters
    ----------
    gate
        The baseline that it must beat.
    trials
        Where they are counted, what is called proven has to survive them.
    """
    beats_baseline, figures = _against_baseline(gate)
    survives, checked = _against_trials(trials)
    standing = standing_of(beats_baseline and survives, gate.interval)
    words = f"{standing}: {figures}"
    # A gain that is nothing on its own is not made less by its trials.
    return standing, f"{words}; {checked}" if beats_baseline and checked is not None else words


def judge(gate: Gate) -> Verdict:
    """Return the verdict on a candidate alone: no trials, no champion."""
    standing, words = stand(gate)
    proven = standing == "proven"
    return Verdict(proven=proven, standing=standing, promoted=proven, words=words)


def beats_champion(
    champion: Compared, *, same_recipe: bool, metric: str = "log_loss"
) -> tuple[bool, str]:
    """Return whether a proven candidate takes a champion's place, and why (Decision 21).

    A champion's own recipe, trained again, is a refresh. Another replaces it unless the interval of
    the difference lies wholly on the champion's side; where it straddles 0, the better mean wins.
    """
    version, sessions = champion.version, champion.sessions
    if same_recipe:
        return True, f"a refresh of champion version {version}, whose recipe it is"
    if sessions < MIN_COMMON_SESSIONS:
        return False, (
            f"champion version {version} shares {sessions} sessions, "
            f"needed {MIN_COMMON_SESSIONS} to compare"
        )
    if champion.loss is None or champion.champion_loss is None:
        return False, f"champion version {version} has no loss to compare with"
    beyond = champion.interval is not None and champion.interval[-1] < 0.0
    wins = not beyond and champion.loss <= champion.champion_loss + TOLERANCE
    by = ""
    if champion.interval is not None:
        low, high = champion.interval
        mean = champion.champion_loss - champion.loss
        by = f", {gain(mean)}, 95 % interval {low:+.4f} to {high:+.4f}"
    return wins, (
        f"{'not worse' if wins else 'worse'} than champion version {version} on "
        f"{sessions} common sessions ({METRICS[metric]} {champion.loss:.4f} against "
        f"{champion.champion_loss:.4f}{by})"
    )


def gain(difference: float | None, decimals: int = 4) -> str:
    """Return a difference in words that agree with its sign; its interval keeps the signs."""
    if difference is None:
        return "by how much is unknown"
    return f"{'worse' if difference < 0.0 else 'better'} by {abs(difference):.{decimals}f}"


def _against_baseline(gate: Gate) -> tuple[bool, str]:
    name = f"{gate.baseline.replace('_', ' ')}'s"
    loss = METRICS[gate.metric]
    if gate.bound is None or gate.improvement is None or gate.interval is None:
        return False, f"the difference from the {name} {loss} has no interval"
    low, high = gate.interval
    figures = (
        f"pooled out-of-fold {loss} {gate.value:.4f} against the {name} "
        f"{gate.baseline_value:.4f}, {gain(gate.improvement)} "
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
