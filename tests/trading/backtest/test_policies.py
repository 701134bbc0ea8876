"""What policies take, what their books do with it, and that an edge is that of the signal."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy.special import ndtri

from forecasters.returns import N_QUANTILES, PROBABILITIES, ReturnDistribution
from market.options.costs import MULTIPLIER
from market.targets import DIRECTIONS
from market.underlyings import underlying
from tests.trading.backtest.histories import history
from trading.backtest.edges import Edges
from trading.backtest.policies import (
    Said,
    always,
    at_random,
    by_matrix,
    held_equity,
)
from trading.backtest.portfolio import NAMES, Choices, run_book
from trading.backtest.result import Asked, Rules, combine, edges_along, ends_of, part_of
from trading.backtest.run import every_structure
from trading.structures.price import price_structure
from trading.structures.quote import Closing, outlook_of, synthetic_quote

UP = DIRECTIONS.index("UP")
DISTRIBUTION = ReturnDistribution(
    sessions=np.array([0.0, 5.0, 10.0, 21.0]),
    variances=1e-4 * np.array([0.0, 5.0, 10.0, 21.0]),
    drifts=4e-4 * np.array([0.0, 5.0, 10.0, 21.0]),
    shapes=np.tile(ndtri(PROBABILITIES), (3, 1)),
    daily=ndtri(PROBABILITIES)[np.random.default_rng(0).permutation(N_QUANTILES)],
)


@pytest.fixture(scope="module")
def year():
    return history()


@pytest.fixture(scope="module")
def entered(year):
    return every_structure(year, np.arange(len(year.days)))


def said(count, direction=UP, regime=0, **changes):
    made = {
        "direction": np.full(count, direction),
        "direction_confidence": np.full(count, 0.8),
        "regime": np.full(count, regime),
        "regime_confidence": np.full(count, 0.7),
        "proven": np.zeros(count, bool),
    }
    return Said(**{**made, **changes})


def test_the_matrix_takes_what_the_selector_says():
    words = said(3, direction_confidence=np.array([0.8, 0.51, 0.8]), regime=np.array([0, 2, -1]))
    chosen = by_matrix(replace(words, regime=np.array([0, 2, -1])))
    assert [NAMES[one] if one >= 0 else None for one in chosen.strategy] == [
        "Buy Calls", "Iron Condor", None,
    ]  # fmt: skip
    assert chosen.size.tolist() == [0.5, 0.5, 0.0]  # unproven models are capped at half
    for places in (range(1), range(1, 2), range(1, 3)):
        some, inside = by_matrix(words, places), np.isin(np.arange(3), places)
        assert (some.strategy == np.where(inside, chosen.strategy, -1)).all()
        assert (some.size == np.where(inside, chosen.size, 0.0)).all()
    assert words.cells().tolist() == ["UP, LOW", "UP, HIGH", ""]


def test_an_edge_is_the_lower_end_of_the_signals_expected_value(year):
    chosen = Choices(np.arange(len(year.days)) % 7, np.full(len(year.days), 0.5))
    found = Edges(year, chosen, lambda at: None if at == 50 else DISTRIBUTION)
    assert np.isnan(found.at(50))
    signs = set()
    for at in (3, 40, 41, 42, 99, 200):
        columns = (year.closed, year.index, year.long_index, year.rate)
        closing = Closing(*(float(one[at]) for one in columns))
        board, life = synthetic_quote(underlying("SPY"), year.days[at], closing)
        outlook = outlook_of(DISTRIBUTION, closing, life, year.listing)
        due = price_structure(NAMES[chosen.strategy[at]], board, life, outlook)
        value = due.chances.expected_value
        low = due.chances.low if value > 0.0 else value
        assert found.at(at) == pytest.approx(low, abs=1e-9)
        signs.add(value > 0.0)
    assert signs == {True, False}


@pytest.mark.parametrize("name", NAMES)
def test_a_books_equity_is_what_its_trades_came_to(name, year, entered):
    known = np.ones(len(year.days), bool)
    book = run_book(year.days, {"SPY": entered}, {"SPY": always(name, known)}, 200_000.0)
    ones = [(fill, entered[fill.strategy]) for fill in book.fills]
    assert ones
    came = sum(fill.contracts * one.ends.profit[fill.row] for fill, one in ones)
    assert book.equity[-1] - 200_000.0 == pytest.approx(came, abs=1e-6)
    for (fill, one), (later, _) in pairwise(ones):
        assert fill.left <= later.entered  # one at a time
        risk = fill.contracts * one.held.max_loss[fill.row]
        assert risk <= 0.02 * 0.5 * book.equity[fill.entered] + 1e-6
    assert sum(book.skipped.values()) + len(book.fills) == known.sum()


def test_an_open_position_is_marked_at_mid(year, entered):
    known = np.zeros(len(year.days), bool)
    known[60] = True
    book = run_book(year.days, {"SPY": entered}, {"SPY": always("Bull Call Spread", known)})
    (fill,) = book.fills
    one = entered["Bull Call Spread"]
    for column in range(int(one.ends.column[fill.row])):
        worth = one.ends.marks[fill.row, column] - one.held.paid[fill.row]
        place = one.lives.place[fill.row, column]
        due = 100_000.0 + MULTIPLIER * fill.contracts * worth
        assert book.equity[place] == pytest.approx(due)
    assert (book.equity[:61] == 100_000.0).all()


def test_positions_together_stay_under_the_cap(year):
    others = {name: history(name, seed=at, spot=300.0) for at, name in enumerate(("QQQ", "IWM"), 7)}
    made = {"SPY": year, **others}
    known = np.ones(len(year.days), bool)
    entered = {name: every_structure(one, np.arange(len(one.days))) for name, one in made.items()}
    full = {
        name: Choices(always("Buy Calls", known).strategy, np.ones(len(known))) for name in made
    }
    book = run_book(year.days, entered, full, cap=0.03)
    for place in range(len(year.days)):
        open_ = [fill for fill in book.fills if fill.entered <= place < fill.left]
        risks = [
            fill.contracts * entered[fill.ticker][fill.strategy].held.max_loss[fill.row]
            for fill in open_
        ]
        assert sum(risks) <= 0.03 * book.equity.max()
        assert len({fill.ticker for fill in open_}) == len(open_)


def test_random_positions_are_as_many_as_the_matrixs(year):
    known = np.ones(len(year.days), bool)
    known[:20] = False
    chosen = by_matrix(said(len(known), regime=np.where(np.arange(len(known)) % 9, 1, 0)))
    turned = at_random(chosen, known, seed=4)
    assert (turned.strategy[:20] == -1).all()
    assert sorted(turned.strategy[20:]) == sorted(chosen.strategy[20:])
    assert (turned.strategy[20:] != chosen.strategy[20:]).any()


def test_what_is_held_is_equal_parts():
    days = history().days[:3]
    equity = held_equity(days, [np.array([1.0, 2.0, 2.0]), np.array([np.nan, 4.0, 2.0])], 100.0)
    assert equity.tolist() == [100.0, 150.0, 125.0]


def test_a_backtest_begins_with_the_first_forecasts_and_adds_up(year):
    words = said(len(year.days), regime=np.arange(len(year.days)) // 10 % 3)
    regime = words.regime.copy()
    regime[:30] = -1
    words = replace(words, regime=regime)
    asked = {"SPY": Asked(year, words, year.closed, lambda _at: DISTRIBUTION)}
    rules = Rules(fill="close")
    found = combine(asked, {name: part_of(one, rules) for name, one in asked.items()}, rules)
    assert found.days[0] == year.days[30]
    assert {len(policy.equity) for policy in found.policies} == {len(found.days)}
    assert [policy.name for policy in found.policies[:2]] == ["matrix", "matrix with an edge"]
    assert found.prices() == {"synthetic": len(found.trades)}
    assert found.judgement.tried == 21
    assert ", nothing is shown to pay: the matrix's book came to" in found.words()[0]
    sure = {"low_of_all": 0.1, "high_of_all": 0.2, "mean": 0.15, "worst_level": 0.14, "low": 0.1,
            "high": 0.2, "deflated": 0.99, "low_over": 0.1}  # fmt: skip
    proven = tuple(
        replace(one, **sure) if one.name.endswith((", Buy Calls", ", Iron Condor")) else one
        for one in found.judgement.cells
    )
    told = replace(found, judgement=replace(found.judgement, cells=proven)).words()[0]
    # Calls at LOW and the condor at HIGH are the matrix's, each of them in three regimes is not.
    assert told.startswith("6 survive, 2 of them the matrix's: the matrix's book came to")
    last = found.policies[0]
    assert last.performance.total == pytest.approx(last.equity[-1] / last.equity[0] - 1.0)


def test_a_book_takes_what_has_an_edge_however_its_edges_were_found(year):
    count = len(year.days)
    words = said(count, regime=np.arange(count) // 10 % 3, direction_confidence=np.full(count, 0.7))
    asked = {
        ticker: Asked(replace(year, ticker=ticker), words, year.closed, lambda _at: DISTRIBUTION)
        for ticker in ("SPY", "QQQ")
    }
    rules = Rules(capital=60_000.0)  # now and then there is no room: the book takes another way
    known = {name: part_of(one, rules) for name, one in asked.items()}
    whole = known["SPY"]
    edges = Edges(year, whole.matrix, lambda _at: DISTRIBUTION)
    ends = ends_of(whole.entered, whole.matrix)
    every = {place: edges.at(place) for place in ends}
    assert whole.edges.items() < every.items()
    assert {True, False} == {edge > 0.0 for edge in whole.edges.values()}
    spans = {}
    for places in (range(80), range(80, count)):
        spans |= edges_along(asked["SPY"], ends, places)
    due = run_book(
        year.days, {name: part.entered for name, part in known.items()},
        {name: part.matrix for name, part in known.items()}, rules.capital, rules.cap,
        lambda _ticker, place: every[place] > 0.0,
    )  # fmt: skip
    assert due.fills
    assert {"no edge is shown", "no room for a contract"} <= due.skipped.keys()
    for found in (whole.edges, every, spans, {}):
        parts = {name: replace(part, edges=found) for name, part in known.items()}
        book = combine(asked, parts, rules).policies[1].book
        assert (book.fills, book.skipped) == (due.fills, due.skipped)
        assert (book.equity == due.equity).all()
