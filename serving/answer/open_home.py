"""An open home: the one way from a ticker to its signal, for the command line and for HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.services import SERVICES
from feature_repo.on_demand import is_on_demand, stored_features
from feature_repo.store.repo_config import REPO
from forecasters.base import Task
from forecasters.document import Artifact
from home.layout import Home
from home.origin import Origin
from home.records.chain import ChainView
from home.records.signal import Signal
from home.records.structure import Structure
from market.errors import ConfigurationError
from market.underlyings import underlying
from serving.answer.boards import CLOSING_FEATURES, PRICED_WITH
from serving.answer.chain import build_chain
from serving.answer.predictions import Question, build_prediction, check_question
from serving.answer.shadow import rival_of, shadow_models
from serving.answer.signals import Models, build_signal
from serving.answer.standby import around_null
from serving.answer.structure import Pricing, references
from serving.http.schema import PredictAnswer
from serving.reading.artifact import ArtifactFiles
from serving.reading.chains import LandedChains
from serving.reading.configuration import Configuration
from serving.reading.online import (
    FILL,
    Requirements,
    check_views,
    connect,
    open_snapshot,
    read_row,
    service_references,
    store_answers,
)
from serving.reading.refusal import SOON, NullFeatures, Refusal, known_ticker
from serving.reading.row import FeatureRow
from trading.strategies.selector import STRATEGIES
from trading.structures.legs import structure_plan

if TYPE_CHECKING:
    from feast import FeatureStore
    from redis import Redis

#: What a position needs of its row whatever else is missing: a view with the ticker's session.
SESSION_OF: Final = CLOSING_FEATURES[:1]


@dataclass(frozen=True)
class _Answered:
    """A signal, the models that gave it, and the row that they read."""

    signal: Signal
    models: Models
    row: FeatureRow


@dataclass(frozen=True)
class OpenHome:
    """The stores and settings that signals of one home come from.

    Attributes
    ----------
    store
        Feast over a registry snapshot, as `open_snapshot` gives it.
    client
        Of the same Redis, for the session pointer.
    models
        The served models; looked for at every signal, so that a promotion takes effect at once.
    """

    store: "FeatureStore"
    client: "Redis"
    models: ArtifactFiles
    origin: Origin
    settle: pd.Timedelta
    require_proven: bool
    definition_hash: str
    data_dir: str
    pricing: Pricing = field(default_factory=Pricing)
    # Asking Feast for a service costs milliseconds: its references are kept.
    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict, repr=False)
    priced_with: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict, repr=False)
    _chains: LandedChains = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read chains of the same home."""
        object.__setattr__(self, "_chains", LandedChains(Path(self.data_dir)))

    def signal_for(self, ticker: str, as_of: pd.Timestamp) -> Signal:
        """Return a ticker's signal at a moment.

        Parameters
        ----------
        as_of
            The clock, with a zone.

        Raises
        ------
        InputError
            If the ticker is unknown.
        Refusal
            If there is no answer that can be stood behind.
        """
        return self._answered(ticker, as_of).signal

    def shadow_for(self, signal: Signal, as_of: pd.Timestamp) -> Signal | None:
        """Return what the rivals of a signal's models say of the same row; None without a rival.

        It is recorded beside the signal, and given to nobody. See `serving.answer.shadow`.

        Parameters
        ----------
        as_of
            The clock that the signal was given at, with a zone.

        Raises
        ------
        Refusal
            If a rival does not answer, or the home gives another signal by now.
        DamagedFile
            If a version that stands by is damaged.
        """
        ticker, served = signal.ticker, signal.provenance.models
        direction = rival_of(served.direction, self.models.each_standby("direction", ticker))
        regime = rival_of(served.regime, self.models.each_standby("regime", ticker))
        if direction is None and regime is None:
            return None
        answered = self._answered(ticker, as_of)
        models = shadow_models(answered.models, direction, regime)
        row = self._row(models, ticker, as_of)
        if answered.signal != signal or not answered.row.agrees(row):
            raise Refusal(
                "moved_on",
                f"{ticker}: what serves, or its features, changed since the signal was given: "
                "ask again",
            )
        return self._built(row, models, as_of)

    def _answered(self, ticker: str, as_of: pd.Timestamp) -> "_Answered":
        served = models = self._models(underlying(ticker).ticker)
        null: frozenset[str] = frozenset()
        while True:
            try:
                row = self._row(models, ticker, as_of)
            except NullFeatures as refusal:
                # A model that is asked instead may read another feature without a value.
                null |= refusal.names
                instead = around_null(served, null, partial(self.models.standby, ticker=ticker))
                if instead is None or instead == models:
                    raise
                self._check_proven(ticker, instead.direction, instead.regime)
                models = instead
            else:
                return _Answered(self._built(row, models, as_of), models, row)

    def _built(self, row: FeatureRow, models: Models, as_of: pd.Timestamp) -> Signal:
        return build_signal(row, models, as_of=as_of, origin=self.origin, pricing=self.pricing)

    def price_for(self, ticker: str, strategy: str, as_of: pd.Timestamp) -> Structure:
        """Return any one strategy's position at a moment, as a signal prices it.

        It is sized as the largest position of its strategy.

        Parameters
        ----------
        as_of
            The clock, with a zone.

        Raises
        ------
        InputError
            If the ticker or the strategy is unknown, or there is no position to price.
        Refusal
            If there is no row that can be stood behind.
        """
        ticker = underlying(ticker).ticker
        structure_plan(strategy)
        model, why_none = self._distribution(ticker)
        row = self._read(references(SESSION_OF), ticker, as_of, (), self._beside(model))
        size = STRATEGIES[strategy].limit
        return self.pricing.structure(row, strategy, size, model, why_none)

    def chain_for(self, ticker: str, as_of: pd.Timestamp, expiry: str | None) -> ChainView:
        """Return what a position on a ticker is priced on at a moment; see `build_chain`.

        Raises
        ------
        InputError
            If the ticker or the expiry is unknown, or no smile can be made.
        Refusal
            If there is no row that can be stood behind.
        """
        ticker = underlying(ticker).ticker
        row = self._read(references(SESSION_OF), ticker, as_of, (), self._beside(None))
        return build_chain(row, as_of, expiry)

    def predict(self, question: Question) -> PredictAnswer:
        """Return the design's prediction output for a caller's own features.

        Raises
        ------
        CallerFault
            If the question has to be changed.
        Refusal
            If there is no model that can be stood behind.
        """
        ticker = known_ticker(question.ticker)
        question = replace(question, ticker=ticker)
        check_question(question)
        direction = self._model("direction", ticker)
        regime = self._forecaster(ticker, question)
        self._check_proven(ticker, direction, *([] if regime is None else [regime]))
        return build_prediction(question, direction, regime)

    def check_ready(self) -> None:
        """Check that the registry is whole and the online store answers.

        Raises
        ------
        Refusal
            `unknown_service`, `missing_views` or `store_unavailable`.
        """
        check_views(self.store, SERVICES)
        if not store_answers(self.client):
            raise Refusal(
                "store_unavailable",
                f"the online store does not answer: {FILL}",
                SOON,
            )

    def _row(self, models: Models, ticker: str, as_of: pd.Timestamp) -> FeatureRow:
        computed = [name for name in models.features() if is_on_demand(name)]
        beside = self._beside(models.distribution)
        return self._read(self._references(models), ticker, as_of, computed, beside)

    def _read(
        self,
        needed: Mapping[str, str],
        ticker: str,
        as_of: pd.Timestamp,
        on_demand: Sequence[str],
        beside: Mapping[str, str],
    ) -> FeatureRow:
        row = read_row(
            self.store,
            self.client,
            needed,
            ticker,
            Requirements(as_of, self.settle, self.origin, self.definition_hash, self.data_dir),
            on_demand=on_demand,
            beside=beside,
        )
        return replace(row, quoted=self._chains.quoted(ticker, row.session, as_of))

    def _beside(self, model: Artifact | None) -> dict[str, str]:
        """Return the references of what a position is priced with, of those that are there."""
        read = () if model is None else tuple(model.features)
        if read not in self.priced_with:
            views = self.store.list_feature_views(allow_cache=True)
            held = {f"{view.name}:{field.name}" for view in views for field in view.features}
            asked = references((*PRICED_WITH, *read))
            self.priced_with[read] = {
                name: reference for name, reference in asked.items() if reference in held
            }
        return self.priced_with[read]

    def _models(self, ticker: str) -> Models:
        direction, regime = self._model("direction", ticker), self._model("regime", ticker)
        self._check_proven(ticker, direction, regime)
        model, why_none = self._distribution(ticker)
        notes = {} if why_none is None else {"distribution": why_none}
        return Models(direction, regime, notes, model)

    def _distribution(self, ticker: str) -> tuple[Artifact | None, str | None]:
        """Return the model of the distribution, or why it is not used; neither where none serves.

        A signal stands without it; its position says why nothing is known of its chances.
        """
        try:
            return self._model("distribution", ticker), None
        except Refusal as refusal:
            return None, None if refusal.error == "model_missing" else refusal.detail

    def _model(self, task: Task, ticker: str) -> Artifact:
        return self.models.load(task, ticker)

    def _forecaster(self, ticker: str, question: Question) -> Artifact | None:
        """Return the regime model if the question holds all that it reads (Decision 19).

        Where there is none, only a question for a forecast needs it.
        """
        try:
            regime = self._model("regime", ticker)
        except Refusal as refusal:
            if refusal.error != "model_missing" or question.asks_for_forecast:
                raise
            return None
        return regime if question.holds(regime.features) else None

    def _check_proven(self, ticker: str, *models: Artifact) -> None:
        if self.require_proven and not all(model.evidence.proven for model in models):
            words = "; ".join(f"{model.task}: {model.evidence.verdict}" for model in models)
            raise Refusal("unproven", f"{ticker}: {words}; only proven models are served here")

    def _references(self, models: Models) -> dict[str, str]:
        services = (models.direction.feature_service, models.regime.feature_service)
        if services not in self.known:
            self.known[services] = service_references(self.store, services)
        known = self.known[services]
        needed = stored_features(models.features())
        unknown = [name for name in needed if name not in known]
        if unknown:
            raise Refusal(
                "model_refused",
                f"the feature services {' and '.join(services)} do not hold "
                f"{', '.join(unknown)}; train again with `optrade train-all`",
            )
        return {name: known[name] for name in needed}


