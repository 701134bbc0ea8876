"""One try of Finnhub's API through its client, errors told apart by what to do about them.

The client would put the key into every address, from where it reaches logs and errors; Finnhub
takes it in a header as well. The client also drops the headers of a refusal, and fails on one whose
body is JSON but no object, so refusals are read before it sees them.
"""

import json
from collections.abc import Callable
from typing import Any, Final

import finnhub
import httpx2
import requests
from pydantic import SecretStr

from ingestion.sources.wire.http import redact, status_fault
from ingestion.sources.wire.json_answer import no_json, too_deep
from ingestion.sources.wire.patience import TryAgain
from market.errors import InputError, MissingCredential, NotEntitled, SourceUnavailable

KEY_HEADER: Final = "X-Finnhub-Token"
REGISTER: Final = "https://finnhub.io/register"
# Redirects too: they would carry the header with the key to another host.
REFUSALS: Final = 300


class Client(finnhub.Client):
    """Finnhub's client with the key in a header, its own address, and refusals raised as ours."""

    def __init__(self, key: SecretStr, base_url: str, seconds: float) -> None:
        super().__init__(api_key=None)
        self.API_URL = base_url
        self.DEFAULT_TIMEOUT = seconds
        self._session.headers[KEY_HEADER] = key.get_secret_value()
        self._session.hooks["response"] = [lambda response, **_: _refuse(response, key)]


def answer(
    what: str,
    ask: Callable[[finnhub.Client], Any],
    key: SecretStr,
    base_url: str,
    seconds: float,
) -> Any:  # noqa: ANN401 - whatever the vendor sent
    """Return the JSON value that a question to the client gives.

    Parameters
    ----------
    what
        The vendor and what is asked for, for messages.
    ask
        The question.
    key, base_url
        The key, and the address of the API.
    seconds
        The longest wait for the network.

    Raises
    ------
    TryAgain, SourceUnavailable
        If Finnhub did not answer usefully; the text says only why.
    MissingCredential, NotEntitled
        If Finnhub refuses the key, or the plan does not include the question.
    SchemaViolation
        If the answer is nested beyond reading.
    """
    try:
        with Client(key, base_url, seconds) as client:
            return _parsed(ask(client))
    except (InputError, SourceUnavailable) as refusal:
        fault = refusal
    except RecursionError:
        fault = too_deep(what)
    except finnhub.FinnhubRequestException as error:
        said = error.message.removeprefix("Invalid Response: ")
        fault = SourceUnavailable(no_json(redact(said, key.get_secret_value())))
    except requests.RequestException as error:
        fault = _network_fault(error, key)
    # Outside the handlers and without a trace: what it passes through holds the key.
    raise fault.with_traceback(None)


def _parsed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return an answer as JSON: the client leaves one that is sent as plain text a text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise finnhub.FinnhubRequestException(value) from None


def _network_fault(error: requests.RequestException, key: SecretStr) -> SourceUnavailable:
    if isinstance(error, requests.Timeout):
        return TryAgain(f"no answer in time ({type(error).__name__})")
    # The error within names the fault alone; the one around it begins with the address.
    within = getattr(error.args[0] if error.args else None, "reason", error)
    reason = redact(str(within), key.get_secret_value()) or type(error).__name__
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return TryAgain(f"the answer broke off ({reason:.200})")
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return TryAgain(f"the answer broke off ({reason:.200})")
    if isinstance(error, requests.ConnectionError):
        return TryAgain(f"the connection failed ({reason:.200})")
    return SourceUnavailable(f"no answer ({reason:.200})")


def _refuse(response: requests.Response, key: SecretStr) -> None:
    """Raise the error of an answer that is no success."""
    status = response.status_code
    if status < REFUSALS:
        return
    said = redact(_reason(response), key.get_secret_value())
    if status == requests.codes.unauthorized:
        raise MissingCredential(
            f"Finnhub refuses the key (HTTP 401{f': {said:.100}' if said else ''}): set "
            f"FINNHUB_API_KEY to a key from {REGISTER}"
        )
    if status == requests.codes.forbidden:
        raise NotEntitled(
            f"Finnhub's plan of this key does not include it (HTTP 403"
            f"{f': {said:.100}' if said else ''}): go on without it, or take a plan that does"
        )
    raise status_fault(status, httpx2.Headers(dict(response.headers)), said)


def _reason(response: requests.Response) -> str:
    """Return what a refusal says in the vendor's own form, or nothing."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    said = body.get("error") if isinstance(body, dict) else None
    return said if isinstance(said, str) else ""
