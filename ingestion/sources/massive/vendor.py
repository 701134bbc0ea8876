"""Massive's row: option chains where Cboe has none, with a key."""

from typing import Final

import httpx2

from ingestion.sources.massive.source import API_URL, KEY, Massive
from ingestion.sources.vendor import KeyVerdict, Vendor, VendorKey


def _request(url: str, key: str) -> httpx2.Request:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx2.Request("GET", url, params={"limit": "1"}, headers=headers)


def _verdict(status: int, _words: str) -> KeyVerdict | None:
    if status == httpx2.codes.OK:
        return KeyVerdict("ok", "set, Massive accepts it")
    if status == httpx2.codes.UNAUTHORIZED:
        return KeyVerdict("error", "wrong: Massive refuses it (HTTP 401); correct it, or unset it")
    if status == httpx2.codes.FORBIDDEN:
        return KeyVerdict(
            "error", "Massive's plan of this key has no snapshots of options (HTTP 403); unset it"
        )
    return None


MASSIVE: Final = Vendor(
    word=Massive.name,
    title="Massive",
    open=lambda options: Massive(options.key(Massive.name)),
    fallback_for=Massive.tables,
    key=VendorKey(
        setting="massive_api_key",
        form=KEY.form,
        unset="no option chains of its",
        url=f"{API_URL}/v3/snapshot/options/SPY",
        request=_request,
        verdict=_verdict,
    ),
    terms="an individual's plan is for personal, non-business and non-commercial use: not to be "
    "passed on (massive.com/legal/market-data-terms-of-service)",
)
