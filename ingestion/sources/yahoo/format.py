"""Yahoo's bars as rows: a recorded CSV file, and the frame of yfinance.

Both are as of yfinance with `auto_adjust=False`: adjusted for splits, not for dividends.
"""

import re
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.wire.csv_file import ZONED, CsvFile
from ingestion.sources.yahoo.traded_prices import as_traded
from market.calendar import NEW_YORK
from market.errors import SchemaViolation, SourceUnavailable

NUMBERS: Final = MappingProxyType(
    {
        "open": "Open",
        "high": "High",
        "low": "Low",
        "close": "Close",
        "volume": "Volume",
        "dividend": "Dividends",
        "adj_close": "Adj Close",
    }
)
SPLITS: Final = "Stock Splits"
GAINS: Final = "Capital Gains"
# Yahoo's own downloads write an empty bar with the word.
NULLS: Final = ("", "null")


def recorded_prices(file: CsvFile, ticker: str) -> pd.DataFrame:
    """Return the columns of `prices` as traded, in USD.

    The file has `Date,Open,High,Low,Close,Adj Close,Volume,Dividends`, maybe `Stock Splits` and
    `Capital Gains`, in any order: what `Ticker.history(auto_adjust=False).to_csv()` writes, its
    dates with a zone, or dates alone. With the splits in it the adjustment is undone. Without them
    it cannot be, and the prices stay as they stand, with split = 1: consistent over time, in
    today's shares.

    Raises
    ------
    SchemaViolation
        If a column is missing, or a cell is not what it should be.
    """
    file.require(["Date", *NUMBERS.values()])
    frame = pd.DataFrame({"ticker": ticker, "session": _days(file)})
    for column, header in NUMBERS.items():
        frame[column] = file.numbers(header, NULLS)
    if GAINS in file.columns:
        frame["dividend"] = _paid(frame["dividend"], file.numbers(GAINS, NULLS))
    frame["split"] = 1.0
    if SPLITS not in file.columns:
        return frame
    splits = file.numbers(SPLITS).to_numpy()
    # One wrong ratio falsifies every earlier price, so it is refused here and not by the gate.
    possible = np.isfinite(splits) & (splits >= 0.0)
    file.refuse(~possible, SPLITS, "0 for none, or new shares per old")
    frame["split"] = np.where(splits == 0.0, 1.0, splits)
    return as_traded(frame.sort_values("session", kind="stable"))


def daily_bars(what: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return bars in the shape of yfinance by our names, in order of their sessions.

    A session is the day in New York of a time with a zone, or the day of one without.

    Parameters
    ----------
    what
        The vendor and the symbol, for messages.
    frame
        `Open, High, Low, Close, Adj Close, Volume, Dividends, Stock Splits` by time, adjusted for
        splits; shape (n_sessions, 8 or more).

    Returns
    -------
    pd.DataFrame
        `session`, the names of `prices`, and `Stock Splits` as it came.

    Raises
    ------
    SourceUnavailable
        If there is no bar: yfinance shows Yahoo's rate limit so.
    SchemaViolation
        If a column is missing, or the bars are not of numbers by time.
    """
    if frame.empty:
        raise SourceUnavailable(
            f"{what}: got no bar, as yfinance shows Yahoo's rate limit or a symbol that is gone; "
            "wait some minutes and try again"
        )
    names = {**NUMBERS, SPLITS: SPLITS}
    missing = [header for header in names.values() if header not in frame.columns]
    if missing:
        got = ", ".join(map(str, frame.columns))
        raise SchemaViolation(f"{what}: missing column {', '.join(missing)}; got {got:.200}")
    if not isinstance(frame.index, pd.DatetimeIndex) or frame.index.hasnans:
        raise SchemaViolation(
            f"{what}: got bars by {frame.index.dtype}, allowed is a time for each"
        )
    days = frame.index if frame.index.tz is None else frame.index.tz_convert(NEW_YORK)
    session = days.tz_localize(None).normalize().as_unit("ns")
    bars = pd.DataFrame({"session": session})
    for name, header in names.items():
        bars[name] = _numbers(what, frame[header])
    if GAINS in frame.columns:
        bars["dividend"] = _paid(bars["dividend"], pd.Series(_numbers(what, frame[GAINS])))
    return bars.sort_values("session", kind="stable", ignore_index=True)


def split_ratios(what: str, bars: pd.DataFrame) -> pd.Series:
    """Return the splits as new shares per old share, 1 = none; shape (n_sessions,).

    Raises
    ------
    SchemaViolation
        If one is null or negative: every earlier price depends on it.
    """
    splits = bars[SPLITS]
    wrong = ~(splits >= 0) | np.isinf(splits)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise SchemaViolation(
            f"{what}: got the split {splits.iloc[at]} on {bars['session'].iloc[at].date()}, "
            "allowed is 0 for none, or new shares per old"
        )
    return splits.mask(splits == 0, 1.0)


def _days(file: CsvFile) -> pd.Series:
    """Return the days of a file, those of times with a zone in New York."""
    if not re.fullmatch(ZONED, str(file.columns["Date"][0])):
        return file.dates("Date")
    local = file.times("Date").dt.tz_convert(NEW_YORK).dt.tz_localize(None)
    return local.dt.normalize()


def _paid(dividend: pd.Series, gains: pd.Series) -> pd.Series:
    """Return all that was paid on a share: Yahoo counts a capital gain inside the dividend or not.

    A dividend below the gain of its day cannot hold it.
    """
    return dividend.where(~(gains > dividend), dividend + gains)


def _numbers(what: str, column: pd.Series) -> np.ndarray:
    try:
        return column.to_numpy(float, na_value=np.nan)
    except (ValueError, TypeError):
        reason = f"{what}, column {column.name}: got a value that is no number"
    raise SchemaViolation(reason)
