"""Feast's Redis store, read with the check of every row: a changed value is no answer."""

from typing import Any, Literal

from feast import RepoConfig
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig

from feature_repo.store.row_checks import CHECK, TIME, changed
from serving.reading.refusal import Refusal

Field = str | bytes


class CheckedRowsConfig(RedisOnlineStoreConfig):  # type: ignore[misc]  # Feast has no types
    """Configuration of `CheckedRows`: that of Feast's Redis store, by whose name Feast finds it."""

    type: Literal["redis"] = "redis"


class CheckedRows(RedisOnlineStore):  # type: ignore[misc]  # Feast has no types
    """Feast's Redis store; a row whose values are not those that were written refuses."""

    def _read_hash_fields(
        self, config: RepoConfig, commands: list[tuple[bytes, list[Field]]]
    ) -> list[list[Any]]:
        """Return the values of the fields of each key.

        Raises
        ------
        Refusal
            `damaged_row`, or `foreign_row` where none of it is as it was published.
        """
        asked = [(key, [*fields, *_checks(fields)]) for key, fields in commands]
        replies = super()._read_hash_fields(config, asked)
        for (_, fields), reply in zip(commands, replies, strict=True):
            _refuse_changed(dict(zip([*fields, *_checks(fields)], reply, strict=True)))
        return [reply[: len(fields)] for (_, fields), reply in zip(commands, replies, strict=True)]


def _checks(fields: list[Field]) -> list[str]:
    """Return the names of the checks of the rows that fields belong to."""
    times = (name for name in fields if isinstance(name, str) and name.startswith(TIME))
    return [CHECK + name.removeprefix(TIME) for name in times]


def _refuse_changed(row: dict[Field, bytes | None]) -> None:
    for check in _checks([*row]):
        view = check.removeprefix(CHECK)
        moment, written = row[TIME + view], row[check]
        values = {n: v for n, v in row.items() if isinstance(n, bytes) and v is not None}
        if moment is None:
            continue  # there is no row: its view counts as missing
        wrong = [*values] if written is None else changed(moment, values, written)
        if written is None or len(wrong) == len(values) > 1:
            raise Refusal(
                "foreign_row",
                f"the online store's row of {view} is none that optrade published: another tool "
                "wrote it (such as `feast materialize`), or its time changed; "
                "run `optrade materialize`",
            )
        if wrong:
            raise Refusal(
                "damaged_row",
                f"the online store's row of {view} is not as it was published: "
                "run `optrade materialize`",
            )
