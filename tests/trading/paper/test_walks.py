"""Recorded positions end as the backtest's do, and what is not known yet is waited for."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from home.records.structure_outcome import StructureOutcome
from market.options.costs import MULTIPLIER
from market.underlyings import underlying
from tests.trading.paper.books import (
    AT,
    HISTORY,
    SESSION,
    changed,
    quotes_at,
    signal,
    structure,
    with_chains,
    without,
)
from tests.trading.structures.quoted import chain_like
from trading.backtest.quoted import boards_of, quoted_structures
from trading.backtest.run import every_structure
from trading.paper.came_to import structure_outcomes
from trading.paper.seen import until
from trading.paper.walks import REASONS, Held, leaving, walks
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import Closing, chain_quote


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
        worth = leaving(HISTORY, one, day(AT + 1 + at)).worth
        assert worth < walk.marks[at]
        assert worth == pytest.approx(walk.marks[at], abs=1.0)
    assert leaving(without(HISTORY, AT + 2), one, day(AT + 2)) is None


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


def quoted(strategy: str) -> Held:
    return replace(held(strategy), on_quotes=True)


@pytest.mark.parametrize("strategy", ["Bear Put Spread", "Iron Condor", "Buy Puts"])
def test_quotes_that_are_the_models_end_a_position_as_the_model_does(strategy: str) -> None:
    life = with_chains(HISTORY, range(AT + 1, AT + 30))
    by_quotes, by_smile = walks(life, [quoted(strategy), held(strategy)])
    assert by_quotes.profit == pytest.approx(by_smile.profit, abs=1e-9)
    assert by_quotes.column == by_smile.column
    end = by_quotes.counted
    assert end[0] == end[1] > 0
    assert by_smile.counted[0] == 0


def test_a_position_is_marked_by_the_quotes_that_follow_as_the_backtest_marks_it() -> None:
    spy, expiration = underlying("SPY"), pd.Timestamp(structure("Buy Calls").expiration)
    chains = {}
    for at, dearer in ((AT, 0.0), (AT + 2, 30.0)):
        quotes = quotes_at(at, str(expiration.date()), dearer)
        board = SimpleNamespace(quotes=quotes)
        chains[HISTORY.days[at]] = chain_like(
            board, spot=float(HISTORY.closed[at]), moment=f"{day(at)} 20:00"
        )
    boards = boards_of(spy, HISTORY, chains)
    due = quoted_structures(HISTORY, boards)["Buy Calls"]
    closing = Closing(*(float(one[AT]) for one in (
        HISTORY.closed, HISTORY.index, HISTORY.long_index, HISTORY.rate)))  # fmt: skip
    board, life = chain_quote(spy, HISTORY.days[AT], closing, chains[HISTORY.days[AT]])
    one = price_structure("Buy Calls", board, life, None)
    assert one.pricing == "chain"
    walk = walks(
        with_chains(HISTORY, range(AT + 2, AT + 3), 30.0),
        [Held(SESSION, one, one.natural.net, one.exit, on_quotes=True)],
    )[0]
    row = int(np.flatnonzero(boards.place == AT)[0])
    assert (walk.column, walk.reason) == (1, REASONS[int(due.ends.reason[row])])
    assert walk.profit == pytest.approx(due.ends.profit[row])
    assert walk.profit > 1_000.0
    assert walk.quoted[:2].tolist() == [False, True]


def test_an_outcome_says_what_its_closes_were_marked_by() -> None:
    said = {}
    for name, closes in {"chain": range(AT + 1, AT + 30), "mixed": range(AT + 2, AT + 4)}.items():
        life = with_chains(HISTORY, closes)
        (found,), _ = structure_outcomes([signal("Bear Put Spread", pricing="chain")],
                                         {"SPY": life})  # fmt: skip
        assert found.pricing == name
        said[name] = found.notes
    assert said["chain"] == []
    assert "left by the smile, which at the entry's close was +0.00" in said["mixed"][0]
    # What was entered by a smile sees no quotes: their level beside it is no one's profit.
    for pricing in ("synthetic", "scaled chain"):
        dear = with_chains(HISTORY, range(AT + 1, AT + 30), 20.0)
        one = signal("Bear Put Spread", pricing=pricing)
        assert structure_outcomes([one], {"SPY": dear}) == structure_outcomes(
            [one], {"SPY": HISTORY}
        )
    assert StructureOutcome.parse(found.document() | {"pricing": "synthetic"}, "old").key


def test_quotes_after_a_split_are_of_other_contracts() -> None:
    dear = with_chains(HISTORY, range(AT + 1, AT + 30), 20.0)
    split = changed(dear, AT + 1, split=2.0)
    assert not walks(split, [quoted("Iron Condor")])[0].quoted.any()
    assert walks(dear, [quoted("Iron Condor")])[0].quoted.any()


def test_a_position_of_which_one_leg_is_not_quoted_is_marked_by_the_smile() -> None:
    one = quoted("Iron Condor")
    life = with_chains(HISTORY, range(AT + 1, AT + 2))
    of = life.quotes[HISTORY.days[AT + 1]][pd.Timestamp(one.structure.expiration)]
    none = np.where(of.strike == one.structure.legs[0].strike, np.nan, of.puts.ask)
    cut = replace(of, puts=replace(of.puts, ask=none))
    torn = replace(life, quotes={HISTORY.days[AT + 1]: {of.expiration: cut}})
    assert walks(life, [one])[0].quoted[0]
    assert not walks(torn, [one])[0].quoted.any()


def test_what_nobody_would_close_is_left_to_expire() -> None:
    fallen = replace(HISTORY, closed=np.where(HISTORY.days > SESSION, 300.0, HISTORY.closed))
    one = held("Bull Put Spread")
    walk = walks(fallen, [one])[0]
    width = one.structure.width
    assert (walk.reason, walk.worth, walk.expires) == ("stop", -width, True)
    assert walk.profit == pytest.approx(MULTIPLIER * (-width - one.paid) - 2 * 0.65)
    assert leaving(fallen, one, day(AT + 2)).expires
    assert not walks(HISTORY, [one])[0].expires
