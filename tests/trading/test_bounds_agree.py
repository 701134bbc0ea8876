"""The bounds of IV bands and classes stand in packages that do not import each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.catalogue import find
from market.targets import BANDS, FORECAST_CLASSES, REGIMES, band, forecast_class
from serving.reading.artifact import CLASSES
from training.frames import labels
from training.models.table import RANK_CUTS

# Every bound, the numbers just below and above it, and any rank.
EDGES = [
    rank
    for _, floor in (*BANDS, *FORECAST_CLASSES)
    for rank in (math.nextafter(floor, -1), floor, math.nextafter(floor, 101))
    if 0 <= rank <= 100
]
ranks = st.sampled_from(EDGES) | st.floats(0, 100)


def test_forecast_classes_are_the_labels_classes():
    assert REGIMES == labels.REGIMES == CLASSES["regime"]
    assert tuple(sorted(floor for _, floor in FORECAST_CLASSES))[1:] == labels.REGIME_CUTS


@given(ranks)
def test_a_rank_has_the_class_that_training_labels_it_with(rank):
    (code,) = labels.regime_class(np.array([rank]))
    assert forecast_class(rank) == labels.REGIMES[code]


@pytest.mark.parametrize("name", [name for name, _ in BANDS])
def test_bands_are_the_flags_of_the_feature_catalogue(name):
    _, feature = find(f"iv_regime_{name.lower()}")
    assert feature.inputs == ("iv_rank",)
    found = feature.compute(np.array(EDGES))
    assert found.tolist() == [float(band(rank) == name) for rank in EDGES]


def test_the_transition_table_cuts_at_every_bound_of_the_classes():
    assert set(labels.REGIME_CUTS) < set(RANK_CUTS)
