"""Yahoo's row: prices and volatility indices, chains where Cboe has none, without a key."""

from typing import Final

from ingestion.sources.vendor import Vendor
from ingestion.sources.yahoo.source import Yahoo
from ingestion.tables.catalogue import INDICES, OPTION_CHAINS, PRICES

YAHOO: Final = Vendor(
    word=Yahoo.name,
    title="Yahoo",
    open=lambda options: Yahoo(options.folder("yfinance")),
    tables=(PRICES.name, INDICES.name),
    fallback_for=(OPTION_CHAINS.name,),
    terms="quotes of Yahoo's pages, for personal use: not to be passed on, nor asked for by a "
    "machine without Yahoo's consent (legal.yahoo.com, Terms of Service)",
)
