"""Massive, formerly Polygon: option chains of now, a page a question, with a key."""

import re
from collections.abc import Sequence
from typing import Final

import pandas as pd
from pydantic import SecretStr

from ingestion.sources.massive.format import Page, page
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import HTTP, Http
from ingestion.sources.wire.json_answer import read_json
from ingestion.sources.wire.keys import KeyForm
from ingestion.sources.wire.option_quotes import chain_rows, refuse_stale
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import KeyUnavailable, MissingCredential, NotEntitled, SchemaViolation
from market.options.roots import chain_roots
from market.underlyings import UNDERLYINGS

API_URL: Final = "https://api.massive.com"
REGISTER: Final = "https://massive.com/dashboard/keys"
KEY: Final = KeyForm(
    "Massive", "MASSIVE_API_KEY", re.compile(r"[A-Za-z0-9_-]{16,128}"),
    "16 to 128 letters, digits, - and _", REGISTER,
)  # fmt: skip
A_PAGE: Final = "250"
# More contracts than any chain has, so that a vendor that turns in circles is left.
MOST_PAGES: Final = 200


class Massive:
    """Option chains from Massive.

    Parameters
    ----------
    api_key
        A key; without one every question is refused with `MissingCredential`.
    api_url, http
        The address, and who asks.
    """

    name = "massive"
    origin = "live"
    tables: tuple[str, ...] = (OPTION_CHAINS.name,)

    def __init__(
        self, api_key: str | None = None, *, api_url: str = API_URL, http: Http = HTTP
    ) -> None:
        self._key = SecretStr(api_key) if api_key else None
        self.api_url = api_url.rstrip("/")
        self.http = http

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the chains of now; see `Source.fetch`.

        Raises
        ------
        InputError
            If the table or a key is not possible, or start lies after end.
        MissingCredential, NotEntitled
            If there is no key, Massive refuses it, or the plan has no quotes of options.
        SourceUnavailable
            If Massive did not answer usefully, or with quotes older than `start`.
        SchemaViolation
            If an answer cannot be read to the letter.
        """
        return fetch_each(self, table, keys, (start, end), lambda key: self._chain(key, start))

    def _chain(self, name: str, start: pd.Timestamp | None) -> pd.DataFrame:
        chain_roots(name)
        what = f"Massive, chain of {name}"
        symbol = name if name in UNDERLYINGS else f"I:{name}"
        pages = self._pages(what, f"{self.api_url}/v3/snapshot/options/{symbol}")
        sent = [contract for found in pages for contract in found.sent]
        if not sent:
            raise KeyUnavailable(f"{what}: got a chain without a contract; try again later")
        times = [found.quoted for found in pages if not pd.isna(found.quoted)]
        if not times:
            raise NotEntitled(
                f"{what}: got {len(sent)} contracts and no quote of them, the plan of this key "
                "does not include quotes of options: go on without it, or take a plan that does"
            )
        quoted = max(times)
        refuse_stale(what, quoted, start)
        spot = next((found.spot for found in pages if found.spot > 0.0), float("nan"))
        return chain_rows(what, name, quoted, spot, sent)

    def _pages(self, what: str, url: str) -> list[Page]:
        pages: list[Page] = []
        following: str | None = url
        query: dict[str, str] | None = {"limit": A_PAGE}
        while following is not None and len(pages) < MOST_PAGES:
            if not following.startswith(f"{self.api_url}/"):
                # The key would go to another server.
                raise SchemaViolation(
                    f"{what}: got a next page at another address, allowed is {self.api_url}"
                )
            pages.append(page(what, read_json(what, self._asked(what, following, query))))
            following, query = pages[-1].following, None
        return pages

    def _asked(self, what: str, url: str, query: dict[str, str] | None) -> str:
        key = KEY.check(self._key).get_secret_value()
        headers = {"Authorization": f"Bearer {key}"}
        return self.http.text(what, url, query, [key], headers, REFUSALS)


REFUSALS: Final = {
    401: MissingCredential(
        f"Massive refuses the key (HTTP 401): set MASSIVE_API_KEY to one from {REGISTER}"
    ),
    403: NotEntitled(
        "Massive's plan of this key does not include snapshots of options (HTTP 403): go on "
        "without it, or take a plan that does"
    ),
}
