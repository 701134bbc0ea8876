"""ApeWisdom: how often Reddit forums mention a ticker. Counts only, and no history."""

import math
from collections.abc import Sequence
from typing import Final

import pandas as pd

from ingestion.sources.apewisdom.format import list_page, mentions
from ingestion.sources.base import assembled, requested_table, within
from ingestion.sources.wire.http import HTTP, Http
from ingestion.sources.wire.json_answer import Row, text
from ingestion.sources.wire.recording import Clock, recording_time
from ingestion.tables.catalogue import MENTION_FILTERS, MENTIONS
from market.errors import SchemaViolation, SourceUnavailable
from market.underlyings import underlying

BASE_URL: Final = "https://apewisdom.io/api/v1.0"
# A list has about ten pages of a hundred tickers.
MOST_PAGES: Final = 100


class Apewisdom:
    """Mentions of tickers, from ApeWisdom's lists.

    Parameters
    ----------
    now
        The clock, with a zone: the lists count as recorded when all are there.
    base_url
        The address of the API.
    http
        Who asks.
    """

    name = "apewisdom"
    origin = "live"
    tables: tuple[str, ...] = (MENTIONS.name,)

    def __init__(self, now: Clock, base_url: str = BASE_URL, http: Http = HTTP) -> None:
        self.now = now
        self.base_url = base_url.rstrip("/")
        self.http = http

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return one row a ticker and list, as of now; see `Source.fetch`.

        A ticker that a list does not hold has a row with every number null: it was mentioned too
        seldom to be listed, which is not zero.

        Raises
        ------
        InputError
            If the table or a ticker is not possible, or start lies after end.
        SourceUnavailable
            If ApeWisdom did not answer usefully, or a list was not read to its end: then nothing
            says that a ticker is not in it.
        SchemaViolation
            If an answer cannot be read to the letter.
        """
        shape = requested_table(self, table)
        within(shape.empty(), shape, start, end)
        tickers = [underlying(key).ticker for key in dict.fromkeys(keys)]
        lists = [self._mentions(tickers, name) for name in MENTION_FILTERS if tickers]
        at = recording_time(self.now)
        return assembled(shape, (part.assign(recorded_at=at) for part in lists), start, end)

    def _mentions(self, tickers: Sequence[str], name: str) -> pd.DataFrame:
        rows = self._rows(tickers, name)
        frame = mentions(f"ApeWisdom, {name}", rows, tickers)
        return frame.assign(filter=name)

    def _rows(self, tickers: Sequence[str], name: str) -> list[Row]:
        """Return the rows of a list down to the last of the tickers, or to its end."""
        rows: list[Row] = []
        listed: set[str | None] = set()
        page, pages, count = 0, 1, 0
        while page < pages and not listed.issuperset(tickers):
            page += 1
            what = f"ApeWisdom, {name}, page {page}"
            url = f"{self.base_url}/filter/{name}/page/{page}"
            found, told, count = list_page(what, self.http.text(what, url))
            pages = told or (pages if rows else math.ceil(count / max(1, len(found))))
            rows += found
            listed |= {text(what, row, "ticker") for row in found}
            if pages > MOST_PAGES:
                raise SchemaViolation(f"{what}: got {pages} pages, allowed are {MOST_PAGES}")
        if not listed.issuperset(tickers) and (not rows or len(listed) < count):
            raise SourceUnavailable(
                f"ApeWisdom, {name}: got {len(listed)} tickers of a list of {count}, allowed is "
                "the whole list; try again later"
            )
        return rows
