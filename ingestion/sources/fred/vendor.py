"""FRED's row: macro series, with vintages where there is a key."""

from typing import Final

import httpx2

from ingestion.sources.fred.source import API_URL, KEY, Fred
from ingestion.sources.vendor import KeyVerdict, Vendor, VendorKey


def _request(url: str, key: str) -> httpx2.Request:
    query = {"series_id": "DFF", "file_type": "json", "api_key": key}
    return httpx2.Request("GET", url, params=query)


def _verdict(status: int, words: str) -> KeyVerdict | None:
    if status == httpx2.codes.OK:
        return KeyVerdict("ok", "set, FRED accepts it")
    if status == httpx2.codes.UNAUTHORIZED or (status == 400 and "api_key" in words):
        return KeyVerdict(
            "error",
            f"wrong: FRED refuses it (HTTP {status}); correct it, or unset it for the keyless "
            "download",
        )
    if status == httpx2.codes.FORBIDDEN:
        return KeyVerdict("error", "FRED refuses this key the access (HTTP 403): ask FRED")
    return None


FRED: Final = Vendor(
    word=Fred.name,
    title="FRED",
    open=lambda options: Fred(options.key(Fred.name)),
    tables=Fred.tables,
    key=VendorKey(
        setting="fred_api_key",
        form=KEY.form,
        unset="live macro series come without vintages, with a conservative lag",
        url=f"{API_URL}/series",
        request=_request,
        verdict=_verdict,
    ),
)
