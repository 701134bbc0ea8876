"""Yahoo's daily bars of underlyings and volatility indices, and option chains, through yfinance.

Yahoo adjusts prices, volumes and dividends for every split up to today; this is undone, so a
download always reaches to Yahoo's newest bar, whatever end is asked for. Held back, so that their
sessions stay pending: bars after the end, bars at the end that lack a price, and bars behind a
session that Yahoo has skipped in the last days, as it may still come. A session skipped longer ago
is logged and stays a hole.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import pandas as pd
import structlog

from ingestion.sources.base import requested_index
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.option_quotes import refuse_stale
from ingestion.sources.wire.patience import PATIENCE, Patience, patiently
from ingestion.sources.yahoo.chains import quoted_chain
from ingestion.sources.yahoo.download import (
    Download,
    OpenOptions,
    asked,
    yfinance_download,
    yfinance_options,
)
from ingestion.sources.yahoo.format import daily_bars, split_ratios
from ingestion.sources.yahoo.traded_prices import as_traded
from ingestion.tables.catalogue import INDICES, OPTION_CHAINS, PRICES
from market.calendar import sessions
from market.errors import KeyUnavailable, SourceUnavailable
from market.options.roots import chain_roots
from market.underlyings import UNDERLYINGS, underlying

LEVELS: Final = ("open", "high", "low", "close")
# Cboe publishes its indices with two decimals; Yahoo hands them on as 32-bit floats. Rounded, the
# two vendors agree, and going from one to the other corrects nothing.
INDEX_DECIMALS: Final = 2
# A session that Yahoo skips is filled within days, or never.
STILL_COMING: Final = 5

T = TypeVar("T")

logger = structlog.get_logger(__name__)


class Yahoo:
    """Prices, volatility indices and option chains from Yahoo.

    Parameters
    ----------
    cache_dir
        The folder for what yfinance keeps between runs; None leaves it to yfinance.
    patience
        The tries that each symbol is worth.
    download
        One try, see `Download`; None is yfinance.
    open_options
        What opens the chains of a symbol, see `OpenOptions`; None is yfinance.
    """

    name = "yahoo"
    origin = "live"
    tables: tuple[str, ...] = (PRICES.name, INDICES.name, OPTION_CHAINS.name)

    def __init__(
        self,
        cache_dir: Path | None = None,
        patience: Patience = PATIENCE,
        download: Download | None = None,
        open_options: OpenOptions | None = None,
    ) -> None:
        self.patience = patience
        self.open_options = yfinance_options(cache_dir) if open_options is None else open_options
        self.download = yfinance_download(cache_dir) if download is None else download

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the bars of the keys dated in [start, end]; see `Source.fetch`.

        Chains are those of now; one whose quotes are older than `start` is refused.

        Raises
        ------
        InputError
            If the table or a key is not possible, or start lies after end.
        SourceUnavailable
            If Yahoo did not answer usefully.
        SchemaViolation
            If the bars have not the shape of yfinance.
        """

        def read(key: str) -> pd.DataFrame:
            bars = self._prices(key, start) if table == "prices" else self._levels(key, start)
            needed = (*LEVELS, "volume") if table == "prices" else ("close",)
            whole = held_back(f"Yahoo, {key}", bars[bars["session"] <= end], needed)
            return up_to_the_hole(f"Yahoo, {key}", whole)

        if table == OPTION_CHAINS.name:
            return fetch_each(self, table, keys, (start, end), lambda key: self._chain(key, start))
        return fetch_each(self, table, keys, (start, end), read)

    def _prices(self, ticker: str, start: pd.Timestamp | None) -> pd.DataFrame:
        what = f"Yahoo, {underlying(ticker).ticker}"
        bars = daily_bars(what, self._asked(what, ticker, start))
        bars["split"] = split_ratios(what, bars)
        return as_traded(bars).assign(ticker=ticker)

    def _levels(self, symbol: str, start: pd.Timestamp | None) -> pd.DataFrame:
        requested_index(symbol)
        what = f"Yahoo, ^{symbol}"
        bars = daily_bars(what, self._asked(what, f"^{symbol}", start))
        levels = bars[list(LEVELS)].round(INDEX_DECIMALS)
        return bars[["session"]].join(levels).assign(symbol=symbol)

    def _chain(self, name: str, start: pd.Timestamp | None) -> pd.DataFrame:
        chain_roots(name)
        what = f"Yahoo, chain of {name}"
        chains = self.open_options(name if name in UNDERLYINGS else f"^{name}")
        days = self._of(what, lambda: chains.options)
        if not days:
            raise KeyUnavailable(f"{what}: got no expiration; try again later")
        parts = [self._of(what, partial(chains.option_chain, day)) for day in days]
        rows = quoted_chain(what, parts, name)
        refuse_stale(what, rows["quote_time"].iloc[0], start)
        return rows

    def _of(self, what: str, ask: Callable[[], T]) -> T:
        return patiently(what, lambda _: asked(ask), self.patience)

    def _asked(self, what: str, symbol: str, start: pd.Timestamp | None) -> pd.DataFrame:
        return patiently(what, lambda seconds: self.download(symbol, start, seconds), self.patience)


def held_back(what: str, bars: pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame:
    """Return the bars up to the last one that is whole; earlier ones with a null stay.

    Yahoo's newest bar may be null for hours after the close, and yfinance writes the volume of a
    null bar as 0.

    Parameters
    ----------
    what
        The vendor and the symbol, for messages.
    bars
        One symbol in order of its sessions.
    needed
        The columns that a whole bar has; a volume must be above 0.

    Raises
    ------
    SourceUnavailable
        If there are bars and none is whole.
    """
    whole = bars[list(needed)].notna().all(axis=1)
    if "volume" in needed:
        whole &= bars["volume"] > 0
    if len(bars) and not whole.any():
        raise SourceUnavailable(
            f"{what}: got {len(bars)} bars, all without a price; try again later"
        )
    return bars.iloc[: np.flatnonzero(whole)[-1] + 1] if len(bars) else bars


def up_to_the_hole(what: str, bars: pd.DataFrame) -> pd.DataFrame:
    """Return the bars up to a session that the vendor skipped among its last ones.

    Returns and averages over a hole are those of another day; computed before it is filled, they
    would count as known for ever. Sessions skipped earlier are logged.

    Parameters
    ----------
    what
        The vendor and the symbol, for messages.
    bars
        One symbol in order of its sessions.
    """
    if bars.empty:
        return bars
    expected = sessions(bars["session"].iloc[0], bars["session"].iloc[-1])
    skipped = expected.difference(pd.DatetimeIndex(bars["session"]))
    coming = skipped[skipped >= expected[-STILL_COMING:].min()]
    gone = skipped.difference(coming)
    if len(gone):
        days = [str(day.date()) for day in gone[-STILL_COMING:]]
        logger.warning("sessions skipped", vendor=what, count=len(gone), last=days)
    if not len(coming):
        return bars
    logger.warning("held back behind a skipped session", vendor=what, skipped=str(coming[0].date()))
    return bars[bars["session"] < coming[0]]
