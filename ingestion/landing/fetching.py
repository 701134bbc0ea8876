"""The rows of several keys from a source, and what became of the keys that gave none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import pandas as pd

from ingestion.sources.base import Source
from ingestion.tables.declare import Table
from market.errors import NotEntitled, SourceUnavailable

Days = tuple[pd.Timestamp | None, pd.Timestamp]

# Failures in a row after which the other keys are not asked for, and refusals after which the
# plan is taken to include none.
GIVE_UP: Final = 3


@dataclass(frozen=True)
class Fetched:
    """What a source gave for keys.

    Attributes
    ----------
    frame
        The rows, in the table's exact shape.
    failed, refused
        Why a key gave none: the source did not answer, or the plan does not include it.
    """

    frame: pd.DataFrame
    failed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def fetch_keys(source: Source, table: Table, keys: Sequence[str], days: Days) -> Fetched:
    """Return the rows of the keys that a source gives, and why it gives none of the others.

    Keys are asked for together. Where that fails each is asked for alone, so that one of them does
    not keep the others out; after a few failures in a row the vendor is taken to be down.

    Raises
    ------
    NotEntitled
        If the plan includes none of the keys, or none of the first few.
    MissingCredential, SchemaViolation
        As `Source.fetch`.
    """
    try:
        return Fetched(source.fetch(table.name, keys, *days))
    except NotEntitled:
        if len(keys) == 1:
            raise
    except SourceUnavailable as error:
        if len(keys) == 1:
            return Fetched(table.empty(), {keys[0]: str(error)})
    return _one_by_one(source, table, keys, days)


def _one_by_one(source: Source, table: Table, keys: Sequence[str], days: Days) -> Fetched:
    frames, failed, in_a_row = [], {}, 0
    refused: dict[str, str] = {}
    for key in keys:
        if in_a_row == GIVE_UP:
            failed[key] = "not asked for: the source had stopped answering"
            continue
        try:
            one = fetch_keys(source, table, [key], days)
        except NotEntitled as error:
            refused[key], in_a_row = str(error), 0
            if len(refused) == min(GIVE_UP, len(keys)) and not frames:
                raise
            continue
        in_a_row = in_a_row + 1 if one.failed else 0
        frames.append(one.frame)
        failed |= one.failed
    rows = pd.concat([table.empty(), *frames], ignore_index=True).astype(table.dtypes)
    return Fetched(rows, failed, refused)
