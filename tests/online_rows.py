"""Rows that Feast writes for a test, vouched for as `optrade materialize` does."""

from collections.abc import Iterable, Mapping

from feast.infra.online_stores.helpers import _mmh3 as mmh3
from redis import Redis

from feature_repo.store.row_checks import check_of


def vouch(client: Redis, views: Mapping[str, Iterable[str]]) -> None:
    """Put the checks beside the rows of views, given the features of each."""
    hashes = [key for key in client.scan_iter() if client.type(key) == b"hash"]
    for view, features in views.items():
        fields = {mmh3(f"{view}:{feature}") for feature in features}
        for key in hashes:
            row = client.hgetall(key)
            if (moment := row.get(f"_ts:{view}".encode())) is not None:
                values = {name: row[name] for name in fields & set(row)}
                client.hset(key, f"_check:{view}", check_of(moment, values))
