"""From the lake to the online store: the newest row of every view, and the session they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.planted import leaked_hash
from feature_repo.store.repo_config import redis_options
from home.manifest import read_manifest
from ingestion.online.damaged import damaged_features
from ingestion.online.feast_registry import apply, changed_registry, define_all
from ingestion.online.lacking import without_lacking
from ingestion.online.pointer import Materialization, pointer_of
from market.calendar import FIRST_SESSION, NEW_YORK
from market.errors import ConfigurationError, DamagedFile, InputError, StoreUnavailable
from market.underlyings import MARKET

if TYPE_CHECKING:
    from feast import FeatureStore
    from redis import Redis

__all__ = ["Materialization", "apply", "materialize"]

# What has to agree before a session is published; the others are held against it at answer time.
REQUIRED: Final = tuple(name for name in GROUPS if name not in OPTIONAL_GROUPS)
# The window reaches back over everything: late rows are never missed, and a store that was
# emptied is filled as it was. It costs no more than a short one, as only newest rows are written.
START: Final = pd.Timestamp(FIRST_SESSION, tz="UTC")


def materialize(
    store: "FeatureStore",
    data_dir: Path,
    as_of: pd.Timestamp,
    tickers: Sequence[str] | None = None,
    start: pd.Timestamp = START,
) -> Materialization:
    """Write to the online store what is newest and known at `as_of`, and publish its session.

    Each row replaces what stood there, a correction with the same event time included. All rows
    and the session pointer take their places in one transaction, the pointer last: a reader never
    finds half of them, and a run that dies leaves what stood there. The pointer moves only when
    every required view of every ticker holds the same session. Where none of the tickers is
    complete (the macro view lags, say), nothing is written, and the last complete session stays to
    answer with. A ticker of which a feature file is damaged, or a required view holds nothing while
    another ticker is whole, is left out, and named.

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
        If `as_of` has no zone, nothing has landed, the views were built by definitions that this
        code does not have, or another process holds the registry.
    DamagedFile
        If a feature file of the market is damaged, or one of every ticker.
    StoreUnavailable
        If the online store does not answer.
    """
    if as_of.tzinfo is None:
        raise InputError(f"as_of: got {as_of} without a zone; add one, such as UTC")
    end = as_of.tz_convert("UTC").floor("us").to_pydatetime(warn=False)
    names, origin = landed(data_dir, tickers)
    broken = damaged_features(data_dir)
    words = {name: broken.words[name] for name in names if name in broken.words}
    whole = tuple(name for name in names if name not in words)
    if not whole:
        raise DamagedFile(next(iter(words.values())))
    done = Materialization(as_of, origin, whole, {}, {}, built_by(data_dir), words)
    return _written(store, data_dir, done, (start.to_pydatetime(), end), broken.keys)


def _written(
    store: "FeatureStore",
    data_dir: Path,
    asked: Materialization,
    window: tuple[datetime, datetime],
    left_out: Mapping[str, Sequence[str]],
) -> Materialization:
    """Write the rows of a window and the pointer in one transaction, if any ticker is complete."""
    from ingestion.online.writes import Writes, held_back, remove_foreign

    writes = Writes()
    online = partial(held_back, writes=writes)
    with changed_registry(store, data_dir, online, left_out) as writer:
        client = connect(writer)
        define_all(writer, data_dir)
        writer.materialize(*window, list(GROUPS))
        remove_foreign(client, writes.hashes)
        if built_by(data_dir) != asked.definition_hash:
            raise InputError(
                "the features were built by other definitions while they were read: "
                "run `optrade materialize` again"
            )
        found = newest_sessions(writer, writes.events, asked.tickers, asked.as_of)
        done = replace(
            asked,
            sessions={view: found[view] for view in REQUIRED},
            optional=held_optional(data_dir, found),
        )
        done = without_lacking(done, read_manifest(data_dir))
        if done.complete:
            writes.commit(client, pointer_of(done, data_dir))
    return done


def built_by(data_dir: Path) -> str:
    """Return the hash of the definitions that all views of a home were built by.

    That of a home with a planted leak is given as it is, so that serving can tell it apart.

    Raises
    ------
    InputError
        If a view was built by other definitions than those of this code.
    """
    manifest = read_manifest(data_dir)
    held = {
        view: manifest.tables[view].definition_hash or "" for view in GROUPS if manifest.keys(view)
    }
    planted = leaked_hash()
    wanted = planted if planted in held.values() else definition_hash()
    if other := sorted(view for view, found in held.items() if found != wanted):
        raise InputError(
            f"{', '.join(other)}: built by feature definitions {held[other[0]]:.12}, allowed are "
            f"{wanted:.12}; run `optrade build-features`"
        )
    return wanted


def held_optional(
    data_dir: Path, sessions: Mapping[str, Mapping[str, str | None]]
) -> dict[str, dict[str, str | None]]:
    """Return the sessions of the optional views, for the tickers that the home has rows of."""
    manifest = read_manifest(data_dir)
    return {
        view: {key: sessions[view][key] for key in manifest.keys(view) if key in sessions[view]}
        for view in OPTIONAL_GROUPS
        if manifest.keys(view)
    }


def landed(data_dir: Path, tickers: Sequence[str] | None) -> tuple[tuple[str, ...], str]:
    """Return the tickers to serve, and the origin of the home's data.

    Raises
    ------
    InputError
        If no required view has landed.
    """
    manifest = read_manifest(data_dir)
    views = [name for name in REQUIRED if GROUPS[name].entity == "ticker"]
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
        If there is none.
    StoreUnavailable
        If it does not answer.
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
        raise StoreUnavailable(
            f"Redis at {options['host']}:{options['port']} does not answer "
            f"({type(error).__name__}): see `optrade redis status`, or set REDIS_URL"
        ) from None
    return client


def newest_sessions(
    store: "FeatureStore",
    events: Mapping[str, Mapping[str, datetime]],
    tickers: Sequence[str],
    as_of: pd.Timestamp,
) -> dict[str, dict[str, str | None]]:
    """Return the session of every view and ticker, as it is once the rows at hand are written.

    `events` are their event times by view and key; what has no row among them stays as it is.
    """
    keys = {
        view: {ticker: MARKET if group.entity != "ticker" else ticker for ticker in tickers}
        for view, group in GROUPS.items()
    }
    complete = all(key in events.get(view, ()) for view in GROUPS for key in keys[view].values())
    online = {} if complete else online_sessions(store, tickers, as_of)
    return {
        view: {
            ticker: session_of(events[view][key], as_of)
            if key in events.get(view, ())
            else online[view][ticker]
            for ticker, key in keys[view].items()
        }
        for view in GROUPS
    }


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
    """Return the session of an event time (UTC); None for the epoch and after `as_of`."""
    stamp = pd.Timestamp(event)
    stamp = stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
    if stamp.value == 0 or stamp > as_of:
        return None
    return stamp.tz_convert(NEW_YORK).date().isoformat()
