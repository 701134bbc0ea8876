"""Positions on real chains: entered at their quotes, marked by those that follow."""

from dataclasses import replace

import numpy as np
import pytest

from market.underlyings import underlying
from tests.trading.backtest.histories import history
from tests.trading.structures.quoted import chain_like
from trading.backtest.quoted import boards_of, overlaid, quoted_structures
from trading.backtest.run import every_structure
from trading.structures.exits import TARGET
from trading.structures.legs import STRUCTURES
from trading.structures.quote import Closing, synthetic_quote

SPY = underlying("SPY")
AT = 40


@pytest.fixture(scope="module")
def year():
    return history()


def chain_at(of, at, days=0):
    """Return the chain of a session whose quotes are those of the synthetic board of its close."""
    closing = Closing(*(float(one[at]) for one in (of.closed, of.index, of.long_index, of.rate)))
    board, _ = synthetic_quote(SPY, of.days[at], closing)
    moment = f"{of.days[at].date()} 20:00"
    return chain_like(board, spot=float(of.closed[at]), moment=moment, days=days)


def test_quotes_that_are_the_models_give_the_models_trades(year):
    boards = boards_of(SPY, year, {year.days[AT]: chain_at(year, AT)})
    assert boards.refused == {}
    real = quoted_structures(year, boards)
    model = every_structure(year, np.array([AT]), "close")
    for strategy in STRUCTURES:
        one, other = real[strategy], model[strategy]
        assert one.quoted.tolist() == [True]
        assert other.quoted.tolist() == [False]
        np.testing.assert_array_equal(one.held.strike, other.held.strike)
        np.testing.assert_allclose(one.held.paid, other.held.paid)
        np.testing.assert_allclose(one.ends.profit, other.ends.profit)
        np.testing.assert_array_equal(one.ends.reason, other.ends.reason)
        assert np.isnan(one.ends.lower).all()  # quotes have no band


def test_a_close_with_a_chain_is_marked_by_its_quotes(year):
    later = AT + 2
    expiration = chain_at(year, AT).expiration[0]
    chain = chain_at(year, later)
    dear = replace(
        chain, expiration=np.full_like(chain.expiration, expiration),
        bid=chain.bid + 30.0, ask=chain.ask + 30.0,
    )  # fmt: skip
    boards = boards_of(SPY, year, {year.days[AT]: chain_at(year, AT), year.days[later]: dear})
    ended = quoted_structures(year, boards)["Buy Calls"].ends
    row = int(np.flatnonzero(boards.place == AT)[0])
    assert ended.reason[row] == TARGET
    assert ended.column[row] <= 1  # the second close, unless the first did
    if ended.column[row] == 1:
        held = quoted_structures(year, boards)["Buy Calls"].held
        at = np.flatnonzero((dear.strike == held.strike[row, 0]) & (dear.sign > 0))[0]
        assert ended.worth[row] == pytest.approx(dear.bid[at])


def test_chains_that_cannot_be_entered_say_why(year):
    other_price = replace(chain_at(year, AT), strike=chain_at(year, AT).strike * 2)
    soon = chain_at(year, AT + 5, days=-14)
    found = boards_of(SPY, year, {year.days[AT]: other_price, year.days[AT + 5]: soon})
    assert len(found.place) == 0
    assert "expiries: none lies 14 to 28 days after" in found.refused[year.days[AT + 5]]
    assert year.days[AT] in found.refused
    assert all(len(one.lives.start) == 0 for one in quoted_structures(year, found).values())


def test_chains_of_days_that_are_no_sessions_of_the_history_are_left_out(year):
    early = {year.days[0].replace(year=2020): chain_at(year, AT)}
    assert len(boards_of(SPY, year, early).place) == 0


def test_quoted_positions_take_the_place_of_synthetic_ones(year):
    boards = boards_of(SPY, year, {year.days[AT]: chain_at(year, AT, days=-7)})
    real = quoted_structures(year, boards)
    model = every_structure(year, np.arange(30, 60), "close")
    for strategy in STRUCTURES:
        both = overlaid(model[strategy], real[strategy])
        row = AT - 30
        assert np.flatnonzero(both.quoted).tolist() == [row]
        assert both.lives.expiration[row] == real[strategy].lives.expiration[0]
        assert both.ends.profit[row] == real[strategy].ends.profit[0]
        others = np.arange(30) != row
        np.testing.assert_array_equal(both.ends.profit[others], model[strategy].ends.profit[others])
        ended = both.lives.place[np.arange(30), both.ends.column]
        assert ended[row] == real[strategy].lives.place[0, real[strategy].ends.column[0]]
        assert both.ends.marks.shape == both.lives.place.shape
