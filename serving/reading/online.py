"""What the online store knows of a ticker: features, the session of every view, the pointer.

Feast gives TTL-expired and evicted values alike as present (or as null), so nothing here relies
on a status: sessions come from the event timestamps, and an unknown value refuses the answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from feature_repo.features.macro.group import MACRO
from feature_repo.on_demand import compute_row
from feature_repo.store.feast_registry import parse_registry, without_on_demand
from feature_repo.store.repo_config import (
    REFILL_ASKED,
    SESSION_POINTER,
    WRONG_TYPE,
    redis_options,
)
from home.records.pointer import SessionPointer
from home.verified import read_regular
from market.calendar import last_complete_session
from market.errors import InputError
from market.underlyings import MARKET
from serving.reading.freshness import age_in_sessions, answering_session, session_closing_at
from serving.reading.refusal import SOON, NullFeatures, Refusal
from serving.reading.row import FeatureRow

if TYPE_CHECKING:
    from feast import FeatureStore
    from redis import Redis

# Runs follow each other by seconds, a read takes milliseconds: the second one meets no other run.
READS: Final = 3
# Who mends a store that is lost or empty; a running `optrade serve` does by itself.
FILL: Final = "`optrade serve` mends that within seconds, else run `optrade materialize`"
# After which nobody waits for a refill any more.
REFILL_SECONDS: Final = 60
# What Redis may take before the answer is a refusal, when its connection says nothing else.
TIMEOUTS: Final = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25, "retry": None}


@dataclass(frozen=True)
class Requirements:
    """What an answer must fit: the clock, and what this process serves.

    Attributes
    ----------
    as_of
        The clock, with a zone.
    settle
        For how long after a session's decision time the one before it still counts as fresh.
    origin
        Of the home that is served.
    definition_hash
        Of the feature definitions of this process.
    data_dir
        The data folder of the home, resolved.
    """

    as_of: pd.Timestamp
    settle: pd.Timedelta
    origin: str
    definition_hash: str
    data_dir: str


def open_snapshot(repo_path: Path, yaml_path: Path, snapshot: Path) -> "FeatureStore":
    """Return a Feast store that reads its registry once, and in it no on-demand views.

    A registry says of a view that is being materialised that it cannot be served. What may be
    answered is decided by event timestamps, not by its states.

    Parameters
    ----------
    repo_path, yaml_path
        The feature repo, and the configuration to use with it.
    snapshot
        The registry kept for serving; where there is none, that of the configuration is read.

    Raises
    ------
    Refusal
        `not_configured` if there is no configuration or no registry yet.
    ConfigurationError
        If the registry is empty or damaged.
    """
    from feast import FeatureStore
    from feast.repo_config import load_repo_config

    from serving.reading.checked_rows import CheckedRowsConfig

    if not yaml_path.is_file():
        raise Refusal("not_configured", f"no {yaml_path.name} yet: run `optrade materialize`")
    config = load_repo_config(repo_path, yaml_path)
    path = snapshot if snapshot.is_file() else repo_path / config.registry.path
    # Feast would write an empty registry where there is none.
    if not path.is_file():
        raise Refusal("not_configured", "no feature registry yet: run `optrade materialize`")
    content = without_on_demand(parse_registry(read_regular(path)))
    # Mode `thread` with an endless lifetime: read once, never again.
    if config.online_config["type"] == "redis":
        config.online_config = CheckedRowsConfig(**config.online_config)
    config.registry.path, config.registry.cache_mode = str(path), "thread"
    config.registry.cache_ttl_seconds = 0
    store = FeatureStore(repo_path=str(repo_path), config=config)
    store.registry.cached_registry_proto = content
    return store


def connect(store: "FeatureStore") -> "Redis":
    """Return a client of the store's Redis, for the session pointer; connects on first use."""
    from redis import Redis

    options = redis_options(store.config.online_store.connection_string)
    return Redis(**{**TIMEOUTS, **options})


def store_answers(client: "Redis") -> bool:
    """Return whether Redis answers a ping in time."""
    from redis.exceptions import RedisError

    try:
        return bool(client.ping())
    except RedisError:
        return False


