"""Whether a candidate is proven and promoted (Decision 11): a pure function of evidence."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from market.bootstrap import MEAN_BLOCK

#: Fewer common sessions than three mean blocks of the bootstrap say nothing of either model.
MIN_COMMON_SESSIONS: Final = 3 * MEAN_BLOCK
SPA_SIZE: Final = 0.05  # how often the best of idle trials may pass the reality check
TOLERANCE: Final = 1e-9  # nats; the same recipe on the same rows is not worse than itself


@dataclass(frozen=True)
class Verdict:
    """`proven`: better than the baseline. `promoted`: also not worse than the champion."""

    proven: bool
    promoted: bool
    words: str

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as evidence holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Gate:
    """By how much a candidate is better than the baseline it must beat, in the unit of the metric.

    Attributes
    ----------
    interval, bound
        95 % interval and one-sided bound of the improvement, None where they are not defined.
    """

    metric: str
    baseline: str
    value: float | None
    baseline_value: float | None
    improvement: float | None
    interval: list[float] | None
    bound: float | None

    @classmethod
    def against(cls, baseline: str, difference: Mapping[str, Any]) -> "Gate":
        """Return the gate of a baseline from its row of `measures.measure`'s `difference`."""
        return cls(
            metric=difference["metric"],
            baseline=baseline,
            value=difference["model"],
            baseline_value=difference["baseline_value"],
            improvement=difference["value"],
            interval=difference["interval"],
            bound=difference["bound"],
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the gate as evidence holds it."""
        return asdict(self)


def judge(evidence: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a candidate from its evidence.

    Parameters
    ----------
    evidence
        Needs `gate` (metric, baseline, value, baseline_value, improvement, interval, bound)
        and `champion` (None, or version, sessions, loss, champion_loss on common sessions).
        `trials` (count, spa), where present, has to be survived by what is called proven.
    """
    beats_baseline, figures = _against_baseline(Gate(**evidence["gate"]))
    survives, checked = _against_trials(evidence.get("trials"))
    proven = beats_baseline and survives
    beats = f"{'proven' if proven else 'not proven'}: {figures}"
    # A gain that is nothing on its own is not made less by its trials.
    if beats_baseline and checked is not None:
        beats = f"{beats}; {checked}"
    champion = evidence["champion"]
    if champion is None:
        ending = "no champion to compare with" if proven else "not promoted"
        return Verdict(proven, proven, f"{beats}; {ending}")
    not_worse, compared = _against_champion(champion)
    promoted = proven and not_worse
    ending = "promoted" if promoted else "not promoted"
    return Verdict(proven, promoted, f"{beats}; {compared}; {ending}")


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


def _against_trials(trials: Mapping[str, Any] | None) -> tuple[bool, str | None]:
    """Return whether the claim survives the number of trials, and how; a single one does."""
    if trials is None or trials["count"] <= 1:
        return True, None
    best = f"the best of {trials['count']} trials"
    spa = trials["spa"]
    if spa is None:
        return False, (
            f"{best} cannot be checked: {trials['sessions']} common sessions, "
            f"needed {MIN_COMMON_SESSIONS}"
        )
    found = f"(SPA p = {spa['consistent']:.3f}, needed below {SPA_SIZE})"
    if spa["consistent"] >= SPA_SIZE:
        return False, f"{best} does not survive their number {found}"
    if not spa["superior"]:
        return False, f"{best} survives their number {found}, but this is not among those that do"
    return True, f"survives the number of {trials['count']} trials {found}"


def _against_champion(champion: Mapping[str, Any]) -> tuple[bool, str]:
    version, sessions = champion["version"], champion["sessions"]
    if sessions < MIN_COMMON_SESSIONS:
        return False, (
            f"champion version {version} shares {sessions} sessions, "
            f"needed {MIN_COMMON_SESSIONS} to compare"
        )
    not_worse = bool(champion["loss"] <= champion["champion_loss"] + TOLERANCE)
    return not_worse, (
        f"{'not worse' if not_worse else 'worse'} than champion version {version} on "
        f"{sessions} common sessions (log loss {champion['loss']:.4f} against "
        f"{champion['champion_loss']:.4f})"
    )
