"""The views of a ticker's adjusted prices and volumes alone."""

from typing import Final

from feature_repo.features.technical.group import TECHNICAL
from feature_repo.features.technical.variance import VARIANCE
from ingestion.tables.catalogue import PRICES
from ingestion.views.declare import Input, View, own

VIEW: Final = View(
    groups=(TECHNICAL, VARIANCE),
    inputs=(Input(PRICES, own, TECHNICAL.sources),),
    align=lambda raw: raw.priced,
)
