"""One try of FRED's API, its errors told apart by what to do about them.

Latest revisions come through fredapi. It puts the key into the address, and turns every refusal
into a `ValueError`; the refusal itself, with its status, stays in the error's context. Nothing of
either leaves this file.
"""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from xml.etree.ElementTree import ParseError

import httpx2
import pandas as pd
from pydantic import SecretStr

from ingestion.sources.wire.http import redact, status_fault
from ingestion.sources.wire.patience import TryAgain
from market.errors import (
    InputError,
    MissingCredential,
    NotEntitled,
    SchemaViolation,
    SourceUnavailable,
)

# What fredapi lets through: the network's errors, and those of parsing an answer.
FAULTS: Final = (OSError, HTTPException, ParseError, ValueError, TypeError, LookupError)


def latest_values(series: str, key: SecretStr, base_url: str) -> pd.Series:
    """Return the latest revision of all observations, NaN for a day without one, by day.

    Raises
    ------
    TryAgain, SourceUnavailable
        If FRED did not answer usefully; the text says only why.
    MissingCredential, NotEntitled
        If FRED refuses the key.
    SchemaViolation
        If an observation cannot be read.
    """
    import fredapi

    client = fredapi.Fred(api_key=key.get_secret_value())
    client.root_url = base_url
    try:
        return client.get_series(series)
    except FAULTS as error:
        fault = _fault(error, series, key)
    # Outside the handler: fredapi's errors hold the address, and with it the key.
    raise fault


def _fault(error: Exception, series: str, key: SecretStr) -> InputError | SourceUnavailable:
    refusal = error if isinstance(error, HTTPError) else error.__context__
    if isinstance(refusal, HTTPError):
        said = str(error) if isinstance(error, ValueError) else ""
        headers = httpx2.Headers(refusal.headers.items())
        return refused(refusal.code, headers, redact(said, key.get_secret_value()))
    reason = error.reason if isinstance(error, URLError) else error
    words = redact(str(reason), key.get_secret_value())
    if isinstance(error, OSError | HTTPException):
        return TryAgain(f"the connection failed ({words or type(error).__name__:.200})")
    if isinstance(error, ParseError):
        return SourceUnavailable(f"got something that is not XML ({words:.60})")
    return SchemaViolation(f"FRED, {series}: got an observation that cannot be read: {words:.200}")


def refused(status: int, headers: Mapping[str, str], said: str) -> InputError | SourceUnavailable:
    """Return the error of an answer of FRED's API that is no success.

    Parameters
    ----------
    status, headers
        The answer's.
    said
        FRED's words in it, without the key.
    """
    if status == 401 or (status == 400 and "api_key" in said):
        return MissingCredential(
            f"FRED refuses the key (HTTP {status}): set FRED_API_KEY to a key from "
            "https://fred.stlouisfed.org/docs/api/api_key.html, or unset it for the keyless "
            "download"
        )
    if status == 403:
        return NotEntitled(
            "FRED refuses this key the access (HTTP 403): ask FRED about the key, or unset "
            "FRED_API_KEY for the keyless download"
        )
    return status_fault(status, headers, said)
