"""Finnhub's row: headlines, reports and news sentiment, with a key."""

from typing import Final

import httpx2

from ingestion.sources.finnhub.source import API_URL, KEY, Finnhub
from ingestion.sources.vendor import KeyVerdict, LiveOptions, Vendor, VendorKey


def _open(options: LiveOptions) -> Finnhub:
    key, folder = options.key(Finnhub.name), options.folder("finnhub")
    return Finnhub(options.now, key, folder, scorer=options.scorer)


def _request(url: str, key: str) -> httpx2.Request:
    return httpx2.Request("GET", url, params={"symbol": "SPY"}, headers={"X-Finnhub-Token": key})


def _verdict(status: int, _words: str) -> KeyVerdict | None:
    if status == httpx2.codes.OK:
        return KeyVerdict("ok", "set, Finnhub accepts it, news sentiment included")
    if status == httpx2.codes.UNAUTHORIZED:
        return KeyVerdict("error", "wrong: Finnhub refuses it (HTTP 401); correct it, or unset it")
    if status == httpx2.codes.FORBIDDEN:
        return KeyVerdict(
            "ok",
            "set, Finnhub accepts it; its plan has no news sentiment (HTTP 403), whose inputs "
            "stay null",
        )
    return None


FINNHUB: Final = Vendor(
    word=Finnhub.name,
    title="Finnhub",
    open=_open,
    tables=Finnhub.tables,
    key=VendorKey(
        setting="finnhub_api_key",
        form=KEY.form,
        unset="no live news and no live earnings",
        # Tells all three apart: 401 for the key, 403 for the plan.
        url=f"{API_URL}/news-sentiment",
        request=_request,
        verdict=_verdict,
    ),
)
