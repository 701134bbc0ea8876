"""How good out-of-fold forecasts are: scores, and differences with their intervals.

No score stands alone: beside it are the baseline's score, the difference (positive: the model is
better) and its 95 % interval (Decision 10).
"""

from home.records.record import Record
from home.records.training.words import Figures, Interval


class Difference(Record):
    """The headline difference from a baseline, in the unit of `metric`.

    `bound` is the one-sided 95 % bound of `value`; None where it is not defined.
    """

    metric: str
    model: float | None
    baseline_value: float | None
    value: float | None
    interval: Interval | None
    bound: float | None


class ScoreBeside(Record):
    """A score beside a baseline's, in its own unit."""

    score: str
    model: float | None
    baseline: str
    baseline_value: float | None
    difference: float | None
    interval: Interval | None


class Measured(Record):
    """The figures of the decided sessions.

    Attributes
    ----------
    baselines, difference
        By baseline.
    comparison
        Every score against the gate's baseline.
    """

    scores: Figures
    baselines: dict[str, Figures]
    difference: dict[str, Difference]
    comparison: list[ScoreBeside]


class AllDays(Record):
    """The figures of all scored sessions, FLAT ones by the sign of their return.

    `label_accuracy` among the scores is the share of sessions whose call was the label: a FLAT
    one is a miss.
    """

    scores: Figures
    sessions: int
    comparison: list[ScoreBeside]


class AtHalf(Record):
    """The figures of calls at a threshold of 0.50 on decided sessions (Decision 9)."""

    scores: Figures
    comparison: list[ScoreBeside]
