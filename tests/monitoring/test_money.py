"""What positions were worth: figures by hand, and a verdict that claims no more than there is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import sessions
from monitoring import money

DAYS = sessions("2023-01-03", "2024-12-31")


def positions(rows):
    """Return positions of (strategy, place of entry, sessions held or None, profit, risk)."""
    found = []
    for strategy, at, held, profit, risk in rows:
        over = held is not None
        found.append(
            {
                "strategy": strategy,
                "session": DAYS[at],
                "risk": risk,
                "end_session": DAYS[at + held] if over else pd.NaT,
                "reason": "target" if over and profit > 0 else "stop" if over else None,
                "profit": profit if over else np.nan,
                "pricing": "synthetic" if over else None,
            }
        )
    return pd.DataFrame(found)


FEW = positions(
    [
        ("Iron Condor", 0, 3, 50.0, 200.0),
        ("Iron Condor", 1, 3, -100.0, 200.0),
        ("Iron Condor", 2, None, None, 200.0),
        ("Buy Calls", 0, 5, 300.0, 100.0),
    ]
)


def drawn(mean, count=200, strategy="Buy Calls", seed=0):
    """Return positions entered every session, of a mean return of the risk."""
    returns = mean + np.random.default_rng(seed).normal(0.0, 0.5, count)
    return positions([(strategy, at, 3, 100.0 * of, 100.0) for at, of in enumerate(returns)])


def test_figures_are_those_by_hand():
    table = money.worth_table(FEW, money.judged(FEW)).set_index("strategy")
    assert table.index.tolist() == ["Iron Condor", "Buy Calls", money.TOTAL]
    condor, total = table.loc["Iron Condor"], table.loc[money.TOTAL]
    assert (condor["n"], condor["held"], condor["won"]) == (2, 1, 0.5)
    assert (condor["mean"], condor["total"], condor["worst"]) == (-25.0, -50.0, -100.0)
    assert condor["mean_of_risk"] == pytest.approx((0.25 - 0.5) / 2)
    assert (total["n"], total["held"], total["total"]) == (3, 1, 250.0)
    assert total["mean_of_risk"] == pytest.approx((0.25 - 0.5 + 3.0) / 3)
    assert table[["low", "high"]].isna().all(axis=None)
    assert set(table["priced_by"]) == {"synthetic"}


def test_a_strategy_of_which_nothing_has_ended_has_no_figure():
    held = positions([("Iron Condor", 0, None, None, 200.0)])
    (row,) = money.worth_table(held, money.judged(held)).to_dict("records")
    assert (row["n"], row["held"]) == (0, 1)
    assert all(pd.isna(row[name]) for name in money.FIGURES[3:])
    assert money.accrued(held).empty
    assert money.verdict(money.judged(held)) == [
        "too few positions have ended to say whether any of it pays"
    ]


def test_what_lies_on_both_sides_of_nothing_is_not_shown_to_pay():
    found = money.judged(drawn(0.0))
    (cell,) = found.cells
    assert cell.low < 0.0 < cell.high
    first, *more = money.verdict(found)
    assert first == "none of it is shown to pay"
    assert not any("lose" in line for line in more)


@pytest.mark.parametrize(("mean", "words"), [(0.5, "shown to pay"), (-0.5, "shown to lose")])
def test_what_pays_and_what_loses_is_told(mean, words):
    both = pd.concat([drawn(mean), drawn(0.0, strategy="Iron Condor", seed=1)])
    told = money.verdict(money.judged(both))
    assert any("Buy Calls" in line and words in line for line in told)
    assert (told[0] == "none of it is shown to pay") == (mean < 0.0)
    assert not any(line.startswith("Iron Condor is shown") for line in told)


def test_all_together_is_one_more_that_was_tried():
    both = pd.concat([drawn(0.1), drawn(0.1, strategy="Iron Condor", seed=1)])
    assert (money.judged(drawn(0.1)).tried, money.judged(both).tried) == (1, 3)


def test_prices_of_several_kinds_are_counted():
    assert money.counted(["chain", "synthetic", "synthetic"]) == "synthetic 2, chain 1"
    assert money.counted(["mixed"]) == "mixed"


PLACES = st.tuples(
    st.sampled_from(["Iron Condor", "Buy Calls", "Buy Puts"]), st.integers(0, 60),
    st.one_of(st.none(), st.integers(1, 15)), st.floats(-500, 500), st.just(500.0),
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=25))
def test_sums_agree_wherever_they_are_told(rows):
    """The total, the lines' last points and the sums by reason say the same of the same rows."""
    found = positions(rows)
    over = money.ended(found)
    table = money.worth_table(found, money.judged(found)).set_index("strategy")
    total = table.iloc[-1]
    assert (total["n"], total["held"]) == (len(over), len(found) - len(over))
    lines = money.accrued(found)
    last = lines.groupby("strategy")["profit"].last()
    reasons = money.by_reason(found).groupby("strategy")[["n", "total"]].sum()
    for name in set(over["strategy"]):
        assert last[name] == pytest.approx(table.loc[name, "total"])
        assert reasons.loc[name, "total"] == pytest.approx(table.loc[name, "total"])
        assert reasons.loc[name, "n"] == table.loc[name, "n"]
    if len(set(over["strategy"])) > 1:
        assert last[money.TOTAL] == pytest.approx(over["profit"].sum())
