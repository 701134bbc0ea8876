"""What a training is told. Values come from the composition root; nothing is read here."""

from dataclasses import dataclass
from typing import Final

from market.bootstrap import RESAMPLES
from market.errors import InputError
from market.targets import HORIZON
from training.fit.selection import N_FEATURES
from training.frames.folds import N_FOLDS

#: Settings that only some tasks have: their rows name them (`Trainable.options`).
OPTIONS: Final = ("safe_features", "optimize_threshold", "threshold_criterion")
COUNTS: Final = ("n_features", "n_folds", "horizon")


@dataclass(frozen=True)
class Settings:
    """Settings of a training; which of them a task has, its row says.

    Attributes
    ----------
    safe_features
        Leave out the price-level features.
    optimize_threshold
        Choose the UP threshold on out-of-fold predictions; otherwise it is 0.50.
    threshold_criterion
        What the threshold is chosen by: `f1` or `balanced_accuracy`.
    horizon
        Sessions ahead.
    seed
        Seed of the bootstrap, the only random part.
    feature_service
        What the model reads, and its artifact names; if empty, the task names it.
    pooled
        Train on the rows of every underlying, not only on the ticker's.
    history
        Train on the sessions before the window as well.

    Raises
    ------
    InputError
        If a count is below 1.
    """

    ticker: str
    model_type: str = "logistic"
    n_features: int = N_FEATURES
    safe_features: bool = False
    optimize_threshold: bool = False
    threshold_criterion: str = "f1"
    n_folds: int = N_FOLDS
    horizon: int = HORIZON
    resamples: int = RESAMPLES
    seed: int = 0
    feature_service: str = ""
    pooled: bool = False
    history: bool = False

    def __post_init__(self) -> None:
        for name in COUNTS:
            if (count := getattr(self, name)) < 1:
                raise InputError(f"bad {name}: got {count}, allowed is 1 or more")
