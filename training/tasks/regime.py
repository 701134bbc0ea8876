"""The IV regime, five sessions ahead: LOW, NORMAL or HIGH (Decision 3)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Int64

from feature_repo.features.services import VOLATILITY_INPUTS
from market.errors import InputError
from market.iv_rank import REGIMES
from training.fit.mixture import Forecaster, fit_regime, member_probabilities, weighted
from training.fit.whole import fit_all, tested_labels, tested_values
from training.frames.folds import Fold
from training.frames.rows import Rows, regime_rows
from training.models.catalogue import members, model_type
from training.models.transition_table import fit_table
from training.settings import Settings
from training.tasks.baselines import COIN, REGIME_BASELINES, fit_coin
from training.tasks.declare import Task
from training.tasks.scores import regime_scores

NAME: Final = "regime"


def regime_service(word: str) -> str:
    """Return the name of the feature service that a regime model type reads."""
    read = {name for row in members(model_type(NAME, word)) for name in row.inputs or ()}
    return "volatility_paths" if read - set(VOLATILITY_INPUTS) else "volatility"


def check_model(settings: Settings) -> None:
    """Refuse a model type that forecasts no regime."""
    model_type(NAME, settings.model_type)


def ticker_rows(
    frame: pd.DataFrame, _prices: pd.DataFrame | None, ticker: str, settings: Settings
) -> Rows:
    """Return the labelled rows of a ticker: labels come from the frame's own `iv_rank`."""
    return regime_rows(frame, ticker, settings.horizon)


def require_tested(rows: Rows) -> None:
    """Refuse rows of which those that may be tested lack a class."""
    _require_every_class(rows.labels[rows.tested])


def _fit(rows: Rows, train: Int64[np.ndarray, " n_train"], settings: Settings) -> Forecaster:
    return fit_regime(rows, train, model_type(NAME, settings.model_type), settings.n_features)


def _finish(
    rows: Rows, folds: Sequence[Fold], forecasters: Sequence[Forecaster], settings: Settings
) -> Forecaster:
    """Return the fit of all rows, weighted by the whole window's out-of-fold probabilities."""
    whole = fit_all(rows, model_type(NAME, settings.model_type), settings.n_features)
    for member in whole.fits:
        # A class that no fitted row has would be missing from what serves.
        _require_every_class(rows.labels[(rows.labels >= 0) & member.selection.usable(rows.values)])
    said = tested_values(rows, folds, forecasters, member_probabilities)
    return weighted(whole, said, tested_labels(rows, folds))


def _require_every_class(codes: Int64[np.ndarray, " n_rows"]) -> None:
    seen = [REGIMES[code] for code in np.unique(codes)]
    if len(seen) < len(REGIMES):
        raise InputError(
            f"regimes missing from the usable sessions: got {', '.join(seen)}, "
            f"needed {', '.join(REGIMES)}; train on a longer period (--period, --start)"
        )


REGIME: Final = Task(
    name=NAME,
    rows=ticker_rows,
    fit=_fit,
    finish=_finish,
    service=regime_service,
    check=check_model,
    require=require_tested,
    classes=REGIMES,
    scores=regime_scores,
    baselines=REGIME_BASELINES,
    gate_baselines={"transition_table": fit_table, COIN: fit_coin(len(REGIMES))},
    file_stem="volatility_forecaster",
    has_flat=False,
    headline=("log_loss", "accuracy", "macro_f1"),
    preset={"pooled": True, "history": True},
)
