"""What models that had not seen a session forecast of it: each fold's, of its own test part."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from forecasters.base import ForecastError
from forecasters.returns import ReturnDistribution
from home.manifest import read_manifest
from market.adjust import adjusted_close
from market.arrays import FloatArray, IntArray
from market.underlyings import underlying
from optrade.flows.train.jobs import Job, preferred_jobs, training_inputs
from optrade.flows.train.models import Window, train_one
from trading.backtest.history import History
from trading.backtest.policies import Said
from trading.structures.quote import listing_of
from training.fit.distribution import Distribution
from training.frames.dataset import load_prices
from training.judge.out_of_fold import OutOfFold
from training.models.returns import INPUTS
from training.walk import Trained

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
    fits: tuple[Distribution, ...]
    fit_of: IntArray

    def distribution(self, at: int) -> ReturnDistribution | None:
        """Return the distribution of the returns after a session, None where there is none."""
        if self.fit_of[at] < 0:
            return None
        model = self.fits[self.fit_of[at]].fit.model
        row = self.features[list(INPUTS)].to_numpy(np.float64)[at]
        try:
            return model.at(row) if np.isfinite(row).all() else None
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
    trained = {name: train_one(run, store, job, window) for name, job in jobs.items()}
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
    fits, fit_of = _fits(trained["distribution"], days)
    adjusted = adjusted_close(load_prices(run.home.data, ticker)).reindex(days)
    said = _said(trained["direction"], trained["regime"], days)
    return Forecast(history, said, adjusted.to_numpy(), features, fits, fit_of)


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


def _said(direction: Trained, regime: Trained, days: pd.DatetimeIndex) -> Said:
    calls, sure = _calls(direction, days)
    classes, regime_sure = _calls(regime, days)
    # Which of them were proven by then is not asked: sizes are those of models that are not.
    proven = np.zeros(len(days), np.bool_)
    return Said(calls, sure, classes, regime_sure, proven)


def _calls(trained: Trained, days: pd.DatetimeIndex) -> tuple[IntArray, FloatArray]:
    """Return the class called after each session, -1 for none, and its probability."""
    tested = trained.tested
    if not isinstance(tested, OutOfFold) or tested.model.probabilities is None:
        raise TypeError(f"a {trained.task.name} says no classes")
    calls, sure = np.full(len(days), -1), np.full(len(days), np.nan)
    place = days.get_indexer(pd.DatetimeIndex(tested.sessions))
    kept = (place >= 0) & (tested.model.calls >= 0)
    called = tested.model.calls[kept]
    calls[place[kept]] = called
    sure[place[kept]] = tested.model.probabilities[kept][np.arange(len(called)), called]
    return calls, sure


def _fits(trained: Trained, days: pd.DatetimeIndex) -> tuple[tuple[Distribution, ...], IntArray]:
    fits = tuple(one for one in trained.folds if isinstance(one, Distribution))
    fit_of = np.full(len(days), -1)
    place = days.get_indexer(pd.DatetimeIndex(trained.tested.sessions))
    fit_of[place[place >= 0]] = trained.tested.fold[place >= 0] - 1
    return fits, fit_of