def feature_store_yaml(home: Path, configuration: Configuration) -> Path:
    """Return Feast's configuration file of a home."""
    if configuration.feature_store is None:
        return REPO / "feature_store.yaml"
    return home / configuration.feature_store


def open_home(home: Path, configuration: Configuration) -> OpenHome:
    """Open a home for signals; Redis is reached at the first one.

    Raises
    ------
    Refusal
        If the home has no data, no feature registry or no configuration of Feast yet.
    """
    from home.manifest import read_manifest

    files = Home(home).files
    origin = configuration.origin or read_manifest(files.root).origin
    if origin is None:
        raise Refusal("not_configured", "this home has no data yet: run `optrade ingest`")
    yaml = feature_store_yaml(home, configuration)
    store = open_snapshot(REPO, yaml, files.serving_registry)
    if store.config.online_store.type != "redis":
        raise ConfigurationError(f"{yaml.name}: the online store must be redis")
    of = definition_hash()
    return OpenHome(
        store=store,
        client=connect(store),
        models=ArtifactFiles(Home(home).models, of),
        origin=origin,
        settle=configuration.settle,
        require_proven=configuration.require_proven,
        definition_hash=of,
        data_dir=str(files.root.resolve()),
        pricing=Pricing(configuration.capital, configuration.require_edge),
    )
