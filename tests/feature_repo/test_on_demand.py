"""Features on demand: the group's own functions, on a frame, on arrays and on one row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, find
from feature_repo.features.services import SERVICES
from feature_repo.on_demand import compute, compute_row, is_on_demand, stored_features, view_frame

NAMES = [row.name for group in ON_DEMAND.values() for row in group.features]
SOURCES = list(dict.fromkeys(name for group in ON_DEMAND.values() for name in group.sources))
# Flags, ranks and scores alike, at their bounds and unknown.
VALUES = st.sampled_from([np.nan, 0.0, 1.0, -0.4, 29.9, 30.0, 60.0, 60.1, 100.0])
ROWS = st.fixed_dictionaries(dict.fromkeys(SOURCES, VALUES))


def direct(name: str, row: dict[str, float]) -> float:
    """The feature by its own function, one session long."""
    feature = find(name)[1]
    return float(feature.compute(*[np.array([row[source]]) for source in feature.inputs])[0])


@pytest.mark.parametrize("name", NAMES)
def test_inputs_are_stored(name: str) -> None:
    needed = stored_features([name])
    assert is_on_demand(name)
    assert needed == find(name)[1].inputs
    assert {find(source)[0].name for source in needed} <= set(GROUPS)


def test_stored_features_need_themselves_each_once() -> None:
    stored = [row.name for group in GROUPS.values() for row in group.features]
    assert not [name for name in stored if is_on_demand(name)]
    assert stored_features([*stored, *NAMES, *stored]) == tuple(stored)
    assert stored_features(["earnings_iv_runup", "iv_rank"]) == ("earnings_within_5d", "iv_rank")


@pytest.mark.parametrize("name", NAMES)
@given(row=ROWS)
def test_every_way_gives_the_function_of_the_group(name: str, row: dict[str, float]) -> None:
    expected = direct(name, row)
    frame = view_frame(find(name)[0].name, pd.DataFrame([row], index=[7]))
    assert list(frame.index) == [7]
    np.testing.assert_equal(frame.loc[7, name], expected)
    np.testing.assert_equal(compute_row([name], row), {name: expected})
    arrays = {source: np.array([value]) for source, value in row.items()}
    np.testing.assert_equal(compute([name], arrays)[name], [expected])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", range(3))
def test_one_unknown_input_is_an_unknown_feature(name: str, place: int) -> None:
    row = dict.fromkeys(stored_features([name]), 1.0)
    row[list(row)[place % len(row)]] = np.nan
    assert np.isnan(compute_row([name], row)[name])


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_holds_the_inputs_of_what_it_computes(service: str) -> None:
    names = [reference.split(":")[1] for reference in SERVICES[service]]
    stored = [name for name in names if not is_on_demand(name)]
    assert set(stored_features(names)) == set(stored)
    values = {name: np.ones(3) for name in stored}
    made = compute(names, values)
    assert list(made) == [name for name in names if is_on_demand(name)]
    assert all(array.shape == (3,) and not np.isnan(array).any() for array in made.values())


def test_only_the_inputs_of_what_is_wanted_are_needed() -> None:
    row = {"sentiment_score": 0.5, "iv_rank": 80.0}
    assert compute_row(["sentiment_iv_divergence"], row) == {"sentiment_iv_divergence": 0.3}
    with pytest.raises(KeyError, match="earnings_within_5d"):
        compute_row(["earnings_iv_runup"], row)


def test_stored_features_are_passed_over() -> None:
    assert compute_row(["iv_rank"], {"iv_rank": 80.0}) == {}
    assert compute([], {}) == {}


def test_inputs_are_not_changed() -> None:
    arrays = {source: np.linspace(0, 1, 5) for source in SOURCES}
    before = {source: array.copy() for source, array in arrays.items()}
    made = compute(NAMES, arrays)
    for source in SOURCES:
        np.testing.assert_array_equal(arrays[source], before[source])
    pairs = [(array, given) for array in made.values() for given in arrays.values()]
    assert not any(np.shares_memory(*pair) for pair in pairs)
