"""One try of ALFRED: the values that stood in a window of its real time, as JSON.

Asked for directly: fredapi has no timeout, and drops the count by which a cut answer is known. The
key joins the request on its way, so that neither a message, a log nor a traceback can hold it.
"""

import json
import logging
import re
from collections.abc import Generator, Mapping
from datetime import date
from typing import Any, Final

import httpx2
from pydantic import SecretStr

from ingestion.sources.fred.api import refused
from ingestion.sources.fred.vintages import Published, TooManyVintages, Window
from ingestion.sources.wire.http import USER_AGENT, redact, transport_fault
from ingestion.sources.wire.json_answer import no_json, too_deep
from market.errors import SchemaViolation, SourceUnavailable

# FRED's word for a day without an observation.
NONE: Final = "."
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
# The days that 64 bits of nanoseconds since 1970 can hold.
FIRST_DAY: Final = date(1677, 9, 22)
LAST_DAY: Final = date(2262, 4, 11)
NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
OBSERVATION: Final = ("date", "realtime_start", "value")
# ALFRED's refusals (HTTP 400) that say something about a window, and nothing about the question.
BEFORE_THE_FIRST: Final = "does not exist in ALFRED"
TOO_MANY: Final = "exceeds the maximum number of vintage dates"


def published_values(
    series: str, window: Window, offset: int, key: SecretStr, base_url: str, seconds: float
) -> tuple[list[Published], int]:
    """Return values that stood in a window of ALFRED's real time, from a place in its list on.

    Parameters
    ----------
    series, window
        What is asked for.
    offset
        How many rows of the answer to pass over.
    key, base_url
        The key, and the address of the API.
    seconds
        The longest wait for the server.

    Returns
    -------
    tuple
        The rows with a value, and the place of the next one, -1 if there is none.

    Raises
    ------
    TooManyVintages
        If the window is too long.
    TryAgain, SourceUnavailable, MissingCredential, NotEntitled, SchemaViolation
        As `ingestion.sources.fred.api.latest_values`.
    """
    query = {
        "series_id": series,
        "file_type": "json",
        "output_type": "1",
        "realtime_start": window.first.isoformat(),
        "realtime_end": window.last.isoformat(),
        "offset": str(offset),
    }
    text = _text(f"{base_url}/series/observations", query, key, seconds)
    if text is None:
        return [], -1
    what = f"FRED, {series}, vintages of {window}"
    try:
        document = json.loads(text)
    except ValueError:
        raise SourceUnavailable(no_json(text)) from None
    except RecursionError:
        raise too_deep(what) from None
    return _rows(what, document, offset)


class _WithKey(httpx2.Auth):
    """Adds the key to a request on its way, so that no other code holds an address with it."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        url = request.url.copy_merge_params({"api_key": self._key.get_secret_value()})
        yield httpx2.Request(request.method, url, headers=request.headers)


def _without_queries(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def _text(url: str, query: Mapping[str, str], key: SecretStr, seconds: float) -> str | None:
    """Return the text of an answer, None where ALFRED has no vintage in the window."""
    # httpx2 logs every address that it asks.
    logging.getLogger("httpx2").addFilter(_without_queries)
    fault: Exception
    try:
        with httpx2.Client(
            timeout=seconds, auth=_WithKey(key), headers={"User-Agent": USER_AGENT}
        ) as client:
            response = client.get(url, params=query)
    except httpx2.HTTPError as error:
        fault = transport_fault(error, [key.get_secret_value()])
    else:
        if response.is_success:
            return response.content.decode("utf-8", errors="replace")
        said = redact(_message(response), key.get_secret_value())
        if response.status_code == 400 and BEFORE_THE_FIRST in said:
            return None
        if response.status_code == 400 and TOO_MANY in said:
            fault = TooManyVintages(said)
        else:
            fault = refused(response.status_code, response.headers, said)
    raise fault


def _message(response: httpx2.Response) -> str:
    try:
        document = json.loads(response.content)
    except ValueError:
        return ""
    said = document.get("error_message") if isinstance(document, dict) else None
    return said if isinstance(said, str) else ""


def _rows(what: str, document: Any, offset: int) -> tuple[list[Published], int]:  # noqa: ANN401 - any JSON
    observations = document.get("observations") if isinstance(document, dict) else None
    count = document.get("count") if isinstance(document, dict) else None
    if not isinstance(observations, list) or not isinstance(count, int):
        raise SchemaViolation(f"{what}: got JSON without count and observations, allowed is both")
    rows = [_published(what, row) for row in observations]
    after = offset + len(observations)
    if after < count and not observations:
        raise SourceUnavailable(f"got no row from the place {offset} on of {count}")
    return [row for row in rows if row is not None], after if after < count else -1


def _published(what: str, row: Any) -> Published | None:  # noqa: ANN401 - any JSON
    """Return one observation, None where there is none on its day."""
    cells = [row.get(name) if isinstance(row, dict) else None for name in OBSERVATION]
    observed, vintage, value = (cell if isinstance(cell, str) else "" for cell in cells)
    day, published = _day(observed), _day(vintage)
    if not day or not published or not (value == NONE or NUMBER.fullmatch(value)):
        raise SchemaViolation(
            f"{what}: got the observation {str(row)!r:.120}, allowed are days and a number"
        )
    return None if value == NONE else Published(day, published, float(value))


def _day(text: str) -> date | None:
    # fromisoformat takes other forms than FRED's, such as a week.
    try:
        day = date.fromisoformat(text) if DAY.fullmatch(text) else None
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None
