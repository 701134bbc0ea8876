"""The technical view: 83 features of one ticker's adjusted prices and volumes."""

from typing import Final

from feature_repo.features.declare import Group
from feature_repo.features.technical import (
    extremes,
    momentum,
    returns,
    trend,
    volatility,
    volume,
)
from market.adjust import ADJUSTED

TECHNICAL: Final = Group(
    name="technical",
    entity="ticker",
    features=(
        *trend.FEATURES,
        *momentum.FEATURES,
        *volatility.FEATURES,
        *volume.FEATURES,
        *extremes.FEATURES,
        *returns.FEATURES,
    ),
    sources=ADJUSTED,
    terms=(
        *trend.TERMS,
        *momentum.TERMS,
        *volatility.TERMS,
        *volume.TERMS,
        *extremes.TERMS,
    ),
)
