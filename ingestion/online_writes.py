"""Rows on their way to Redis: encoded by Feast, held back, and written in one transaction.

Feast writes view after view, each in a pipeline of its own: a reader in between finds views of
two sessions, and a writer that dies leaves them so. Here its pipelines gather into one list, which
`Writes.commit` sends as MULTI ... EXEC: Redis carries out all of it or, if the writer dies before
EXEC, nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Self

from feast import FeatureView, RepoConfig
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import Field

from feature_repo.errors import ConfigurationError

if TYPE_CHECKING:
    from redis import Redis

Row = tuple[Any, dict[str, Any], datetime, datetime | None]


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
        """Hold a row back."""
        self.rows.append((name, mapping))

    def execute(self) -> list[int]:
        """Write nothing yet."""
        return []

    def commit(self, client: "Redis", pointer: tuple[str, str] | None) -> None:
        """Write all rows, then the pointer (a key and its value), as one transaction.

        Raises
        ------
        ConfigurationError
            If Redis does not take it; then it holds all of it or nothing.
        """
        from redis.exceptions import RedisError

        try:
            with client.pipeline(transaction=True) as pipe:
                for name, mapping in self.rows:
                    pipe.hset(name, mapping=mapping)
                if pointer is not None:
                    pipe.set(*pointer)
                pipe.execute()
        except RedisError as error:
            raise ConfigurationError(
                f"Redis did not take the {len(self.rows)} rows ({type(error).__name__}): see "
                "`optrade redis status`, then run `optrade materialize` again"
            ) from None


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
