"""What a forecast is right and wrong about, and what it rests on: curves and importance."""

from typing import Annotated

from pydantic import Field

from home.records.record import Record
from home.records.training.words import Absent, Interval


class Bin(Record):
    """How often happened what was given a probability between `low` and `high`, with an interval.

    `stated` is the mean probability of its `count` sessions.
    """

    low: float
    high: float
    stated: float
    frequency: float
    count: int
    interval: Interval


class Roc(Record):
    """The ROC curve of P(UP), and the point (false, true positive rate) of the calls."""

    false_positive_rate: list[float]
    true_positive_rate: list[float]
    calls: Annotated[list[float], Field(min_length=2, max_length=2)]


class ClassScores(Record):
    """Scores of a class; None where the denominator is zero. `support` is a count of sessions."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class Confusion(Record):
    """Counts of sessions by outcome (rows) and call (columns), and the scores of each class."""

    classes: list[str]
    counts: list[list[int]]
    by_class: dict[str, ClassScores]


class DayCurves(Record):
    """The curves of some sessions.

    Attributes
    ----------
    reliability
        Bins by class.
    roc
        Of two classes only.
    confusion
        By `model` and the name of each baseline.
    """

    sessions: int
    reliability: dict[str, list[Bin]]
    roc: Roc | None
    confusion: dict[str, Confusion]


class Rolling(Record):
    """Rolling mean log losses, in nats; None where too few sessions have a loss."""

    sessions: list[str]
    model: list[float | None]
    baseline: list[float | None]


class Cumulative(Record):
    """The sum of the baseline's loss less the model's so far, in nats."""

    sessions: list[str]
    difference: list[float | None]


class OverTime(Record):
    """When the model was better than the gate's baseline.

    Attributes
    ----------
    window
        Sessions of a rolling mean.
    folds
        The session at which each test part starts.
    """

    baseline: str
    window: int
    rolling: Rolling
    cumulative: Cumulative
    folds: list[str]


class Curves(Record):
    """The curves of a training; `all_days` where some sessions have no class."""

    decided: DayCurves
    all_days: Absent[DayCurves] = None
    over_time: OverTime


class Rise(Record):
    """By how much the log loss rises, in nats, without what a feature or a view says.

    Attributes
    ----------
    increase
        Mean over repeats, folds by their sessions.
    spread
        Standard deviation over repeats, None of a single one.
    by_fold
        None for a fold that does not read it.
    """

    name: str
    increase: float
    spread: float | None
    by_fold: list[float | None]


class Permutation(Record):
    """Permutation importance on the test parts, the most important first."""

    features: list[Rise]
    views: list[Rise]


class LinearWeight(Record):
    """The weight of a feature by class, in log-odds per standard deviation.

    Attributes
    ----------
    folds
        How many that knew every class chose it.
    low, high
        Over those folds, None where there is none.
    """

    name: str
    weights: dict[str, float]
    folds: int
    low: dict[str, float] | None
    high: dict[str, float] | None


class Importance(Record):
    """What a forecast rests on; `weights` is None of a model without a linear part."""

    permutation: Permutation
    weights: list[LinearWeight] | None
