"""The parity audit: whether what is served is what a training frame holds.

Three questions. Does the read that fills the online store find the rows that the historical read
finds? Does the online store hold them now? And do the models that serve give the recorded signals
again from the offline frame?
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from audit.frames import SHOWN, Difference, Mismatch, differences
from feature_repo.features.catalogue import GROUPS, names
from feature_repo.features.definition_hash import definition_hash
from forecasters.base import ForecastError, Task
from forecasters.document import Artifact
from home.records.pointer import SessionPointer
from home.records.signal import Signal
from home.strict_json import Json
from market.calendar import FIRST_SESSION, decision_time
from market.errors import InputError
from market.underlyings import MARKET
from serving.reading.artifact import load_artifact
from serving.reading.refusal import Refusal

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

# A model's arithmetic may differ in its last digits from one machine to another.
ROUNDING: Final = 1e-9
START: Final = pd.Timestamp(FIRST_SESSION, tz="UTC").to_pydatetime()
TASKS: Final[tuple[Task, ...]] = ("direction", "regime")


@dataclass(frozen=True)
class NotChecked:
    """What could not be compared, how often, and why."""

    what: str
    count: int
    reason: str


@dataclass(frozen=True)
class ParityReport:
    """The outcome of the audit.

    Attributes
    ----------
    tickers, sessions
        What was read, and the number of its last sessions.
    history
        The materializing read of each session against the historical one.
    online
        The online store's vectors against the offline rows; None if nothing is published.
    signals
        Probabilities of the recorded signals against those of the offline frame.
    not_checked
        What could not be compared.
    """

    tickers: tuple[str, ...]
    sessions: int
    history: Difference
    online: Difference | None
    signals: Difference
    not_checked: tuple[NotChecked, ...]

    @property
    def mismatches(self) -> int:
        """The number of values served that are not those of the offline store."""
        parts = (self.history, self.online, self.signals)
        return sum(part.mismatches for part in parts if part is not None)

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return {"mismatches": self.mismatches, **asdict(self)}


def audit_parity(
    store: "FeatureStore",
    models_dir: Path,
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
    pointer: SessionPointer | None,
    signals: Sequence[Signal],
) -> ParityReport:
    """Return the parity audit of all stored features of some tickers.

    Parameters
    ----------
    store
        The feature store; with its Redis, if there is a pointer.
    models_dir
        Where the served models lie.
    tickers, sessions
        What to read of the offline store.
    pointer
        What was last published to the online store, None if nothing.
    signals
        Recorded signals, as served.

    Raises
    ------
    InputError
        If the store has no definitions yet, or there is nothing to read.
    """
    views = [view for view in store.list_feature_views() if view.name in GROUPS]
    if not views or not len(tickers) or not len(sessions):
        raise InputError(
            f"nothing to compare: got {len(views)} views, {len(tickers)} tickers, "
            f"{len(sessions)} sessions; run `optrade materialize` first"
        )
    again, left = signal_differences(store, models_dir, signals)
    if pointer is None:
        left.append(NotChecked("online store", 1, "nothing is published: `optrade materialize`"))
    return ParityReport(
        tickers=tuple(tickers),
        sessions=len(sessions),
        history=differences(
            pulled(store, views, tickers, sessions),
            read_at(store, tickers, sessions, decision_time(sessions)),
        ),
        online=None if pointer is None else online_differences(store, tickers, pointer),
        signals=again,
        not_checked=tuple(left),
    )


def read_at(
    store: "FeatureStore",
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
    moments: pd.DatetimeIndex,
) -> pd.DataFrame:
    """Return what the historical read gives of all stored features at each session's moment."""
    parts = [
        pd.DataFrame({"ticker": t, "market": MARKET, "event_timestamp": moments}) for t in tickers
    ]
    features = [f"{view}:{name}" for view in GROUPS for name in names(view)]
    found = store.get_historical_features(pd.concat(parts, ignore_index=True), features).to_df()
    asked = pd.Series(sessions, index=moments)
    session = pd.to_datetime(found["event_timestamp"], utc=True).map(asked)
    values: pd.DataFrame = found[_features()].astype("float64")
    frame: pd.DataFrame = pd.concat([found[["ticker"]], session.rename("session"), values], axis=1)
    return frame


def pulled(
    store: "FeatureStore",
    views: Sequence["FeatureView"],
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
) -> pd.DataFrame:
    """Return what a materialization at each session's decision would write, within its ttl."""
    rows = []
    for session, moment in zip(sessions, decision_time(sessions), strict=True):
        found = {view.name: _newest(store, view, moment) for view in views}
        for ticker in tickers:
            row: dict[str, object] = {"ticker": ticker, "session": session}
            for view, held in found.items():
                key = ticker if GROUPS[view].entity == "ticker" else MARKET
                row |= held.get(key, {})
            rows.append(row)
    return pd.DataFrame(rows).reindex(columns=["ticker", "session", *_features()])


