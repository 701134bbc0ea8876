"""Checks of the vendors' keys: there, of their form, and with `--online` what they open.

One cheap question a vendor, within a short time. No finding holds a key or an address.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import httpx2
from pydantic import SecretStr

from ingestion.sources.live import LIVE
from ingestion.sources.vendor import Vendor, VendorKey
from ingestion.sources.wire.http import USER_AGENT, redact
from ingestion.sources.wire.patience import TryAgain, in_time
from ingestion.tables.catalogue import OPTION_CHAINS
from optrade.flows.doctor.finding import Finding, Level
from optrade.settings import Settings

# For one question, whatever takes the time: a name server, a handshake, a slow answer.
SECONDS: Final = 5.0
SHOWN: Final = 80


def check_keys(
    settings: Settings,
    vendors: Sequence[Vendor] = LIVE,
    *,
    online: bool,
    seconds: float = SECONDS,
) -> Iterator[Finding]:
    """Yield one finding a key.

    Parameters
    ----------
    settings
        Where the keys are.
    vendors
        The rows; those without a key have no finding.
    online
        Whether they are asked.
    seconds
        The time that each question may take.
    """
    keys = settings.vendor_keys(vendors)
    for vendor in vendors:
        if vendor.key is not None:
            key = keys.get(vendor.word)
            if key is None:
                level, words = _unset(vendor, vendor.key, settings.chains)
            else:
                level, words = _judged(vendor.title, vendor.key, key, online, seconds)
            yield Finding(vendor.key.variable, level, words)


def _unset(vendor: Vendor, question: VendorKey, chains: str | None) -> tuple[Level, str]:
    """Return what goes without a key, in words; of option chains by what OPTRADE_CHAINS says."""
    if {*vendor.tables, *vendor.fallback_for} != {OPTION_CHAINS.name}:
        return "ok", f"not set: {question.unset}"
    if chains == vendor.word:
        words = "OPTRADE_CHAINS asks for its chains; set it, or name another vendor there"
        return "error", f"not set: {words}"
    if chains is None:
        why = "names no vendor and no live chains land"
    else:
        why = f"takes live option chains from {chains}"
    return "ok", f"not set: not needed, as OPTRADE_CHAINS {why}"


def _judged(
    title: str, question: VendorKey, key: SecretStr, online: bool, seconds: float
) -> tuple[Level, str]:
    """Return how a key stands, in words."""
    if not question.form.fullmatch(key.get_secret_value()):
        return "error", (
            f"wrong: {len(key)} characters that are no key of {title}; correct it, or unset it"
        )
    if not online:
        return "ok", "set, not tried: `optrade doctor --online` does"
    return _answered(title, question, key.get_secret_value(), seconds)


def _answered(title: str, question: VendorKey, secret: str, seconds: float) -> tuple[Level, str]:
    """Return what a vendor says about a key, however slowly it answers; no words repeat the key."""
    try:
        status, body = in_time(lambda limit: _answer(question, secret, limit), seconds)
    except (httpx2.HTTPError, httpx2.InvalidURL, TryAgain) as error:
        reason = redact(str(error), secret) or type(error).__name__
        return _not_reached(title, f"{reason:.{SHOWN}}")
    words = redact(_words(body), secret)[:SHOWN]
    verdict = question.verdict(status, words)
    return verdict or _not_reached(title, f"HTTP {status} {words}".strip())


def _answer(question: VendorKey, secret: str, seconds: float) -> tuple[int, bytes]:
    request = question.request(question.url, secret)
    request.headers["User-Agent"] = USER_AGENT
    with httpx2.Client(timeout=seconds) as client:
        response = client.send(request)
    return response.status_code, response.content


def _not_reached(title: str, reason: str) -> tuple[Level, str]:
    return "warning", f"set; {title} could not be asked ({reason}): try again later"


def _words(body: bytes) -> str:
    """Return what a vendor's error body says; an empty text for a page or nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    message = document.get("error_message") or document.get("error") or ""
    return " ".join(str(message).split())
