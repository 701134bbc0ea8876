"""The selector against an oracle written from the words of Decision 5, in decimal arithmetic."""

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import InputError
from trading.strategies.selector import MATRIX, STRATEGIES, Forecasts, Recommendation, select, taken
from trading.strategies.sizing import SIZES

# The seed's matrix, with the credit spreads of Decision 4 for "Sell Puts" and "Sell Calls".
CELLS = {
    ("UP", "LOW"): "Buy Calls",
    ("UP", "NORMAL"): "Bull Call Spread",
    ("UP", "HIGH"): "Bull Put Spread",
    ("DOWN", "LOW"): "Buy Puts",
    ("DOWN", "NORMAL"): "Bear Put Spread",
    ("DOWN", "HIGH"): "Bear Call Spread",
}
# Every boundary of Decision 5, its neighbours, and a spread of other values.
GRID = [
    Decimal(percent) / 100
    for percent in (0, 20, 34, 35, 36, 44, 45, 46, 50, 51, 52, 53, 54, 55, 56, 60, 65, 69, 70, 71,
                    80, 87, 90, 95, 100)
]  # fmt: skip
confidences = st.floats(0, 1) | st.sampled_from([float(c) for c in GRID])
forecasts = st.builds(
    Forecasts,
    st.sampled_from(["UP", "DOWN"]),
    confidences,
    st.sampled_from(["LOW", "NORMAL", "HIGH"]),
    confidences,
)


def oracle(direction: str, dc: Decimal, regime: str, ic: Decimal, proven: bool) -> tuple[str, str]:
    overall = Decimal("0.6") * dc + Decimal("0.4") * ic
    if ic < Decimal("0.35") or overall < Decimal("0.45"):
        return "NO TRADE", "none"
    if dc < Decimal("0.52") or overall < Decimal("0.55"):
        return ("Iron Condor", "half") if regime == "HIGH" else ("NO TRADE", "none")
    full = overall >= Decimal("0.70") and proven
    return CELLS[direction, regime], "full" if full else "half"


@pytest.mark.parametrize(
    ("direction", "regime", "proven"),
    list(itertools.product(["UP", "DOWN"], ["LOW", "NORMAL", "HIGH"], [True, False])),
)
def test_every_point_of_the_grid_is_what_decision_5_says(direction, regime, proven):
    for dc, ic in itertools.product(GRID, GRID):
        got = select(Forecasts(direction, float(dc), regime, float(ic)), proven=proven)
        assert (got.strategy, got.position_size) == oracle(direction, dc, regime, ic, proven), (
            dc,
            ic,
        )


@pytest.mark.parametrize(
    ("dc", "ic", "strategy", "size"),
    [
        (0.9, 0.35, "Buy Calls", "half"),
        (0.9, 0.3499999, "NO TRADE", "none"),
        (0.52, 0.595, "Buy Calls", "half"),
        (0.5199999, 0.9, "NO TRADE", "none"),
        (0.55, 0.55, "Buy Calls", "half"),
        (0.55, 0.5499999, "NO TRADE", "none"),
        (0.7, 0.7, "Buy Calls", "full"),
        (0.7, 0.6999999, "Buy Calls", "half"),
        (0.973, 0.738, "Buy Calls", "full"),
    ],
)
def test_boundaries_belong_to_the_upper_side(dc, ic, strategy, size):
    got = select(Forecasts("UP", dc, "LOW", ic), proven=True)
    assert (got.strategy, got.position_size) == (strategy, size)


@pytest.mark.parametrize(
    ("dc", "ic", "strategy"),
    [(0.45, 0.45, "Iron Condor"), (0.45, 0.4499999, "NO TRADE"), (0.5, 0.35, "NO TRADE")],
)
def test_overall_floor_of_any_trade_decides_on_the_condor(dc, ic, strategy):
    assert select(Forecasts("UP", dc, "HIGH", ic), proven=True).strategy == strategy


def test_seed_example_gives_its_own_formula():
    got = select(Forecasts("UP", 0.973, "LOW", 0.738), proven=True)
    assert got.overall_confidence == 0.879
    assert got.reasoning.startswith("Bullish outlook + cheap options = buy directional calls")
    assert got.position_size == "full"


def test_matrix_has_eight_rows_and_every_row_can_be_reached():
    assert len(MATRIX) == len(STRATEGIES) == 8
    assert set(STRATEGIES) == {*CELLS.values(), "Iron Condor", "NO TRADE"}
    inputs = itertools.product(["UP", "DOWN"], [0.4, 0.9], ["LOW", "NORMAL", "HIGH"], [0.6])
    assert {select(Forecasts(*i), proven=True).strategy for i in inputs} == set(STRATEGIES)


@given(forecasts, st.booleans())
def test_what_is_taken_is_what_is_selected(asked, proven):
    found = select(asked, proven=proven)
    assert taken(asked, proven=proven) == (found.strategy, found.position_size)


