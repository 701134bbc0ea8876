"""Cboe's row: volatility indices that Yahoo does not have, without a key."""

from typing import Final

from ingestion.sources.cboe.source import Cboe
from ingestion.sources.vendor import Vendor

CBOE: Final = Vendor(
    word=Cboe.name,
    title="Cboe",
    open=lambda _: Cboe(),
    fallback_for=Cboe.tables,
)
