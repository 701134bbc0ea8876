"""Tradier's row: option chains where Cboe has none, with a key."""

from typing import Final

import httpx2

from ingestion.sources.tradier.source import API_URL, KEY, Tradier
from ingestion.sources.vendor import KeyVerdict, Vendor, VendorKey


def _request(url: str, key: str) -> httpx2.Request:
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    return httpx2.Request("GET", url, headers=headers)


def _verdict(status: int, _words: str) -> KeyVerdict | None:
    if status == httpx2.codes.OK:
        return KeyVerdict("ok", "set, Tradier accepts it")
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN):
        return KeyVerdict(
            "error", f"wrong: Tradier refuses it (HTTP {status}); correct it, or unset it"
        )
    return None


TRADIER: Final = Vendor(
    word=Tradier.name,
    title="Tradier",
    open=lambda options: Tradier(options.key(Tradier.name), options.folder(Tradier.name)),
    fallback_for=Tradier.tables,
    key=VendorKey(
        setting="tradier_api_key",
        form=KEY.form,
        unset="no option chains of its",
        url=f"{API_URL}/markets/clock",
        request=_request,
        verdict=_verdict,
    ),
    terms="quotes for the holder of the account, under Tradier's API agreement and the exchanges' "
    "subscriber agreements: not to be passed on (developer.tradier.com)",
)
