"""FRED over a real socket: the keyless download, and the API through fredapi."""

import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion.gate.expectations import gate
from ingestion.sources.fred.source import API_URL, CSV_URL, Fred
from ingestion.sources.recorded.source import Recorded
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import MACRO_SERIES
from market.availability import SERIES
from market.errors import (
    ConfigurationError,
    InputError,
    MissingCredential,
    NotEntitled,
    SchemaViolation,
    SourceUnavailable,
)

integration = pytest.mark.integration

KEY = "abcdefghijklmnopqrstuvwxyz012345"
END = pd.Timestamp("2024-01-04")
QUICK = Http(Patience(
    attempts=2, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
))  # fmt: skip
HASTY = Http(Patience(attempts=1, attempt_seconds=0.2, budget_seconds=5))
CSV = "observation_date,DGS10\n2024-01-01,.\n2024-01-02,3.95\n2024-01-03,3.91\n2024-01-04,\n"
XML = """\
<?xml version="1.0" encoding="utf-8" ?>
<observations realtime_start="2024-02-01" realtime_end="2024-02-01" count="3" units="lin">
  <observation realtime_start="2024-02-01" date="2024-01-01" value="."/>
  <observation realtime_start="2024-02-01" date="2024-01-02" value="3.95"/>
  <observation realtime_start="2024-02-01" date="2024-01-03" value="3.91"/>
</observations>
"""
API_PATH, CSV_PATH = "/fred/series/observations", "/graph/fredgraph.csv"
SERVER_FAULT = '<?xml version="1.0"?><error code="{}" message="{}"/>'
UNREGISTERED = (
    "Bad Request.  The value for variable api_key is not registered.  Read "
    "https://fred.stlouisfed.org/docs/api/api_key.html for more information."
)


def keyless(server: HTTPServer, http: Http = QUICK) -> Fred:
    return Fred(None, server.url_for("/fred"), server.url_for(CSV_PATH), http)


def keyed(server: HTTPServer, http: Http = QUICK) -> Fred:
    return Fred(KEY, server.url_for("/fred/"), server.url_for(CSV_PATH), http)


def dgs10(source: Fred, start: str | None = None, end: pd.Timestamp = END) -> pd.DataFrame:
    first = None if start is None else pd.Timestamp(start)
    return MACRO_SERIES.check(source.fetch("macro_series", ["DGS10"], first, end))


@pytest.fixture
def served(httpserver: HTTPServer) -> HTTPServer:
    httpserver.expect_request(CSV_PATH, query_string={"id": "DGS10"}).respond_with_data(CSV)
    httpserver.expect_request(
        API_PATH, query_string={"series_id": "DGS10", "api_key": KEY}
    ).respond_with_data(XML)
    return httpserver


# --- observations -------------------------------------------------------------------------------


@integration
@pytest.mark.parametrize("open_fred", [keyless, keyed])
def test_days_without_an_observation_are_absent(open_fred, served: HTTPServer) -> None:
    frame = dgs10(open_fred(served))
    assert frame["observation_date"].tolist() == [
        pd.Timestamp("2024-01-02"), pd.Timestamp("2024-01-03"),
    ]  # fmt: skip
    assert frame["value"].tolist() == [3.95, 3.91]
    assert frame["vintage_date"].isna().all()
    good, bad = gate(MACRO_SERIES, frame)
    assert (len(good), len(bad)) == (2, 0)
    assert len(served.log) == 1


@integration
def test_both_ways_give_the_same_rows(served: HTTPServer) -> None:
    pd.testing.assert_frame_equal(dgs10(keyed(served)), dgs10(keyless(served)))


@integration
def test_same_rows_as_the_recorded_file(httpserver: HTTPServer, vendor_folder: Path) -> None:
    text = (vendor_folder / "fred/DGS10.csv").read_text()
    httpserver.expect_request(CSV_PATH).respond_with_data(text)
    recorded = Recorded(vendor_folder).fetch("macro_series", ["DGS10"], None, END)
    pd.testing.assert_frame_equal(dgs10(keyless(httpserver)), recorded)


@integration
def test_the_older_name_of_the_date_column(httpserver: HTTPServer) -> None:
    older = CSV.replace("observation_date", "DATE").replace("\n", "\r\n")
    httpserver.expect_request(CSV_PATH).respond_with_data(older)
    assert dgs10(keyless(httpserver))["value"].tolist() == [3.95, 3.91]


@integration
@pytest.mark.parametrize("open_fred", [keyless, keyed])
def test_rows_outside_the_days_asked_for_stay_out(open_fred, served: HTTPServer) -> None:
    source = open_fred(served)
    assert dgs10(source, "2024-01-03")["value"].tolist() == [3.91]
    assert dgs10(source, None, pd.Timestamp("2024-01-02"))["value"].tolist() == [3.95]


