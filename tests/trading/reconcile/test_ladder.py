"""Ladders: whatever the rungs are, the causes come to the difference, in whole cents."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.reconcile.ladder import (
    CAUSES,
    Reconciliation,
    Rung,
    Waiting,
    cents_of,
    ladder,
    usd,
)

CENTS = st.integers(-(10**9), 10**9)
RUNGS = st.lists(st.builds(Rung, st.sampled_from(CAUSES), CENTS), max_size=12)
LADDERS = st.lists(
    st.builds(ladder, st.sampled_from(["SPY", "IWM"]), st.just("2024-09-03"), CENTS, RUNGS),
    max_size=8,
)


@given(live=CENTS, rungs=RUNGS)
def test_steps_lead_from_live_to_the_last_rung(live, rungs):
    found = ladder("SPY", "2024-09-03", live, rungs)
    assert found.live == live
    assert found.backtest == (rungs[-1].cents if rungs else live)
    assert sum(step.cents for step in found.steps) == found.apart == found.backtest - live
    assert all(step.cents for step in found.steps)


@given(ladders=LADDERS)
def test_causes_add_up_to_the_difference(ladders):
    found = Reconciliation(tuple(ladders))
    causes = found.causes()
    assert sum(one.cents for one in causes) == found.backtest - found.live
    assert len({one.cause for one in causes}) == len(causes)
    for one in causes:
        mine = [row for row in ladders if any(step.cause == one.cause for step in row.steps)]
        assert one.n == len(mine)


@given(cents=st.integers(-(10**8), 10**8))
def test_cents_are_those_that_were_meant(cents):
    assert cents_of(cents / 100.0) == cents
    assert cents_of(cents / 100.0 + 1e-9) == cents_of(cents / 100.0 - 1e-9) == cents


def test_the_sum_stands_in_one_sentence():
    one = ladder("SPY", "2024-09-03", -12_000, [Rung("another price", -13_000)])
    other = ladder("IWM", "2024-09-04", 0, [Rung("missed session", 44_000, "took Buy Calls")])
    found = Reconciliation((one, other), (Waiting("SPY", "2024-11-15", "open"),))
    assert found.words() == (
        "live -120.00 USD, the backtest +310.00 USD: 430.00 USD apart, of it "
        "+440.00 missed session, -10.00 another price"
    )
    assert [row.session for row in found.worst()] == ["2024-09-04", "2024-09-03"]


@pytest.mark.parametrize(
    ("ladders", "words"),
    [
        ((), "nothing to reconcile: no session has an outcome that is known"),
        (
            (ladder("SPY", "2024-09-03", 150, [Rung("another fill", 150)]),),
            "live +1.50 USD, the backtest +1.50 USD: the same, session by session",
        ),
    ],
)
def test_nothing_and_no_difference_are_said(ladders, words):
    assert Reconciliation(ladders).words() == words


def test_differences_that_cancel_are_shown_all_the_same():
    rungs = [Rung("known later", 500), Rung("another model", 0)]
    found = Reconciliation((ladder("SPY", "2024-09-03", 0, rungs),))
    assert [(one.cause, usd(one.cents)) for one in found.causes()] == [
        ("known later", "+5.00"),
        ("another model", "-5.00"),
    ]