def service_references(store: "FeatureStore", services: Iterable[str]) -> dict[str, str]:
    """Return `view:feature` of every stored feature of some services, by feature name.

    Raises
    ------
    Refusal
        `unknown_service` if the registry has no such service.
    """
    from feast.errors import FeatureServiceNotFoundException

    references: dict[str, str] = {}
    for name in dict.fromkeys(services):
        try:
            service = store.get_feature_service(name, allow_cache=True)
        except FeatureServiceNotFoundException:
            raise Refusal(
                "unknown_service",
                f"the feature registry has no service {name!r:.40}: run `optrade materialize`",
            ) from None
        for view in service.feature_view_projections:
            references |= {field.name: f"{view.name}:{field.name}" for field in view.features}
    return references


def check_views(store: "FeatureStore", services: Iterable[str]) -> None:
    """Check that the registry has the services, and every view that they name.

    A registry that two have written at once can have lost a view.

    Raises
    ------
    Refusal
        `unknown_service` or `missing_views`.
    """
    references = service_references(store, services).values()
    named = {reference.partition(":")[0] for reference in references}
    held = {view.name for view in store.list_feature_views(allow_cache=True)}
    if lost := sorted(named - held):
        raise Refusal(
            "missing_views",
            f"the feature registry has lost {', '.join(lost)}: run `optrade materialize`",
        )


def read_row(
    store: "FeatureStore",
    client: "Redis",
    references: Mapping[str, str],
    ticker: str,
    needed: Requirements,
    on_demand: Sequence[str] = (),
    beside: Mapping[str, str] = MappingProxyType({}),
) -> FeatureRow:
    """Return a ticker's features if all views answer with one session that is fresh.

    Parameters
    ----------
    references
        `view:feature` of every stored feature needed, by name.
    on_demand
        Features to compute from those.
    beside
        `view:feature` of what the answer can do without, by name: neither a null nor a view that
        lags behind refuses it.

    Raises
    ------
    Refusal
        `store_unavailable`, `not_published`, `wrong_home`, `wrong_origin`, `wrong_definitions`,
        `damaged_features`, `missing_views`, `damaged_row`, `foreign_row`, `ahead`,
        `mixed_sessions`, `stale` or `null_features`.
    """
    with _answering():
        pointer, values, moments = _consistent(store, client, references, beside, ticker, needed)
    views = {reference.partition(":")[0] for reference in references.values()}
    sessions = _sessions({view: moments[view] for view in moments if view in views}, ticker)
    last = last_complete_session(needed.as_of)
    session = answering_session(sessions, pointer.session_date(), last, needed.as_of, needed.settle)
    named = {name: values[reference] for name, reference in references.items()}
    named |= compute_row(on_demand, named)
    unknown = sorted(name for name, value in named.items() if not np.isfinite(value))
    if unknown:
        raise NullFeatures(
            f"{ticker} {session.date()}: {len(unknown)} of {len(named)} features have no value: "
            f"{', '.join(unknown)}",
            unknown,
        )
    age = age_in_sessions(session, last)
    ages = dict.fromkeys(sorted(sessions), age)
    extra = {
        name: values[reference]
        if session_closing_at(moments[reference.partition(":")[0]]) == session
        else float("nan")
        for name, reference in beside.items()
    }
    return FeatureRow(ticker, session, named, ages, _carried(pointer, session, ages), extra)


def _carried(
    pointer: SessionPointer, session: pd.Timestamp, views: Iterable[str]
) -> tuple[str, ...] | None:
    """Return what a row of these views carries, None where nothing says it of its session."""
    if MACRO.name not in views:
        return ()
    if pointer.carried is None or pointer.session_date() != session:
        return None
    return tuple(pointer.carried)


def _consistent(
    store: "FeatureStore",
    client: "Redis",
    references: Mapping[str, str],
    beside: Mapping[str, str],
    ticker: str,
    needed: Requirements,
) -> tuple[SessionPointer, dict[str, float], dict[str, pd.Timestamp]]:
    """Return the pointer, values and event times of one state of the store.

    A run publishes in one transaction, but the pointer and the views are read one after the other:
    where a transaction came in between, they are read again. What still differs stands so.
    """
    views = {reference.partition(":")[0] for reference in references.values()}
    asked = list(dict.fromkeys([*references.values(), *beside.values()]))
    for _ in range(READS):
        content = client.get(SESSION_POINTER)
        pointer = _parse_pointer(content)
        _check_pointer(pointer, ticker, needed)
        response = store.get_online_features(
            features=asked,
            entity_rows=[{"ticker": ticker, "market": MARKET}],
            full_feature_names=True,
        ).proto
        values, moments = _unpack(response)
        if len({moments[view] for view in views}) == 1 and client.get(SESSION_POINTER) == content:
            break
    return pointer, values, moments


