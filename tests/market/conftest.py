"""Bars of the recorded market, as the features are tested on."""

from tests.feature_repo.features.conftest import (  # noqa: F401 - fixtures
    recorded_adjusted,
    recorded_bars,
)
