"""What closes of a home price options by: prices, indices and the rate, up to a clock."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from home.manifest import current_rows, read_manifest
from market.calendar import close, sessions
from market.errors import InputError
from market.underlyings import MARKET, underlying
from trading.backtest.history import History
from trading.structures.quote import listing_of

PRICES: Final = ("open", "close", "dividend", "split")


def histories_of(
    data_dir: Path,
    tickers: Collection[str],
    first: str,
    as_of: pd.Timestamp,
    known_by: pd.Timestamp | None = None,
) -> tuple[dict[str, History], dict[str, str]]:
    """Return histories of tickers from a session on, and why others have none.

    What had not closed by `as_of` is not in them, whatever the home holds; nor, of `known_by`, what
    landed later: then they are what was read at that clock.
    """
    found, unread = {}, {}
    for ticker in tickers:
        try:
            found[ticker] = _history(data_dir, ticker, first, as_of, known_by)
        except InputError as error:
            unread[ticker] = str(error)
    return found, unread


def _history(
    data_dir: Path, ticker: str, first: str, as_of: pd.Timestamp, known_by: pd.Timestamp | None
) -> History:
    prices = _rows(data_dir, "prices", ticker, PRICES, known_by)
    last = prices.index.max()
    days = sessions(first, last)
    days = days[close(days) <= as_of]
    if days.empty:
        raise InputError(f"{ticker}: no price has landed from {first} on; run `optrade ingest`")
    iv = _rows(data_dir, "iv", ticker, ("vix_close", "vix_term_slope"), known_by).reindex(days)
    rate = _rows(data_dir, "macro", MARKET, ("treasury_3m",), known_by)["treasury_3m"].reindex(days)
    prices = prices.reindex(days)
    index = iv["vix_close"].to_numpy(np.float64)
    return History(
        ticker, listing_of(underlying(ticker)), days,
        prices["open"].to_numpy(np.float64), prices["close"].to_numpy(np.float64),
        index, index + iv["vix_term_slope"].to_numpy(np.float64),
        rate.to_numpy(np.float64) / 100.0,
        prices["dividend"].fillna(0.0).to_numpy(np.float64),
        prices["split"].fillna(1.0).to_numpy(np.float64),
    )  # fmt: skip


def _rows(
    data_dir: Path, table: str, key: str, columns: tuple[str, ...], known_by: pd.Timestamp | None
) -> pd.DataFrame:
    """Return current rows of a table by session; of a key that never landed none."""
    if (table, key) not in read_manifest(data_dir).entries:
        raise InputError(f"{key}: nothing of {table} has landed; run `optrade ingest`")
    moment = None if known_by is None else known_by.to_pydatetime(warn=False)
    held = current_rows(data_dir, table, [key], known_by=moment)
    rows = held.select("session", *columns).to_pandas()
    days = pd.DatetimeIndex(pd.to_datetime(rows.pop("session"))).as_unit("ns")
    return rows.set_index(days).sort_index()
