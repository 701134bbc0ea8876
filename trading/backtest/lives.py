"""The closes that positions live through, one row a position: all of a backtest at once.

Rows are as wide as the longest life; a shorter one repeats its last close.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64, Int64

from market.calendar import close, sessions
from market.errors import InputError
from market.options.expiries import DAYS_OF_YEAR, expiry_time
from market.options.synthetic_smile import form_of, levels
from trading.backtest.history import History
from trading.structures.expiry import usual_expiries


@dataclass(frozen=True)
class Lives:
    """Positions that are entered at the closes of sessions, each to its usual expiry.

    Attributes
    ----------
    start
        Places of their sessions in the history.
    expiration
        Midnights without a zone.
    years
        Left from the entry.
    last
        The column of the close at expiry.
    place
        Places of the closes in the history; those beyond it are left out of `Lives`.
    left
        Years at each close, 0 at the last.
    """

    start: Int64[np.ndarray, " n"]
    expiration: pd.DatetimeIndex
    years: Float64[np.ndarray, " n"]
    last: Int64[np.ndarray, " n"]
    place: Int64[np.ndarray, "n n_closes"]
    left: Float64[np.ndarray, "n n_closes"]

    @classmethod
    def usual(cls, history: History, at: Int64[np.ndarray, " n"]) -> "Lives":
        """Return the lives that end within the history; sessions whose expiry comes later are none.

        Raises
        ------
        InputError
            If the history lacks a session between its ends.
        """
        expiration = usual_expiries(history.days[at])
        known = expiration <= history.days[-1]
        return cls.to(history, at[known], expiration[known])

    @classmethod
    def to(
        cls, history: History, at: Int64[np.ndarray, " n"], expiration: pd.DatetimeIndex
    ) -> "Lives":
        """Return the lives of positions to expiries within the history.

        Raises
        ------
        InputError
            If the history lacks a session between its ends.
        """
        days = history.days
        if not days.equals(sessions(days[0], days[-1])):
            missing = sessions(days[0], days[-1]).difference(days)
            raise InputError(
                f"{history.ticker}: the session {missing[0].date()} is missing; a backtest needs "
                "every session between the first and the last"
            )
        end = days.get_indexer(expiration)
        last = end - at - 1
        columns = np.arange(int(last.max(initial=0)) + 1)
        place = np.minimum(at[:, None] + 1 + columns, end[:, None])
        moments = close(days).to_numpy("datetime64[ns]")
        ends = expiry_time(history.listing.root, expiration).to_numpy("datetime64[ns]")
        year = np.timedelta64(int(DAYS_OF_YEAR), "D")
        return cls(
            at, expiration, (ends - moments[at]) / year, last, place,
            np.maximum((ends[:, None] - moments[place]) / year, 0.0),
        )  # fmt: skip

    def where(self, kept: Bool[np.ndarray, " n"]) -> "Lives":
        """Return some of the positions."""
        return Lives(**{name: column[kept] for name, column in vars(self).items()})


@dataclass(frozen=True)
class Market:
    """What prices options at moments of lives; each of the shape of `years`.

    Attributes
    ----------
    spot
        In USD, in shares of the entry where there was a split since.
    level
        Volatility at the forward, a year, a fraction; NaN where an index or a rate is unknown.
    """

    spot: Float64[np.ndarray, "..."]
    years: Float64[np.ndarray, "..."]
    forward: Float64[np.ndarray, "..."]
    discount: Float64[np.ndarray, "..."]
    level: Float64[np.ndarray, "..."]


def market_at(
    history: History,
    place: Int64[np.ndarray, "..."],
    years: Float64[np.ndarray, "..."],
    spot: Float64[np.ndarray, "..."],
) -> Market:
    """Return what prices options by the indices of sessions.

    Parameters
    ----------
    place
        Of the sessions whose closes of the indices count.
    years
        Left to expiry, from 0.
    spot
        Of the underlying.
    """
    listing, rate = history.listing, history.rate[place]
    left = np.where(years > 0.0, years, 1.0)  # at expiry no smile is left, and none is read
    level = levels(form_of(listing), history.index[place], history.long_index[place], left)
    forward = spot * np.exp((rate - listing.dividend_yield) * years)
    return Market(spot, years, forward, np.exp(-rate * years), level)
