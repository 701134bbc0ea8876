"""Structures priced on a synthetic board: what each strategy is, what it can lose, how likely."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from market.errors import InputError, UnknownName
from market.options.chain import ExpiryQuotes, Side
from market.options.smile import Moves
from tests.trading.structures.boards import FLAT, board, life, outlook
from trading.strategies.selector import MATRIX, NO_TRADE
from trading.structures.board import Board, choose_legs
from trading.structures.chances import risk_neutral_profit
from trading.structures.exits import EXPIRY, STOP, TARGET, ExitPlan, Exits, first_ends
from trading.structures.legs import STRUCTURES, structure_plan
from trading.structures.payoff import bounds, value_at_expiry
from trading.structures.price import price_structure
from trading.structures.worth import WorthGrid, worth_at


def test_every_strategy_but_no_trade_has_legs():
    assert set(STRUCTURES) == {row.name for row in MATRIX} - {NO_TRADE.name}
    with pytest.raises(UnknownName, match="strategy: got 'NO TRADE', allowed are Buy Calls"):
        structure_plan("NO TRADE")


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_legs_are_those_of_decision_16(strategy):
    on = board()
    legs = choose_legs(on, structure_plan(strategy))
    planned = structure_plan(strategy).legs
    for at, leg in enumerate(planned):
        deltas = np.abs(on.deltas(leg.sign))
        place = int(np.searchsorted(on.quotes.strike, legs.strike[at]))
        assert abs(deltas[place] - leg.delta) == np.abs(deltas - leg.delta).min()
        assert abs(deltas[place] - leg.delta) < 0.03


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(STRUCTURES)), st.floats(30.0, 900.0), st.floats(9.0, 80.0),
    st.floats(0.8, 1.4), st.floats(-0.03, 0.03),
)  # fmt: skip
def test_no_structure_has_an_undefined_loss(strategy, spot, index, slope, drift):
    try:
        found = price_structure(
            strategy, board(spot, index, slope), life(), outlook(drift / 10, spot=spot, count=200)
        )
    except InputError as error:
        assert spot < 150.0, error  # the strikes stand too far apart for the deltas
        return
    for terms in (found.mid, found.natural):
        assert 0.0 < terms.max_loss < np.inf
        assert terms.max_profit is None or terms.max_profit < np.inf
    assert found.natural.max_loss >= found.mid.max_loss
    assert all(np.isfinite(row).all() for row in found.table.profit)
    least = min(min(row) for row in found.table.profit)
    assert least >= -found.mid.max_loss - 1e-6
    chances = found.chances
    assert chances.low <= chances.expected_value <= chances.high
    assert chances.target + chances.stop <= 1.0 + 1e-12
    assert chances.expected_value >= -found.natural.max_loss - 100.0 * found.costs.spread


def test_a_spread_is_paid_and_a_credit_received():
    nets = {name: price_structure(name, board(), life(), None).mid.net for name in STRUCTURES}
    received = {"Bull Put Spread", "Bear Call Spread", "Iron Condor"}
    assert {name for name, net in nets.items() if net < 0} == received
    found = price_structure("Bull Put Spread", board(), life(), None)
    assert found.chances is None
    assert found.mid.credit_of_width == pytest.approx(-found.mid.net / found.width)
    assert found.natural.net > found.mid.net  # less is received


@pytest.mark.parametrize("strategy", STRUCTURES)
def test_greeks_are_the_slopes_of_the_worth(strategy):
    on, when = board(), life()
    found = price_structure(strategy, on, when, None)
    flat = board(form=FLAT, index=100 * on.smile.at_the_money)
    legs_flat = price_structure(strategy, flat, when, None)
    now, level = np.array([flat.smile.years]), np.array([flat.smile.at_the_money])
    step = 0.01
    on_flat = choose_legs(flat, structure_plan(strategy))
    up, mid, down = (
        worth_at(on_flat, flat.smile, flat.spot, now, np.array([flat.spot + move]), level).item()
        for move in (step, 0.0, -step)
    )
    assert legs_flat.greeks.delta == pytest.approx(100 * (up - down) / 2 / step, abs=1e-2)
    assert legs_flat.greeks.gamma == pytest.approx(100 * (up - 2 * mid + down) / step**2, abs=2e-2)
    # What is paid for holds volatility, what is sold owes it.
    assert np.sign(found.greeks.vega) == np.sign(found.mid.net)


def test_the_risk_neutral_chance_of_a_flat_smile_is_the_lognormals():
    on = board(form=FLAT, index=20.0)
    legs = choose_legs(on, structure_plan("Bull Put Spread"))
    smile = on.smile
    paid = -1.5
    turn = legs.strike[1] + paid
    d2 = (np.log(smile.forward / turn) - smile.at_the_money**2 * smile.years / 2) / (
        smile.at_the_money * np.sqrt(smile.years)
    )
    assert risk_neutral_profit(legs, smile, paid) == pytest.approx(ndtr(d2), abs=1e-5)


def test_chances_count_the_paths():
    on, when, seen = board(), life(), outlook()
    found = price_structure("Bull Put Spread", on, when, seen)
    legs = choose_legs(on, structure_plan("Bull Put Spread"))
    profit = value_at_expiry(legs, seen.ends) > found.natural.net
    assert found.chances.profit == profit.mean()
    assert found.chances.paths == 1000
    rising = price_structure("Bull Put Spread", on, when, outlook(drift=0.01)).chances
    assert rising.profit == 1.0
    assert rising.target > 0.99
    assert rising.expected_value > 0.0


def test_paths_end_at_the_first_reason_and_the_stop_counts_first():
    spots = np.array([[100.0, 103, 99], [97, 90, 120], [101, 102, 101], [98, 98, 98]])
    worth = np.array([[1.0, 3, 0], [1, 1, 9], [1, 1, 1], [3, 3, 3]])
    reason, close = first_ends((spots <= 98.0).T, (worth >= 2.0).T)
    assert reason.tolist() == [TARGET, STOP, EXPIRY, STOP]
    assert close.tolist() == [1, 0, 2, 0]
    ended = Exits(reason, close, worth[np.arange(4), close])
    assert ended.share(STOP) == 0.5


def worth_along(grid, spots):
    """Return worth by the first smile at every close of paths, (n_paths, n_closes)."""
    places, last = grid.prices.places(spots), value_at_expiry(grid.legs, spots[:, -1])
    closes = range(spots.shape[1])
    return np.stack([grid.at(0, places, np.full(len(spots), one), last) for one in closes], axis=1)


@pytest.mark.parametrize("strategy", STRUCTURES)
@pytest.mark.parametrize("share", [0.2, 0.9])
def test_ends_of_paths_are_those_of_worth_at_every_close(strategy, share):
    on, when, seen = board(), life(), outlook()
    legs = choose_legs(on, structure_plan(strategy))
    grid = WorthGrid.of(legs, (on.smile,), on.spot, when.years)
    worth = worth_along(grid, seen.paths)
    target = float(np.quantile(worth, share))
    plan = ExitPlan(target, on.spot * 0.97, on.spot * 1.02)
    (ended,) = grid.ends(plan, seen.paths, grid.prices.places(seen.paths))
    for path, (spots, worths) in enumerate(zip(seen.paths, worth, strict=True)):
        why, at = EXPIRY, len(spots) - 1
        for close in range(at):
            if not plan.below < spots[close] < plan.above:
                why, at = STOP, close
                break
            if worths[close] >= target:
                why, at = TARGET, close
                break
        assert (ended.reason[path], ended.close[path]) == (why, at)
        assert ended.worth[path] == worths[at]


def test_worth_ends_at_the_payoff_and_stays_within_its_bounds():
    on, when = board(index=60.0), life()
    legs = choose_legs(on, structure_plan("Iron Condor"))
    found = WorthGrid.of(legs, (on.smile,), on.spot, when.years)
    worth, prices = found.worth[0], found.prices.prices
    assert (worth[-1] == value_at_expiry(legs, prices)).all()
    assert worth.min() >= bounds(legs).least
    assert worth.max() <= bounds(legs).most
    assert prices[len(prices) // 2] == pytest.approx(on.spot, rel=1e-14)
    paths = np.tile(prices[:, None], len(when.years))
    assert pytest.approx(worth[1:]) == worth_along(found, paths).T
    between = np.full((1, len(when.years)), on.spot * 1.013)
    exact = worth_at(
        legs, on.smile, on.spot, when.years[:1], between[0, :1], np.array([on.smile.at_the_money])
    )
    assert worth_along(found, between)[0, 0] == pytest.approx(exact.item(), abs=0.02)
    beyond = np.full((1, len(when.years)), 10 * on.spot)
    assert worth_along(found, beyond)[0, 0] == worth[1, -1]


@pytest.mark.parametrize("strategy", ["Buy Calls", "Iron Condor"])
def test_worth_priced_only_where_paths_reach_is_the_same_along_them(strategy):
    on, when, seen = board(), life(), outlook()
    legs = choose_legs(on, structure_plan(strategy))
    smiles = (on.smile, on.smile.lifted(1.0))
    whole = WorthGrid.of(legs, smiles, on.spot, when.years)
    wild = np.vstack([seen.paths, 5 * seen.paths[:1], seen.paths[:1] / 5])
    for paths in (seen.paths, wild):
        places = whole.prices.places(paths)
        some = WorthGrid.of(legs, smiles, on.spot, when.years, places=places)
        assert (worth_along(some, paths) == worth_along(whole, paths)).all()
        assert (some.now == whole.now).all()
        priced = np.isfinite(some.worth[0]).sum(axis=1)
        assert priced[0] == 1
        count = len(whole.prices.prices)
        assert (2 <= priced[1] < count) if paths is seen.paths else priced[1] == count
        assert priced[-1] == count
        plan = ExitPlan(float(some.now[0]) + 0.5, on.spot * 0.98, np.inf)
        for one, other in zip(
            some.ends(plan, paths, places), whole.ends(plan, paths, places), strict=True
        ):
            assert all((mine == yours).all() for mine, yours in zip(one, other, strict=True))


def test_worth_is_that_of_a_level_that_moved_with_the_underlying_and_the_time():
    on, when = board(), life()
    legs = choose_legs(on, structure_plan("Buy Calls"))
    moves = Moves(sway=0.28, roll=0.12)
    moved = WorthGrid.of(legs, (on.smile, on.smile.lifted(1.0)), on.spot, when.years, moves)
    held = WorthGrid.of(legs, (on.smile, on.smile.lifted(1.0)), on.spot, when.years)
    assert moved.now == pytest.approx(held.now, rel=1e-12)
    spot = np.array([on.spot * 1.02])
    rise = np.log(1.02) / (on.smile.at_the_money * np.sqrt(on.smile.years))
    for at, smile in enumerate((on.smile, on.smile.lifted(1.0))):
        level = smile.at_the_money * np.exp(-0.28 * rise) * (when.years[4] / on.smile.years) ** 0.12
        exact = worth_at(legs, on.smile, on.spot, when.years[4:5], spot, np.array([level])).item()
        places = moved.prices.places(np.full((1, len(when.years)), spot[0]))
        worth = moved.at(at, places, np.array([4]), np.zeros(1))
        assert worth[0] == pytest.approx(exact, abs=0.02)
    higher = moved.prices.prices > on.spot * 1.001
    assert (moved.worth - held.worth)[0, :-1, higher].max() < 1e-9


def test_a_level_that_falls_as_the_underlying_rises_leaves_a_call_its_target_less_often():
    on, when, seen = board(), life(), outlook()
    held = price_structure("Buy Calls", on, when, seen)
    moved = price_structure("Buy Calls", on, when, replace(seen, moves=Moves(sway=0.28)))
    assert moved.chances.target < held.chances.target - 0.02
    assert moved.chances.profit == held.chances.profit
    assert moved.table == held.table


def test_strikes_without_a_market_are_not_chosen():
    on = board()
    wanted = choose_legs(on, structure_plan("Buy Calls")).strike[0]
    bid = np.where(on.quotes.strike == wanted, 0.0, on.quotes.calls.bid)
    quotes = ExpiryQuotes(
        on.quotes.root, on.quotes.expiration, on.quotes.strike,
        Side(bid, on.quotes.calls.ask), on.quotes.puts,
    )  # fmt: skip
    dead = Board(quotes, on.smile, on.spot, "chain")
    assert choose_legs(dead, structure_plan("Buy Calls")).strike[0] != wanted


def test_a_board_without_the_planned_deltas_is_refused_by_name():
    on = board()
    few = on.quotes.strike % 50 == 0
    quotes = ExpiryQuotes(
        on.quotes.root, on.quotes.expiration, on.quotes.strike[few],
        Side(on.quotes.calls.bid[few], on.quotes.calls.ask[few]),
        Side(on.quotes.puts.bid[few], on.quotes.puts.ask[few]),
    )  # fmt: skip
    coarse = Board(quotes, on.smile, on.spot, "chain")
    with pytest.raises(InputError, match=r"SPY 2025-07-18: no put with bid and ask has a delta"):
        choose_legs(coarse, structure_plan("Iron Condor"))
