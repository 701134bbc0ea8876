"""What is worth a look in a table that landed: what is missing, null, or unlike the vendor's sums.

Findings are reported; they keep no row out, and nothing is filled.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import pandas as pd

from home.records.finding import Finding
from ingestion.gate.adjustment import disagreement
from ingestion.gate.levels import VOLUMES, strange_volumes
from ingestion.gate.rules import vendor_words
from ingestion.gate.sequences import Stored
from ingestion.tables.catalogue import MACRO_SERIES, PRICES
from ingestion.tables.declare import Table
from market.availability import NEVER_PUBLISHED, missing_months
from market.calendar import sessions

HERE: Final = "landed"
ANY_ROW: Final = "at least one row"
# The rule that a key breaks for which the vendor's plan has no answer.
IN_PLAN: Final = "included in the plan"
# The rule that rows break which a source holds back because they lie after the clock.
KNOWN_YET: Final = "known by the decision time of the last session asked for"
# Rules on how a source answers, which hold or not whatever its rows are.
OF_ANSWERS: Final = (ANY_ROW, IN_PLAN, KNOWN_YET)
CHECK_KEY: Final = "look at `optrade quarantine list`, and whether the source has it at all"
CHECK_GAP: Final = "ask the source again; a session that it never had stays a hole, act no more"
CHECK_NULLS: Final = "look whether the source still gives them; what is null is not filled"
CHECK_PAID: Final = (
    "compare the dividends with another source; nothing to do where a capital gain is taken twice"
)
MISPRINT: Final = "nothing, features do not read it"
CHECK_VOLUME: Final = "compare with another source, and ask again if it is corrected there"
EVERY_MONTH: Final = "a value for every month up to the last"
CARRIED: Final = "nothing, it was never published: features carry the month before"
CHECK_MONTH: Final = "ask the source again; until it comes, features carry the month before"
# Sessions or keys named in a finding; the count is always whole.
NAMED: Final = 10


def findings(table: Table, frame: pd.DataFrame, stored: Stored) -> list[Finding]:
    """Return what is missing in a table, or unlike what the vendor itself makes of it.

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
        then columns of a key with a larger share of nulls in the landing than declared; then keys
        some of whose adjusted returns differ by more than rounding from the vendor's; then monthly
        series with a month that has not come though a later one has; then keys with volumes far
        from those around.
    """
    return [
        *_gaps(table, frame, stored),
        *_null_shares(table, frame),
        *_unlike_vendor(table, frame),
        *_carried(table, frame, stored),
        *_volumes(table, frame),
    ]


def absent(table: Table, keys: Iterable[str], stored: Stored) -> list[Finding]:
    """Return the keys of which no row has ever landed.

    Parameters
    ----------
    table
        The declaration.
    keys
        Those that the source was asked for, and answered.
    stored
        As in `findings`, after the landing.
    """
    return [
        Finding(table.name, key, None, ANY_ROW, 1, "no row that passes", CHECK_KEY)
        for key in keys
        if stored(key) is None
    ]


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
    days = calendar(table, frame, stored)
    missing = days[~days[HERE].astype(bool)]
    for key, dates in missing[table.dated].groupby(missing[table.partition], sort=False):
        named = _named(list(dates.dt.strftime("%Y-%m-%d")))
        yield Finding(table.name, str(key), table.dated, words, len(dates), named, CHECK_GAP)


def _null_shares(table: Table, frame: pd.DataFrame) -> Iterator[Finding]:
    declared = [column for column in table.columns if column.null_share is not None]
    if not declared or frame.empty:
        return
    key = frame[table.partition]
    null = frame.drop(columns=table.partition).isna().groupby(key, sort=False)
    shares, counts = null.mean().reset_index(), null.sum().reset_index()
    for column in declared:
        broken = shares[shares[column.name] > column.null_share]
        if broken.empty:
            continue
        broken = broken.sort_values(column.name, ascending=False, kind="stable")
        keys, empty = list(broken[table.partition].astype(str)), list(broken[column.name])
        # Many companies without one column are one thing to look at.
        name = keys[0] if len(keys) == 1 else None
        words = f"{empty[0]:.1%} null"
        if name is None:
            words = _named(
                [f"{key} {share:.0%} null" for key, share in zip(keys, empty, strict=False)]
            )
        count = int(counts.loc[broken.index, column.name].sum())
        rule = f"{column.name}: at most {column.null_share:.0%} null"
        yield Finding(table.name, name, column.name, rule, count, words, CHECK_NULLS)


def _unlike_vendor(table: Table, frame: pd.DataFrame) -> Iterator[Finding]:
    if table.splits is None:
        return
    flagged = frame.assign(**disagreement(table, frame)).query("flagged")
    rule = vendor_words(table.splits)
    for key, rows in flagged.groupby(table.partition, sort=False):
        where = (table.name, str(key), table.splits.adjusted, rule)
        misprints, others = rows[rows["misprint"]], rows[~rows["misprint"]]
        if len(misprints):
            named = _named(list(misprints[table.dated].dt.strftime("%Y-%m-%d")))
            words = f"an adjusted close that jumps alone: {named}"
            yield Finding(*where, len(misprints), words, MISPRINT)
        if len(others):
            dividends = zip(
                others[table.dated], others["paid"], others[table.splits.dividend], strict=True
            )
            named = _named(
                [f"{day.date()} {paid:.3f} for {given:g}" for day, paid, given in dividends]
            )
            yield Finding(*where, len(others), f"paid by its adjusted close: {named}", CHECK_PAID)


def _carried(table: Table, frame: pd.DataFrame, stored: Stored) -> Iterator[Finding]:
    """Yield the months that features carry from the month before, known never to come or not."""
    if table is not MACRO_SERIES:
        return
    for key, days in frame[table.dated].groupby(frame[table.partition], sort=False):
        series, rows = str(key), stored(str(key))
        held = pd.DatetimeIndex([] if rows is None else rows[table.dated].unique().to_numpy())
        missing = missing_months(series, held.union(pd.DatetimeIndex(days)))
        known = [month for month in missing if month in NEVER_PUBLISHED.get(series, ())]
        unknown = [month for month in missing if month not in known]
        for months, action in ((known, CARRIED), (unknown, CHECK_MONTH)):
            if months:
                words, count = f"no value of {_named(months)}", len(months)
                yield Finding(table.name, series, "value", EVERY_MONTH, count, words, action)


def _volumes(table: Table, frame: pd.DataFrame) -> Iterator[Finding]:
    if table is not PRICES:
        return
    words = f"volume: within {VOLUMES:g} times the median around, or its own usual range"
    for key, rows in frame[strange_volumes(frame)].groupby(table.partition, sort=False):
        named = [
            f"{day.date()} {volume:g}"
            for day, volume in zip(rows[table.dated], rows["volume"], strict=True)
        ]
        yield Finding(table.name, str(key), "volume", words, len(rows), _named(named), CHECK_VOLUME)


def _named(words: list[str]) -> str:
    more = len(words) - NAMED
    return ", ".join(words[:NAMED]) + (f" and {more} more" if more > 0 else "")