@integration
@pytest.mark.parametrize("series", SERIES)
def test_every_series_is_asked_for_by_its_name(series: str, httpserver: HTTPServer) -> None:
    body = f"observation_date,{series}\n2024-01-02,4.5\n"
    httpserver.expect_request(CSV_PATH, query_string={"id": series}).respond_with_data(body)
    frame = keyless(httpserver).fetch("macro_series", [series], None, END)
    assert frame[["series", "value"]].to_numpy().tolist() == [[series, 4.5]]


def test_the_addresses_are_freds_own_by_default() -> None:
    source = Fred()
    assert (source.api_url, source.csv_url) == (API_URL, CSV_URL)
    assert API_URL.startswith("https://")
    assert CSV_URL.startswith("https://")


@pytest.mark.parametrize("series", ["GDP", "../DGS10", "DGS10&api_key=x", ""])
def test_an_unknown_series_is_refused_before_anybody_is_asked(series: str) -> None:
    with pytest.raises(InputError, match=r"unknown macro series: got .* allowed are DFF, DGS2"):
        Fred().fetch("macro_series", [series], None, END)


# --- faults -------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """An answer, the error it should give, the words, and whether it is worth a second try."""

    status: int
    body: str
    error: type[Exception]
    words: str
    tried_again: bool = False


DOWNLOAD_FAULTS = {
    "too many requests": Fault(429, "", SourceUnavailable, "HTTP 429", True),
    "internal error": Fault(500, "<html>", SourceUnavailable, "HTTP 500", True),
    "gateway timed out": Fault(504, "", SourceUnavailable, "HTTP 504", True),
    "not found": Fault(404, "", SourceUnavailable, "HTTP 404"),
    "web page": Fault(200, "<!DOCTYPE html>", SourceUnavailable, "got a web page"),
    "empty": Fault(200, "", SourceUnavailable, "got an empty answer"),
    "header only": Fault(200, "observation_date,DGS10\n", SourceUnavailable, "got one line"),
    "cut in the last line": Fault(
        200, CSV + "2024-01", SourceUnavailable, "line 6: got 1 cells, allowed are 2"
    ),
    "another series": Fault(
        200, CSV.replace("DGS10", "DGS2"), SchemaViolation, "missing column DGS10"
    ),
    "no date column": Fault(
        200, CSV.replace("observation_", "obs_"), SchemaViolation, "missing column observation_date"
    ),
    "a word for a number": Fault(
        200, CSV + "2024-01-05,N/A\n", SchemaViolation, "column DGS10: got 'N/A'"
    ),
    "another form of date": Fault(
        200, CSV + "01/05/2024,4\n", SchemaViolation, "column observation_date: got '01/05/2024'"
    ),
}


@integration
@pytest.mark.parametrize("fault", DOWNLOAD_FAULTS.values(), ids=DOWNLOAD_FAULTS)
def test_fault_of_the_download(fault: Fault, httpserver: HTTPServer) -> None:
    httpserver.expect_request(CSV_PATH).respond_with_data(fault.body, fault.status)
    with pytest.raises(fault.error) as caught:
        dgs10(keyless(httpserver))
    assert str(caught.value).startswith("FRED, DGS10")
    assert fault.words in str(caught.value)
    assert len(httpserver.log) == (2 if fault.tried_again else 1)


def refusal(status: int, message: str) -> str:
    return SERVER_FAULT.format(status, message)


API_FAULTS = {
    "unregistered key": Fault(
        400, refusal(400, UNREGISTERED), MissingCredential, "FRED refuses the key (HTTP 400): set"
    ),
    "key not accepted": Fault(
        401, refusal(401, "Unauthorized"), MissingCredential, "refuses the key (HTTP 401)"
    ),
    "key without access": Fault(403, refusal(403, "Forbidden"), NotEntitled, "(HTTP 403)"),
    "no such series": Fault(
        400,
        refusal(400, "Bad Request.  The series does not exist."),
        SourceUnavailable,
        "HTTP 400 Bad Request: Bad Request.  The series does not exist.",
    ),
    "too many requests": Fault(
        429, refusal(429, "Too Many Requests"), SourceUnavailable, "tried 2 times", True
    ),
    "internal error": Fault(
        500, refusal(500, "Internal Server Error"), SourceUnavailable, "HTTP 500", True
    ),
    "a page for an error": Fault(502, "<html><br></html>", SourceUnavailable, "HTTP 502", True),
    "nothing for an error": Fault(503, "", SourceUnavailable, "HTTP 503", True),
    "a page for an answer": Fault(200, "<html><br></html>", SourceUnavailable, "not XML"),
    "empty": Fault(200, "", SourceUnavailable, "not XML"),
    "cut": Fault(200, XML[:-30], SourceUnavailable, "not XML"),
    "no observation": Fault(200, "<observations/>", SourceUnavailable, "got no observation"),
    "a word for a number": Fault(
        200, XML.replace("3.95", "high"), SchemaViolation, "could not convert string to float"
    ),
    "another form of date": Fault(
        200, XML.replace("2024-01-02", "2 Jan"), SchemaViolation, "cannot be read"
    ),
    "other elements": Fault(200, "<a><b c='d'/></a>", SchemaViolation, "cannot be read"),
}


