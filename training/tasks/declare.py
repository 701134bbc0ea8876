"""The two things that are forecast: classes, scores, baselines and gate of each, one row."""

from dataclasses import dataclass
from typing import Final

from market.targets import DIRECTIONS, REGIMES
from training.tasks.baselines import DIRECTION_BASELINES, REGIME_BASELINES, Baseline
from training.tasks.scores import Scores, direction_scores, regime_scores


@dataclass(frozen=True)
class Task:
    """A forecast: its classes by code, how it is scored, and what it must beat.

    `gate_baseline` is the baseline of Decision 11, `file_stem` begins a model's file name,
    `has_flat` says whether some sessions are scored that have no class.
    """

    name: str
    classes: tuple[str, ...]
    scores: Scores
    baselines: dict[str, Baseline]
    gate_baseline: str
    file_stem: str
    has_flat: bool


DIRECTION: Final = Task(
    name="direction",
    classes=DIRECTIONS,
    scores=direction_scores,
    baselines=DIRECTION_BASELINES,
    gate_baseline="class_prior",
    file_stem="robust_classifier",
    has_flat=True,
)
REGIME: Final = Task(
    name="regime",
    classes=REGIMES,
    scores=regime_scores,
    baselines=REGIME_BASELINES,
    gate_baseline="transition_table",
    file_stem="volatility_forecaster",
    has_flat=False,
)
TASKS: Final = {task.name: task for task in (DIRECTION, REGIME)}
