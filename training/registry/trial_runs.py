"""The trials of a registered model, read from MLflow: every recipe that was tried before.

A trial is a set of settings, not a run: training the same again, on more data or with another
seed, is no new attempt at the claim. A setting that an older run does not record makes it
another trial, which counts against the claim rather than for it.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.records.training.words import Setting
from market.errors import InputError
from training.registry.mlflow_runs import LOSSES, checked_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

#: Settings that make no other trial: they move the evidence, not what is claimed.
NOT_A_TRIAL: Final = frozenset({"seed", "resamples"})
#: What makes two trainings the same trial: settings, as a run records them.
Recipe = frozenset[tuple[str, str]]
PAGE: Final = 500  # runs of one question to the tracking database


def read_trials(
    client: "MlflowClient", experiment: str, name: str, settings: Mapping[str, Setting]
) -> list[pd.DataFrame]:
    """Return the out-of-fold losses of all other trials of a model, each by its newest run.

    Parameters
    ----------
    experiment
        The task's name, under which its runs are kept.
    name
        Registered model, such as `direction_SPY`.
    settings
        Of the candidate: runs with the same are no other trial.

    Raises
    ------
    InputError
        If the losses of a run cannot be read.
    """
    seen = {recipe_of(settings)}
    newest = []
    for run in _finished(client, experiment, name):
        recipe = recipe_of(run.data.params)
        if recipe not in seen:
            seen.add(recipe)
            newest.append(run)
    return [_losses(client, run, name) for run in newest]


def _finished(client: "MlflowClient", experiment: str, name: str) -> Iterator["Run"]:
    """Give the finished runs of a model, the newest first."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return
    token = None
    while True:
        page = client.search_runs(
            [found.experiment_id],
            f"attributes.status = 'FINISHED' and tags.mlflow.runName = '{name}'",
            order_by=["attributes.start_time DESC"],
            max_results=PAGE,
            page_token=token,
        )
        yield from page
        token = page.token
        if not token:
            return


def recipe_of(settings: Mapping[str, Setting]) -> Recipe:
    """Return what makes two trainings the same recipe: their settings, as a run records them."""
    return frozenset((key, str(one)) for key, one in settings.items() if key not in NOT_A_TRIAL)


def _losses(client: "MlflowClient", run: "Run", name: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(checked_file(client, run, LOSSES))
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot read {LOSSES} of run {run.info.run_id}, a trial of {name}: "
            f"{type(error).__name__}; restore the artifacts of the run, or delete the run"
        ) from error
