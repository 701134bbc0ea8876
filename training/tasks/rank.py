"""The IV rank itself, five sessions ahead, by the same paths as the regime's."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Int64

from market.errors import InputError
from training.fit.fit import Fit, fit_rows
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.models.catalogue import model_type
from training.settings import Settings
from training.tasks import regime
from training.tasks.declare import Trainable

MODEL: Final = "paths"  # the one regime model that says more than three classes


def _check(settings: Settings) -> None:
    regime.check_model(settings)
    if settings.model_type != MODEL:
        raise InputError(
            f"--mode regression: got model type {settings.model_type!r:.40}, allowed is {MODEL}: "
            "the others forecast classes"
        )


def _fit(rows: Rows, train: Int64[np.ndarray, " n_train"], settings: Settings) -> Fit:
    fit = fit_rows(rows, train, model_type(regime.NAME, MODEL), settings.n_features)
    if not isinstance(fit, Fit):
        raise TypeError(f"{MODEL} is one model")
    return fit


def _finish(rows: Rows, _folds: Sequence[Fold], _fits: Sequence[Fit], settings: Settings) -> Fit:
    """Return the fit of all rows: paths choose nothing out of fold."""
    return _fit(rows, np.arange(len(rows.sessions)), settings)


RANK: Final[Trainable[Fit]] = Trainable(
    name="rank",
    rows=regime.ticker_rows,
    fit=_fit,
    finish=_finish,
    service=regime.regime_service,
    check=_check,
    require=regime.require_tested,
)
