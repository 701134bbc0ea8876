"""Who was there before a candidate: the champion, and the versions that may serve."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from home.records.training.words import Setting
from market.errors import InputError
from training.judge.decide import CHALLENGER, CHAMPION, Alias, Incumbents
from training.registry.mlflow_runs import TRIAL, aliased, find_champion, standing
from training.registry.trial_runs import recipe_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


def who_was_before(
    client: "MlflowClient", name: str, settings: Mapping[str, Setting], candidate: int | None = None
) -> Incumbents:
    """Return who was there before a candidate.

    Parameters
    ----------
    settings
        Of the candidate: its recipe may be the champion's.
    candidate
        Its version, where it is registered already: it does not stand up to itself.

    Raises
    ------
    InputError
        If the losses of the champion cannot be read.
    """
    champion = find_champion(client, name)
    if champion is not None and champion.version == candidate:
        champion = None
    params = {} if champion is None else client.get_run(champion.run_id).data.params
    return Incumbents(
        champion=champion,
        same_recipe=recipe_of(params) == recipe_of(settings),
        unrefuted=newest_unrefuted(client, name) is not None,
    )


def newest_unrefuted(client: "MlflowClient", name: str) -> "tuple[ModelVersion, Alias] | None":
    """Return the version that may serve under which alias: the champion, else the newest other.

    A refuted version, a trial, and one whose training was cut short may not.
    """
    champion = aliased(client, name, CHAMPION)
    for one in judged(client, name):
        if _unrefuted(client, one):
            return one, CHAMPION if int(one.version) == champion else CHALLENGER
    return None


def judged(client: "MlflowClient", name: str) -> "Iterator[ModelVersion]":
    """Give the versions that the gate has judged: the champion, then the others, newest first.

    A trial is none of them, nor is a version whose training was cut short.
    """
    known = {int(one.version): one for one in client.search_model_versions(f"name = '{name}'")}
    champion, challenger = (aliased(client, name, one) for one in (CHAMPION, CHALLENGER))
    for at in sorted(known, key=lambda at: (at == champion, at), reverse=True):
        # A kill after it began to serve leaves its run open.
        whole = at in (champion, challenger) or _finished(client, known[at])
        if whole and known[at].tags.get(TRIAL) != "true":
            yield known[at]


def _finished(client: "MlflowClient", chosen: "ModelVersion") -> bool:
    return bool(client.get_run(str(chosen.run_id)).info.status == "FINISHED")


def _unrefuted(client: "MlflowClient", chosen: "ModelVersion") -> bool:
    try:
        return standing(client, chosen) != "refuted"
    except InputError:
        return False  # its evidence is lost, and so nobody knows that it is not refuted
