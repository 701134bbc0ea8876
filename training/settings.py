"""What a training is told. Values come from the composition root; nothing is read here."""

from dataclasses import dataclass

from feature_repo.features.services import VOLATILITY_INPUTS
from market.bootstrap import RESAMPLES
from market.errors import InputError
from market.targets import HORIZON
from training.fit.selection import N_FEATURES
from training.fit.threshold import CRITERIA
from training.frames.folds import N_FOLDS
from training.models import members, model_type


def direction_service(*, sentiment: bool = False, earnings: bool = False) -> str:
    """Return the name of the feature service of a direction model with these optional views."""
    optional = {"sentiment": sentiment, "earnings": earnings}
    return "_".join(["direction", *(view for view, asked in optional.items() if asked)])


def regime_service(word: str) -> str:
    """Return the name of the feature service that a regime model type reads."""
    read = {name for row in members(model_type("regime", word)) for name in row.inputs or ()}
    return "volatility_paths" if read - set(VOLATILITY_INPUTS) else "volatility"


@dataclass(frozen=True)
class DirectionSettings:
    """Settings of a direction training.

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
        What the model reads, see `direction_service`; its artifact names it.
    pooled
        Train on the rows of every underlying, not only on the ticker's.
    history
        Train on the sessions before the window as well.
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
    feature_service: str = "direction"
    pooled: bool = False
    history: bool = False

    def __post_init__(self) -> None:
        model_type("direction", self.model_type)
        _require_counts(self.n_features, self.n_folds, self.horizon)
        if self.threshold_criterion not in CRITERIA:
            raise InputError(
                f"unknown threshold criterion: got {self.threshold_criterion!r:.40}, "
                f"allowed are {', '.join(CRITERIA)}"
            )


@dataclass(frozen=True)
class RegimeSettings:
    """Settings of a volatility regime training; fields as in `DirectionSettings`.

    `feature_service` is the one that the model type reads, unless another is named.
    """

    ticker: str
    model_type: str = "logistic"
    n_features: int = N_FEATURES
    n_folds: int = N_FOLDS
    horizon: int = HORIZON
    resamples: int = RESAMPLES
    seed: int = 0
    feature_service: str = ""
    pooled: bool = False
    history: bool = False

    def __post_init__(self) -> None:
        model_type("regime", self.model_type)
        if not self.feature_service:
            object.__setattr__(self, "feature_service", regime_service(self.model_type))
        _require_counts(self.n_features, self.n_folds, self.horizon)


def _require_counts(n_features: int, n_folds: int, horizon: int) -> None:
    for name, count in (("n_features", n_features), ("n_folds", n_folds), ("horizon", horizon)):
        if count < 1:
            raise InputError(f"bad {name}: got {count}, allowed is 1 or more")
