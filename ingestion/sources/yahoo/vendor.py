"""Yahoo's row: prices and volatility indices, without a key."""

from typing import Final

from ingestion.sources.vendor import Vendor
from ingestion.sources.yahoo.source import Yahoo

YAHOO: Final = Vendor(
    word=Yahoo.name,
    title="Yahoo",
    open=lambda options: Yahoo(options.folder("yfinance")),
    tables=Yahoo.tables,
)
