"""What serves of the registered models, their newest challengers, and who was champion when."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from feature_repo.features.definition_hash import definition_hash
from forecasters.base import CLASSES
from forecasters.document import NO_MODEL_IS_BETTER
from home.records.live_scores import LiveScores, NoLiveScores
from home.strict_json import Json
from market.errors import InputError
from optrade.flows.train.live import live_scores
from optrade.flows.train.trained import require_registry
from optrade.periods import parse_day
from serving.reading.artifact import load_artifact
from serving.reading.refusal import Refusal
from training.judge.decide import BASELINE, CHALLENGER
from training.registry.champion_history import Reign, champion_at, history
from training.registry.mlflow_runs import aliased, model_type, standing
from training.registry.what_serves import finished_registry

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from optrade.runtime import Runtime


@dataclass(frozen=True)
class Version:
    """A version of a registered model: its type, its alias and how it stands.

    Type and standing are None where its run is not known any more.
    """

    version: int
    model: str | None
    alias: str
    standing: str | None

    @property
    def words(self) -> str:
        """How it serves, or would."""
        if self.alias == BASELINE:
            return NO_MODEL_IS_BETTER
        capped = "" if self.standing == "proven" else ", at most half size"
        return f"{self.alias}, {self.standing or 'standing unknown'}{capped}"

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {**asdict(self)}


@dataclass(frozen=True)
class ModelReigns:
    """What serves for a registered model, its newest challenger, and its champions in order.

    Attributes
    ----------
    serves, refused
        One of them is None: what serves, or why nothing does.
    types
        The model type of each champion, None where its run is not known any more.
    live
        How what serves and its rival fared by the ledger; None of a model that is not scored.
    """

    name: str
    serves: Version | None
    refused: str | None
    challenger: Version | None
    reigns: tuple[Reign, ...]
    types: Mapping[int, str | None]
    live: LiveScores | NoLiveScores | None = None

    def model(self, version: int | None) -> str | None:
        """Return the model type of a champion."""
        return None if version is None else self.types.get(version)

    def rows(self) -> list[dict[str, Json]]:
        """Return a row a reign as plain values, its model type after the version."""
        return [
            {"version": reign.version, "model": self.model(reign.version), **reign.document()}
            for reign in self.reigns
        ]

    def document(self) -> dict[str, Json]:
        """Return plain values."""
        return {
            "name": self.name,
            "serves": None if self.serves is None else self.serves.document(),
            "refused": self.refused,
            "challenger": None if self.challenger is None else self.challenger.document(),
            "reigns": [*self.rows()],
            "live": None if self.live is None else self.live.document(),
        }


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
    """Return what serves and the reigns of one registered model, or of all.

    Raises
    ------
    InputError
        If there is no such model.
    """
    return [replace(one, live=live_scores(run, one.name)) for one in _reigns(run, name)]


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
    require_registry(run.home)
    with finished_registry(run.home.mlruns, run.home.models) as client:
        listed = sorted(model.name for model in client.search_registered_models())
        for one in listed if name is None else [name]:
            reigns = history(client, one)
            versions = {reign.version for reign in reigns if reign.version is not None}
            types = {at: model_type(client, one, at) for at in versions}
            serves, refused = _serves(run, one)
            yield ModelReigns(one, serves, refused, _challenger(client, one), reigns, types)


def _serves(run: "Runtime", name: str) -> tuple[Version | None, str | None]:
    """Return what serves, as serving reads it, or why nothing does."""
    word, _, ticker = name.partition("_")
    task = next((task for task in CLASSES if task == word), None)
    if task is None:
        return None, "no model of ours: nothing reads it"
    try:
        model = load_artifact(run.home.models, task, ticker, definition_hash())
    except Refusal as refusal:
        return None, refusal.detail
    return Version(model.version, model.model, model.alias, model.evidence.standing), None


def _challenger(client: "MlflowClient", name: str) -> Version | None:
    at = aliased(client, name, CHALLENGER)
    if at is None:
        return None
    try:
        stands = standing(client, client.get_model_version(name, str(at)))
    except InputError:
        stands = None  # its evidence is lost
    return Version(at, model_type(client, name, at), CHALLENGER, stands)
