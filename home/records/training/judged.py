"""What is made of a candidate: gate, trials, champion, verdict (Decision 11)."""

from typing import Self

from home.records.evidence import Standing
from home.records.record import Record
from home.records.training.measured import Difference
from home.records.training.words import Interval


class Verdict(Record):
    """What is said of a candidate.

    Attributes
    ----------
    proven
        Better than the baseline, for all the trials.
    standing
        `proven`, `refuted` where it is worse than the baseline, otherwise `unproven`.
    promoted
        Whether it becomes the champion.
    """

    proven: bool
    standing: Standing
    promoted: bool
    words: str


class Gate(Record):
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
    interval: Interval | None
    bound: float | None

    @classmethod
    def against(cls, baseline: str, difference: Difference) -> Self:
        """Return the gate of a baseline from the difference from it."""
        return cls(
            metric=difference.metric,
            baseline=baseline,
            value=difference.model,
            baseline_value=difference.baseline_value,
            improvement=difference.value,
            interval=difference.interval,
            bound=difference.bound,
        )


class Compared(Record):
    """A candidate beside the champion on their common sessions: mean log losses, in nats.

    `difference` is positive where the candidate is better. Figures are None where the two have
    no session in common.
    """

    version: int
    run_id: str
    sessions: int
    loss: float | None
    champion_loss: float | None
    difference: float | None
    interval: Interval | None


class RealityCheck(Record):
    """P-values of the best of several trials.

    `superior` says whether the candidate is among the trials that are better than the baseline,
    all errors together at 5 %.
    """

    lower: float
    consistent: float
    upper: float
    superior: bool


class DeflatedScore(Record):
    """The probability that a gain is above what the best of N idle trials would show.

    Attributes
    ----------
    score
        Mean gain by its standard deviation.
    expected_maximum
        Of the scores of idle trials.
    effective_sessions
        As many independent sessions would give the mean the same variance.
    """

    score: float | None = None
    expected_maximum: float | None = None
    effective_sessions: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    probability: float | None = None


class Trials(Record):
    """What the number of trials leaves of a claim.

    Attributes
    ----------
    count
        Trials of the model, the candidate among them.
    compared, sessions
        Trials that share the candidate's sessions, and what they share.
    spa
        None with too few sessions.
    """

    count: int
    compared: int
    sessions: int
    spa: RealityCheck | None
    deflated: DeflatedScore
    words: str
