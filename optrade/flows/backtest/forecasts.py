"""What models that had not seen a session forecast of it: each fold's, of its own test part."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from forecasters.base import ForecastError
from forecasters.returns import ReturnDistribution, Returns
from market.adjust import adjusted_close
from market.arrays import FloatArray, IntArray
from market.underlyings import underlying
from optrade.flows.backtest.walks import returns_of, walks_of
from optrade.flows.train.jobs import Job, preferred_jobs, training_inputs
from optrade.flows.train.walked import Walked
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
    walked = walks_of(run, store, ticker, window)
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
    fits = tuple(returns_of(one) for one in distribution.models)
    return Forecast(history, said, adjusted.to_numpy(), features, fits, fit_of)


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
    proven = [
        placed(one.sessions, np.array([m.evidence.proven for m in one.models])[one.fold], days, 0)
        for one in (direction, regime)
    ]
    return Said(*columns, proven=np.logical_and(*proven))


def placed(
    sessions: pd.DatetimeIndex, values: np.ndarray, days: pd.DatetimeIndex, missing: float
) -> np.ndarray:
    """Return values of sessions in the order of days."""
    found = np.full(len(days), missing, dtype=values.dtype)
    place = days.get_indexer(sessions)
    found[place[place >= 0]] = values[place >= 0]
    return found
