"""The walks of an underlying's preferred models: as they were kept, else made and kept."""

from dataclasses import replace
from typing import TYPE_CHECKING

from forecasters.document import Artifact
from forecasters.returns import Returns
from home.manifest import read_manifest
from market.underlyings import underlying
from optrade.flows.train.jobs import Job, preferred_jobs
from optrade.flows.train.models import train_one
from optrade.flows.train.walked import Walked, keep_walked, kept_walked
from optrade.flows.train.window import Window

if TYPE_CHECKING:
    from feast import FeatureStore

    from optrade.runtime import Runtime


def walks_of(
    run: "Runtime", store: "FeatureStore", ticker: str, window: Window
) -> dict[str, Walked]:
    """Return the walk of the preferred model of each task, by the name of the task.

    Raises
    ------
    InputError
        If the home lacks what a training reads.
    """
    window = _with_index(run, ticker, window)
    return {job.task.name: _walked(run, store, job, window) for job in preferred_jobs(ticker)}


def returns_of(model: Artifact) -> Returns:
    """Return what a model of the distribution is fitted as."""
    if not isinstance(model.parameters, Returns):
        raise TypeError(f"{model.name} is no model of the distribution")
    return model.parameters


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
