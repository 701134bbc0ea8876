"""The entity frame of a historical read: its moments and its keys, checked before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import polars as pl
import pyarrow as pa

from feature_repo.store.arrow_types import plain_type
from feature_repo.store.join import AS_OF, as_key
from market.errors import InputError

TIMESTAMP: Final = "event_timestamp"


@dataclass(frozen=True)
class Entities:
    """Rows to answer, in their order.

    `table` holds them as they came, without their index; `timestamp` names the column of the
    moments, which `moments` holds as Datetime("ns", "UTC"), null where there is none; shape (n,).
    """

    table: pa.Table
    timestamp: str
    moments: pl.Series

    def keyed(self, keys: Mapping[str, str], types: pl.Schema) -> pl.DataFrame:
        """Return the columns to join by: the keys under their stored names, and `AS_OF`.

        Parameters
        ----------
        keys
            The stored name of each key, and the column of the frame that holds it.
        types
            The types of the stored keys.
        """
        columns = [
            as_key(self.key(column), types[stored]).alias(stored) for stored, column in keys.items()
        ]
        return pl.DataFrame([*columns, self.moments.alias(AS_OF)])

    def key(self, column: str) -> pl.Series:
        """Return a key column; shape (n,)."""
        values = self.table[column]
        return pl.Series(column, values.cast(plain_type(values.type)))


def entities(frame: pd.DataFrame, keys: Mapping[str, str], added: list[str]) -> Entities:
    """Return the checked rows of an entity frame.

    Parameters
    ----------
    frame
        The entity frame; it is not changed.
    keys
        Each column needed as a join key, and the view that needs it.
    added
        The names of the feature columns that the read will add.

    Raises
    ------
    InputError
        If a key column is missing, a name would stand twice, a column mixes kinds of values, or
        the moments are no timestamps.
    """
    columns = list(frame.columns)
    for column, view in keys.items():
        if column not in columns:
            raise InputError(
                f"the entity frame lacks join key {column!r} of view {view}: got columns "
                f"{', '.join(map(str, columns))!s:.200}; add it"
            )
    seen: set[str] = set()
    for name in [*columns, *added]:
        if name in seen:
            raise InputError(
                f"column {name!r} would stand twice in the result: rename it in the entity frame, "
                "or ask for full_feature_names"
            )
        seen.add(name)
    timestamp = timestamp_column(frame)
    zoned = with_zone(frame[timestamp])
    try:
        table = pa.Table.from_pandas(frame.assign(**{timestamp: zoned}), preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(
            f"the entity frame has a column of several kinds of values: {error!s:.120}; "
            "allowed is one kind a column, such as text"
        ) from None
    return Entities(table, timestamp, moments(zoned))


def timestamp_column(frame: pd.DataFrame) -> str:
    """Return the column of the moments: `event_timestamp`, or the only timestamps there are.

    Raises
    ------
    InputError
        If there is no such column.
    """
    dated = frame.select_dtypes(["datetime", "datetimetz"]).columns
    name = TIMESTAMP if TIMESTAMP in frame.columns or len(dated) != 1 else str(dated[0])
    if name not in frame.columns:
        raise InputError(
            f"the entity frame has no column {TIMESTAMP}: got "
            f"{', '.join(map(str, frame.columns))!s:.200}"
        )
    return name


def with_zone(column: pd.Series) -> pd.Series:
    """Return timestamps with their zones; one without a zone is in UTC, as in all of Feast.

    Raises
    ------
    InputError
        If a value is no timestamp.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return column
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return column.dt.tz_localize("UTC")
    for value in column.dropna():
        if not isinstance(value, datetime):
            raise InputError(
                f"{column.name}: got {value!s:.40}, allowed are timestamps; use pd.to_datetime"
            )
    return column.map(_in_utc, na_action="ignore")


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def moments(column: pd.Series) -> pl.Series:
    """Return timestamps with zones as Datetime("ns", "UTC"), null where there is none.

    By way of pandas: polars cannot hold every zone that pandas can, nor several in one column.

    Raises
    ------
    InputError
        If a value lies outside 1678 to 2261.
    """
    try:
        instants = pd.to_datetime(column, utc=True).dt.as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise InputError(f"{column.name}: allowed are years 1678 to 2261: {error!s:.80}") from None
    return pl.Series(instants.dt.tz_localize(None).to_numpy()).dt.replace_time_zone("UTC")
