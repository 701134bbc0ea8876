"""Who was champion when: the histories of the registered models."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from home.strict_json import Json
from optrade.periods import parse_day
from training.registry.champion_history import Reign, champion_at, history
from training.registry.mlflow_runs import model_type
from training.registry.what_serves import finished_registry

if TYPE_CHECKING:
    from optrade.runtime import Runtime


@dataclass(frozen=True)
class ModelReigns:
    """The reigns of a registered model, in order, and the model type of each version.

    A type is None where its run is not known any more.
    """

    name: str
    reigns: tuple[Reign, ...]
    types: Mapping[int, str | None]

    def model(self, version: int | None) -> str | None:
        """Return the model type of a version."""
        return None if version is None else self.types.get(version)

    def rows(self) -> list[dict[str, Json]]:
        """Return a row a reign as plain values, its model type after the version."""
        return [
            {"version": reign.version, "model": self.model(reign.version), **reign.document()}
            for reign in self.reigns
        ]

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {"name": self.name, "reigns": [*self.rows()]}


@dataclass(frozen=True)
class ModelChampion:
    """The version that was champion in a session, None where none was, or none is known."""

    name: str
    session: str
    champion: int | None
    model: str | None

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {
            "name": self.name,
            "session": self.session,
            "champion": self.champion,
            "model": self.model,
        }


def model_reigns(run: "Runtime", name: str | None) -> list[ModelReigns]:
    """Return the reigns of one registered model, or of all.

    Raises
    ------
    InputError
        If there is no such model.
    """
    return list(_reigns(run, name))


def champions_in(run: "Runtime", name: str | None, session: str) -> list[ModelChampion]:
    """Return who was champion in a session, of one registered model or of all.

    Raises
    ------
    InputError
        If there is no such model, or the day is no session.
    """
    day = parse_day("--session", session)
    found = [(one, champion_at(one.reigns, day)) for one in _reigns(run, name)]
    return [ModelChampion(one.name, session, at, one.model(at)) for one, at in found]


def _reigns(run: "Runtime", name: str | None) -> Iterator[ModelReigns]:
    with finished_registry(run.home.mlruns, run.home.models) as client:
        listed = sorted(model.name for model in client.search_registered_models())
        for one in listed if name is None else [name]:
            reigns = history(client, one)
            versions = {reign.version for reign in reigns if reign.version is not None}
            types = {at: model_type(client, one, at) for at in versions}
            yield ModelReigns(one, reigns, types)
