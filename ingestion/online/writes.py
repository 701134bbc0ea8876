"""Rows on their way to Redis: encoded by Feast, held back, and put in place in one transaction.

Feast writes view after view, each in a pipeline of its own: a reader in between finds views of
two sessions, and a writer that dies leaves them so. Here its pipelines gather into one list, and
`Writes.commit` writes them beside what is read: each entity's hash is copied and the copy changed,
a few at a time, so that readers come in between. Then one MULTI ... EXEC renames all copies into
place: Redis carries out all of it or, if the writer dies before EXEC, nothing. A rename moves no
field, so that the one moment that holds readers up is short however many rows there are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from feast import FeatureView, RepoConfig
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import Field

from feature_repo.store.row_checks import with_check
from market.errors import StoreUnavailable

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

Row = tuple[Any, dict[str, Any], datetime, datetime | None]
Hashes = Mapping[bytes, Mapping[Any, Any]]
# The names under which entities are written, until they take their places.
STAGED: Final = b"optrade:staged:"
# What Redis says the place of a row is: one is there, or none yet.
ROW_TYPES: Final = (b"hash", b"none")
# Entities in one pipeline: Redis is done with it in a few milliseconds.
AT_ONCE: Final = 25


@dataclass
class Writes:
    """What a run is about to write.

    `rows` are the Redis keys with their fields, `events` the event time (UTC) by view and key.
    It stands in for Feast's Redis client and for its pipeline alike.
    """

    rows: list[tuple[bytes, dict[Any, Any]]] = field(default_factory=list)
    events: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def pipeline(self, *, transaction: bool) -> Self:  # noqa: ARG002 - redis-py's signature
        """Return what takes the commands: this."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def hset(self, name: bytes, *, mapping: dict[Any, Any]) -> None:
        """Hold a row back, its check with it."""
        self.rows.append((name, with_check(mapping)))

    def execute(self) -> list[int]:
        """Write nothing yet."""
        return []

    @property
    def hashes(self) -> dict[bytes, dict[Any, Any]]:
        """The rows as they will lie in Redis: one hash an entity, with the fields of its views."""
        found: dict[bytes, dict[Any, Any]] = {}
        for name, mapping in self.rows:
            found.setdefault(name, {}).update(mapping)
        return found

    def commit(self, client: "Redis", pointer: tuple[str, str] | None) -> None:
        """Write all rows and the pointer (a key and its value): all at one moment, or nothing.

        Raises
        ------
        StoreUnavailable
            If Redis does not take it, or another process changed a row meanwhile.
        """
        from redis.exceptions import OutOfMemoryError, RedisError

        try:
            with client.pipeline(transaction=True) as pipe:
                staged = staged_under_watch(client, pipe, self.hashes)
                pipe.multi()
                for name, place in staged.items():
                    pipe.rename(name, place)
                if pointer is not None:
                    pipe.set(*pointer)
                pipe.execute()
        except OutOfMemoryError:
            raise StoreUnavailable(
                f"Redis has no memory left for the {len(self.rows)} rows: raise its `maxmemory`, "
                "or empty it of what others keep there, then run `optrade materialize` again"
            ) from None
        except RedisError as error:
            raise StoreUnavailable(
                f"Redis did not take the {len(self.rows)} rows ({type(error).__name__}): it has "
                "to be 6.2 or newer, and nobody else writing to it; see `optrade redis status`, "
                "then run `optrade materialize` again"
            ) from None


def staged_under_watch(client: "Redis", pipe: "Pipeline", hashes: Hashes) -> dict[bytes, bytes]:
    """Stage all hashes, and return their places by the name that they are staged under.

    From here on the transaction of `pipe` fails if another writes to a place, or takes away what is
    staged: a rename of nothing would fail alone, and leave the others done.

    Raises
    ------
    redis.exceptions.WatchError
        If something staged is gone already.
    """
    from redis.exceptions import WatchError

    staged = {STAGED + name: name for name in hashes}
    if staged:
        pipe.watch(*hashes)
        clear(client)
        stage(client, hashes)
        pipe.watch(*staged)
        if client.exists(*staged) != len(staged):
            raise WatchError("rows that were staged are gone")
    return staged


def remove_foreign(client: "Redis", names: Iterable[bytes]) -> None:
    """Remove what stands at the places of rows and is none, as another tool left it."""
    places = list(names)
    with client.pipeline(transaction=False) as pipe:
        for name in places:
            pipe.type(name)
        types = pipe.execute()
    wrong = [name for name, held in zip(places, types, strict=True) if held not in ROW_TYPES]
    if wrong:
        client.unlink(*wrong)


def clear(client: "Redis") -> None:
    """Remove what a run left that died before its end."""
    left = list(client.scan_iter(match=STAGED + b"*", count=1000))
    if left:
        client.unlink(*left)


def stage(client: "Redis", hashes: Hashes) -> None:
    """Write, for each entity, a copy of what it holds with new fields in it.

    The copy keeps what others wrote: a view that is not among the rows, another project's features.
    """
    for some in _batches(hashes):
        with client.pipeline(transaction=False) as pipe:
            for name, mapping in some.items():
                pipe.copy(name, STAGED + name, replace=True)
                pipe.hset(STAGED + name, mapping=mapping)
            pipe.execute()


def _batches(hashes: Hashes) -> Iterator[Hashes]:
    left = iter(hashes.items())
    while some := dict(islice(left, AT_ONCE)):
        yield some


class HeldBackConfig(RedisOnlineStoreConfig):
    """Configuration of `HeldBack`: that of Feast's Redis store, and where its rows gather."""

    type: Literal["redis"] = "redis"
    writes: Writes = Field(exclude=True)


class _Encoder(RedisOnlineStore):
    """Feast's writer, its commands to the list of writes."""

    def _get_client(self, online_store_config: HeldBackConfig) -> Writes:
        return online_store_config.writes


class HeldBack(RedisOnlineStore):
    """Feast's Redis store, whose reads go to Redis and whose writes wait for `Writes.commit`."""

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Encode rows as Feast does, and hold them back."""
        _Encoder().online_write_batch(config, table, data, progress)
        events = config.online_store.writes.events.setdefault(table.name, {})
        events |= {key_of(row): row[2] for row in data}


def key_of(row: Row) -> str:
    """Return the one key of a row: a ticker or the market."""
    values: Sequence[Any] = row[0].entity_values
    return str(values[0].string_val)


def held_back(online: RedisOnlineStoreConfig | None, writes: Writes) -> HeldBackConfig | None:
    """Return a Redis configuration whose rows gather in `writes`; None for a store without."""
    if online is None:
        return None
    return HeldBackConfig(**online.model_dump(exclude_unset=True), writes=writes)
