"""Trade parameters: the seed's words, made from the numbers of Decision 16."""

import pytest

from trading.strategies import plans as parameters
from trading.strategies.plans import (
    CONDOR,
    CREDIT_VERTICAL,
    DEBIT_VERTICAL,
    LONG_OPTION,
    NO_POSITION,
)
from trading.strategies.selector import MATRIX, STRATEGIES

FIELDS = ["expiry", "strike", "max_loss", "profit_target", "stop_loss"]


def test_long_call_reads_as_the_seed_writes_it():
    assert STRATEGIES["Buy Calls"].plan.texts() == {
        "expiry": "2-4 weeks",
        "strike": "ATM or slightly OTM (0.40-0.50 delta)",
        "max_loss": "2.0% of portfolio",
        "profit_target": "50% of max profit",
        "stop_loss": "Close if underlying moves 2% against",
    }


@pytest.mark.parametrize("row", MATRIX, ids=lambda r: r.name)
def test_every_strategy_has_the_five_text_fields(row):
    texts = row.plan.texts()
    assert list(texts) == FIELDS
    assert all(isinstance(v, str) and v for v in texts.values())


def test_numbers_are_those_of_decision_16():
    assert parameters.EXPIRY_WINDOW_DAYS == (14, 28)
    assert parameters.EXPIRY_TARGET_DAYS == 21
    assert LONG_OPTION.deltas == (0.45,)
    assert DEBIT_VERTICAL.deltas == (0.45, 0.25)
    assert CREDIT_VERTICAL.deltas == (0.30, 0.15)
    assert CONDOR.deltas == (0.20, 0.10)
    assert (parameters.MAX_LOSS, parameters.PROFIT_TARGET, parameters.STOP_MOVE) == (
        0.02,
        0.5,
        0.02,
    )


@pytest.mark.parametrize("row", MATRIX, ids=lambda r: r.name)
def test_strike_words_hold_the_row_s_deltas(row):
    words = row.plan.texts()["strike"]
    if row.plan is LONG_OPTION:
        low, high = (float(w) for w in words.split("(")[1].split(" ")[0].split("-"))
        assert low < row.plan.deltas[0] < high
    else:
        assert all(f"{delta:.2f}" in words for delta in row.plan.deltas)


@pytest.mark.parametrize("row", MATRIX, ids=lambda r: r.name)
def test_every_short_leg_has_a_wing(row):
    """Decision 4: no strategy is naked, so whatever sells has a further leg bought."""
    plan = row.plan
    if plan not in (LONG_OPTION, NO_POSITION):
        assert len(plan.deltas) == 2
        assert plan.deltas[0] > plan.deltas[1]


def test_words_follow_the_numbers(monkeypatch):
    monkeypatch.setattr(parameters, "EXPIRY_WINDOW_DAYS", (7, 21))
    monkeypatch.setattr(parameters, "MAX_LOSS", 0.015)
    monkeypatch.setattr(parameters, "PROFIT_TARGET", 0.25)
    monkeypatch.setattr(parameters, "STOP_MOVE", 0.03)
    texts = CONDOR.texts()
    assert texts["expiry"] == "1-3 weeks"
    assert texts["max_loss"] == "1.5% of portfolio"
    assert texts["profit_target"] == "25% of max profit"
    assert texts["stop_loss"] == "Close if underlying moves 3% against"


def test_no_position_says_so_in_every_field():
    assert set(NO_POSITION.texts().values()) == {"no position"}
    assert [row.name for row in MATRIX if row.plan is NO_POSITION] == ["NO TRADE"]


def test_profit_target_of_a_long_option_is_a_share_of_its_premium():
    assert LONG_OPTION.profit_basis == "premium"
    assert {p.profit_basis for p in (DEBIT_VERTICAL, CREDIT_VERTICAL, CONDOR)} == {"maximum profit"}
    assert NO_POSITION.profit_basis is None