def key_seen_in(error: BaseException) -> list[str]:
    """Where the key is: messages, causes, or the variables that a crash report would print."""
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        seen += [part for part in (str(at), repr(at), repr(vars(at))) if KEY in part]
        for frame, _ in traceback.walk_tb(at.__traceback__):
            if "tests" not in Path(frame.f_code.co_filename).parts:
                seen += [
                    f"{frame.f_code}: {k}" for k, v in frame.f_locals.items() if KEY in repr(v)
                ]
        at = at.__cause__ or at.__context__
    return seen


@integration
@pytest.mark.parametrize("fault", API_FAULTS.values(), ids=API_FAULTS)
def test_fault_of_the_api_and_the_key_is_nowhere(
    fault: Fault,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    httpserver.expect_request(API_PATH).respond_with_data(fault.body, fault.status)
    with pytest.raises(fault.error) as caught:
        dgs10(keyed(httpserver))
    assert fault.words in str(caught.value)
    assert len(httpserver.log) == (2 if fault.tried_again else 1)
    assert key_seen_in(caught.value) == []
    # The test's own web server logs the address that it was asked for.
    ours = [r for r in caplog.records if r.name != "werkzeug"]
    assert not any(KEY in record.getMessage() for record in ours)
    assert KEY not in "".join(capfd.readouterr())


@integration
@pytest.mark.parametrize("open_fred", [keyless, keyed])
def test_pause_beyond_the_budget_is_told_and_not_waited_for(
    open_fred, httpserver: HTTPServer
) -> None:
    slow_down = Response(refusal(429, "Too Many Requests"), 429, {"Retry-After": "600"})
    for path in (API_PATH, CSV_PATH):
        httpserver.expect_request(path).respond_with_handler(lambda _: slow_down)
    with pytest.raises(SourceUnavailable, match=r"asks for 600 s of pause\); try again later"):
        dgs10(open_fred(httpserver))
    assert len(httpserver.log) == 1


@pytest.fixture
def held(httpserver: HTTPServer) -> Iterator[HTTPServer]:
    over = Event()

    def hold(_: Request) -> Response:
        over.wait(30)
        return Response("late")

    for path in (API_PATH, CSV_PATH):
        httpserver.expect_request(path).respond_with_handler(hold)
    yield httpserver
    over.set()


@integration
@pytest.mark.parametrize("open_fred", [keyless, keyed])
def test_server_that_hangs_is_left_alone(open_fred, held: HTTPServer) -> None:
    with pytest.raises(SourceUnavailable, match=r"FRED, DGS10: no answer .*; try again") as caught:
        dgs10(open_fred(held, HASTY))
    assert key_seen_in(caught.value) == []


@integration
@pytest.mark.parametrize("with_key", [False, True])
def test_nobody_there(with_key: bool, httpserver: HTTPServer) -> None:
    closed = HTTPServer(host="127.0.0.1", port=0)
    closed.start()
    url = closed.url_for("")
    closed.stop()
    source = Fred(KEY if with_key else None, url, url, QUICK)
    with pytest.raises(SourceUnavailable, match=r"refused.*, tried 2 times; try again") as caught:
        dgs10(source)
    assert key_seen_in(caught.value) == []


@integration
def test_fault_that_passes_is_not_seen(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request(API_PATH).respond_with_data(refusal(500, "Oops"), 500)
    httpserver.expect_ordered_request(API_PATH).respond_with_data(XML)
    assert len(dgs10(keyed(httpserver))) == 2


@integration
def test_impossible_value_is_left_to_the_gate(httpserver: HTTPServer) -> None:
    httpserver.expect_request(CSV_PATH).respond_with_data(CSV + "2024-01-04,9999\n")
    good, bad = gate(MACRO_SERIES, dgs10(keyless(httpserver)))
    assert (len(good), len(bad)) == (2, 1)


# --- the key ------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=80).filter(lambda key: key.strip() != KEY))
def test_what_cannot_be_a_key_is_refused_without_a_word_of_it(key: str) -> None:
    with pytest.raises(MissingCredential) as caught:
        Fred(key)
    assert str(caught.value) == (
        f"FRED_API_KEY: got {len(key)} characters that are no key of FRED, allowed are 32 small "
        "letters and digits; correct it, or unset it for the keyless download"
    )
    assert isinstance(caught.value, ConfigurationError)


@integration
@pytest.mark.parametrize("key", [None, ""])
def test_no_key_takes_the_download(key: str | None, served: HTTPServer) -> None:
    dgs10(Fred(key, served.url_for("/fred"), served.url_for(CSV_PATH), QUICK))
    assert [request.path for request, _ in served.log] == [CSV_PATH]


@integration
def test_key_of_the_environment_is_not_read(
    served: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRED_API_KEY", KEY)
    dgs10(keyless(served))
    assert [request.path for request, _ in served.log] == [CSV_PATH]


def test_key_is_not_in_what_the_source_shows() -> None:
    source = Fred(KEY)
    assert KEY not in repr(source)
    assert KEY not in repr(vars(source))
