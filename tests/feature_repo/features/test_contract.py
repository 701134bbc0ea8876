"""What holds of every feature by being declared: parametrised over the catalogue."""

import numpy as np
import pytest

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from feature_repo.features.maths.recursive import SETTLED

DECLARED = GROUPS | ON_DEMAND
ALL = [
    pytest.param(group, row, id=f"{name}-{row.name}")
    for name, group in DECLARED.items()
    for row in group.features
]
every_group = pytest.mark.parametrize("name", DECLARED)
every_feature = pytest.mark.parametrize(("group", "row"), ALL)

BOUNDS = {
    "index 0-100": (0, 100),
    "% 0-100": (0, 100),
    "ratio 0-1": (0, 1),
    "ratio -1..1": (-1, 1),
    "ratio (<=0)": (-1, 0),
    "ratio (>=0)": (0, np.inf),
    "flag 0/1": (0, 1),
    "ordinal 0-3": (0, 3),
    "annualised % points": (0, np.inf),
    "price (USD)": (0, np.inf),
    "score -1..1": (-1, 1),
    "score -2..2": (-2, 2),
    "score 0..1": (0, 1),
    "count": (0, np.inf),
    "sessions": (0, 90),
    "weight 0-1": (0, 1),
}
# Differences share the unit of what they are the difference of.
SIGNED = {"hv_trend"}

WHOLE = {"flag 0/1": {0.0, 1.0}, "ordinal 0-3": {0.0, 1.0, 2.0, 3.0}}

# Inputs of which only earlier values are used.
EARLIER = {"gap_pct": {"close"}} | {f"iv_rank_lag_{n}": {"iv_rank"} for n in (5, 10, 20)}
# Inputs that replace another where a vendor gives them: test_sentiment has their nulls.
REPLACING = {
    "sentiment_score": {"premium_score"},
    "sentiment_vs_sector": {"premium_score", "premium_sector_score"},
}

# What 400 sessions leave of the seed, relative: (1 - 1/n)^(400 - n) for Wilder's n.
SEED_LEFT = {"rsi_28": 3e-6, "rsi_14": 1e-9}


def close_to(got, expected, row) -> bool:
    if row.unit in WHOLE:
        return np.array_equal(got, expected, equal_nan=True)
    tolerance = SEED_LEFT.get(row.name, 1e-9)
    return np.isclose(got, expected, rtol=tolerance, atol=1e-9, equal_nan=True)


@every_group
def test_values_are_float64_one_for_each_session_in_catalogue_order(name, world):
    group, sources = DECLARED[name], world.sources(name)
    values = group.compute(sources)
    assert tuple(values) == tuple(row.name for row in group.features)
    for array in values.values():
        assert array.dtype == np.float64
        assert array.shape == (world.bars["close"].size,)
        assert not np.isinf(array).any()
        assert not any(np.shares_memory(array, source) for source in sources.values())


@every_group
def test_inputs_are_not_touched(name, world):
    sources = {key: array.copy() for key, array in world.sources(name).items()}
    kept = {key: array.copy() for key, array in sources.items()}
    for array in sources.values():
        array.flags.writeable = False
    DECLARED[name].compute(sources)
    for key, array in kept.items():
        np.testing.assert_array_equal(sources[key], array)


@every_group
@pytest.mark.parametrize("rows", [0, 1, 2, 15, 252, 399, 400, 623])
def test_later_rows_change_no_value_to_the_last_bit(name, rows, world, values):
    cut = world.rows(None, rows).values(name)
    for key, array in values[name].items():
        np.testing.assert_array_equal(cut[key], array[:rows], err_msg=key)


@every_group
def test_a_later_dividend_or_split_changes_no_value(name, world, values):
    at = 700
    dividend, split = world.bars["dividend"].copy(), world.bars["split"].copy()
    dividend[at], split[at] = 1.0, 3.0
    changed = world.with_bars(dividend=dividend, split=split).values(name)
    for key, array in values[name].items():
        np.testing.assert_array_equal(changed[key][:at], array[:at], err_msg=key)


@every_feature
def test_it_is_null_before_its_lookback_and_known_from_it_on(group, row, values):
    array = values[group.name][row.name]
    assert np.isnan(array[: row.lookback - 1]).all()
    assert np.isfinite(array[row.lookback - 1 :]).all()


@every_feature
def test_its_lookback_is_enough(group, row, world, values):
    for last in (row.lookback, 640, 701, 899):
        loaded = world.rows(last - row.lookback + 1, last + 1).values(group.name)[row.name]
        assert close_to(loaded[-1], values[group.name][row.name][last], row), (last, loaded[-1])


@every_feature
def test_its_lookback_is_needed(group, row, world):
    last = 800
    loaded = world.rows(last - row.lookback + 2, last + 1).values(group.name)[row.name]
    assert loaded.size == row.lookback - 1
    assert np.isnan(loaded).all()


@every_feature
def test_a_null_input_gives_a_null_value(group, row, world):
    arrays = dict(world.sources(group.name))
    with np.errstate(divide="ignore", invalid="ignore"):
        for step in group.order:
            arrays[step.name] = step.compute(**{name: arrays[name] for name in step.inputs})
        for name in set(row.inputs) - (EARLIER | REPLACING).get(row.name, set()):
            holed = arrays[name].copy()
            holed[..., -1] = np.nan
            got = row.compute(**{**{key: arrays[key] for key in row.inputs}, name: holed})
            assert np.isnan(got[-1]), name


@every_group
@pytest.mark.parametrize("factor", [7.0, 1 / 3])
def test_safe_features_do_not_depend_on_the_price_level(name, factor, world, values):
    scaled = world.scaled(factor).values(name)
    for row in DECLARED[name].features:
        expected = values[name][row.name] * (1.0 if row.safe else factor)
        np.testing.assert_allclose(
            scaled[row.name], expected, rtol=1e-9, atol=1e-9, err_msg=row.name
        )


@every_group
def test_no_feature_depends_on_the_number_of_shares(name, world, values):
    scaled = world.with_bars(volume=world.bars["volume"] * 3).values(name)
    for key, array in values[name].items():
        np.testing.assert_allclose(scaled[key], array, rtol=1e-9, atol=1e-12, err_msg=key)


@pytest.mark.parametrize(
    ("group", "row"),
    [case for case in ALL if case.values[1].unit in BOUNDS and case.values[1].name not in SIGNED],
)
def test_values_stay_in_the_bounds_of_their_unit(group, row, make):
    low, high = BOUNDS[row.unit]
    for seed in (1, 2):
        array = make(seed, 600).values(group.name)[row.name]
        known = array[~np.isnan(array)]
        assert known.size
        assert low <= known.min()
        assert known.max() <= high
        if row.unit in WHOLE:
            assert set(known) <= WHOLE[row.unit]


@every_feature
def test_the_declaration_is_complete(group, row):
    assert row.lookback >= 1
    assert row.unit
    assert row.formula
    assert row.inputs
    recursive = {"ema", "macd", "rsi", "adx", "plus", "minus", "atr"}
    known_later = row.lookback >= SETTLED
    assert known_later == (row.name.split("_")[0] in recursive and group.name == "technical")
