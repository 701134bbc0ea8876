"""Adjustment of traded prices for dividends and splits, accumulated forward."""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from market.errors import InputError

PRICES: Final = ("open", "high", "low", "close")
RAW_PRICES: Final = (*PRICES, "volume", "dividend", "split")  # what an adjustment reads
ADJUSTED: Final = (*PRICES, "volume", "scale")


def adjust(
    open: Float64[np.ndarray, " n_sessions"],  # noqa: A002
    high: Float64[np.ndarray, " n_sessions"],
    low: Float64[np.ndarray, " n_sessions"],
    close: Float64[np.ndarray, " n_sessions"],
    volume: Float64[np.ndarray, " n_sessions"],
    dividend: Float64[np.ndarray, " n_sessions"],
    split: Float64[np.ndarray, " n_sessions"],
) -> dict[str, Float64[np.ndarray, " n_sessions"]]:
    """Prices in USD of the first row's share with dividends reinvested, and volumes in its shares.

    The factor starts at 1 and is multiplied on each ex-date by the split ratio and by
    1 / (1 - dividend / previous close): Yahoo's rule, which is CRSP's, run forward. A later
    dividend or split therefore changes no earlier value, and ratios of adjusted prices are
    those of Yahoo's Adj Close. The previous close is divided by the split ratio first: the
    dividend is paid on the new shares. What happened on the first row lies before the history.

    Parameters
    ----------
    open, high, low, close
        Prices as traded, in USD, oldest session first; shape (n_sessions,).
    volume
        Shares traded, shape (n_sessions,).
    dividend
        USD a share on its ex-date, else 0; shape (n_sessions,).
    split
        New shares for one old one on its ex-date, else 1; shape (n_sessions,).

    Returns
    -------
    dict
        `open`, `high`, `low`, `close`, `volume` adjusted, and `scale`, adjusted over traded
        price; each of shape (n_sessions,).

    Raises
    ------
    InputError
        If a dividend is negative, unknown or not below the previous close, or a split ratio is
        not a positive number: every later price would be wrong.
    """
    _check(close, dividend, split)
    splits = np.cumprod(np.concatenate((np.ones(min(1, split.size)), split[1:])))
    paid = np.zeros(close.size)
    paid[1:] = dividend[1:] * split[1:] / close[:-1]
    scale = splits / np.cumprod(1.0 - paid)
    adjusted = {"open": open, "high": high, "low": low, "close": close}
    return {
        **{name: prices * scale for name, prices in adjusted.items()},
        "volume": volume / splits,
        "scale": scale,
    }


def payable(
    close: Float64[np.ndarray, " n_sessions"],
    dividend: Float64[np.ndarray, " n_sessions"],
    split: Float64[np.ndarray, " n_sessions"],
) -> Bool[np.ndarray, " n_sessions"]:
    """Whether each row's dividend can be reinvested at the close before; shape (n_sessions,).

    It can where it is 0 or above, and below the close before in the shares that it is paid on. The
    close before is that of the last row whose own dividend can be; what was paid on the first row
    lies before the history.

    Parameters
    ----------
    close, dividend, split
        As in `adjust`; a close and a split that are not known pay nothing.
    """
    right = np.asarray((dividend >= 0) & np.isfinite(dividend))
    for row in np.flatnonzero(right & (dividend > 0)):
        before = np.flatnonzero(right[:row])
        if before.size:
            right[row] = dividend[row] * split[row] < close[before[-1]]
    return right


def adjusted_close(prices: pd.DataFrame) -> pd.Series:
    """Return the adjusted close of one ticker in USD, accumulated forward, by session.

    A row whose dividend cannot be reinvested (`payable`) is left out, as it is of the features.

    Parameters
    ----------
    prices
        Current raw rows of one ticker, all from one snapshot: `session` and the columns of
        `RAW_PRICES`; any order of rows.

    Raises
    ------
    InputError
        If a column is missing or a session appears twice.
    """
    missing = [name for name in ("session", *RAW_PRICES) if name not in prices]
    if missing:
        raise InputError(
            f"prices lack columns: got {', '.join(map(str, prices.columns))}, "
            f"needed {', '.join(missing)}; pass the current raw price rows of one ticker"
        )
    rows = prices.sort_values("session")
    index = pd.DatetimeIndex(rows["session"])
    if index.has_duplicates:
        twice = index[index.duplicated()][0]
        raise InputError(
            f"prices hold session {twice.date()} twice, allowed is one row a session; "
            "pass one ticker, and the current rows only"
        )
    raw = {name: rows[name].to_numpy(np.float64) for name in RAW_PRICES}
    kept = payable(raw["close"], raw["dividend"], raw["split"])
    adjusted = adjust(**{name: values[kept] for name, values in raw.items()})
    return pd.Series(adjusted["close"], index=index[kept], name="adjusted_close")


def _check(
    close: Float64[np.ndarray, " n_sessions"],
    dividend: Float64[np.ndarray, " n_sessions"],
    split: Float64[np.ndarray, " n_sessions"],
) -> None:
    bad = ~((split > 0) & np.isfinite(split))
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"split ratio at row {row}: got {split[row]}, allowed are positive numbers "
            "(new / old shares, 1 for none); correct the raw row"
        )
    bad = ~payable(close, dividend, split)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        before = close[row - 1] / split[row] if row else np.nan
        raise InputError(
            f"dividend at row {row}: got {dividend[row]}, allowed is 0 to below the previous "
            f"close, {before}; correct the raw row"
        )
