"""The live market: each table from its vendor, volatility indices from Yahoo or else Cboe."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import structlog

from ingestion.sources.apewisdom.source import Apewisdom
from ingestion.sources.base import Source, requested_table
from ingestion.sources.cboe.source import Cboe
from ingestion.sources.finnhub.source import Finnhub
from ingestion.sources.fred.source import Fred
from ingestion.sources.headlines.scores import DEFAULT_SCORER, open_scorer
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.recording import Clock
from ingestion.sources.yahoo.source import Yahoo
from market.errors import SchemaViolation, SourceUnavailable

logger = structlog.get_logger(__name__)


def open_live(
    fred_api_key: str | None = None,
    cache_dir: Path | None = None,
    *,
    now: Clock,
    finnhub_api_key: str | None = None,
    headline_scorer: str = DEFAULT_SCORER,
    yahoo: Source | None = None,
    cboe: Source | None = None,
    fred: Source | None = None,
    finnhub: Source | None = None,
    apewisdom: Source | None = None,
) -> "Live":
    """Return the live source at the vendors' own addresses; what needs no key works without any.

    Parameters
    ----------
    fred_api_key
        A key of FRED's API; None or an empty text takes FRED's keyless download.
    cache_dir
        The folder for what vendors' libraries and call budgets keep between runs; None keeps
        nothing, and leaves yfinance its own place.
    now
        The clock, with a zone: headlines and mentions count as recorded when they are there.
    finnhub_api_key
        A key of Finnhub's API; without one its tables are refused with `MissingCredential`.
    headline_scorer
        A word of `headline_scores.SCORERS`, or `module:attribute`.
    yahoo, cboe, fred, finnhub, apewisdom
        Another source in the place of a vendor, which then takes no key or folder from here.

    Raises
    ------
    MissingCredential
        If the key cannot be one of FRED's.
    ConfigurationError
        If there is no such scorer.
    """
    folders = {name: cache_dir and cache_dir / name for name in ("yfinance", "finnhub")}
    if finnhub is None:
        scorer = open_scorer(headline_scorer)
        finnhub = Finnhub(now, finnhub_api_key, folders["finnhub"], scorer=scorer)
    return Live(
        yahoo or Yahoo(folders["yfinance"]),
        cboe or Cboe(),
        fred or Fred(fred_api_key),
        finnhub,
        apewisdom or Apewisdom(now),
    )


class Live:
    """Several vendors as one source; no vendor of it gives option chains.

    Parameters
    ----------
    yahoo
        Gives `prices`, and `indices` first.
    cboe
        Gives `indices` of a symbol that `yahoo` fails for, or that it does not have up to the end.
    fred
        Gives `macro_series`.
    finnhub
        Gives `news`, `news_sentiment` and `earnings_calendar`.
    apewisdom
        Gives `mentions`.
    """

    name = "live"
    origin = "live"
    tables: tuple[str, ...] = (
        "prices", "indices", "macro_series", "news", "news_sentiment", "mentions",
        "earnings_calendar",
    )  # fmt: skip

    def __init__(
        self, yahoo: Source, cboe: Source, fred: Source, finnhub: Source, apewisdom: Source
    ) -> None:
        self.yahoo = yahoo
        self.cboe = cboe
        self.fred = fred
        self.finnhub = finnhub
        self.apewisdom = apewisdom

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the rows of the keys dated in [start, end]; see `Source.fetch`.

        An index comes whole from one vendor; taking the fallback is logged as a warning.

        Raises
        ------
        InputError
            If the table or a key is not possible, start lies after end, or a vendor's data or a
            key of a vendor is wrong or missing (see the vendors).
        SourceUnavailable
            If the vendor of a key, or for an index both, did not answer usefully.
        """
        requested_table(self, table)
        if table != "indices":
            return self._vendor(table).fetch(table, keys, start, end)
        return fetch_each(
            self, table, keys, (start, end), lambda key: self._levels(key, start, end)
        )

    def _vendor(self, table: str) -> Source:
        """Return the one vendor of a table."""
        vendors = (self.yahoo, self.fred, self.finnhub, self.apewisdom)
        return next(vendor for vendor in vendors if table in vendor.tables)

    def _levels(self, symbol: str, start: pd.Timestamp | None, end: pd.Timestamp) -> pd.DataFrame:
        first, why = _asked(self.yahoo, symbol, start, end)
        if first is not None and _last(first) >= end:
            return first
        second, why_not = _asked(self.cboe, symbol, start, end)
        if second is not None and (first is None or _last(second) > _last(first)):
            logger.warning("index from the fallback", symbol=symbol, vendor="cboe", reason=why)
            return second
        if first is not None:
            return first
        raise SourceUnavailable(f"{symbol}: no vendor has it: {why}; {why_not}")


def _asked(
    vendor: Source, symbol: str, start: pd.Timestamp | None, end: pd.Timestamp
) -> tuple[pd.DataFrame | None, str]:
    """Return the levels of a symbol, or None, and why another vendor should be asked."""
    try:
        levels = vendor.fetch("indices", [symbol], start, end)
    except (SourceUnavailable, SchemaViolation) as error:
        return None, str(error)
    return levels, f"{vendor.name} has no level of {end.date()}"


def _last(levels: pd.DataFrame) -> pd.Timestamp:
    """Return the last session with a level; the earliest time there is without one."""
    known = levels.loc[levels["close"].notna(), "session"]
    return known.max() if len(known) else pd.Timestamp.min
