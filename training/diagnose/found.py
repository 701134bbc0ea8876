"""What a diagnosis finds. Pure."""

from dataclasses import asdict, dataclass

from home.strict_json import Json
from training.diagnose.features import Alone, Moved


@dataclass(frozen=True)
class Learned:
    """The score on one test part after training on so many sessions before it.

    Attributes
    ----------
    start
        First session trained on.
    baseline
        The harder of the gate's on this test part, which differs with what it was fitted on.
    difference
        The baseline's log loss minus the model's, in nats, with its interval.
    score
        The task's second headline score.
    why_not
        Where the part cannot be fitted; the figures are None then.
    """

    sessions: int
    start: str
    rows: int
    baseline: str | None = None
    tested: int | None = None
    log_loss: float | None = None
    baseline_log_loss: float | None = None
    difference: float | None = None
    interval: list[float] | None = None
    score: float | None = None
    why_not: str | None = None

    def document(self, score: str) -> dict[str, Json]:
        """Return plain values, the score under its name."""
        return {score if name == "score" else name: value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class SecondOpinion:
    """The gain over the baseline in combinatorial folds, in nats a session.

    Attributes
    ----------
    splits
        Those that could be fitted; without one the figures are None.
    better
        The share of splits with a gain.
    """

    splits: int
    mean: float | None
    lowest: float | None
    highest: float | None
    better: float | None


@dataclass(frozen=True)
class Far:
    """A feature's value, and how many standard deviations it lies from its training mean."""

    name: str
    value: float
    deviations: float


@dataclass(frozen=True)
class WorstDay:
    """A session with a large log loss, in nats: what was said of it, and what happened.

    Attributes
    ----------
    furthest
        The features read that lay the most standard deviations from their mean in the training
        part that the forecast came from.
    """

    session: str
    fold: int
    loss: float
    probabilities: dict[str, float]
    called: str
    happened: str
    furthest: list[Far]


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis of a recipe.

    Attributes
    ----------
    features
        The most informative first.
    drift, worst_days
        The worst first.
    """

    learning_curve: list[Learned]
    second_opinion: SecondOpinion
    features: list[Alone]
    drift: list[Moved]
    worst_days: list[WorstDay]
