"""The frame of a question for several keys, from one that is asked for each."""

from collections.abc import Callable, Sequence

import pandas as pd

from ingestion.sources.base import Source, assembled, requested_table, within


def fetch_each(
    source: Source,
    table: str,
    keys: Sequence[str],
    days: tuple[pd.Timestamp | None, pd.Timestamp],
    read: Callable[[str], pd.DataFrame],
) -> pd.DataFrame:
    """Return the rows of the keys dated in [start, end], in the table's exact shape.

    Parameters
    ----------
    source, table, keys
        As in `Source.fetch`; the first key that fails ends the question.
    days
        The start and the end, as in `Source.fetch`.
    read
        Returns the columns of the table for one key, its rows in any order and of any date.

    Raises
    ------
    InputError
        If the source does not give the table, or start lies after end; no key is read then.
    SchemaViolation
        If what was read has not the declared shape.
    """
    shape = requested_table(source, table)
    # Refuses days in the wrong order before a vendor is asked.
    within(shape.empty(), shape, *days)
    return assembled(shape, [read(key) for key in dict.fromkeys(keys)], *days)
