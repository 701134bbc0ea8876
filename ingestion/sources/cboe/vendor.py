"""Cboe's row: option chains, and volatility indices that Yahoo does not have, without a key."""

from typing import Final

from ingestion.sources.cboe.source import Cboe
from ingestion.sources.vendor import Vendor
from ingestion.tables.catalogue import INDICES, OPTION_CHAINS

CBOE: Final = Vendor(
    word=Cboe.name,
    title="Cboe",
    open=lambda _: Cboe(),
    tables=(OPTION_CHAINS.name,),
    fallback_for=(INDICES.name,),
    terms="delayed quotes of Cboe's website, for personal and non-commercial use: no storing, "
    "copying or passing on without Cboe's consent (cboe.com/terms, cboe.com/use_of_content)",
)
