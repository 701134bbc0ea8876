"""Raw rows to the arrays that features are computed from: one value a session, nothing filled.

Pure functions: what every view's alignment shares, and the prices that all of a ticker start from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from home.manifest import Answer
from market.adjust import RAW_PRICES, adjust
from market.arrays import BoolArray, FloatArray
from market.calendar import DECISION_DELAY, close


@dataclass(frozen=True)
class Aligned:
    """Arrays of one entity over its sessions, and when their newest inputs became known.

    Attributes
    ----------
    sessions
        Midnight without a zone, ascending, shape (n_sessions,).
    closes
        The close of each session, UTC.
    available
        The modelled time at which the newest input of each session was known, UTC.
    landed
        The time at which the newest input of each session landed, UTC.
    arrays
        Name to values, each of shape (n_sessions,), NaN where unknown.
    last
        The last session that all inputs reach; later ones are still pending.
    first
        The first session that has a row; None for that of `sessions`.
    """

    sessions: pd.DatetimeIndex
    closes: pd.DatetimeIndex
    available: pd.DatetimeIndex
    landed: pd.DatetimeIndex
    arrays: Mapping[str, FloatArray]
    last: pd.Timestamp
    first: pd.Timestamp | None = None


def align_prices(prices: pl.DataFrame) -> Aligned:
    """Return the adjusted prices and volumes of one ticker, see `adjust`.

    Parameters
    ----------
    prices
        The newest version of each session, ascending.
    """
    sessions = days(prices["session"])
    arrays = adjust(**{name: prices[name].to_numpy() for name in RAW_PRICES})
    closes = close(sessions)
    return Aligned(sessions, closes, closes, times(prices["landed_at"]), arrays, sessions[-1])


def settled_by(landings: pd.DatetimeIndex, landed: pl.DataFrame) -> pd.DatetimeIndex:
    """Return the decision time of the last session that had landed before each landing, else NaT.

    Sessions up to it were built by then: what lands later is not to change them.

    Parameters
    ----------
    landings
        Times with a zone, in any order; shape (n_rows,).
    landed
        Sessions, ascending, and when each first landed with a price (`landed_at`).
    """
    first = times(landed["landed_at"])
    order = np.argsort(first.asi8, kind="stable")
    newest = np.maximum.accumulate(order)
    at = first[order].searchsorted(landings, side="left") - 1
    rows = np.append(newest, -1)[at]
    return taken(close(days(landed["session"])) + DECISION_DELAY, rows)


def answered_by(answer: Answer, sessions: pd.DatetimeIndex) -> BoolArray:
    """Return which sessions are not after the last one at which a source answered."""
    if answer.through is None:
        return np.zeros(len(sessions), dtype=np.bool_)
    return np.asarray(sessions <= pd.Timestamp(answer.through))


def up_to(aligned: Aligned, complete: BoolArray) -> Aligned:
    """Return the arrays as far as their inputs are complete: later sessions are pending.

    Parameters
    ----------
    complete
        Whether a session's inputs are; shape (n_sessions,).
    """
    if complete.all():
        return aligned
    first = int(np.argmin(complete))
    before = (
        aligned.sessions[0] - pd.Timedelta(days=1) if first == 0 else aligned.sessions[first - 1]
    )
    return replace(aligned, last=min(aligned.last, before))


def days(dates: pl.Series) -> pd.DatetimeIndex:
    """Return dates of the lake as midnights without a zone."""
    return pd.DatetimeIndex(dates.to_numpy()).as_unit("ns")


def times(moments: pl.Series) -> pd.DatetimeIndex:
    """Return times of the lake in UTC."""
    naive = moments.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return pd.DatetimeIndex(naive.to_numpy()).as_unit("ns").tz_localize("UTC")


def taken(times: pd.DatetimeIndex, rows: NDArray[np.intp]) -> pd.DatetimeIndex:
    """Return the times of rows, NaT for row -1."""
    return cast("pd.DatetimeIndex", times.take(np.maximum(rows, 0)).where(rows >= 0))


def later(a: pd.DatetimeIndex, b: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the later of two times, a missing one ignored."""
    later = np.fmax(a.tz_convert(None).to_numpy(), b.tz_convert(None).to_numpy())
    return pd.DatetimeIndex(later).tz_localize("UTC")
