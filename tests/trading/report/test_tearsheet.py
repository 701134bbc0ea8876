"""The tearsheet: one file that loads nothing, its parts in order, its figures those by hand."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.trading.report.looked_at import Looked, validated
from trading.backtest.policies import HOLD, MATRIX
from trading.backtest.portfolio import NAMES
from trading.backtest.result import split_cell
from trading.report.cells import MINE, heat_tables
from trading.report.closed import AMOUNTS, every_trade, filled_trades
from trading.report.ends import BOXES, POINTS, costs_table, exits_figure, held_figure
from trading.report.policies import equity_figure, monthly_table, policies_table
from trading.report.tearsheet import MADE_UP, tearsheet_html
from trading.report.worst import COUNT, worst_charts
from trading.structures.exits import EXPIRY

PARTS = [
    "Policies", "Equity and drawdown", "Cells: direction and regime by structure",
    "Trades by exit", "P&L against days held", "Worst trades of the matrix",
    "Months of the matrix", "Costs",
]  # fmt: skip


@pytest.fixture(scope="module")
def page(backtest):
    return Looked(tearsheet_html(backtest))


def test_the_page_loads_nothing_and_forbids_to(page):
    assert page.asked() == []
    assert "link" not in page.tags
    assert page.policy.startswith("default-src 'none'")
    assert not re.search(r"https?:", page.policy)


def test_plotly_is_in_it_once(page):
    assert sum("plotly.js v" in script for script in page.scripts) == 1
    assert len(page.scripts) == 3


def test_the_verdict_is_first_and_the_parts_are_in_order(page, backtest):
    first = backtest.words()[0]
    assert page.texts["h1"] == [first[:1].upper() + first[1:]]
    assert page.texts["h2"] == PARTS
    assert page.tags.index("h1") < page.tags.index("h2")
    assert "entered at the next session's open" in page.texts["span"][0]
    assert "every price by the synthetic smile" in page.texts["span"]


def test_a_market_that_is_made_up_is_told(page, backtest):
    made_up = tearsheet_html(backtest, "simulated")
    assert "a simulated market" in made_up
    assert MADE_UP in made_up
    assert MADE_UP not in tearsheet_html(backtest, "live")


def test_plotly_knows_every_figure(page):
    assert validated(page.document) == page.tags.count("figure")


def test_trades_are_those_that_cells_are_judged_on(backtest):
    every = every_trade(backtest)
    assert len(every) == len(backtest.trades)
    assert every["profit"].sum() == pytest.approx(backtest.trades.profit.sum())
    assert (every["held"] > 0).all()


def test_what_a_book_took_is_what_its_equity_came_to(backtest):
    for policy in backtest.policies:
        if policy.book is None or not policy.book.fills:
            continue
        taken = filled_trades(backtest, policy.book.fills)
        assert len(taken) == len(policy.book.fills)
        gained = (taken["profit"] * taken["contracts"]).sum()
        assert policy.equity[-1] - policy.equity[0] == pytest.approx(gained)


def test_the_table_of_policies_has_a_row_each(backtest):
    table = policies_table(backtest)
    assert [row[0] for row in table.rows] == [policy.name for policy in backtest.policies]
    hold = table.rows[-1]
    assert hold[0] == HOLD
    assert hold[-3:] == ["-", "-", "-"]
    assert "90 % came to" in table.note


def test_equity_of_nothing_is_left_out_of_a_log_axis(backtest):
    matrix = backtest.policies[0]
    gone = replace(matrix, equity=np.append(matrix.equity[:-1], -1.0))
    drawn = equity_figure(replace(backtest, policies=(gone,)))
    assert drawn["data"][0]["y"][-1] is None
    assert drawn["layout"]["yaxis"]["type"] == "log"


def test_months_are_from_close_to_close():
    days = pd.to_datetime(["2024-01-30", "2024-01-31", "2024-02-29", "2024-12-31", "2025-01-31"])
    table = monthly_table(days, np.array([100.0, 110.0, 99.0, 99.0, 198.0]))
    first, second = table.rows
    assert [cell.text for cell in first[1:3]] == ["+10.0", "-10.0"]
    assert [first[3].text, first[12].text, first[13]] == ["", "+0.0", "-1.0"]
    assert (second[0], second[1].text, second[13]) == ("2025", "+100.0", "+100.0")


def test_a_month_without_a_change_has_no_sign_of_a_loss():
    days = pd.to_datetime(["2024-01-30", "2024-01-31"])
    assert monthly_table(days, np.array([1.0, 0.99999])).rows[0][1].text == "+0.0"


def test_costs_are_means_of_a_contract():
    trades = pd.DataFrame(
        {
            "structure": ["Buy Calls", "Buy Calls"], "risk": [100.0, 200.0],
            "profit": [50.0, -100.0], "spread": [4.0, 8.0],
            "commission": [1.3, 0.7], "assigned": [0.0, 0.0],
        }
    )  # fmt: skip
    (row,) = costs_table(trades).rows
    assert row == ["Buy Calls", "6.00", "1.00", "0.00", "7.00", "4.8 %", "+4.8 %", "+0.0 %"]


def test_shares_of_exits_are_those_of_the_trades(backtest):
    every = every_trade(backtest)
    traces = exits_figure(every)["data"]
    assert np.sum([trace["x"] for trace in traces], axis=0) == pytest.approx(1.0, abs=1e-3)
    last = next(trace for trace in traces if trace["name"] == "expiry")
    mine = every[every["structure"] == last["y"][0]]
    assert last["x"][0] == pytest.approx((mine["reason"] == EXPIRY).mean(), abs=1e-4)


def test_few_trades_are_points_and_many_are_boxes():
    rng = np.random.default_rng(1)
    few = held_figure(np.arange(9), rng.normal(size=9), of_risk=True)
    assert few["data"][0]["mode"] == "markers"
    held = rng.integers(1, 400, POINTS + 1)
    box, means = held_figure(held, np.ones(POINTS + 1), of_risk=False)["data"]
    assert box["type"] == "box"
    assert len(box["x"]) <= BOXES
    assert set(means["y"]) == {1.0}


def test_cells_of_a_state_never_forecast_are_not_drawn(backtest):
    kept = tuple(cell for cell in backtest.judgement.cells if ", DOWN, " not in cell.name)
    table, other = heat_tables(replace(backtest.judgement, cells=kept), ["SPY", "QQQ"])
    assert (table.caption, other.caption, other.rows) == ("SPY", "QQQ", [])
    assert [row[0] for row in table.rows] == ["UP, LOW", "UP, NORMAL", "UP, HIGH"]
    assert table.note == "Never forecast: DOWN."


def test_cells_of_the_matrix_are_marked(backtest):
    every = backtest.judgement.cells
    table, _ = heat_tables(backtest.judgement, ["SPY", "QQQ"])
    marked = {
        (row[0], name)
        for row in table.rows
        for name, cell in zip(NAMES, row[1:], strict=True)
        if cell.text.startswith(MINE)
    }
    due = {
        ("UP, LOW", "Buy Calls"), ("UP, NORMAL", "Bull Call Spread"),
        ("UP, HIGH", "Bull Put Spread"),
        ("DOWN, LOW", "Buy Puts"), ("DOWN, NORMAL", "Bear Put Spread"),
        ("DOWN, HIGH", "Bear Call Spread"), ("UP, HIGH", "Iron Condor"),
        ("DOWN, HIGH", "Iron Condor"),
    }  # fmt: skip
    shown = {(state, name) for _, state, name in map(split_cell, (one.name for one in every))}
    assert marked == due & shown
    assert marked


def test_worst_trades_end_where_they_were_left(backtest):
    book = next(one.book for one in backtest.policies if one.name == MATRIX)
    taken = filled_trades(backtest, book.fills)
    charts = worst_charts(backtest, taken)
    assert len(charts) == min(COUNT, len(taken))
    lost = (taken["profit"] * taken["contracts"]).min()
    assert charts[0].caption.startswith(f"{lost:+,.0f} USD")
    worst = taken.loc[(taken["profit"] * taken["contracts"]).idxmin()]
    close = charts[0].figure["data"][0]
    assert (close["x"][0], close["x"][-1]) == (
        str(worst["entered"].date()),
        str(worst["left"].date()),
    )
    assert set(AMOUNTS) <= set(taken)
