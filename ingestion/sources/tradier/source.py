"""Tradier: option chains of now, an expiration a question, with a key."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
from pydantic import SecretStr

from home.strict_json import Json
from ingestion.sources.tradier.format import contracts, expirations, price
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.json_answer import read_json
from ingestion.sources.wire.keys import KeyForm
from ingestion.sources.wire.option_quotes import chain_rows, refuse_stale
from ingestion.sources.wire.patience import Patience, patiently
from ingestion.tables.catalogue import OPTION_CHAINS
from market.errors import KeyUnavailable, MissingCredential, NotEntitled
from market.options.roots import chain_roots

API_URL: Final = "https://api.tradier.com/v1"
CALLS_A_MINUTE: Final = 60
# A used up minute has to pass.
TRADIER_PATIENCE: Final = Patience(attempts=5, budget_seconds=150.0)
REGISTER: Final = "https://developer.tradier.com"
KEY: Final = KeyForm(
    "Tradier", "TRADIER_API_KEY", re.compile(r"[A-Za-z0-9]{16,64}"), "16 to 64 letters and digits",
    REGISTER, noun="token",
)  # fmt: skip


class Tradier:
    """Option chains from Tradier.

    Parameters
    ----------
    api_key
        An access token; without one every question is refused with `MissingCredential`.
    cache_dir
        The folder where the calls of all processes are booked; None books those of this object.
    api_url, http, rate
        The address, who asks, and how often it may be asked; a rate takes the place of the folder.
    """

    name = "tradier"
    origin = "live"
    tables: tuple[str, ...] = (OPTION_CHAINS.name,)

    def __init__(
        self,
        api_key: str | None = None,
        cache_dir: Path | None = None,
        *,
        api_url: str = API_URL,
        http: Http | None = None,
        rate: CallRate | None = None,
    ) -> None:
        self._key = SecretStr(api_key) if api_key else None
        self.api_url = api_url.rstrip("/")
        self.http = Http(TRADIER_PATIENCE) if http is None else http
        self.rate = CallRate(CALLS_A_MINUTE, 60.0, cache_dir) if rate is None else rate

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the chains of now; see `Source.fetch`.

        Raises
        ------
        InputError
            If the table or a key is not possible, or start lies after end.
        MissingCredential, NotEntitled
            If there is no key, Tradier refuses it, or the account has no quotes.
        SourceUnavailable
            If Tradier did not answer usefully, or with quotes older than `start`.
        SchemaViolation
            If an answer cannot be read to the letter.
        """
        return fetch_each(self, table, keys, (start, end), lambda key: self._chain(key, start))

    def _chain(self, name: str, start: pd.Timestamp | None) -> pd.DataFrame:
        chain_roots(name)
        what = f"Tradier, chain of {name}"
        listed = self._asked(
            what, "options/expirations", {"symbol": name, "includeAllRoots": "true"}
        )
        days = expirations(what, listed)
        spot = price(what, self._asked(what, "quotes", {"symbols": name}), name)
        query = {"symbol": name, "greeks": "true"}
        parts = [
            contracts(what, self._asked(what, "options/chains", {**query, "expiration": day}))
            for day in days
        ]
        # Quotes of one question, minutes apart at most: a snapshot, as old as its newest quote.
        quoted = max((part.quoted for part in parts if not pd.isna(part.quoted)), default=None)
        if quoted is None:
            raise KeyUnavailable(f"{what}: got no time of a quote; try again later")
        refuse_stale(what, quoted, start)
        return chain_rows(what, name, quoted, spot, [sent for part in parts for sent in part.sent])

    def _asked(self, what: str, path: str, query: Mapping[str, str]) -> Json:
        key = KEY.check(self._key).get_secret_value()
        patiently(what, lambda _: self.rate.take(), self.http.patience)
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        url = f"{self.api_url}/markets/{path}"
        text = self.http.text(what, url, query, [key], headers, REFUSALS)
        return read_json(what, text)


REFUSALS: Final = {
    401: MissingCredential(
        f"Tradier refuses the key (HTTP 401): set TRADIER_API_KEY to a token from {REGISTER}"
    ),
    403: NotEntitled(
        "Tradier gives this account no quotes of options (HTTP 403): go on without it, or ask "
        "Tradier"
    ),
}
