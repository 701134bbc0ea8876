"""Macro series of FRED: through its API with a key, as its keyless CSV download without.

With a key, the series that are revised come with all their vintages, each dated by the day on
which it was published. The others, and all of them without a key, are the latest revision of the
past: its vintage is not known, so `vintage_date` is null and a value counts as known when
`market.availability` says.
"""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import pandas as pd
from pydantic import SecretStr

from ingestion.sources.fred.api import latest_values
from ingestion.sources.fred.format import downloaded_observations, latest_observations
from ingestion.sources.fred.vintages import Published, Window, all_vintages
from ingestion.sources.fred.vintages_api import published_values
from ingestion.sources.wire.csv_answer import read_answer
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import HTTP, Http
from ingestion.sources.wire.keys import KeyForm
from ingestion.sources.wire.patience import patiently
from market.availability import SERIES
from market.errors import SourceUnavailable, UnknownName

API_URL: Final = "https://api.stlouisfed.org/fred"
CSV_URL: Final = "https://fred.stlouisfed.org/graph/fredgraph.csv"
# FRED's own words: a 32 character alpha-numeric lower-case string. It goes into an address as it
# stands, so nothing else may be in it.
KEY: Final = KeyForm(
    "FRED", "FRED_API_KEY", re.compile(r"[0-9a-z]{32}"), "32 small letters and digits",
    "https://fred.stlouisfed.org/docs/api/api_key.html",
)  # fmt: skip
# Revised for years after; daily rates hardly ever, and they have more vintages than ALFRED gives.
VINTAGED: Final = ("UNRATE", "CPIAUCSL")
# Pages of one window: ALFRED gives 100,000 rows a page, a revised series has 20,000 in all.
MOST_PAGES: Final = 100


class Fred:
    """Macro series from FRED.

    Parameters
    ----------
    api_key
        A key of FRED's API; None or an empty text takes the keyless download.
    api_url, csv_url
        The addresses of the API and of the download.
    http
        Who asks for the download; its patience holds for the API too.

    Raises
    ------
    MissingCredential
        If the key cannot be one of FRED's.
    """

    name = "fred"
    origin = "live"
    tables: tuple[str, ...] = ("macro_series",)

    def __init__(
        self,
        api_key: str | None = None,
        api_url: str = API_URL,
        csv_url: str = CSV_URL,
        http: Http = HTTP,
    ) -> None:
        self._key = SecretStr(api_key) if api_key else None
        if self._key is not None:
            KEY.check(self._key, unset="unset it for the keyless download")
        self.api_url = api_url.rstrip("/")
        self.csv_url = csv_url
        self.http = http

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the observations of the series dated in [start, end]; see `Source.fetch`.

        Days without an observation are absent. A revised series has a row for each observation
        and vintage that changed it.

        Raises
        ------
        InputError
            If the table or a series is not possible, or start lies after end.
        MissingCredential, NotEntitled
            If FRED refuses the key.
        SourceUnavailable
            If FRED did not answer usefully.
        SchemaViolation
            If an answer cannot be read to the letter.
        """
        return fetch_each(
            self, table, keys, (start, end), lambda key: self._observations(key, end.date())
        )

    def _observations(self, series: str, until: date) -> pd.DataFrame:
        if series not in SERIES:
            raise UnknownName("unknown macro series", series, SERIES)
        if self._key is None:
            return self._downloaded(series)
        if series in VINTAGED:
            return self._vintages(series, self._key, until)
        return self._asked(series, self._key)

    def _downloaded(self, series: str) -> pd.DataFrame:
        what = f"FRED, {series}"
        file = read_answer(what, self.http.text(what, self.csv_url, {"id": series}))
        return downloaded_observations(file, series)

    def _asked(self, series: str, key: SecretStr) -> pd.DataFrame:
        what = f"FRED, {series}"
        values = patiently(
            what, lambda _: latest_values(series, key, self.api_url), self.http.patience
        )
        if not len(values):
            raise SourceUnavailable(f"{what}: got no observation; try again later")
        return latest_observations(values, series)

    def _vintages(self, series: str, key: SecretStr, until: date) -> pd.DataFrame:
        def ask(window: Window) -> list[Published]:
            rows: list[Published] = []
            place = 0
            for _ in range(MOST_PAGES):
                page, place = self._page(series, window, place, key)
                rows += page
                if place < 0:
                    return rows
            raise SourceUnavailable(
                f"FRED, {series}, vintages of {window}: got {len(rows)} rows in {MOST_PAGES} pages "
                f"and more to come, allowed are {MOST_PAGES} pages; try again later"
            )

        return all_vintages(f"FRED, {series}", ask, until).assign(series=series)

    def _page(
        self, series: str, window: Window, place: int, key: SecretStr
    ) -> tuple[list[Published], int]:
        return patiently(
            f"FRED, {series}, vintages of {window}",
            lambda seconds: published_values(series, window, place, key, self.api_url, seconds),
            self.http.patience,
        )
