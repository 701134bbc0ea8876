"""What is worth a look in a table that landed: missing sessions, and many nulls.

Findings are reported; they keep no row out, and nothing is filled.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import pandas as pd

from home.strict_json import Json
from ingestion.gate.expectations import validate, whole_frame
from ingestion.gate.rules import Rule
from ingestion.gate.sequences import Stored
from ingestion.tables.declare import Column, Table
from market.calendar import sessions

HERE: Final = "landed"
# Sessions or keys named in a finding; the count is always whole.
NAMED: Final = 10


@dataclass(frozen=True)
class Finding:
    """A rule that a table breaks as a whole.

    Attributes
    ----------
    table, key
        Where; `key` is None for a rule on all keys of the landing together.
    rule
        What is expected, in words.
    count
        How many sessions are missing, or values null.
    detail
        Which ones, in words.
    """

    table: str
    key: str | None
    rule: str
    count: int
    detail: str

    def document(self) -> dict[str, Json]:
        """Return the finding as plain values."""
        return asdict(self)


def findings(table: Table, frame: pd.DataFrame, stored: Stored) -> list[Finding]:
    """Return what is missing in a table: sessions of a key, values of a column.

    Parameters
    ----------
    table
        The declaration.
    frame
        The rows about to land, good ones only.
    stored
        A key to the stored versions of its rows, such as `Lake.stored` of the table.

    Returns
    -------
    list
        Sessions between the first and the last row of a key, stored or landing, that have none;
        then columns with a larger share of nulls in the landing than declared.

    Raises
    ------
    SchemaViolation
        If a rule could not be checked.
    """
    return [*_gaps(table, frame, stored), *_null_shares(table, frame)]


def calendar(table: Table, frame: pd.DataFrame, stored: Stored) -> pd.DataFrame:
    """Return every session that the keys of a landing reach over, and whether it has a row.

    Returns
    -------
    pd.DataFrame
        The partition, the dating column and `landed`, key by key; shape (n_keys x sessions, 3).
    """
    parts = [table.empty()[[table.partition, table.dated]].assign(**{HERE: True})]
    for key, days in frame[table.dated].groupby(frame[table.partition], sort=False):
        rows = stored(str(key))
        known = pd.DatetimeIndex([] if rows is None else rows[table.dated].unique().to_numpy())
        here = known.union(pd.DatetimeIndex(days))
        expected = sessions(here.min(), here.max())
        columns = {table.partition: key, table.dated: expected, HERE: expected.isin(here)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _gaps(table: Table, frame: pd.DataFrame, stored: Stored) -> Iterator[Finding]:
    if not table.by_session or frame.empty:
        return
    words = f"{table.dated}: every XNYS session from the first row to the last"
    rule = Rule(words, "ExpectColumnValuesToBeInSet", {"column": HERE, "value_set": [True]})
    days = calendar(table, frame, stored)
    for _, result in validate(whole_frame(), days, [rule]):
        missing = days.loc[result.result.get("unexpected_index_list") or []]
        for key, dates in missing[table.dated].groupby(missing[table.partition], sort=False):
            named = _named(list(dates.dt.strftime("%Y-%m-%d")))
            yield Finding(table.name, str(key), words, len(dates), named)


def _null_shares(table: Table, frame: pd.DataFrame) -> Iterator[Finding]:
    declared = [column for column in table.columns if column.null_share is not None]
    if not declared or frame.empty:
        return
    rules = [_share_rule(column) for column in declared]
    for rule, result in validate(whole_frame(), frame, rules):
        if not result.success:
            null = frame[rule.arguments["column"]].isna()
            most = null.groupby(frame[table.partition], sort=False).mean().sort_values(
                ascending=False, kind="stable"
            )  # fmt: skip
            keys = [f"{key} {share:.0%}" for key, share in most[most > 0].items()]
            detail = f"{null.mean():.1%} null: {_named(keys)}"
            yield Finding(table.name, None, rule.words, int(null.sum()), detail)


def _share_rule(column: Column) -> Rule:
    return Rule(
        f"{column.name}: at most {column.null_share:.0%} null",
        "ExpectColumnProportionOfNonNullValuesToBeBetween",
        {"column": column.name, "min_value": 1.0 - (column.null_share or 0.0)},
    )


def _named(words: list[str]) -> str:
    more = len(words) - NAMED
    return ", ".join(words[:NAMED]) + (f" and {more} more" if more > 0 else "")
