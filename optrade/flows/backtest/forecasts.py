"""What models that had not seen a session forecast of it: each fold's, of its own test part."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from forecasters.base import ForecastError
from forecasters.returns import ReturnDistribution, Returns
from home.manifest import read_manifest
from market.adjust import adjusted_close
from market.arrays import FloatArray, IntArray
from market.underlyings import underlying
from optrade.flows.train.jobs import Job, preferred_jobs, training_inputs
from optrade.flows.train.models import train_one
from optrade.flows.train.walked import Walked, keep_walked, kept_walked
from optrade.flows.train.window import Window
from trading.backtest.history import History
from trading.backtest.policies import Said
from trading.structures.quote import listing_of
from training.frames.dataset import load_prices
from training.models.returns import INPUTS

if TYPE_CHECKING:
    from feast import FeatureStore

    from optrade.runtime import Runtime

#: Features that price options at a close, as they were known then.
CLOSING: Final = ("vix_close", "vix_term_slope", "treasury_3m")


@dataclass(frozen=True)
class Forecast:
    """An underlying's history, and what was forecast of its sessions.

    Attributes
    ----------
    adjusted
        Closes with dividends reinvested, by session of the history.
    distributions
        The distribution's fits, and which of them had not seen a session; -1 where none was asked.
    """

    history: History
    said: Said
    adjusted: FloatArray
    features: pd.DataFrame
    fits: tuple[Returns, ...]
    fit_of: IntArray

    def distribution(self, at: int) -> ReturnDistribution | None:
        """Return the distribution of the returns after a session, None where there is none."""
        if self.fit_of[at] < 0:
            return None
        row = self.features[list(INPUTS)].to_numpy(np.float64)[at]
        try:
            return self.fits[self.fit_of[at]].at(row) if np.isfinite(row).all() else None
        except ForecastError:
            return None  # a row that is no market


def forecast(
    run: "Runtime", store: "FeatureStore", ticker: str, window: Window, days: pd.DatetimeIndex
) -> Forecast:
    """Return what the preferred models, fitted on the sessions before, forecast of an underlying.

    Parameters
    ----------
    days
        The sessions of the result; what lies beyond an underlying's own is not known.

    Raises
    ------
    InputError
        If the home lacks what a training reads.
    """
    jobs = {job.task.name: job for job in preferred_jobs(ticker)}
    window = _with_index(run, ticker, window)
    walked = {name: _walked(run, store, job, window) for name, job in jobs.items()}
    prices = load_prices(run.home.data, ticker).set_index("session").reindex(days)
    features = _features(run, store, jobs["distribution"], days)
    closing = _features(run, store, jobs["direction"], days)[list(CLOSING)].to_numpy().T
    index, slope, percent = closing
    history = History(
        ticker, listing_of(underlying(ticker)), days,
        prices["open"].to_numpy(np.float64), prices["close"].to_numpy(np.float64),
        index, index + slope, percent / 100.0,
        prices["dividend"].fillna(0.0).to_numpy(), prices["split"].fillna(1.0).to_numpy(),
    )  # fmt: skip
    adjusted = adjusted_close(load_prices(run.home.data, ticker)).reindex(days)
    said = _said(walked["direction"], walked["regime"], days)
    distribution = walked["distribution"]
    fit_of = placed(distribution.sessions, distribution.fold, days, -1)
    return Forecast(history, said, adjusted.to_numpy(), features, distribution.models, fit_of)


def _walked(run: "Runtime", store: "FeatureStore", job: Job, window: Window) -> Walked:
    """Return what a training forecast out of fold: as it was kept, else of a new walk."""
    kept = kept_walked(run, job, window)
    if kept is not None:
        return kept
    return keep_walked(run, job, window, train_one(run, store, job, window))


def _with_index(run: "Runtime", ticker: str, window: Window) -> Window:
    """Return the window from the first close of the underlying's volatility index on."""
    name = ("indices", underlying(ticker).volatility_index)
    entry = read_manifest(run.home.data).entries.get(name)
    if entry is None or window.period != "max" or (window.start or "") >= entry.first:
        return window
    return replace(window, start=entry.first)


def _features(
    run: "Runtime", store: "FeatureStore", job: Job, days: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return what a task's models read of an underlying, by session; NaN where not known."""
    settings = job.resolved().settings
    frame, _ = training_inputs(run, store, job.task, settings, days[0], days[-1])
    mine = frame[frame["ticker"] == settings.ticker].set_index("session")
    return mine.drop(columns="ticker").reindex(days)


def _said(direction: Walked, regime: Walked, days: pd.DatetimeIndex) -> Said:
    columns = [
        placed(one.sessions, values, days, missing)
        for one in (direction, regime)
        for values, missing in ((one.calls, -1), (one.sure, np.nan))
    ]
    # Which of them were proven by then is not asked: sizes are those of models that are not.
    return Said(*columns, proven=np.zeros(len(days), np.bool_))


def placed(
    sessions: pd.DatetimeIndex, values: np.ndarray, days: pd.DatetimeIndex, missing: float
) -> np.ndarray:
    """Return values of sessions in the order of days."""
    found = np.full(len(days), missing, dtype=values.dtype)
    place = days.get_indexer(sessions)
    found[place[place >= 0]] = values[place >= 0]
    return found
