"""Simulated option chains: the prices of `market.options.black`, with a smile.

At-the-money volatility is that of the simulated indices at 30 and 93 days, linear in total
variance between them and flat beyond. The smile is a parabola in standard deviations, fitted by
eye to QQQ's chain of 2026-07-14.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from ingestion.sources.simulated.draws import stream
from ingestion.sources.simulated.history import History
from market.arrays import FloatArray
from market.calendar import close
from market.errors import InputError
from market.options.black import Valuation, black_scholes
from market.options.expiries import DAYS_OF_YEAR, expirations
from market.options.roots import chain_roots
from market.underlyings import TERM_SLOPE, underlying

BEFORE_CLOSE: Final = pd.Timedelta(minutes=15)
SESSION_MINUTES: Final = 390
# More at a time are hundreds of thousands of quotes that nobody asks for.
MOST_SESSIONS: Final = 260
WIDTH: Final = 0.15
# Distance of strikes in USD, the nearest to 1 % of the price.
STEPS: Final = np.array([0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0])
YEAR: Final = pd.Timedelta(days=DAYS_OF_YEAR)
SHORT, LONG = 30 / DAYS_OF_YEAR, 93 / DAYS_OF_YEAR
# An index of volatility prices the wings too: at the money is lower.
AT_THE_MONEY: Final = 0.93
SKEW, CURVATURE, WINGS = -0.142, 0.025, 4.0
LOWEST_VOLATILITY: Final = 0.03
HALF_SPREAD: Final = 0.006  # of the price, at least a cent
IN_THE_MONEY_SPREAD: Final = 0.002  # of the strike's distance into the money
OPEN_INTEREST: Final = 9000.0


class Contracts(NamedTuple):
    """Contracts of a session, one a place: strike in USD, years left, and 1 = call, -1 = put."""

    strike: FloatArray
    years: FloatArray
    sign: FloatArray


class Market(NamedTuple):
    """What prices contracts: USD, and rates and yields a year, continuously compounded."""

    spot: float
    rate: float
    dividend_yield: float


def option_chain(
    history: History, ticker: str, asked: pd.DatetimeIndex, rates: pd.Series
) -> pd.DataFrame:
    """Return the columns of `option_chains` of sessions, quoted 15 minutes before each close.

    Parameters
    ----------
    asked
        Sessions of the history.
    rates
        The three-month rate in %, by day.

    Raises
    ------
    InputError
        If the ticker is no underlying, or more than `MOST_SESSIONS` are asked for.
    """
    symbol = underlying(ticker).volatility_index
    if len(asked) > MOST_SESSIONS:
        raise InputError(
            f"option chains: got {len(asked)} sessions, allowed are {MOST_SESSIONS} at a time; "
            "ask from a later start"
        )
    if not len(asked):
        return pd.DataFrame()
    yields = history.profile(ticker).dividend_yield
    spots = _prices(history, ticker)
    year = rates.reindex(history.sessions, method="ffill").to_numpy(dtype=np.float64) / 100.0
    short, long = (history.index(name, ticker).close / 100.0 for name in (symbol, TERM_SLOPE[0]))
    days = [
        _session(
            stream(history.seed, "chain", ticker, f"{day:%Y-%m-%d}"), day,
            Market(float(spots[at]), float(year[at]), yields), (float(short[at]), float(long[at])),
        )
        for day, at in zip(asked, history.sessions.get_indexer(asked), strict=True)
    ]  # fmt: skip
    (root,) = chain_roots(ticker)
    return pd.concat(days, ignore_index=True).assign(underlying=ticker, root=root)


def strikes(spot: float) -> FloatArray:
    """Return the strikes quoted within 15 % of a price, in USD."""
    step = STEPS[np.abs(np.log(STEPS / (0.01 * spot))).argmin()]
    first, last = np.ceil((1.0 - WIDTH) * spot / step), np.floor((1.0 + WIDTH) * spot / step)
    grid: FloatArray = step * np.arange(max(first, 1.0), last + 1.0)
    return grid


def smile(contracts: Contracts, market: Market, levels: tuple[float, float]) -> FloatArray:
    """Return the volatility of contracts, annualised.

    Parameters
    ----------
    levels
        Volatility of the indices over 30 and 93 days.
    """
    years = contracts.years
    short, long = ((AT_THE_MONEY * level) ** 2 for level in levels)
    place = np.clip((years - SHORT) / (LONG - SHORT), 0.0, 1.0)
    total = (1.0 - place) * short * SHORT + place * long * LONG
    variance = np.where(
        years <= SHORT, short, np.where(years >= LONG, long, total / np.maximum(years, SHORT))
    )
    middle = np.sqrt(variance)
    forward = market.spot * np.exp((market.rate - market.dividend_yield) * years)
    away = np.clip(np.log(contracts.strike / forward) / (middle * np.sqrt(years)), -WINGS, WINGS)
    volatility: FloatArray = np.maximum(
        middle * (1.0 + SKEW * away + CURVATURE * away**2), LOWEST_VOLATILITY
    )
    return volatility


def _prices(history: History, ticker: str) -> FloatArray:
    """Return the prices fifteen minutes before each close, within the session's range."""
    bars = history.bars(ticker, history.payments(ticker).base)
    at = history.tickers.index(ticker)
    normal = stream(history.seed, "late", ticker).standard_normal(len(history.sessions))
    minutes = BEFORE_CLOSE / pd.Timedelta(minutes=SESSION_MINUTES)
    late = bars.close * np.exp(-history.paths.volatility[:, at] * np.sqrt(minutes) * normal)
    prices: FloatArray = np.clip(late, bars.low, bars.high).round(2)
    return prices


