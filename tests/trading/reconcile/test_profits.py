"""What a position comes to: as the book and the backtest say, from the same numbers."""

from dataclasses import replace

import numpy as np
import pytest

from market.errors import InputError
from tests.trading.paper.books import AT, HISTORY, SESSION, changed, signal, structure
from trading.backtest.run import every_structure
from trading.paper.advance import advance, begin, held_by, leave
from trading.paper.came_to import structure_outcomes
from trading.paper.seen import until
from trading.paper.walks import Held
from trading.reconcile.ladder import cents_of
from trading.reconcile.profits import (
    Acted,
    Waits,
    differing,
    entered_profit,
    entry,
    filled_in,
    later_than,
    plan_profit,
    structure_profit,
)
from trading.structures.legs import STRUCTURES

CAPITAL = 100_000.0


def day(at):
    return str(HISTORY.days[at].date())


def followed(strategy="Bear Put Spread", to=AT + 1):
    """Return the book of a position that was taken at the next open."""
    from tests.trading.paper.books import after

    begun = begin(CAPITAL, 0.06, after(AT))
    history = {"SPY": until(HISTORY, day(to))}
    return advance(begun.book, [signal(strategy)], history, HISTORY.days[to]).book


@pytest.mark.parametrize("strategy", STRUCTURES)
@pytest.mark.parametrize("fill", ["open", "close"])
def test_a_signals_position_comes_to_what_the_backtest_says(strategy, fill):
    """Where prices are the same nothing is left for another price to explain."""
    entered = every_structure(HISTORY, np.array([AT]), fill)
    theirs = entered_profit(entered, strategy, AT)
    assert cents_of(theirs) == cents_of(
        structure_profit(HISTORY, SESSION, structure(strategy), fill)
    )


def test_what_was_settled_is_what_its_plan_comes_to():
    said = signal("Iron Condor")
    (outcome,), _ = structure_outcomes([said], {"SPY": HISTORY})
    assert plan_profit(HISTORY, entry(HISTORY, SESSION, said.structure, "close")) == outcome.profit


def test_a_trade_of_the_book_comes_to_what_its_cash_says():
    trade = followed(to=AT + 25).trades[1]
    assert trade.closed.why in ("target", "stop", "expiry")
    acted = Acted(held_by(trade), "open")
    assert cents_of(acted.profit(HISTORY)) * trade.opened.contracts == trade.flows
    assert acted.again(HISTORY) == acted


def test_a_trade_left_by_hand_comes_to_what_its_cash_says():
    book = followed(to=AT + 3)
    done = leave(book, 1, {"SPY": until(HISTORY, day(AT + 3))})
    trade = done.book.trades[1]
    acted = Acted(held_by(trade), "open", day(AT + 3))
    assert cents_of(acted.profit(HISTORY)) * trade.opened.contracts == trade.flows
    assert acted.profit(HISTORY) != plan_profit(HISTORY, acted.held)


def test_an_entry_follows_the_open_that_is_known_now():
    one = structure("Bull Put Spread")
    acted = Acted(entry(HISTORY, SESSION, one, "open"), "open")
    moved = changed(HISTORY, AT + 1, opened=HISTORY.opened[AT + 1] * 1.01)
    assert acted.again(moved).held.paid != acted.held.paid
    assert acted.again(changed(HISTORY, AT + 1, opened=np.nan)) is None
    assert structure_profit(changed(HISTORY, AT + 1, opened=np.nan), SESSION, one, "open") == 0.0
    close = Acted(entry(HISTORY, SESSION, one, "close"), "close")
    assert close.again(moved) == close


def test_what_has_not_ended_waits_and_what_nothing_prices_is_refused():
    one = structure("Iron Condor")
    with pytest.raises(Waits, match="its position is open, to "):
        structure_profit(until(HISTORY, day(AT + 1)), SESSION, one, "close")
    dark = replace(
        HISTORY, index=np.where(np.arange(len(HISTORY.days)) > AT, np.nan, HISTORY.index)
    )
    with pytest.raises(InputError, match="nothing prices the close"):
        Acted(Held(SESSION, one, one.natural.net, one.exit), "close", day(AT + 2)).profit(dark)
    last = len(HISTORY.days) - 1
    entered = every_structure(HISTORY, np.array([last]))
    with pytest.raises(Waits, match="beyond the history"):
        entered_profit(entered, "Iron Condor", last)
    assert entered_profit(entered, None, last) == plan_profit(HISTORY, None) == 0.0


def test_what_was_unknown_is_filled_in_and_what_was_known_stays():
    then = until(changed(HISTORY, AT + 2, index=np.nan), day(AT + 5))
    now = changed(HISTORY, AT + 3, closed=500.0)
    filled = filled_in(then, now)
    assert filled.index[AT + 2] == HISTORY.index[AT + 2]
    assert filled.closed[AT + 3] == HISTORY.closed[AT + 3]
    assert differing(then, filled, SESSION, day(AT + 9)) == (
        f"index of {day(AT + 2)} was nan, is {HISTORY.index[AT + 2]:.6g}"
    )
    whole = later_than(filled, now)
    assert whole.days.equals(HISTORY.days)
    assert whole.closed[AT + 3] == HISTORY.closed[AT + 3]
    words = differing(whole, now, SESSION, day(AT + 9))
    assert words == f"closed of {day(AT + 3)} was {HISTORY.closed[AT + 3]:.6g}, is 500"


def test_quotes_that_landed_since_are_known_later():
    """What a close and an expiry were quoted at then stays, what lacked has what is quoted now."""
    first, second, later = (HISTORY.days[AT + k] for k in (1, 2, 9))
    then = replace(until(HISTORY, day(AT + 5)), quotes={first: {later: "old"}})
    now = replace(HISTORY, quotes={
        first: {later: "new", second: "other"}, second: {later: "late"}, later: {later: "after"},
    })  # fmt: skip
    filled = filled_in(then, now)
    assert filled.quotes == {first: {later: "old", second: "other"}, second: {later: "late"}}
    assert later_than(filled, now).quotes == {**filled.quotes, later: {later: "after"}}
    words = differing(then, filled, SESSION, day(AT + 5))
    assert words == f"quotes of {first.date()} have landed since and 1 more"


def test_what_was_priced_on_its_own_chain_is_marked_by_quotes():
    one = structure("Iron Condor")
    quoted = one.model_copy(update={"pricing": "chain", "quote_time": "2023-05-30T20:00:00+00:00"})
    for fill in ("open", "close"):
        assert entry(HISTORY, SESSION, quoted, fill).on_quotes
        assert not entry(HISTORY, SESSION, one, fill).on_quotes
