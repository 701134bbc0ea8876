"""From the lake to the online store: the newest row of every view, and the session they share."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from feature_repo.errors import ConfigurationError, InputError
from feature_repo.features.catalogue import GROUPS, definition_hash
from feature_repo.manifest import read_manifest
from feature_repo.markets import FIRST_SESSION, MARKET, NEW_YORK
from feature_repo.repo_config import SESSION_POINTER, redis_options
from ingestion.registry import apply, changed_registry, define_all

if TYPE_CHECKING:
    from feast import FeatureStore
    from redis import Redis

__all__ = ["Materialization", "apply", "materialize"]

# The window reaches back over everything: late rows are never missed, and a store that was
# emptied is filled as it was. It costs no more than a short one, as only newest rows are written.
START: Final = pd.Timestamp(FIRST_SESSION, tz="UTC")


@dataclass(frozen=True)
class Materialization:
    """What the online store holds after a run.

    `sessions` maps a view to the session of each ticker, None where there is no row; `session` is
    the one they all have, None where they differ: then it was not published.
    """

    as_of: pd.Timestamp
    origin: str
    tickers: tuple[str, ...]
    sessions: Mapping[str, Mapping[str, str | None]]

    @property
    def session(self) -> str | None:
        """The session that all views of all tickers hold."""
        found = {session for view in self.sessions.values() for session in view.values()}
        return found.pop() if len(found) == 1 else None

    def behind(self) -> tuple[str, ...]:
        """Return `view/ticker: session` for what keeps the newest session from being published."""
        newest = max((s for view in self.sessions.values() for s in view.values() if s), default="")
        return tuple(
            f"{view}/{ticker}: {session or 'no row'}"
            for view, found in self.sessions.items()
            for ticker, session in found.items()
            if session != newest
        )

    def document(self) -> dict[str, Any]:
        """Return the result as one row of a report."""
        return {
            "session": self.session,
            "published": self.session is not None,
            "as_of": self.as_of.isoformat(),
            "tickers": ", ".join(self.tickers),
            "behind": ", ".join(self.behind()),
        }


def materialize(
    store: "FeatureStore",
    data_dir: Path,
    as_of: pd.Timestamp,
    tickers: Sequence[str] | None = None,
    start: pd.Timestamp = START,
) -> Materialization:
    """Write to the online store what is newest and known at `as_of`, then publish its session.

    Each row replaces what stood there, a correction with the same event time included. The
    session pointer moves last, and only when every view of every ticker holds the same session:
    a run that dies in between leaves it on the session before.

    Parameters
    ----------
    store
        Feast's store over the home, with its Redis.
    data_dir
        The data folder of the home.
    as_of
        The clock, with a zone: nothing that happened or became known later is written.
    tickers
        What has to agree, by default every ticker that the views hold.
    start
        The first event time to look at.

    Raises
    ------
    InputError
        If `as_of` has no zone, nothing has landed, or another process holds the registry.
    ConfigurationError
        If the online store does not answer.
    """
    if as_of.tzinfo is None:
        raise InputError(f"as_of: got {as_of} without a zone; add one, such as UTC")
    end = as_of.tz_convert("UTC").floor("us").to_pydatetime(warn=False)
    names, origin = landed(data_dir, tickers)
    with changed_registry(store, data_dir) as writer:
        client = connect(writer)
        define_all(writer, data_dir)
        writer.materialize(start.to_pydatetime(), end, list(GROUPS))
        done = Materialization(as_of, origin, names, online_sessions(writer, names, as_of))
        publish(client, done)
    return done


def landed(data_dir: Path, tickers: Sequence[str] | None) -> tuple[tuple[str, ...], str]:
    """Return the tickers to serve, and the origin of the home's data.

    Raises
    ------
    InputError
        If no view has landed.
    """
    manifest = read_manifest(data_dir)
    views = [name for name, group in GROUPS.items() if group.entity == "ticker"]
    held = sorted({key for view in views for key in manifest.keys(view)})
    if manifest.origin is None or not held:
        raise InputError(
            "no features in this home: run `optrade fetch-all` and `optrade build-features`, "
            "or `optrade ingest`"
        )
    return tuple(held if tickers is None else tickers), manifest.origin


def connect(store: "FeatureStore") -> "Redis":
    """Return a client of the store's Redis, which has answered.

    Raises
    ------
    ConfigurationError
        If it does not answer, or there is none.
    """
    from redis import Redis
    from redis.exceptions import RedisError

    if store.config.online_store is None:
        raise ConfigurationError("this feature store has no Redis: open it with a Redis URL")
    options = redis_options(store.config.online_store.connection_string)
    client = Redis(**options)
    try:
        client.ping()
    except RedisError as error:
        raise ConfigurationError(
            f"Redis at {options['host']}:{options['port']} does not answer "
            f"({type(error).__name__}): see `optrade redis status`, or set REDIS_URL"
        ) from None
    return client


def online_sessions(
    store: "FeatureStore", tickers: Sequence[str], as_of: pd.Timestamp
) -> dict[str, dict[str, str | None]]:
    """Return the session of every view and ticker as the online store has it.

    None stands for no row, and for one later than `as_of`: left by a run with a later clock, where
    nothing was known yet at this one.
    """
    features = [f"{name}:{group.features[0].name}" for name, group in GROUPS.items()]
    rows = [{"ticker": ticker, "market": MARKET} for ticker in tickers]
    response = store.get_online_features(features, rows, full_feature_names=True).proto
    found = dict(zip(response.metadata.feature_names.val, response.results, strict=True))
    return {
        ref.split(":")[0]: {
            ticker: session_of(stamp.ToDatetime(), as_of)
            for ticker, stamp in zip(
                tickers, found[ref.replace(":", "__")].event_timestamps, strict=True
            )
        }
        for ref in features
    }


def session_of(event: datetime, as_of: pd.Timestamp) -> str | None:
    """Return the session of an event time (UTC, no zone); None for the epoch and after `as_of`."""
    stamp = pd.Timestamp(event, tz="UTC")
    if stamp.value == 0 or stamp > as_of:
        return None
    return stamp.tz_convert(NEW_YORK).date().isoformat()


def publish(client: "Redis", done: Materialization) -> None:
    """Move the session pointer, if all views agree; one command, so never half."""
    if done.session is None:
        return
    pointer = {
        "session": done.session,
        "as_of": done.as_of.isoformat(),
        "origin": done.origin,
        "tickers": list(done.tickers),
        "definition_hash": definition_hash(),
    }
    client.set(SESSION_POINTER, json.dumps(pointer, sort_keys=True))
