"""Who was champion when: the histories of the registered models."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from home.strict_json import Json
from optrade.periods import parse_day
from training.registry.champion_history import Reign, champion_at, history
from training.registry.tracking_database import reading

if TYPE_CHECKING:
    from optrade.runtime import Runtime


@dataclass(frozen=True)
class ModelReigns:
    """The reigns of a registered model, in order."""

    name: str
    reigns: tuple[Reign, ...]

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {"name": self.name, "reigns": [reign.document() for reign in self.reigns]}


@dataclass(frozen=True)
class ModelChampion:
    """The version that was champion in a session, None where none was, or none is known."""

    name: str
    session: str
    champion: int | None

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {"name": self.name, "session": self.session, "champion": self.champion}


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
    return [
        ModelChampion(one.name, session, champion_at(one.reigns, day)) for one in _reigns(run, name)
    ]


def _reigns(run: "Runtime", name: str | None) -> Iterator[ModelReigns]:
    with reading(run.home.mlruns) as client:
        listed = sorted(model.name for model in client.search_registered_models())
        for one in listed if name is None else [name]:
            yield ModelReigns(one, history(client, one))