def _session(
    draws: np.random.Generator, session: pd.Timestamp, market: Market, levels: tuple[float, float]
) -> pd.DataFrame:
    quoted = close(pd.DatetimeIndex([session]))[0] - BEFORE_CLOSE
    dates, grid = expirations(session), strikes(market.spot)
    left = ((close(dates) - quoted) / YEAR).to_numpy()
    grids = np.meshgrid(np.arange(len(dates)), grid, np.array([1.0, -1.0]), indexing="ij")
    place = grids[0].ravel().astype(np.intp)
    strike, sign = (axis.ravel().astype(np.float64) for axis in grids[1:])
    contracts = Contracts(strike, left[place], sign)
    volatility = smile(contracts, market, levels)
    quotes = black_scholes(
        market.spot, strike, contracts.years, volatility, sign, market.rate, market.dividend_yield
    )
    return pd.DataFrame(
        {
            "quote_time": quoted,
            "expiration": dates[place],
            "strike": strike,
            "option_type": np.where(sign > 0, "call", "put").astype(object),
            "underlying_price": market.spot,
            **_book(draws, contracts, market, quotes, volatility),
        }
    )


def _book(
    draws: np.random.Generator, contracts: Contracts, market: Market, quotes: Valuation,
    volatility: FloatArray,
) -> dict[str, FloatArray]:  # fmt: skip
    """Return what the order book shows of contracts: quotes to the cent, volume and greeks."""
    intrinsic = np.maximum(contracts.sign * (market.spot - contracts.strike), 0.0)
    # Exercised early where the right to is worth more: never quoted below what exercise gives.
    price = np.maximum(quotes.price, intrinsic)
    half = np.maximum(HALF_SPREAD * (price - intrinsic) + IN_THE_MONEY_SPREAD * intrinsic, 0.005)
    noise = draws.standard_normal((2, len(price)))
    wanted = OPEN_INTEREST * np.exp(-6.0 * contracts.years) * (0.05 + 4.0 * _interest(quotes.delta))
    interest = np.floor(wanted * np.exp(0.8 * noise[0]))
    # Without time value no volatility gives the price.
    invertible = (price - intrinsic >= 0.01) & (price >= 0.01)
    return {
        "bid": np.maximum(np.floor((price - half) * 100.0 + 1e-6), 0.0) / 100.0,
        "ask": np.ceil((price + half) * 100.0 - 1e-6) / 100.0,
        "volume": np.floor(0.3 * interest * np.exp(-4.0 * contracts.years + noise[1])),
        "open_interest": interest,
        "implied_volatility": np.where(invertible, volatility, np.nan).round(4),
        "delta": quotes.delta.round(4),
        "gamma": quotes.gamma.round(4),
    }


def _interest(delta: FloatArray) -> FloatArray:
    """Return how much traders care for contracts: most for those out of the money."""
    size = np.abs(delta)
    cared: FloatArray = size * (1.0 - size) ** 2
    return cared