def fired(f: Forecasts) -> list[str]:
    """Which of the three rules of Decision 5 hold, each written out in full."""
    o = round(0.6 * f.direction_confidence + 0.4 * f.iv_confidence, 12)
    barred = f.iv_confidence < 0.35 or o < 0.45
    unclear = f.direction_confidence < 0.52 or o < 0.55
    return [
        name
        for name, holds in (
            ("no edge", barred),
            ("unclear direction", unclear and not barred),
            ("directional", not barred and not unclear),
        )
        if holds
    ]


@given(forecasts, st.booleans())
def test_exactly_one_rule_fires_and_the_reasoning_names_it(f, proven):
    got = select(f, proven=proven)
    assert fired(f) == [got.rule]
    assert f"Rule '{got.rule}'" in got.reasoning
    assert f"Size {got.position_size}" in got.reasoning
    assert STRATEGIES[got.strategy].rationale in got.reasoning


@given(forecasts, confidences, confidences, st.booleans())
def test_more_confidence_never_makes_the_position_smaller(f, dc, ic, proven):
    surer = Forecasts(
        f.direction, max(f.direction_confidence, dc), f.iv_regime, max(f.iv_confidence, ic)
    )
    before, after = (SIZES.index(select(x, proven=proven).position_size) for x in (f, surer))
    assert before <= after


@given(forecasts)
def test_unproven_models_never_get_a_full_position_and_nothing_else_changes(f):
    capped, free = select(f, proven=False), select(f, proven=True)
    assert capped.position_size != "full"
    assert capped.strategy == free.strategy
    if free.position_size == "full":
        assert "capped" in capped.reasoning
    else:
        assert capped == free


def mismatch(f: Forecasts, why: str) -> bool:
    return f"the forecast is {f.direction}" in why or f"it is {f.iv_regime}" in why


@given(forecasts, st.booleans())
def test_alternatives_are_other_strategies_each_with_a_true_reason(f, proven):
    got: Recommendation = select(f, proven=proven)
    names = [a.strategy for a in got.alternatives]
    assert got.strategy not in names
    assert len(set(names)) == len(names) >= 2
    assert {"NO TRADE", "Iron Condor"} <= {*names, got.strategy}
    assert CELLS[f.direction, f.iv_regime] in {*names, got.strategy}
    for other in got.alternatives:
        row, why = STRATEGIES[other.strategy], other.why_not
        differs = row.direction not in (None, f.direction) or (
            row.direction is not None and row.iv_regime != f.iv_regime
        )
        assert why
        assert ("needs" in why) == mismatch(f, why)
        assert not differs or "needs" in why


@given(forecasts)
def test_a_missed_floor_is_shown_below_its_floor(f):
    """A figure rounded up to its floor would read as if the floor were met."""
    text = select(f, proven=True).reasoning
    for index in (i for i in range(len(text)) if text.startswith(" < ", i)):
        left = text[:index].rsplit(" ", 1)[1]
        right = text[index + 3 :].split()[0].rstrip(".;,")
        assert Decimal(left) < Decimal(right)


def test_neighbours_of_a_directional_trade_are_one_step_away():
    got = select(Forecasts("UP", 0.8, "LOW", 0.8), proven=True)
    assert {a.strategy for a in got.alternatives} == {
        "Bull Call Spread", "Buy Puts", "Iron Condor", "NO TRADE",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("forecasts_made", "expected"),
    [
        (("UP", 0.50, "HIGH", 0.9), {"Bull Put Spread", "NO TRADE"}),
        (("UP", 0.50, "LOW", 0.9), {"Buy Calls", "Iron Condor"}),
        (("DOWN", 0.90, "HIGH", 0.3), {"Bear Call Spread", "Iron Condor"}),
    ],
)
def test_without_a_directional_trade_only_the_forecast_s_own_cell_is_offered(
    forecasts_made, expected
):
    got = select(Forecasts(*forecasts_made), proven=True)
    assert {a.strategy for a in got.alternatives} == expected


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("SIDEWAYS", 0.6, "LOW", 0.6), "direction"),
        (("UP", 0.6, "ELEVATED", 0.6), "iv_regime"),
        (("UP", float("nan"), "LOW", 0.6), "direction_confidence"),
        (("UP", 1.01, "LOW", 0.6), "direction_confidence"),
        (("UP", -0.1, "LOW", 0.6), "direction_confidence"),
        (("UP", 0.6, "LOW", float("inf")), "iv_confidence"),
        (("UP", 0.6, "LOW", float("nan")), "iv_confidence"),
    ],
)
def test_unusable_forecasts_are_refused_by_name(arguments, named):
    with pytest.raises(InputError, match=rf"^{named}: got .*, allowed"):
        Forecasts(*arguments)
