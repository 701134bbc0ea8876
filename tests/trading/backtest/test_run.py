"""Structures of many sessions at once are those of the product one by one, and end as it says."""

import numpy as np
import pandas as pd
import pytest

from market.errors import InputError
from market.options.black import price_76
from market.options.costs import COMMISSION
from market.underlyings import underlying
from tests.trading.backtest.histories import history
from trading.backtest.positions import MID
from trading.backtest.run import every_structure
from trading.structures.exits import EXPIRY, STOP, TARGET
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import Closing, synthetic_quote

PLACES = np.array([3, 40, 97, 160, 201])


@pytest.fixture(scope="module")
def year():
    return history()


@pytest.fixture(scope="module")
def at_close(year):
    return every_structure(year, np.arange(len(year.days)), "close")


def closing(of, at):
    return Closing(*(float(one[at]) for one in (of.closed, of.index, of.long_index, of.rate)))


@pytest.mark.parametrize("ticker", ["SPY", "QQQ", "IWM"])
def test_entries_are_those_of_a_signal(ticker):
    of = history(ticker, seed=4, spot=300.0)
    found = every_structure(of, PLACES, "close")
    for row, at in enumerate(PLACES):
        board, life = synthetic_quote(underlying(ticker), of.days[at], closing(of, at))
        for strategy in STRUCTURES:
            entered = found[strategy]
            try:
                due = price_structure(strategy, board, life, None)
            except InputError:
                assert not entered.held.possible[row]
                continue
            assert entered.held.possible[row]
            assert entered.held.strike[row].tolist() == [leg.strike for leg in due.legs]
            assert entered.held.paid[row] == pytest.approx(due.natural.net, abs=1e-9)
            assert entered.held.max_loss[row] == pytest.approx(due.natural.max_loss, abs=1e-6)
            assert entered.held.target[row] == pytest.approx(due.exit.target, abs=1e-9)
            stops = (entered.held.below[row], entered.held.above[row])
            assert stops[0] == pytest.approx(due.exit.stop_below or -np.inf)
            assert stops[1] == pytest.approx(due.exit.stop_above or np.inf)
            assert str(entered.lives.expiration[row].date()) == due.exit.last_day


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_a_position_ends_at_the_first_close_that_its_plan_names(strategy, year, at_close):
    entered = at_close[strategy]
    held, lives, ended = entered.held, entered.lives, entered.ends
    assert set(np.unique(ended.reason)) <= {TARGET, STOP, EXPIRY}
    for row in range(0, len(lives.start), 9):
        spots = year.closed[lives.place[row, : lives.last[row] + 1]]
        stopped = (spots <= held.below[row]) | (spots >= held.above[row])
        column, reason = ended.column[row], ended.reason[row]
        assert not stopped[:column].any()
        if reason == STOP:
            assert stopped[column]
        if reason == TARGET:
            assert ended.worth[row] <= held.most[row]
        if reason == EXPIRY:
            assert column == lives.last[row]
            worth = (held.side * np.maximum(held.sign * (spots[-1] - held.strike[row]), 0)).sum()
            assert ended.worth[row] == pytest.approx(worth)
            cost = COMMISSION * len(held.side)
            assert ended.profit[row] == pytest.approx(100 * (worth - held.paid[row]) - cost)


def test_no_trade_loses_more_than_it_could(at_close):
    for entered in at_close.values():
        ok = entered.held.possible
        assert ok.all()
        assert (entered.ends.profit >= -entered.held.max_loss - 1e-9).all()


def test_a_mark_is_the_price_of_its_sessions_index(year, at_close):
    entered = at_close["Buy Calls"]
    row = int(np.flatnonzero(entered.ends.reason == TARGET)[0])
    mid = every_structure(year, entered.lives.start[row : row + 1], "close", MID)["Buy Calls"]
    at = year.days[mid.lives.place[0, mid.ends.column[0]]]
    where = year.days.get_loc(at)
    expiration = mid.lives.expiration[0]
    years = (expiration - at).days / 365.0
    smile = synthetic_quote(underlying("SPY"), at, closing(year, where))[0].smile
    # The expiry is another than the usual one of that session: its level is that of its own time.
    forward = year.closed[where] * np.exp((0.04 - 0.012) * years)
    slope = np.log(1.08) * np.log(years * 365 / 30) / np.log(93 / 30)
    level = year.index[where] / 100 * np.exp(-0.15 + slope)
    depth = np.log(mid.held.strike[0] / forward) / (level * np.sqrt(years))
    price = price_76(
        forward, mid.held.strike[0], years, level * smile.shape.ratio(depth), 1.0,
        np.exp(-0.04 * years),
    )  # fmt: skip
    assert mid.ends.worth[0] == pytest.approx(float(price[0]), abs=1e-9)


