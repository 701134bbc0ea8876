"""ApeWisdom's row: mentions, without a key."""

from typing import Final

from ingestion.sources.apewisdom.source import Apewisdom
from ingestion.sources.vendor import Vendor

APEWISDOM: Final = Vendor(
    word=Apewisdom.name,
    title="ApeWisdom",
    open=lambda options: Apewisdom(options.now),
    tables=Apewisdom.tables,
)
