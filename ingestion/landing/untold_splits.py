"""Stored splits that a landing no longer tells of: they stay, and are told of."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from home.manifest import latest
from home.records.finding import Finding
from ingestion.gate.sequences import Stored
from ingestion.lake.splits import untold_splits
from ingestion.tables.declare import Table
from ingestion.tables.frames import partitions

STILL_TOLD: Final = "every split that has landed, told again"
CHECK_SPLIT: Final = (
    "nothing where the source lost it, the stored one stays; where it never was, enter the "
    "corrected data in another home (OPTRADE_HOME)"
)


def untold_findings(
    table: Table, fetched: pd.DataFrame, landing: pd.DataFrame, stored: Stored
) -> Iterator[Finding]:
    """Yield a finding for each ticker with splits that its landing does not tell of.

    Parameters
    ----------
    table
        The declaration; one without splits has none.
    fetched
        The rows as the source gave them: a split in a row that was refused is told all the same.
    landing
        The rows about to land, good ones only.
    stored
        A ticker to the stored versions of its rows, before the landing.
    """
    if table.splits is None:
        return
    split = fetched[fetched[table.splits.ratio] != 1.0]
    for key, rows in partitions(table, landing):
        held = stored(key)
        if held is None:
            continue
        told = split.loc[split[table.partition] == key, table.dated].dt.date.to_list()
        lost = [
            f"{ratio:g} on {day}"
            for day, ratio in untold_splits(latest(held, table.key), rows).iter_rows()
            if day not in told
        ]
        if lost:
            words = f"no word of the stored {', '.join(lost)}"
            where = (table.name, key, table.splits.ratio, STILL_TOLD)
            yield Finding(*where, len(lost), words, CHECK_SPLIT)
