"""The technical view: a ticker's adjusted prices and volumes."""

from typing import Final

from feature_repo.features.technical.group import TECHNICAL
from ingestion.tables.catalogue import PRICES
from ingestion.views.declare import Input, View, own

VIEW: Final = View(
    groups=(TECHNICAL,),
    inputs=(Input(PRICES, own, TECHNICAL.sources),),
    align=lambda raw: raw.priced,
)
