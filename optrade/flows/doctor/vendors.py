"""Checks of the vendors' keys: there, of their form, and with `--online` what they open.

One cheap question a vendor, within a short time. No finding holds a key or an address.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import SecretStr

from ingestion.sources.finnhub import source as finnhub
from ingestion.sources.fred import source as fred
from ingestion.sources.wire.http import USER_AGENT, redact
from ingestion.sources.wire.patience import TryAgain, in_time
from optrade.flows.doctor.finding import Finding
from optrade.settings import Settings

# For one question, whatever takes the time: a name server, a handshake, a slow answer.
SECONDS: Final = 5.0
SHOWN: Final = 80
UNSET: Final[Mapping[str, str]] = {
    "FRED_API_KEY": "live macro series come without vintages, with a conservative lag",
    "FINNHUB_API_KEY": "no live news and no live earnings",
}


@dataclass(frozen=True)
class Question:
    """One question to a vendor, and how its answer is read.

    Attributes
    ----------
    variable
        The environment variable of the key.
    vendor
        The vendor's name, for messages.
    form
        What a key looks like; one of another form is never sent.
    url
        The address.
    request
        (address, key) -> the request.
    verdict
        (status, the vendor's words) -> the finding; None for an answer that says nothing about
        the key.
    """

    variable: str
    vendor: str
    form: re.Pattern[str]
    url: str
    request: Callable[[str, str], httpx.Request]
    verdict: Callable[[int, str], Finding | None]


def check_keys(
    settings: Settings, questions: Sequence[Question], *, online: bool, seconds: float = SECONDS
) -> Iterator[Finding]:
    """Yield one finding a key.

    Parameters
    ----------
    settings
        Where the keys are.
    questions
        One a vendor.
    online
        Whether they are asked.
    seconds
        The time that each question may take.
    """
    for question in questions:
        key: SecretStr | None = getattr(settings, question.variable.lower())
        if key is None:
            yield Finding(question.variable, "ok", f"not set: {UNSET[question.variable]}")
        elif (wrong := _wrong_form(question, key)) is not None:
            yield wrong
        elif online:
            yield ask(question, key, seconds)
        else:
            yield Finding(question.variable, "ok", "set, not tried: `optrade doctor --online` does")


def ask(question: Question, key: SecretStr, seconds: float) -> Finding:
    """Return what a vendor says about a key.

    Parameters
    ----------
    question
        What is asked.
    key
        The key; no finding repeats it.
    seconds
        The time it may take, however slowly the vendor answers.
    """
    secret = key.get_secret_value()
    try:
        status, body = in_time(lambda limit: _answer(question, secret, limit), seconds)
    except (httpx.HTTPError, httpx.InvalidURL, TryAgain) as error:
        reason = redact(str(error), secret) or type(error).__name__
        return _not_reached(question, f"{reason:.{SHOWN}}")
    said = redact(_words(body), secret)[:SHOWN]
    known = question.verdict(status, said)
    return known or _not_reached(question, f"HTTP {status} {said}".strip())


def _answer(question: Question, secret: str, seconds: float) -> tuple[int, bytes]:
    request = question.request(question.url, secret)
    request.headers["User-Agent"] = USER_AGENT
    with httpx.Client(timeout=seconds) as client:
        response = client.send(request)
    return response.status_code, response.content


def _not_reached(question: Question, reason: str) -> Finding:
    words = f"set; {question.vendor} could not be asked ({reason}): try again later"
    return Finding(question.variable, "warning", words)


def _words(body: bytes) -> str:
    """Return what a vendor's error body says; an empty text for a page or nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    said = document.get("error_message") or document.get("error") or ""
    return " ".join(str(said).split())


def _wrong_form(question: Question, key: SecretStr) -> Finding | None:
    """Return what is wrong with the form of a key, which shows without asking anybody."""
    if question.form.fullmatch(key.get_secret_value()):
        return None
    words = (
        f"wrong: {len(key)} characters that are no key of {question.vendor}; correct it, or unset "
        "it"
    )
    return Finding(question.variable, "error", words)


def _fred_request(url: str, key: str) -> httpx.Request:
    asked = {"series_id": "DFF", "file_type": "json", "api_key": key}
    return httpx.Request("GET", url, params=asked)


def _fred_verdict(status: int, said: str) -> Finding | None:
    name = "FRED_API_KEY"
    if status == httpx.codes.OK:
        return Finding(name, "ok", "set, FRED accepts it")
    if status == httpx.codes.UNAUTHORIZED or (status == 400 and "api_key" in said):
        return Finding(
            name, "error",
            f"wrong: FRED refuses it (HTTP {status}); correct it, or unset it for the keyless "
            "download",
        )  # fmt: skip
    if status == httpx.codes.FORBIDDEN:
        return Finding(name, "error", "FRED refuses this key the access (HTTP 403): ask FRED")
    return None


def _finnhub_request(url: str, key: str) -> httpx.Request:
    return httpx.Request("GET", url, params={"symbol": "SPY"}, headers={"X-Finnhub-Token": key})


def _finnhub_verdict(status: int, said: str) -> Finding | None:  # noqa: ARG001 - the status says it
    name = "FINNHUB_API_KEY"
    if status == httpx.codes.OK:
        return Finding(name, "ok", "set, Finnhub accepts it, news sentiment included")
    if status == httpx.codes.UNAUTHORIZED:
        return Finding(
            name, "error", "wrong: Finnhub refuses it (HTTP 401); correct it, or unset it"
        )
    if status == httpx.codes.FORBIDDEN:
        return Finding(
            name, "ok",
            "set, Finnhub accepts it; its plan has no news sentiment (HTTP 403), whose inputs "
            "stay null",
        )  # fmt: skip
    return None


# Finnhub's news sentiment tells all three apart: 401 for the key, 403 for the plan.
QUESTIONS: Final = (
    Question(
        "FRED_API_KEY", "FRED", fred.KEY, f"{fred.API_URL}/series",
        _fred_request, _fred_verdict,
    ),
    Question(
        "FINNHUB_API_KEY", "Finnhub", finnhub.KEY, f"{finnhub.API_URL}/news-sentiment",
        _finnhub_request, _finnhub_verdict,
    ),
)  # fmt: skip
