"""A simulated history put together: shocks by name, tickers with their profiles, indices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.simulated.bars import (
    SPLIT_RATE,
    Bars,
    Payments,
    corporate_actions,
    index_bars,
    price_bars,
    traded_volume,
)
from ingestion.sources.simulated.draws import stream
from ingestion.sources.simulated.market import (
    SESSIONS_PER_YEAR,
    Exposure,
    Law,
    Paths,
    Shocks,
    State,
    walk,
)
from ingestion.sources.simulated.pricing import (
    MONTH,
    OWN_PREMIUM,
    PREMIUM,
    QUARTER,
    expected_variance,
    index_level,
    quarter_premium,
)
from market.arrays import BoolArray, FloatArray
from market.options.expiries import is_monthly
from market.underlyings import TERM_SLOPE, UNDERLYINGS, Profile

DIVIDEND_MONTHS: Final = (3, 6, 9, 12)
STOCK_MENTIONS: Final = 30.0  # a day, of a single stock


def profile(seed: int, ticker: str) -> Profile:
    """Return a ticker's profile; of one whose row has none it is drawn, as a single stock's."""
    row = UNDERLYINGS.get(ticker)
    if row is not None and row.profile is not None:
        return row.profile
    beta, own, payout, price, volume = stream(seed, "profile", ticker).random(5)
    return Profile(
        beta=0.8 + 0.7 * beta,
        own=0.15 + 0.20 * own,
        dividend_yield=0.03 * payout,
        price=40.0 + 100.0 * price,
        volume=1e6 * 50.0**volume,
        mentions=STOCK_MENTIONS,
    )


@dataclass(frozen=True)
class History:
    """Everything that happened to some tickers over some sessions, unrounded.

    Attributes
    ----------
    sessions
        Shape (n_sessions,).
    tickers
        One for each column of `paths`.
    """

    seed: int
    law: Law
    gain: float
    sessions: pd.DatetimeIndex
    tickers: tuple[str, ...]
    paths: Paths

    def profile(self, ticker: str) -> Profile:
        """Return the profile that a ticker was simulated with."""
        return profile(self.seed, ticker)

    def exposure(self, ticker: str) -> Exposure:
        """Return a ticker's exposure, as arrays of no dimension."""
        row = self.profile(ticker)
        return Exposure(np.array(row.beta), np.array(row.own))

    def revealed(self, ticker: str) -> State:
        """Return what each close reveals about a ticker; arrays of shape (n_sessions,)."""
        at = self.tickers.index(ticker)
        return State(*(column[1:, at] for column in self.paths.states))

    def payments(self, ticker: str) -> Payments:
        """Return a ticker's dividends and splits, in USD and shares of their day."""
        row, at = self.profile(ticker), self.tickers.index(ticker)
        payout = np.where(ex_dates(self.sessions), row.dividend_yield / len(DIVIDEND_MONTHS), 0.0)
        drawn = stream(self.seed, "split", ticker).random(len(self.sessions)) < SPLIT_RATE
        return corporate_actions(self.paths.log_return[:, at], payout, drawn, row.price)

    def bars(self, ticker: str, base: FloatArray) -> Bars:
        """Return a ticker's bars in USD, from the prices its sessions start at."""
        at, count = self.tickers.index(ticker), len(self.sessions)
        return price_bars(
            base,
            self.paths.log_return[:, at],
            self.paths.surprise[:, at],
            self.paths.volatility[:, at],
            stream(self.seed, "range", ticker).random((count, 2)),
            stream(self.seed, "gap", ticker).standard_normal(count),
        )

    def volume(self, ticker: str, split: FloatArray) -> FloatArray:
        """Return shares traded, in shares of their day; shape (n_sessions,)."""
        row, at, law = self.profile(ticker), self.tickers.index(ticker), self.law
        usual = np.hypot(row.beta * np.hypot(law.floor, law.level), row.own)
        shares = traded_volume(
            row.volume,
            self.paths.volatility[:, at],
            self.paths.surprise[:, at],
            stream(self.seed, "volume", ticker).standard_normal(len(self.sessions)),
            float(usual / np.sqrt(SESSIONS_PER_YEAR)),
        )
        return shares * np.cumprod(split)

    def index(self, symbol: str, ticker: str) -> Bars:
        """Return the bars of a volatility index on a ticker, in points, unrounded."""
        count, quarter = len(self.sessions), symbol == TERM_SLOPE[0]
        premium = PREMIUM.path(stream(self.seed, "premium").standard_normal(count))
        if quarter:
            premium = quarter_premium(premium)
        elif symbol != TERM_SLOPE[1]:
            own = stream(self.seed, "premium", ticker).standard_normal(count)
            premium = premium + OWN_PREMIUM.path(own)
        variance = expected_variance(
            self.law, self.exposure(ticker), self.revealed(ticker), QUARTER if quarter else MONTH
        )
        return index_bars(
            index_level(variance, premium),
            stream(self.seed, "range", symbol).random((count, 2)),
            stream(self.seed, "gap", symbol).standard_normal(count),
        )


def simulate(
    seed: int, law: Law, gain: float, sessions: pd.DatetimeIndex, tickers: Sequence[str]
) -> History:
    """Return the history of some tickers; each one's is the same whatever the others are.

    Parameters
    ----------
    gain
        Strength of the planted reversal, of `signal_gain`.
    """
    rows = [profile(seed, ticker) for ticker in tickers]
    exposure = Exposure(np.array([row.beta for row in rows]), np.array([row.own for row in rows]))
    paths = walk(
        law, exposure, gain, _start(seed, law, tickers), _shocks(seed, law, sessions, tickers)
    )
    return History(seed, law, gain, sessions, tuple(tickers), paths)


def ex_dates(sessions: pd.DatetimeIndex) -> BoolArray:
    """Return whether a session is an ex-date: the third Friday of a quarter, or the next one."""
    fridays = pd.date_range(sessions[0], sessions[-1], freq="W-FRI")
    at = sessions.searchsorted(fridays[is_monthly(fridays) & fridays.month.isin(DIVIDEND_MONTHS)])
    due = np.zeros(len(sessions), dtype=bool)
    due[at[at < len(sessions)]] = True
    return due


def _start(seed: int, law: Law, tickers: Sequence[str]) -> State:
    """Return a draw from the law's stationary state; the trend starts at none."""
    slow, fast = stream(seed, "start").standard_normal(2)
    own = [stream(seed, "start", ticker).standard_normal() for ticker in tickers]
    count = len(tickers)
    return State(
        slow=np.full(count, law.slow_spread * slow),
        fast=np.full(count, law.fast_spread * fast),
        own=law.own_spread * np.array(own),
        trend=np.zeros(count),
    )


def _shocks(seed: int, law: Law, sessions: pd.DatetimeIndex, tickers: Sequence[str]) -> Shocks:
    count = len(sessions)
    market = stream(seed, "market").standard_normal((count, 4, 1))
    jump = stream(seed, "jump").random((count, 1)) < law.jump_rate
    draws = [stream(seed, "ticker", ticker).standard_normal((count, 2)) for ticker in tickers]
    own = np.stack(draws, axis=2)
    return Shocks(
        market=market[:, 0],
        slow=market[:, 1],
        fast=market[:, 2],
        jump=jump.astype(float),
        jump_size=market[:, 3],
        own=own[:, 0],
        own_volatility=own[:, 1],
    )
