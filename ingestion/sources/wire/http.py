"""Text from a vendor's web server: with timeouts, bounded tries, and no key in any message."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Final
from urllib.parse import quote, quote_plus

import httpx2

from ingestion.sources.wire.patience import PATIENCE, Patience, TryAgain, patiently
from market.errors import InputError, SchemaViolation, SourceUnavailable

USER_AGENT: Final = "optrade"
# Statuses that may be gone a second later; so may every one from 500 on.
PASSING: Final = frozenset({408, 423, 425, 429})
HIDDEN: Final = "***"
# The query of an address, and the name and password before its host.
QUERY: Final = re.compile(r"\?[^\s'\"<>]*=[^\s'\"<>]*")
USER: Final = re.compile(r"//[^\s/@'\"]+@")


@dataclass(frozen=True)
class Http:
    """Questions to web servers.

    Attributes
    ----------
    patience
        The tries that each question is worth.
    transport
        What carries the requests; None is the network.
    """

    patience: Patience = PATIENCE
    transport: httpx2.BaseTransport | None = None

    def text(
        self,
        what: str,
        url: str,
        params: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        headers: Mapping[str, str] = MappingProxyType({}),
        refusals: Mapping[int, InputError] = MappingProxyType({}),
    ) -> str:
        """Return the UTF-8 text at an address.

        Parameters
        ----------
        what
            The vendor and what is asked for, for messages.
        url, params
            The address and its query.
        secrets
            Texts that no message may hold. Queries of addresses are never in one.
        headers
            Of the request, such as a key; a redirection to another host is not given a key.
        refusals
            The errors of statuses that trying again does not help.

        Raises
        ------
        SourceUnavailable
            If the server did not answer with success in time, and in the tries allowed.
        SchemaViolation
            If the answer is not UTF-8 text.
        """
        sent = {"User-Agent": USER_AGENT, **headers}
        request = httpx2.Request("GET", url, params=params, headers=sent)

        def ask(seconds: float) -> bytes:
            return self._answer(request, seconds, secrets, refusals)

        return _decoded(what, patiently(what, ask, self.patience))

    def _answer(
        self,
        request: httpx2.Request,
        seconds: float,
        secrets: Sequence[str],
        refusals: Mapping[int, InputError],
    ) -> bytes:
        fault: Exception
        try:
            with httpx2.Client(
                timeout=seconds, follow_redirects=True, transport=self.transport
            ) as client:
                response = client.send(request)
        except httpx2.HTTPError as error:
            fault = transport_fault(error, secrets)
        else:
            if response.is_success:
                return response.content
            status = response.status_code
            fault = refusals.get(status) or status_fault(status, response.headers)
        raise fault


HTTP: Final = Http()


def transport_fault(error: httpx2.HTTPError, secrets: Sequence[str] = ()) -> SourceUnavailable:
    """Return the error of a request that got no whole answer, with its reason."""
    if isinstance(error, httpx2.TimeoutException):
        return TryAgain(f"no answer in time ({type(error).__name__})")
    reason = redact(str(error), *secrets) or type(error).__name__
    if isinstance(error, httpx2.NetworkError):
        return TryAgain(f"the connection failed ({reason:.200})")
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.DecodingError):
        return TryAgain(f"the answer broke off ({reason:.200})")
    return SourceUnavailable(f"no answer ({reason:.200})")


def status_fault(status: int, headers: Mapping[str, str], detail: str = "") -> SourceUnavailable:
    """Return the error of an answer that is no success: its status, and what the vendor says."""
    known = status in {row.value for row in HTTPStatus}
    reason = f"HTTP {status}{f' {HTTPStatus(status).phrase}' if known else ''}"
    reason += f": {detail:.200}" if detail else ""
    if status not in PASSING and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return SourceUnavailable(reason)
    pause = retry_after(headers)
    asked = "" if pause is None else f" (asks for {pause:g} s of pause)"
    return TryAgain(f"{reason}{asked}", pause)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause that an answer asks for, in seconds; None if it asks for none.

    A moment is compared with the server's own clock, as RFC 9110 (10.2.3) allows both forms.
    """
    asked = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", asked):
        return float(asked)
    try:
        moment = parsedate_to_datetime(asked)
        pause = moment - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, pause.total_seconds())


def redact(text: str, *secrets: str) -> str:
    """Return a text without the secrets, and without queries and passwords of addresses."""
    for secret in filter(None, secrets):
        for form in (secret, quote(secret, safe=""), quote_plus(secret)):
            text = text.replace(form, HIDDEN)
    return USER.sub(f"//{HIDDEN}@", QUERY.sub(f"?{HIDDEN}", text))


def _decoded(what: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SchemaViolation(
            f"{what}: got byte 0x{error.object[error.start]:02x} at position {error.start}, "
            "allowed is UTF-8 text"
        ) from None
