"""Features and what came of a price, side by side: log-returns and variances of the next sessions.

Of one ticker, or of several pooled. A session whose longest horizon has not passed is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Shaped
from numpy.lib.stride_tricks import sliding_window_view

from feature_repo.features.technical.variance import SOURCES, session_variance
from market.adjust import RAW_PRICES, adjust, payable
from market.calendar import session_shift, sessions
from training.frames.rows import UnlabelledError, feature_table

HORIZONS: Final = (5, 10, 21)
LONGEST: Final = max(HORIZONS)


@dataclass(frozen=True)
class ReturnRows:
    """Sessions of which is known what came, in order.

    Attributes
    ----------
    values
        Features, NaN where null; shape (n_rows, n_names).
    label_ends
        The session at whose close the last of what came is known; shape (n_rows,).
    returns
        Log-return of the adjusted close over each of `HORIZONS`; shape (n_rows, n_horizons).
    variances
        Sum of the sessions' variances (`session_variance`) over each; shape (n_rows, n_horizons).
    next_day
        Log-return over the next session; shape (n_rows,).
    own
        Whether a row is of the forecast ticker; shape (n_rows,).
    tested
        Whether it may be tested: of that ticker and in the window; shape (n_rows,).
    """

    names: tuple[str, ...]
    values: Float64[np.ndarray, "n_rows n_names"]
    sessions: Shaped[np.ndarray, " n_rows"]
    label_ends: Shaped[np.ndarray, " n_rows"]
    returns: Float64[np.ndarray, "n_rows n_horizons"]
    variances: Float64[np.ndarray, "n_rows n_horizons"]
    next_day: Float64[np.ndarray, " n_rows"]
    own: Bool[np.ndarray, " n_rows"]
    tested: Bool[np.ndarray, " n_rows"]

    def where(self, keep: Shaped[np.ndarray, " n_kept"]) -> "ReturnRows":
        """Return some of the rows, by a mask or by their positions."""
        return replace(self, **{name: getattr(self, name)[keep] for name in _BY_ROW})

    def within(self, start: np.datetime64 | None) -> "ReturnRows":
        """Return the rows of which none before a session is tested."""
        if start is None:
            return self
        return replace(self, tested=self.tested & (self.sessions >= start))

    @property
    def usable(self) -> Bool[np.ndarray, " n_rows"]:
        """Which rows have every feature, the index among them positive; shape (n_rows,)."""
        return np.asarray(np.isfinite(self.values).all(axis=1) & (self.values[:, 0] > 0))


_BY_ROW: Final = tuple(one.name for one in fields(ReturnRows) if one.name != "names")


def pooled_returns(own: ReturnRows, others: Sequence[ReturnRows]) -> ReturnRows:
    """Return the rows of several tickers in one, by session; the others are not tested."""
    idle = [
        replace(one, own=np.zeros_like(one.own), tested=np.zeros_like(one.own)) for one in others
    ]
    parts = [own, *idle]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _BY_ROW}
    order = np.argsort(joined["sessions"], kind="stable")
    return ReturnRows(own.names, **{name: values[order] for name, values in joined.items()})


def return_rows(frame: pd.DataFrame, prices: pd.DataFrame, ticker: str) -> ReturnRows:
    """Return the sessions of a frame of which is known what came.

    Parameters
    ----------
    frame
        `ticker`, `session`, features, the volatility index first.
    prices
        Current raw price rows of the ticker, or of several with their `ticker`; they may reach
        beyond the frame on both sides.

    Raises
    ------
    UnlabelledError
        If there is no such session.
    """
    table = feature_table(frame, ticker)
    mine = prices[prices["ticker"] == ticker] if "ticker" in prices else prices
    came = _outcomes(mine).reindex(table.index)
    known = came.notna().all(axis=1).to_numpy()
    if not known.any():
        raise UnlabelledError(
            f"no session of {ticker} among {len(table)} of which is known what came in the "
            f"{LONGEST} sessions after it; train on a longer period"
        )
    index = pd.DatetimeIndex(table.index)
    returns = came[[f"return_{horizon}" for horizon in HORIZONS]]
    variances = came[[f"variance_{horizon}" for horizon in HORIZONS]]
    rows = ReturnRows(
        names=tuple(map(str, table.columns)),
        values=table.to_numpy(np.float64),
        sessions=index.to_numpy("datetime64[ns]"),
        label_ends=session_shift(index, LONGEST).to_numpy("datetime64[ns]"),
        returns=returns.to_numpy(np.float64),
        variances=variances.to_numpy(np.float64),
        next_day=came["next_day"].to_numpy(np.float64),
        own=np.ones(len(index), dtype=np.bool_),
        tested=np.ones(len(index), dtype=np.bool_),
    )
    return rows.where(known)


def _outcomes(prices: pd.DataFrame) -> pd.DataFrame:
    """Return what came after each session of the calendar; null across a missing one."""
    rows = prices.sort_values("session")
    raw = {name: rows[name].to_numpy(np.float64) for name in RAW_PRICES}
    kept = payable(raw["close"], raw["dividend"], raw["split"])
    adjusted = adjust(**{name: values[kept] for name, values in raw.items()})
    held = pd.DataFrame(adjusted, index=pd.DatetimeIndex(rows["session"])[kept])
    days = sessions(held.index[0], held.index[-1])
    bars = held.reindex(days)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = session_variance(*(bars[name].to_numpy() for name in SOURCES))
        log_close = np.log(bars["close"].to_numpy())
    came = {"next_day": _ahead(log_close, 1) - log_close}
    for horizon in HORIZONS:
        came[f"return_{horizon}"] = _ahead(log_close, horizon) - log_close
        came[f"variance_{horizon}"] = _ahead(_sums(variance, horizon), horizon)
    return pd.DataFrame(came, index=days)


def _ahead(values: Float64[np.ndarray, " n_days"], count: int) -> Float64[np.ndarray, " n_days"]:
    return np.concatenate([values[count:], np.full(min(count, len(values)), np.nan)])


def _sums(values: Float64[np.ndarray, " n_days"], count: int) -> Float64[np.ndarray, " n_days"]:
    """Return the sum of the last values of each day, null before there are as many."""
    if len(values) < count:
        return np.full(len(values), np.nan)
    sums = sliding_window_view(values, count).sum(axis=1)
    return np.concatenate([np.full(count - 1, np.nan), sums])
