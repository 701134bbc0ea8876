"""The technical view: 83 features of one ticker's adjusted prices and volumes."""

from typing import Final

from feature_repo.features import (
    technical_extremes,
    technical_momentum,
    technical_returns,
    technical_trend,
    technical_volatility,
    technical_volume,
)
from feature_repo.features.declare import Group
from market.adjust import ADJUSTED

TECHNICAL: Final = Group(
    name="technical",
    entity="ticker",
    features=(
        *technical_trend.FEATURES,
        *technical_momentum.FEATURES,
        *technical_volatility.FEATURES,
        *technical_volume.FEATURES,
        *technical_extremes.FEATURES,
        *technical_returns.FEATURES,
    ),
    sources=ADJUSTED,
    terms=(
        *technical_trend.TERMS,
        *technical_momentum.TERMS,
        *technical_volatility.TERMS,
        *technical_volume.TERMS,
        *technical_extremes.TERMS,
    ),
)