def test_results_do_not_depend_on_the_range_asked_for(year, at_close):
    part = every_structure(year, np.arange(60, 120), "close")
    for strategy, entered in part.items():
        whole = at_close[strategy]
        rows = slice(60, 60 + len(entered.lives.start))
        np.testing.assert_array_equal(entered.ends.profit, whole.ends.profit[rows])
        np.testing.assert_array_equal(entered.ends.reason, whole.ends.reason[rows])


def test_what_comes_later_changes_no_trade_that_has_ended(year, at_close):
    shaken = year.closed.copy()
    shaken[200:] *= 0.7
    other = every_structure(history(closed=shaken), np.arange(len(year.days)), "close")
    for strategy, entered in at_close.items():
        over = entered.lives.place[np.arange(len(entered.lives.start)), entered.ends.column] < 200
        np.testing.assert_array_equal(entered.ends.profit[over], other[strategy].ends.profit[over])


def test_a_fill_at_the_next_open_is_at_its_price(year):
    opened = every_structure(year, PLACES, "open")["Buy Calls"]
    closed = every_structure(year, PLACES, "close")["Buy Calls"]
    np.testing.assert_array_equal(opened.held.strike, closed.held.strike)
    gaps = year.opened[PLACES + 1] - year.closed[PLACES]
    assert (
        np.sign(opened.held.paid - closed.held.paid)[np.abs(gaps) > 1]
        == np.sign(gaps[np.abs(gaps) > 1])
    ).all()
    np.testing.assert_array_equal(opened.held.below, closed.held.below)  # as the signal said


def test_a_split_within_a_life_changes_nothing():
    plain = history()
    split = np.ones(len(plain.days))
    split[50] = 4.0
    after = np.arange(len(plain.days)) >= 50
    cut = history(
        split=split, closed=np.where(after, plain.closed / 4, plain.closed),
        opened=np.where(after, plain.opened / 4, plain.opened),
    )  # fmt: skip
    at = np.array([38, 42, 49])
    for fill in ("open", "close"):
        for strategy, entered in every_structure(plain, at, fill).items():
            other = every_structure(cut, at, fill)[strategy]
            np.testing.assert_allclose(other.ends.profit, entered.ends.profit, atol=1e-6)


def test_a_short_call_in_the_money_loses_to_a_holder_who_takes_the_dividend():
    rising = history(closed=np.linspace(400.0, 600.0, 271))
    paid = np.zeros(271)
    paid[60] = 9.0
    at = np.array([55])
    without = every_structure(rising, at, "close")["Bull Call Spread"].ends
    lost = every_structure(history(closed=rising.closed, dividend=paid), at, "close")
    assert lost["Buy Calls"].ends.assigned[0] == 0.0
    ended = lost["Bull Call Spread"].ends
    assert ended.profit[0] == pytest.approx(without.profit[0] - ended.assigned[0])


def test_unknown_numbers_make_no_trade_and_missing_sessions_are_refused(year):
    holes = year.index.copy()
    holes[40] = np.nan
    found = every_structure(history(index=holes), PLACES, "close")["Iron Condor"]
    assert found.held.possible.tolist() == [True, False, True, True, True]
    assert np.isnan(found.ends.profit[1])
    assert found.ends.reason[1] == -1
    kept = np.arange(len(year.days)) != 20
    cut = {name: column[kept] for name, column in vars(year).items() if len(column) == len(kept)}
    with pytest.raises(InputError, match="the session 2023-02-01 is missing"):
        every_structure(history(**cut), PLACES, "close")


def test_positions_whose_expiry_lies_beyond_the_history_are_left_out(year):
    lives = every_structure(year, np.arange(len(year.days)), "close")["Buy Puts"].lives
    assert lives.expiration.max() <= year.days[-1]
    assert pd.Timestamp(year.days[lives.start[-1]]) < year.days[-10]


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_what_a_position_lost_to_costs_is_what_it_lacks_of_its_profit_at_mid(strategy, at_close):
    held, ended = at_close[strategy].held, at_close[strategy].ends
    rows = np.flatnonzero(held.possible)
    gained = ended.marks[rows, ended.column[rows]] - (held.paid - held.crossed)[rows]
    costs = ended.spread[rows] + ended.commission[rows] + ended.assigned[rows]
    assert ended.profit[rows] == pytest.approx(100.0 * gained - costs)
    assert (ended.spread[rows] > 0.0).all()
    left = (ended.reason[rows] == EXPIRY) | (ended.worth[rows] == held.least[rows])
    ways = np.where(left, 1, 2)  # what brings no more than the least is left to expire
    assert ended.commission[rows] == pytest.approx(COMMISSION * held.strike.shape[1] * ways)
    assert np.isnan(ended.spread[~held.possible]).all()
