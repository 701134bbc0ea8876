"""What cells came to, by hand; and that fair trades are not taken for an edge."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from market.errors import InputError
from tests.trading.judgement.made_trades import fair_trades, trades_of
from trading.judgement.bounds import best_of_nothing, deflated, family_wise
from trading.judgement.cells import deepest_fall, judge_cells, worst_mean
from trading.judgement.verdict import judge

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]


def test_figures_of_a_cell_are_those_by_hand():
    trades = trades_of(DAYS, [50.0, -20.0, 10.0, -40.0], ["a"] * 4)
    banded = replace(trades, lower=np.array([40.0, -30.0, np.nan, np.nan]))
    (cell,) = judge_cells(banded, tried=1)
    assert (cell.n, cell.days, cell.won, cell.profit) == (4, 4, 0.5, 0.0)
    assert cell.mean == 0.0
    assert cell.worst == -0.40
    assert cell.drawdown == pytest.approx(0.5)  # from 0.5: -0.2, +0.1, -0.4
    assert cell.worst_level == pytest.approx((0.4 - 0.3 + 0.1 - 0.4) / 4)
    assert not cell.judged
    assert not cell.survives


def test_without_risks_returns_are_dollars():
    trades = replace(trades_of(DAYS, [1.0, 2.0, -4.0, 5.0], ["a"] * 4), risk=np.full(4, np.nan))
    found = judge(trades)
    assert found.cells[0].mean == 1.0
    assert found.figures(found.cells[0]).startswith("+1 USD a trade over 4 trades")


def test_drawdown_follows_the_order_in_which_trades_are_left():
    early = trades_of(DAYS[:2], [-30.0, 50.0], ["a", "a"])
    assert judge_cells(early, 1)[0].drawdown == pytest.approx(0.3)
    swapped = replace(early, left=early.left[::-1] + np.array([9, 0]))
    assert judge_cells(swapped, 1)[0].drawdown == pytest.approx(0.3)


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-1.0, 1.0)))
def test_falls_and_worst_means_are_within_their_bounds(returns):
    assert worst_mean(returns) <= returns.mean() + 1e-12
    assert worst_mean(returns) >= returns.min() - 1e-12
    fall = deepest_fall(returns)
    assert fall >= max(0.0, -returns.min()) - 1e-12
    assert fall <= np.abs(np.minimum(returns, 0.0)).sum() + 1e-9


def test_fair_trades_do_not_survive_and_a_planted_edge_does():
    none, planted = judge(fair_trades(3)), judge(fair_trades(3, edge=0.2))
    assert none.survivors == ()
    assert none.words()[0] == "none survives: 12 tried"
    assert [cell.name for cell in planted.survivors] == ["1, 1"]
    assert planted.words()[0] == "1 survives: 12 tried"
    assert planted.words()[1].startswith("1, 1: +2")


def test_what_was_tried_and_not_shown_widens_the_bound():
    trades = fair_trades(3, edge=0.2)
    few, many = (judge_cells(trades, tried) for tried in (12, 5000))
    low = {cell.name: cell.low_of_all for cell in few if cell.judged}
    assert all(cell.low_of_all < low[cell.name] for cell in many if cell.judged)
    assert all(
        one.deflated < other.deflated for one, other in zip(many, few, strict=True) if one.judged
    )


def test_a_cell_that_hardly_ever_lost_cannot_be_judged():
    trades = fair_trades(5)
    profit = np.where(trades.cell == "1, 1", 5.0, trades.profit)
    lost = np.flatnonzero(trades.cell == "1, 1")[::120][:5]
    profit[lost] = -100.0
    cells = {cell.name: cell for cell in judge_cells(replace(trades, profit=profit), 12)}
    assert cells["1, 1"].mean > 0.0
    assert not cells["1, 1"].judged
    assert cells["1, 2"].judged


def test_a_mean_that_a_point_of_volatility_takes_away_does_not_survive():
    trades = fair_trades(3, edge=0.2)
    found = judge(replace(trades, higher=trades.profit - 15.0))
    assert found.survivors == ()
    cell = next(one for one in found.cells if one.name == "1, 1")
    low = cell.low_of_all - 0.15
    assert low < 0.0 < cell.low_of_all
    away = "1, 1 lies above 0, but a point of volatility takes that away"
    assert f"{away}: from {100.0 * low:+.1f} % on" in found.words()


def test_the_order_of_trades_changes_nothing():
    trades = fair_trades(4)
    shuffled = trades.where(np.random.default_rng(0).permutation(len(trades)))
    for one, other in zip(judge_cells(trades, 12), judge_cells(shuffled, 12), strict=True):
        assert one.name == other.name
        assert one.low_of_all == pytest.approx(other.low_of_all, abs=1e-9)


def test_bounds_are_those_of_independent_normal_cells():
    rng = np.random.default_rng(1)
    resampled = rng.normal(0.0, 0.1, (20_000, 10))
    together = family_wise(np.zeros(10), resampled, tried=10)
    assert together.errors == pytest.approx(2.80, abs=0.05)  # of ten: 2 Phi^-1(0.95^0.1)
    assert together.low == pytest.approx(-0.28, abs=0.01)
    alone = family_wise(np.zeros(1), resampled[:, :1], tried=1)
    assert alone.errors == pytest.approx(1.96, abs=0.04)


@pytest.mark.parametrize("tried", [5, 50, 1000])
def test_the_best_of_nothing_is_the_expected_largest_normal(tried):
    drawn = np.random.default_rng(2).normal(size=(4_000, tried)).max(axis=1)
    assert best_of_nothing(tried) == pytest.approx(drawn.mean(), abs=0.06)
    assert best_of_nothing(1) == 0.0
    resampled = np.random.default_rng(3).normal(0.0, 1.0, (4_000, 2))
    sure = deflated(np.array([best_of_nothing(tried), 0.0]), resampled, tried)
    assert sure[0] == pytest.approx(0.5, abs=0.05)
    assert sure[1] < 0.2


def test_trades_that_make_no_sense_are_refused():
    trades = trades_of(DAYS, [1.0] * 4, ["a"] * 4)
    with pytest.raises(InputError, match="a profit is no finite number"):
        replace(trades, profit=np.array([1.0, np.nan, 1.0, 1.0]))
    with pytest.raises(InputError, match="entered 2024-01-02 left on 2023-12-12, which is before"):
        replace(trades, left=trades.entered - 21)
    with pytest.raises(InputError, match="allowed is one length"):
        replace(trades, cell=np.array(["a"]))
    assert judge(trades.where(np.zeros(4, bool))).words() == ["nothing can be judged: 0 tried"]


def test_what_every_cell_of_a_structure_earns_is_no_cells_own():
    trades = fair_trades(3)
    drift = replace(trades, profit=trades.profit + 20.0 * (trades.group == "1"))
    found = judge(drift)
    above = [cell for cell in found.cells if cell.above_nothing]
    assert {cell.group for cell in above} == {"1"}
    assert {cell.against for cell in above} <= {"group", "luck"}
    assert found.survivors == ()
    assert any("no more than 1 in all: " in line for line in found.words())


def test_trades_that_win_and_lose_every_day_can_be_judged():
    days = np.arange("2015-01-01", "2019-01-01", dtype="datetime64[D]")
    profit = np.tile([60.0, -50.0], len(days))
    trades = trades_of(np.repeat(days, 2), profit, ["a"] * len(profit))
    assert judge_cells(trades, 1)[0].judged
    # A month of losses in four years is one time that it lost, or two.
    once = np.where(np.arange(len(days)) < 30, -50.0, 60.0)
    assert not judge_cells(trades_of(days, once, ["a"] * len(days)), 1)[0].judged


def test_what_was_tried_elsewhere_is_not_called_too_few():
    found = judge(trades_of(DAYS, [1.0, 2.0, -4.0, 5.0], ["a"] * 4), tried=9)
    few = "1 with too few trades, wins or losses"
    assert found.words() == [
        f"nothing can be judged: 9 tried, {few}, 8 of which no trades are here"
    ]


def test_the_published_example_of_a_deflated_sharpe_ratio():
    # Bailey and Lopez de Prado (2014): 2.5 a year over 1250 days, skewness -3, kurtosis 10, the
    # best of 100 trials of variance 1/2 a year. Of nothing it is 0.1132 a day, the chance 0.9004.
    best, trials = 2.5 / np.sqrt(250.0), np.sqrt(0.5 / 250.0)
    assert best_of_nothing(100) * trials == pytest.approx(0.1132, abs=5e-5)
    error = np.sqrt((1.0 + 3.0 * best + (10.0 - 1.0) / 4.0 * best**2) / 1249.0)
    resampled = np.array([[-1.0], [1.0]]) * [error, trials, trials]  # its own error, and theirs
    chance = deflated(np.array([best, 0.0, 0.0]), resampled, 100)[0]
    assert chance == pytest.approx(0.9004, abs=5e-4)
