"""What lies ahead of a position: events, and a short call that is exercised for a dividend."""

import numpy as np
import pandas as pd
import pytest

from market.options.black import price_76
from market.underlyings import ExDividend, underlying
from tests.trading.structures.boards import SPY, board, life, outlook
from trading.structures.ahead import look_ahead
from trading.structures.price import Life, price_structure
from trading.structures.words import in_words

# The life of the board is 2025-06-30 to 2025-07-18, without an ex-dividend day of SPY's.
IN_JULY = SPY._replace(ex_dividend=ExDividend((1, 4, 7, 10), days=(14, 14)))


def found(strategy, listing, odds=None):
    on, when = board(), life()
    return on, when, look_ahead(price_structure(strategy, on, when, odds), on, when, odds, listing)


def test_events_of_a_life_are_told_in_the_record_and_in_words():
    _, _, position = found("Bull Put Spread", SPY)
    assert [event.words() for event in position.events] == ["CPI 2025-07-10 to 2025-07-15"]
    assert position.assignments == []
    assert "ahead: CPI 2025-07-10 to 2025-07-15\n" in in_words(position)


def test_a_short_call_is_at_risk_where_its_put_costs_less_than_the_dividend():
    odds = outlook(drift=0.002, deviation=0.01)
    on, when, position = found("Bear Call Spread", IN_JULY, odds)
    (risk,) = position.assignments
    assert (risk.eve, risk.strike) == ("2025-07-11", position.legs[0].strike)
    assert risk.dividend == pytest.approx(0.012 / 4 * 600.0)
    eve = int(when.closes.get_loc(pd.Timestamp(risk.eve)))
    assert risk.chance == (odds.paths[:, eve] > risk.above).mean() > 0.0
    # The put at that price and moment is worth the dividend less the interest on the strike.
    years, smile = when.years[eve], on.smile
    share = years / smile.years
    forward = np.array([risk.above * (smile.forward / on.spot) ** share])
    depth = np.log(risk.strike / forward) / (smile.at_the_money * np.sqrt(years))
    volatility = smile.at_the_money * smile.shape.ratio(depth)
    put = price_76(forward, risk.strike, years, volatility, -1.0, smile.discount**share)
    interest = risk.strike * (1.0 - smile.discount**share)
    assert put[0] + interest == pytest.approx(risk.dividend, abs=0.02)
    assert (
        f"the short call {risk.strike:g} may be assigned after the close of 2025-07-11"
        in (position.notes[0])
    )


def test_a_position_without_a_short_call_or_dividend_is_not_at_risk():
    assert found("Bull Put Spread", IN_JULY)[2].assignments == []
    assert found("Buy Calls", IN_JULY)[2].assignments == []
    none_paid = IN_JULY._replace(dividend_yield=0.0)
    assert found("Iron Condor", none_paid)[2].assignments == []


def test_without_paths_or_a_known_day_the_chance_is_unknown():
    (risk,) = found("Bear Call Spread", IN_JULY)[2].assignments
    assert risk.chance is None
    some_day = IN_JULY._replace(ex_dividend=ExDividend((7,), days=(7, 14)))
    (risk,) = found("Iron Condor", some_day, outlook())[2].assignments
    assert (risk.eve, risk.chance) == (None, None)


def test_a_dividend_on_the_first_day_is_decided_by_the_close_of_the_entry():
    on, when = board(), life()
    first = IN_JULY._replace(ex_dividend=ExDividend((6,), days=(30, 30)), dividend_yield=0.2)
    priced = price_structure("Bear Call Spread", on, when, None)
    (risk,) = look_ahead(priced, on, when, None, first).assignments
    assert (risk.eve, risk.chance) == ("2025-06-27", 0.0)


def test_a_life_beyond_the_known_meetings_says_so():
    closes = pd.DatetimeIndex(["2028-02-01", "2028-02-02"])
    on = board()
    priced = price_structure("Buy Puts", on, life(), None)
    later = Life(pd.Timestamp("2028-01-31"), closes, np.array([1 / 365, 0.0]))
    notes = look_ahead(priced, on, later, None, SPY._replace(ex_dividend=None)).notes
    assert notes == ["meetings of the Fed after 2028-01-26 are not known to this version"]


def test_every_underlying_says_when_it_goes_ex_dividend():
    assert all(underlying(ticker).options.ex_dividend for ticker in ("SPY", "QQQ", "IWM"))
