"""The direction of the adjusted close, five sessions ahead: UP or DOWN (Decision 7)."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from feature_repo.features.catalogue import FLAG_GROUPS
from market.errors import InputError, UnknownName
from market.targets import DIRECTIONS
from training.fit.fit import Fit, Mixed
from training.fit.mixture import Forecaster, calibrated, fit_direction
from training.fit.threshold import CRITERIA
from training.fit.whole import fit_all, tested_labels, tested_values
from training.frames.folds import Fold
from training.frames.rows import Rows, direction_rows
from training.models.catalogue import model_type
from training.settings import OPTIONS, Settings
from training.tasks.baselines import COIN, DIRECTION_BASELINES, fit_coin, fit_prior
from training.tasks.declare import Task
from training.tasks.scores import direction_scores

NAME: Final = "direction"


def direction_service(views: Iterable[str] = ()) -> str:
    """Return the name of the feature service of a direction model with these optional views."""
    asked = set(views)
    return "_".join([NAME, *(view for view in FLAG_GROUPS if view in asked)])


def _check(settings: Settings) -> None:
    model_type(NAME, settings.model_type)
    if settings.threshold_criterion not in CRITERIA:
        raise UnknownName("unknown threshold criterion", settings.threshold_criterion, CRITERIA)


def _rows(
    frame: pd.DataFrame, prices: pd.DataFrame | None, ticker: str, settings: Settings
) -> Rows:
    if prices is None:
        raise TypeError("a direction needs the prices that its labels come from")
    if settings.pooled and "ticker" not in prices:
        raise InputError("prices of a pooled training lack their ticker: got rows of no one's")
    return direction_rows(frame, prices, ticker, settings.horizon, settings.safe_features)


def _fit(rows: Rows, train: Int64[np.ndarray, " n_train"], settings: Settings) -> Forecaster:
    model = model_type(NAME, settings.model_type)
    return fit_direction(rows, train, model, settings.n_features, _criterion(settings))


def _finish(
    rows: Rows, folds: Sequence[Fold], forecasters: Sequence[Forecaster], settings: Settings
) -> Forecaster:
    """Return the fit of all rows, calibrated on the whole window's out-of-fold values."""
    return calibrated(
        fit_all(rows, model_type(NAME, settings.model_type), settings.n_features),
        tested_values(rows, folds, forecasters, _decision),
        tested_labels(rows, folds),
        _criterion(settings),
    )


def _decision(
    fit: Fit | Mixed, values: Float64[np.ndarray, "n_rows n_names"]
) -> Float64[np.ndarray, " n_rows"]:
    return fit.decision(values)


def _criterion(settings: Settings) -> str | None:
    return settings.threshold_criterion if settings.optimize_threshold else None


# Pooling has shown nothing for directions: they are trained on the ticker's own window.
DIRECTION: Final = Task(
    name=NAME,
    rows=_rows,
    fit=_fit,
    finish=_finish,
    service=lambda _: direction_service(),
    check=_check,
    options=OPTIONS,
    needs_prices=True,
    classes=DIRECTIONS,
    scores=direction_scores,
    baselines=DIRECTION_BASELINES,
    gate_baselines={"class_prior": fit_prior, COIN: fit_coin(1)},
    file_stem="robust_classifier",
    has_flat=True,
    headline=("log_loss", "auc", "accuracy"),
    preset={"optimize_threshold": True},
)
