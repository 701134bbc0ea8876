"""Figures of equity by hand, and as another program says them of the same returns."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from trading.judgement.returns import YEAR, daily_returns, falls, performance

FROZEN = Path(__file__).resolve().parents[2] / "frozen" / "returns" / "quantstats.json"
SAID = json.loads(FROZEN.read_text())


def equity_of(returns):
    return 1e5 * np.concatenate([[1.0], np.cumprod(1.0 + np.asarray(returns))])


@pytest.mark.parametrize("figure", ["total", "deviation", "sharpe", "sortino", "drawdown"])
@pytest.mark.parametrize("name", SAID)
def test_figures_are_those_of_quantstats(name, figure):
    found = performance(equity_of(SAID[name]["returns"]))
    assert getattr(found, figure) == pytest.approx(SAID[name][figure], rel=1e-9)


def test_figures_are_those_by_hand():
    found = performance(np.array([100.0, 110.0, 99.0, 99.0, 104.5]))
    moves = np.array([0.1, -0.1, 0.0, 104.5 / 99.0 - 1.0])
    assert found.total == pytest.approx(0.045)
    assert found.yearly == pytest.approx(1.045 ** (YEAR / 4) - 1.0)
    assert found.deviation == pytest.approx(np.sqrt(YEAR * ((moves - moves.mean()) ** 2).sum() / 3))
    assert found.sharpe == pytest.approx(np.sqrt(YEAR) * moves.mean() / moves.std(ddof=1))
    assert found.sortino == pytest.approx(np.sqrt(YEAR) * moves.mean() / np.sqrt(0.01 / 4))
    assert found.drawdown == pytest.approx(0.1)
    assert found.longest == 3
    assert found.calmar == pytest.approx(found.yearly / 0.1)


def test_what_never_moved_has_no_ratio():
    found = performance(np.full(5, 100.0))
    assert (found.total, found.yearly, found.drawdown, found.longest) == (0.0, 0.0, 0.0, 0)
    assert (found.sharpe, found.sortino, found.calmar) == (None, None, None)


def test_what_never_fell_has_no_sortino():
    found = performance(np.array([100.0, 101.0, 103.0]))
    assert found.sharpe is not None
    assert (found.sortino, found.calmar) == (None, None)


def test_one_close_is_no_return():
    assert performance(np.array([100.0])).total == 0.0


@given(hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats(-0.5, 0.5)))
def test_falls_are_fractions_and_returns_make_the_equity_again(returns):
    equity = equity_of(returns)
    assert daily_returns(equity) == pytest.approx(returns, abs=1e-9)
    fallen = falls(equity)
    assert (fallen >= 0.0).all()
    assert (fallen < 1.0).all()
    assert performance(equity).drawdown == fallen.max()