def ask_refill(client: "Redis") -> None:
    """Ask the watch beside the service to fill the store anew; in vain where nothing watches."""
    from redis.exceptions import RedisError

    with suppress(RedisError):
        client.set(REFILL_ASKED, 1, ex=REFILL_SECONDS)


@contextmanager
def _answering() -> Iterator[None]:
    from redis.exceptions import RedisError

    try:
        yield
    except RedisError as error:
        if WRONG_TYPE in str(error):
            raise Refusal(
                "foreign_row",
                "the online store holds something else where a row or its session has to be: "
                "another tool wrote it; run `optrade materialize`",
            ) from None
        raise Refusal(
            "store_unavailable",
            f"the online store does not answer ({type(error).__name__}): {FILL}",
            SOON,
        ) from error


def _parse_pointer(content: Any) -> SessionPointer:  # noqa: ANN401 - what redis-py gives
    if content is None:
        raise Refusal("not_published", f"the online store is empty: {FILL}", SOON)
    try:
        return SessionPointer.from_json(content, "the online store's session pointer")
    except InputError as error:
        raise Refusal("not_published", f"{error}; run `optrade materialize`") from None


def _check_pointer(pointer: SessionPointer, ticker: str, needed: Requirements) -> None:
    if pointer.data_dir != needed.data_dir:
        raise Refusal(
            "wrong_home",
            f"the online store holds the features of {pointer.data_dir}, this home's are in "
            f"{needed.data_dir}: give each home a server or a database of its own (REDIS_URL)",
        )
    if pointer.origin != needed.origin:
        raise Refusal(
            "wrong_origin",
            f"the online store holds {pointer.origin} data, this home is {needed.origin}",
        )
    if pointer.definition_hash != needed.definition_hash:
        raise Refusal(
            "wrong_definitions",
            f"the online store was filled with feature definitions "
            f"{pointer.definition_hash:.12}, this service computes {needed.definition_hash:.12}; "
            "run `optrade build-features` and `optrade materialize`",
        )
    if ticker in pointer.damaged:
        raise Refusal("damaged_features", pointer.damaged[ticker])
    if ticker in pointer.lacking:
        raise Refusal("not_published", f"{ticker} is not published: {pointer.lacking[ticker]}")
    if ticker not in pointer.tickers:
        raise Refusal(
            "not_published",
            f"{ticker} is not published, published are {', '.join(pointer.tickers)}; "
            f"run `optrade ingest --tickers {ticker}`",
        )


def _unpack(response: Any) -> tuple[dict[str, float], dict[str, pd.Timestamp]]:  # noqa: ANN401
    """Return values by `view:feature` (NaN where unknown), and the event time of every view."""
    values: dict[str, float] = {}
    moments: dict[str, pd.Timestamp] = {}
    for full_name, vector in zip(
        response.metadata.feature_names.val, response.results, strict=True
    ):
        view, separator, name = full_name.partition("__")
        if not separator:
            continue  # an entity key, echoed
        value = vector.values[0]
        known = value.WhichOneof("val") == "double_val"
        values[f"{view}:{name}"] = value.double_val if known else float("nan")
        # A view's features are fields of one row, which has one time.
        if view not in moments:
            nanoseconds = vector.event_timestamps[0].ToNanoseconds()
            moments[view] = pd.Timestamp(nanoseconds, unit="ns", tz="UTC")
    return values, moments


def _sessions(moments: Mapping[str, pd.Timestamp], ticker: str) -> dict[str, pd.Timestamp]:
    """Return the session of every view; a view without a row has the time zero."""
    found = {view: session_closing_at(moment) for view, moment in moments.items()}
    absent = sorted(view for view, session in found.items() if session is None)
    if absent:
        raise Refusal(
            "missing_views",
            f"the online store has no row of {ticker} in {', '.join(absent)}: "
            "run `optrade materialize`",
            SOON,
        )
    return {view: session for view, session in found.items() if session is not None}
