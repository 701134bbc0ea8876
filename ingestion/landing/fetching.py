"""The rows of several keys from a source, and what became of the keys that gave none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pandas as pd

from ingestion.sources.base import Source
from ingestion.tables.declare import Table
from market.errors import KeyUnavailable, NotEntitled, SchemaViolation, SourceUnavailable

Days = tuple[pd.Timestamp | None, pd.Timestamp]

# Failures in a row after which the other keys are not asked for, and refusals, or answers that
# cannot be read, after which all are taken to be such.
GIVE_UP: Final = 3
NOT_ASKED: Final = "not asked for: the source had stopped answering"


@dataclass(frozen=True)
class Fetched:
    """What a source gave for keys.

    Attributes
    ----------
    frame
        The rows, in the table's exact shape.
    failed, refused
        Why a key gave none: the source did not answer, or not with what can be read, or the plan
        does not include it.
    """

    frame: pd.DataFrame
    failed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def without(self, table: Table, wrong: Mapping[str, str]) -> "Fetched":
        """Return the same less the keys whose answers are wrong as a whole, and why they are."""
        if not wrong:
            return self
        kept = self.frame[~self.frame[table.partition].isin(list(wrong))]
        return replace(self, frame=kept.reset_index(drop=True), failed={**self.failed, **wrong})


def fetch_keys(source: Source, table: Table, keys: Sequence[str], days: Days) -> Fetched:
    """Return the rows of the keys that a source gives, and why it gives none of the others.

    Keys are asked for together. Where that fails each is asked for alone, so that one of them does
    not keep the others out (Decision 24); after a few failures in a row the vendor is taken to be
    down.

    Raises
    ------
    NotEntitled
        If the plan includes none of the keys, or none of the first few.
    SchemaViolation
        If none of the keys can be read, or none of the first few.
    MissingCredential
        As `Source.fetch`.
    """
    try:
        return Fetched(source.fetch(table.name, keys, *days))
    except (NotEntitled, SchemaViolation):
        if len(keys) == 1:
            raise
    except SourceUnavailable as error:
        if len(keys) == 1:
            return Fetched(table.empty(), {keys[0]: str(error)})
    return _one_by_one(source, table, keys, days)


def _one_by_one(source: Source, table: Table, keys: Sequence[str], days: Days) -> Fetched:
    frames, in_a_row = [], 0
    failed: dict[str, str] = {}
    refused: dict[str, str] = {}
    unread: dict[str, str] = {}
    few = min(GIVE_UP, len(keys))
    for key in keys:
        if in_a_row == GIVE_UP:
            failed[key] = NOT_ASKED
            continue
        try:
            frames.append(source.fetch(table.name, [key], *days))
            in_a_row = 0
        except NotEntitled as error:
            refused[key], in_a_row = str(error), 0
            if len(refused) == few and not frames:
                raise
        except SchemaViolation as error:
            unread[key], in_a_row = str(error), 0
            if len(unread) == few and not frames:
                raise
        except SourceUnavailable as error:
            failed[key] = str(error)
            in_a_row += not isinstance(error, KeyUnavailable)
    rows = pd.concat([table.empty(), *frames], ignore_index=True).astype(table.dtypes)
    return Fetched(rows, failed | unread, refused)
