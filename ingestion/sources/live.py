"""The live market: each table from its vendor, and from another where that one fails.

Adding a vendor is a room with its row, its word in `LIVE`, and a field of the settings for its key.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd
import structlog

from ingestion.sources.apewisdom.vendor import APEWISDOM
from ingestion.sources.base import Source, requested_table
from ingestion.sources.cboe.vendor import CBOE
from ingestion.sources.finnhub.vendor import FINNHUB
from ingestion.sources.fred.vendor import FRED
from ingestion.sources.massive.vendor import MASSIVE
from ingestion.sources.tradier.vendor import TRADIER
from ingestion.sources.vendor import LiveOptions, Vendor
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.yahoo.vendor import YAHOO
from ingestion.tables.catalogue import OPTION_CHAINS, TABLES
from market.errors import ConfigurationError, SchemaViolation, SourceUnavailable

LIVE: Final = (YAHOO, CBOE, FRED, FINNHUB, APEWISDOM, TRADIER, MASSIVE)

logger = structlog.get_logger(__name__)


def open_live(options: LiveOptions, vendors: Sequence[Vendor] = LIVE) -> "Live":
    """Return the live source at the vendors' own addresses; what needs no key works without any.

    Raises
    ------
    MissingCredential
        If a key cannot be one of its vendor's.
    ConfigurationError
        If the default scorer is asked for and cannot be made, or the chains are asked of a vendor
        that gives none.
    """
    check_chains(options.chains, vendors)
    asked = [
        vendor if vendor.word == options.chains else vendor.without(OPTION_CHAINS.name)
        for vendor in vendors
    ]
    return Live({vendor.word: vendor.open(options) for vendor in asked}, asked)


def check_chains(word: str | None, vendors: Sequence[Vendor] = LIVE) -> None:
    """Check that live option chains are asked of a vendor that gives them, or of none.

    Raises
    ------
    ConfigurationError
        If `OPTRADE_CHAINS` names another.
    """
    allowed = [vendor.word for vendor in vendors if vendor.gives(OPTION_CHAINS.name)]
    if word is not None and word not in allowed:
        raise ConfigurationError(
            f"OPTRADE_CHAINS: got {word!r:.40}, allowed are {', '.join(allowed)}; read the terms "
            "of the vendor first (docs/chains.md)"
        )


class Live:
    """Several vendors as one source.

    Parameters
    ----------
    sources
        The vendors' sources, by the words of their rows.
    vendors
        Their rows; those of a table are asked for it in their order, its fallbacks last.

    Attributes
    ----------
    tables
        The tables that a vendor gives, in the order of `TABLES`.
    """

    name = "live"
    origin = "live"

    def __init__(self, sources: Mapping[str, Source], vendors: Sequence[Vendor] = LIVE) -> None:
        self.sources = sources
        rows = {table: _asked_in_turn(table, vendors) for table in TABLES}
        self._by_table = {
            table: [sources[vendor.word] for vendor in row] for table, row in rows.items() if row
        }
        self.tables: tuple[str, ...] = tuple(self._by_table)

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the rows of the keys dated in [start, end]; see `Source.fetch`.

        A key comes whole from one vendor; taking a fallback is logged as a warning.

        Raises
        ------
        InputError
            If the table or a key is not possible, start lies after end, or a vendor's data or a
            key of a vendor is wrong or missing (see the vendors).
        SourceUnavailable
            If the vendor of a key, or every one where there are more, did not answer usefully.
        """
        requested_table(self, table)
        first, *fallbacks = self._by_table[table]
        if not fallbacks:
            return first.fetch(table, keys, start, end)
        return fetch_each(
            self, table, keys, (start, end), lambda key: self._latest(table, key, start, end)
        )

    def _latest(
        self, table: str, key: str, start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the rows of the first vendor that has them up to the end, or furthest."""
        best: pd.DataFrame | None = None
        reasons: list[str] = []
        for source in self._by_table[table]:
            try:
                rows = source.fetch(table, [key], start, end)
            except (SourceUnavailable, SchemaViolation, ConfigurationError) as error:
                reasons.append(str(error))
                continue
            if best is None or _last(table, rows) > _last(table, best):
                best = rows
                if reasons:
                    _warn_of_fallback(source, table, key, reasons)
            if _last(table, best) >= end:
                break
            reasons.append(f"{source.name} has no {table} of {end.date()}")
        if best is None:
            raise SourceUnavailable(f"{key}: no vendor has it: {'; '.join(reasons)}")
        return best


def _asked_in_turn(table: str, vendors: Sequence[Vendor]) -> list[Vendor]:
    """Return the vendors of a table, then its fallbacks."""
    return [
        *(vendor for vendor in vendors if table in vendor.tables),
        *(vendor for vendor in vendors if table in vendor.fallback_for),
    ]


def _warn_of_fallback(source: Source, table: str, key: str, reasons: Sequence[str]) -> None:
    why = "; ".join(reasons)
    logger.warning("from the fallback", table=table, symbol=key, vendor=source.name, reason=why)


def _last(table: str, rows: pd.DataFrame) -> pd.Timestamp:
    """Return the last day of a row whose needed values are known; the earliest time without one."""
    shape = TABLES[table]
    needed = [column.name for column in shape.columns if not column.nullable]
    days = shape.days(rows)[rows[needed].notna().all(axis=1)]
    return days.max() if len(days) else pd.Timestamp.min
