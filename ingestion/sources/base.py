"""What a source is: the tables it gives, and a `fetch` that returns one of them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import pandas as pd

from ingestion.tables.catalogue import MARKET_SCOPE, TABLES
from ingestion.tables.declare import Table
from market.errors import InputError, UnknownName
from market.underlyings import VOLATILITY_INDICES


class Source(Protocol):
    """A vendor, a folder or a model that gives raw tables.

    Attributes
    ----------
    name
        Its word in `ingestion.sources.registry.SOURCES`, or in its row of `live.LIVE`.
    origin
        One of `ORIGINS`; a home holds one origin only.
    tables
        The names of the tables that it gives.
    """

    name: str
    origin: str
    tables: tuple[str, ...]

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the rows of a table as the vendor gives them, in the table's exact shape.

        Rows that parse but are impossible (a negative price, high below low, a date twice) are
        returned: the gate judges them. Days without a row are left out, never filled.

        Parameters
        ----------
        table
            A name of `tables`.
        keys
            Values of the table's partition column: tickers, symbols or series.
        start, end
            The days asked for, both included, without a zone; `start` None means all history,
            `end` is the last complete session asked for.

        Raises
        ------
        InputError
            The request or the data is wrong: stop, or fix it (see its subclasses).
        SourceUnavailable
            The vendor did not answer usefully: try again later.
        """
        ...


def requested_table(source: Source, name: str) -> Table:
    """Return the table of a request.

    Raises
    ------
    InputError
        If the source does not give it.
    """
    if name not in source.tables:
        raise InputError(
            f"source {source.name} has no table {name!r:.40}, "
            f"allowed are {', '.join(source.tables)}"
        )
    return TABLES[name]


def requested_index(symbol: str) -> None:
    """Refuse a symbol that is no volatility index of an underlying.

    Raises
    ------
    InputError
        Naming the symbol and the ones allowed.
    """
    if symbol not in VOLATILITY_INDICES:
        raise UnknownName("unknown volatility index", symbol, VOLATILITY_INDICES)


def requested_scope(scope: str) -> None:
    """Refuse a scope of news that is not the market's: no vendor gives news of a ticker alone.

    Raises
    ------
    InputError
        Naming the scope and the one allowed.
    """
    if scope != MARKET_SCOPE:
        raise UnknownName("unknown scope of news", scope, [MARKET_SCOPE])


def within(
    frame: pd.DataFrame, table: Table, start: pd.Timestamp | None, end: pd.Timestamp
) -> pd.DataFrame:
    """Return the rows dated in [start, end], in order of their key, numbered from 0.

    What belongs to no session (headlines of a weekend, reports to come) has no end.

    Raises
    ------
    InputError
        If start lies after end.
    """
    if start is not None and start > end:
        raise InputError(
            f"start {start.date()} lies after end {end.date()}: allowed is start <= end"
        )
    dated = table.days(frame)
    inside = (dated <= end) | (not table.sessional)
    if start is not None:
        inside &= dated >= start
    kept = frame if inside.all() else frame[inside]
    return kept.sort_values(list(table.key), kind="stable", ignore_index=True)


def assembled(
    table: Table,
    parts: Iterable[pd.DataFrame],
    start: pd.Timestamp | None,
    end: pd.Timestamp,
) -> pd.DataFrame:
    """Return the rows of several frames that are dated in [start, end], in the table's exact shape.

    Raises
    ------
    InputError
        If start lies after end.
    SchemaViolation
        If a frame has not the columns of the table, or a value not its type.
    """
    frames = [table.empty(), *(part[list(table.names)] for part in parts)]
    rows = pd.concat(frames, ignore_index=True).astype(table.dtypes, copy=False)
    return table.check(within(rows, table, start, end))
