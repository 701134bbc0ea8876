"""Simulated option chains: strikes, the smile, quotes."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.simulated.chains import MOST_SESSIONS, Contracts, Market, smile, strikes
from ingestion.sources.simulated.source import Simulated
from market.calendar import close, sessions
from market.errors import InputError
from market.options.black import price_scholes
from market.underlyings import UNDERLYINGS, underlying

Make = Callable[..., Simulated]
DAY = pd.Timestamp("2024-12-31")
MARKET = Market(spot=100.0, rate=0.03, dividend_yield=0.01)


def chain(source: Simulated, *tickers: str, start: pd.Timestamp = DAY) -> pd.DataFrame:
    return source.fetch("option_chains", tickers or tuple(UNDERLYINGS), start, DAY)


def contracts(strike: float, years: float, sign: float) -> Contracts:
    return Contracts(np.array([strike]), np.array([years]), np.array([sign]))


# ---------------------------------------------------------------- strikes


@settings(deadline=None)
@given(spot=st.floats(5.0, 5000.0))
def test_strikes_surround_the_price(spot: float) -> None:
    grid = strikes(spot)
    assert 0.85 * spot <= grid[0] < spot < grid[-1] <= 1.15 * spot or spot < 8
    assert np.allclose(np.diff(grid), np.diff(grid)[0])
    assert len(grid) <= 62


# ---------------------------------------------------------------- the smile


def at_the_money(years: float, levels: tuple[float, float]) -> float:
    forward = MARKET.spot * np.exp((MARKET.rate - MARKET.dividend_yield) * years)
    return float(smile(contracts(forward, years, 1.0), MARKET, levels)[0])


def test_volatility_goes_from_the_short_index_to_the_long_one() -> None:
    levels = (0.15, 0.20)
    terms = [at_the_money(days / 365, levels) for days in (3, 30, 60, 93, 180)]
    assert terms[0] == pytest.approx(terms[1])
    assert terms[1] < terms[2] < terms[3] == pytest.approx(terms[4])
    assert terms[1] / terms[3] == pytest.approx(0.75)


def test_puts_far_out_cost_more_volatility_than_calls() -> None:
    levels = (0.237, 0.245)
    low, high = (smile(contracts(k, 24 / 365, 1.0), MARKET, levels)[0] for k in (85.0, 110.0))
    middle = at_the_money(24 / 365, levels)
    assert low > 1.3 * middle
    assert 0.7 * middle < high < middle
    extreme = smile(contracts(1.0, 24 / 365, 1.0), MARKET, levels)[0]
    assert extreme < 3 * middle


# ---------------------------------------------------------------- quotes


def test_quotes_are_of_a_quarter_of_an_hour_before_the_close(simulated: Make) -> None:
    start = pd.Timestamp("2024-12-23")  # with a half day
    frame = chain(simulated(), "SPY", start=start)
    times = close(sessions(start, DAY)) - pd.Timedelta(minutes=15)
    assert sorted(set(frame["quote_time"])) == list(times)
    assert not frame.duplicated(["quote_time", "expiration", "strike", "option_type"]).any()


def test_the_price_lies_in_the_range_of_the_session(simulated: Make) -> None:
    source = simulated()
    start = pd.Timestamp("2024-10-01")
    for ticker in UNDERLYINGS:
        bars = source.fetch("prices", [ticker], start, DAY).set_index("session")
        spot = chain(source, ticker, start=start).groupby("quote_time")["underlying_price"].first()
        assert (spot.to_numpy() <= bars["high"].to_numpy()).all()
        assert (spot.to_numpy() >= bars["low"].to_numpy()).all()
        away = spot.to_numpy() / bars["close"].to_numpy() - 1
        assert 0 < np.std(away) < 0.006


def test_quotes_hold_together(simulated: Make) -> None:
    frame = chain(simulated(), start=pd.Timestamp("2024-12-01"))
    assert (frame["ask"] > frame["bid"]).all()
    for column in ("bid", "ask"):
        np.testing.assert_allclose(frame[column] * 100, (frame[column] * 100).round(), atol=1e-6)
    sign = np.where(frame["option_type"] == "call", 1.0, -1.0)
    intrinsic = np.maximum(sign * (frame["underlying_price"] - frame["strike"]), 0.0)
    assert (frame["ask"] >= intrinsic - 1e-9).all()
    assert (sign * frame["delta"] >= 0).all()
    assert (frame["gamma"] >= 0).all()
    for column in ("volume", "open_interest"):
        assert (frame[column] >= 0).all()
        assert (frame[column] % 1 == 0).all()
        assert frame[column].sum() > 0


def test_a_call_is_worth_less_the_higher_its_strike(simulated: Make) -> None:
    frame = chain(simulated(), "QQQ")
    frame["middle"] = (frame["bid"] + frame["ask"]) / 2
    for (_, kind), rows in frame.groupby(["expiration", "option_type"]):
        steps = rows.sort_values("strike")["middle"].diff().dropna()
        assert (steps <= 0.02).all() if kind == "call" else (steps >= -0.02).all()


def test_the_volatility_said_gives_the_price_said(simulated: Make) -> None:
    source = simulated()
    frame = chain(source, "SPY").dropna(subset="implied_volatility")
    left = (close(pd.DatetimeIndex(frame["expiration"])) - frame["quote_time"]).dt.total_seconds()
    rate = source.fetch("macro_series", ["DGS3MO"], None, DAY)["value"].iloc[-1] / 100
    price = price_scholes(
        frame["underlying_price"].iloc[0], frame["strike"].to_numpy(),
        (left / (365 * 86400)).to_numpy(), frame["implied_volatility"].to_numpy(),
        np.where(frame["option_type"] == "call", 1.0, -1.0), rate, 0.017,
    )  # fmt: skip
    out = np.abs(frame["delta"]) < 0.5
    assert (price[out] >= frame["bid"][out] - 0.02).all()
    assert (price[out] <= frame["ask"][out] + 0.02).all()


def test_the_level_is_that_of_the_index(simulated: Make) -> None:
    source = simulated()
    for ticker in UNDERLYINGS:
        symbol = underlying(ticker).volatility_index
        level = source.fetch("indices", [symbol], DAY, DAY)["close"].iloc[0] / 100
        frame = chain(source, ticker)
        days = (frame["expiration"] - DAY).dt.days
        near = frame[days.between(20, 40) & ((frame["delta"].abs() - 0.5).abs() < 0.1)]
        assert 0.85 * level < near["implied_volatility"].mean() < 1.02 * level


def test_what_no_volatility_gives_is_null(simulated: Make) -> None:
    frame = chain(simulated())
    unknown = frame["implied_volatility"].isna()
    assert 0 < unknown.mean() < 0.3
    sign = np.where(frame["option_type"] == "call", 1.0, -1.0)
    intrinsic = np.maximum(sign * (frame["underlying_price"] - frame["strike"]), 0.0)
    assert (frame["bid"] <= intrinsic + 0.01)[unknown].all()
    delta = frame.loc[unknown, "delta"].abs()
    assert ((delta > 0.75) | (delta < 0.05)).all()


# ---------------------------------------------------------------- determinism and refusals


def test_a_session_has_the_same_chain_whatever_else_is_asked_for(simulated: Make) -> None:
    week = chain(simulated(), "QQQ", "IWM", start=pd.Timestamp("2024-12-23"))
    day = chain(simulated(), "QQQ")
    of_day = week[(week["underlying"] == "QQQ") & (week["quote_time"] >= DAY.tz_localize("UTC"))]
    pd.testing.assert_frame_equal(of_day.reset_index(drop=True), day)
    later = Simulated(7, 0.0, pd.Timestamp("2025-03-31 20:30", tz="UTC"), "2022-01-03")
    pd.testing.assert_frame_equal(chain(later, "QQQ"), day)


def test_too_many_sessions_are_refused(simulated: Make) -> None:
    source = simulated()
    with pytest.raises(InputError) as caught:
        source.fetch("option_chains", ["SPY"], None, DAY)
    assert str(caught.value) == (
        f"option chains: got 753 sessions, allowed are {MOST_SESSIONS} at a time; "
        "ask from a later start"
    )


def test_no_session_is_no_quote(simulated: Make) -> None:
    day = pd.Timestamp("2024-12-25")
    assert simulated().fetch("option_chains", ["SPY"], day, day).empty