def _newest(
    store: "FeatureStore", view: "FeatureView", moment: pd.Timestamp
) -> dict[str, dict[str, float]]:
    """Return the row of each key of a view that a materialization at a moment would write."""
    from feature_repo.asof_store import AsofOfflineStore

    entity, features = GROUPS[view.name].entity, list(names(view.name))
    source = view.batch_source
    job = AsofOfflineStore.pull_latest_from_table_or_query(
        store.config, source, [entity], features, source.timestamp_field,
        source.created_timestamp_column, START, moment.floor("us").to_pydatetime(),
    )  # fmt: skip
    rows = job.to_df()
    events = pd.to_datetime(rows[source.timestamp_field], utc=True)
    fresh = rows[moment - events <= view.ttl]
    values = fresh[features].astype("float64").to_dict("records")
    return dict(zip(fresh[entity] if len(fresh) else (), values, strict=True))


def online_differences(
    store: "FeatureStore", tickers: Sequence[str], pointer: SessionPointer
) -> Difference:
    """Return where the online vectors of the published session are not the offline rows."""
    published = [ticker for ticker in tickers if ticker in pointer.tickers]
    session = pd.DatetimeIndex([pointer.session]).as_unit("ns")
    moment = pd.DatetimeIndex([pd.Timestamp(pointer.as_of)]).tz_convert("UTC")
    if not published:
        return Difference(0, 0, ())
    offline = read_at(store, published, session, moment)
    features = [f"{view}:{name}" for view in GROUPS for name in names(view)]
    rows = [{"ticker": ticker, "market": MARKET} for ticker in published]
    answer = pd.DataFrame(store.get_online_features(features, rows).to_dict())
    values = answer[_features()].astype("float64")
    return differences(pd.concat([offline[["ticker", "session"]], values], axis=1), offline)


def signal_differences(
    store: "FeatureStore", models_dir: Path, signals: Sequence[Signal]
) -> tuple[Difference, list[NotChecked]]:
    """Return where the models give other probabilities than recorded, and what has no model."""
    compared, found = 0, []
    reasons: dict[tuple[str, str], int] = {}
    for signal in signals:
        for task in TASKS:
            try:
                model = _serving(models_dir, task, signal)
            except Refusal as refused:
                at = (f"{task} of recorded signals", refused.detail)
                reasons[at] = reasons.get(at, 0) + 1
                continue
            recorded, again = _recorded(task, signal), _again(store, model, signal)
            compared += len(recorded)
            found += list(_mismatches(signal, recorded, again))
    left = [NotChecked(what, count, reason) for (what, reason), count in reasons.items()]
    return Difference(compared, len(found), tuple(found[:SHOWN])), left


def _serving(models_dir: Path, task: Task, signal: Signal) -> Artifact:
    """Return the model of a signal, if it is the one that serves."""
    model = load_artifact(models_dir, task, signal.ticker, definition_hash())
    used = getattr(signal.provenance.models, task)
    if (model.version, model.sha256) != (used.version, used.artifact_sha256):
        raise Refusal(
            "model_missing",
            f"made by {used.name} version {used.version}, version {model.version} serves",
        )
    return model


def _recorded(task: Task, signal: Signal) -> dict[str, float]:
    if task == "direction":
        return {"probability UP": signal.prediction.probability}
    chances = signal.volatility.regime_probabilities
    return {f"probability {name}": chance for name, chance in chances.items()}


def _again(store: "FeatureStore", model: Artifact, signal: Signal) -> dict[str, float | None]:
    """Return the probabilities from the offline frame as known at the signal's clock."""
    moment = pd.Timestamp(signal.provenance.as_of)
    asked = {"ticker": [signal.ticker], "market": [MARKET], "event_timestamp": [moment]}
    service = store.get_feature_service(model.feature_service)
    row = store.get_historical_features(pd.DataFrame(asked), service).to_df().iloc[0]
    try:
        if model.task == "direction":
            return {"probability UP": model.probability_up(row)}
        return {f"probability {name}": p for name, p in model.probabilities(row).items()}
    except ForecastError:
        return {}


def _mismatches(
    signal: Signal, recorded: Mapping[str, float], again: Mapping[str, float | None]
) -> Iterator[Mismatch]:
    for name, expected in recorded.items():
        got = again.get(name)
        if got is None or not np.isclose(got, expected, rtol=ROUNDING, atol=0.0):
            yield Mismatch(signal.ticker, signal.session, name, got, expected)


def _features() -> list[str]:
    return [name for view in GROUPS for name in names(view)]
