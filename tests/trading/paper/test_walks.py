"""Recorded positions end as the backtest's do, and what is not known yet is waited for."""

from dataclasses import replace

import numpy as np
import pytest

from market.options.costs import MULTIPLIER
from tests.trading.paper.books import AT, HISTORY, SESSION, changed, signal, structure, without
from trading.backtest.run import every_structure
from trading.paper.came_to import structure_outcomes
from trading.paper.walks import REASONS, Held, until, walks, worth_leaving
from trading.structures.legs import STRUCTURES


def held(strategy: str) -> Held:
    one = structure(strategy)
    return Held(SESSION, one, one.natural.net, one.exit)


def day(at: int) -> str:
    return str(HISTORY.days[at].date())


def test_a_recorded_position_ends_as_the_backtest_says() -> None:
    entered = every_structure(HISTORY, np.array([AT]), "close")
    found = walks(HISTORY, [held(strategy) for strategy in STRUCTURES])
    for walk, strategy in zip(found, STRUCTURES, strict=True):
        due = entered[strategy].ends
        assert (walk.reason, walk.column) == (REASONS[int(due.reason[0])], int(due.column[0]))
        assert walk.profit == pytest.approx(due.profit[0], abs=1e-9)
        assert not len(walk.unmarked)


def test_one_that_has_not_ended_is_pending_and_settled_when_it_has() -> None:
    of = signal("Bear Put Spread")  # reaches its target at the fifth close
    for known in (1, 4):
        found, pending = structure_outcomes([of], {"SPY": until(HISTORY, day(AT + known))})
        assert found == []
        assert pending[0][1].startswith("its position is open, to 2023-")
    found, pending = structure_outcomes([of], {"SPY": until(HISTORY, day(AT + 5))})
    (whole,), _ = structure_outcomes([of], {"SPY": HISTORY})
    assert (found, pending) == ([whole], [])
    assert (whole.reason, whole.end_session, whole.key) == ("target", day(AT + 5), of.key)
    assert whole.profit == pytest.approx(
        MULTIPLIER * (whole.worth - structure("Bear Put Spread").natural.net) - 2 * 2 * 0.65
    )


def test_without_a_position_or_prices_nothing_is_made_up() -> None:
    assert structure_outcomes([signal(None)], {"SPY": HISTORY}) == ([], [])
    one = signal("Buy Calls")
    for histories in ({}, {"SPY": until(HISTORY, day(AT - 1))}):
        found, pending = structure_outcomes([one], histories)
        assert (found, len(pending)) == ([], 1)
        assert "no prices of" in pending[0][1]


def test_a_session_that_is_missing_is_told_and_no_target_is_seen_there() -> None:
    hole = without(HISTORY, AT + 5)
    (found,), _ = structure_outcomes([signal("Bear Put Spread")], {"SPY": hole})
    assert found.end_session > day(AT + 5)
    assert f"close of {day(AT + 5)}: no target was seen" in found.notes[0]


def test_a_split_and_a_special_dividend_in_its_life_are_told() -> None:
    split = changed(HISTORY, AT + 2, split=2.0)
    halved = replace(
        split,
        closed=np.where(np.arange(len(split.days)) >= AT + 2, split.closed / 2.0, split.closed),
    )
    (found,), _ = structure_outcomes([signal("Bear Put Spread")], {"SPY": halved})
    (same,), _ = structure_outcomes([signal("Bear Put Spread")], {"SPY": HISTORY})
    assert found.profit == pytest.approx(same.profit)
    assert "split of 2 for 1" in found.notes[0]
    special = changed(HISTORY, AT + 2, dividend=20.0)
    (found,), _ = structure_outcomes([signal("Bear Put Spread")], {"SPY": special})
    assert "a dividend of 20.00 USD is" in found.notes[0]


def test_leaving_at_a_close_crosses_the_spread_once() -> None:
    one = held("Bear Put Spread")
    walk = walks(HISTORY, [one])[0]
    for at in range(4):
        worth = worth_leaving(HISTORY, one, day(AT + 1 + at))
        assert worth < walk.marks[at]
        assert worth == pytest.approx(walk.marks[at], abs=1.0)
    assert np.isnan(worth_leaving(without(HISTORY, AT + 2), one, day(AT + 2)))


def test_a_short_call_is_assigned_on_the_eve_of_a_dividend() -> None:
    # A dividend of 12 USD is worth more than any put of a strike below the price.
    one = held("Bear Call Spread")
    rich = changed(HISTORY, AT + 2, dividend=12.0, closed=HISTORY.closed[AT + 2])
    deep = replace(one, exit=one.exit.model_copy(update={"target": 1e9, "stop_above": None}))
    above = replace(rich, closed=np.where(HISTORY.days > SESSION, 480.0, HISTORY.closed))
    walk = walks(above, [deep])[0]
    assert walk.assigned > 0.0
    assert walks(until(above, day(AT + 1)), [deep])[0].assigned == 0.0
    assert walks(until(above, day(AT + 2)), [deep])[0].assigned == walk.assigned
