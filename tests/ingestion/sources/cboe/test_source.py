"""Cboe's history files over a real socket: what they hold, and what may come in their place."""

from typing import NamedTuple

import pandas as pd
import pytest
from pytest_httpserver import HTTPServer

from ingestion.gate.expectations import gate
from ingestion.sources.cboe.source import BASE_URL, Cboe
from ingestion.sources.recorded.source import Recorded
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import INDICES
from market.errors import InputError, SchemaViolation, SourceUnavailable
from market.underlyings import VOLATILITY_INDICES

pytestmark = pytest.mark.integration

ONCE = Http(Patience(attempts=1, attempt_seconds=5, budget_seconds=5))
END = pd.Timestamp("2024-01-05")
HEADER = "DATE,OPEN,HIGH,LOW,CLOSE\n"
ROWS = """\
01/02/2024,13.210000,14.230000,13.100000,13.200000
01/03/2024,13.380000,14.220000,13.330000,14.040000
01/04/2024,13.970000,14.200000,13.640000,14.130000
01/05/2024,14.240000,14.580000,13.290000,13.350000
"""


def served(server: HTTPServer, body: str | bytes, symbol: str = "VIX") -> Cboe:
    server.expect_request(f"/prices/{symbol}_History.csv").respond_with_data(body)
    return Cboe(server.url_for("/prices/"), ONCE)


def vix(source: Cboe, start: str | None = None, end: pd.Timestamp = END) -> pd.DataFrame:
    first = None if start is None else pd.Timestamp(start)
    return INDICES.check(source.fetch("indices", ["VIX"], first, end))


def test_levels_of_a_file(httpserver: HTTPServer) -> None:
    frame = vix(served(httpserver, HEADER + ROWS))
    assert frame["symbol"].tolist() == ["VIX"] * 4
    assert frame["session"].tolist() == list(pd.to_datetime(
        ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
    ))  # fmt: skip
    assert frame["close"].tolist() == [13.20, 14.04, 14.13, 13.35]
    assert frame[["open", "high", "low"]].iloc[0].tolist() == [13.21, 14.23, 13.10]
    good, bad = gate(INDICES, frame)
    assert (len(good), len(bad)) == (4, 0)


def test_the_address_is_cboes_own_by_default() -> None:
    assert Cboe().base_url == BASE_URL
    assert BASE_URL.startswith("https://")


@pytest.mark.parametrize("symbol", VOLATILITY_INDICES)
def test_every_index_has_its_file(symbol: str, httpserver: HTTPServer) -> None:
    source = served(httpserver, HEADER + ROWS, symbol)
    assert set(source.fetch("indices", [symbol], None, END)["symbol"]) == {symbol}


def test_a_file_of_closes_alone_has_null_for_the_rest(httpserver: HTTPServer) -> None:
    frame = vix(served(httpserver, "DATE,CLOSE\r\n01/02/2024,13.2\r\n\r\n01/03/2024,14.04\r\n"))
    assert frame["close"].tolist() == [13.2, 14.04]
    assert frame[["open", "high", "low"]].isna().all(axis=None)


def test_same_levels_as_the_recorded_files(httpserver: HTTPServer, vendor_folder) -> None:
    recorded = Recorded(vendor_folder).fetch("indices", ["VIX"], None, END)
    text = (vendor_folder / "cboe/VIX.csv").read_text().splitlines()
    cells = [line.split(",", 1) for line in text[1:]]
    lines = [f"{day[5:7]}/{day[8:]}/{day[:4]},{rest}" for day, rest in cells]
    frame = vix(served(httpserver, HEADER + "\n".join(lines)))
    pd.testing.assert_frame_equal(frame, recorded)


class Fault(NamedTuple):
    """What comes in place of the file, the group of its error, and the words."""

    body: str | bytes
    error: type[Exception]
    words: str


FAULTS = {
    "empty": Fault("", SourceUnavailable, "got an empty answer"),
    "blank": Fault("\n \r\n", SourceUnavailable, "got an empty answer"),
    "web page": Fault(
        "\n<!DOCTYPE html><html><body>Just a moment...", SourceUnavailable, "a web page in place"
    ),
    "XML error": Fault("<Error><Code>AccessDenied</Code>", SourceUnavailable, "a web page in pl"),
    "header only": Fault(HEADER, SourceUnavailable, "got one line"),
    "JSON": Fault('{"error": "no"}', SourceUnavailable, 'got one line (\'{"error": "no"}\')'),
    "cut in the last line": Fault(
        HEADER + ROWS[:-20], SourceUnavailable, "line 5: got 4 cells, allowed are 5"
    ),
    "cut in another line": Fault(
        HEADER + "01/01/2024,13\n" + ROWS, SchemaViolation, "line 2: got 2 cells, allowed are 5"
    ),
    "a cell too many in the last line": Fault(
        HEADER + ROWS.rstrip() + ",1\n", SchemaViolation, "line 5: got 6 cells, allowed are 5"
    ),
    "other columns": Fault(
        "DATE,VIX\n01/02/2024,13\n", SchemaViolation, "missing column CLOSE; got DATE, VIX"
    ),
    "a column twice": Fault(
        "DATE,CLOSE,CLOSE\n01/02/2024,1,2\n", SchemaViolation, "column CLOSE more than once"
    ),
    "another form of date": Fault(
        HEADER + "2024-01-02,13,14,13,13\n", SchemaViolation, "column DATE: got '2024-01-02'"
    ),
    "day and month swapped": Fault(
        HEADER + "31/01/2024,13,14,13,13\n", SchemaViolation, "allowed is a date such as 01/31"
    ),
    "a word for a number": Fault(
        HEADER + "01/02/2024,13,14,13,n/a\n", SchemaViolation, "column CLOSE: got 'n/a', allowed"
    ),
    "an open quote": Fault(HEADER + '01/02/2024,"13\n', SchemaViolation, "unexpected end of data"),
    "bytes": Fault(b"DATE\x80,CLOSE\n", SchemaViolation, "byte 0x80"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_is_refused_with_what_was_got(fault: Fault, httpserver: HTTPServer) -> None:
    with pytest.raises(fault.error) as caught:
        vix(served(httpserver, fault.body))
    assert str(caught.value).startswith("Cboe, VIX_History.csv")
    assert fault.words in str(caught.value)
    assert isinstance(caught.value, SourceUnavailable) == ("try again later" in str(caught.value))


# What parses is the gate's to judge.
PASSED_ON = {
    "null close": ("01/08/2024,13,14,13,\n", "close: not null"),
    "a date twice": ("01/05/2024,14,14,13,13\n", "symbol, session: once"),
    "a holiday": ("01/01/2024,13,14,13,13\n", "session: an XNYS session"),
    "a misprint": ("01/08/2024,13,14,13,-13\n", "close: > 0"),
}


@pytest.mark.parametrize(("row", "reason"), PASSED_ON.values(), ids=PASSED_ON)
def test_impossible_row_is_left_to_the_gate(row: str, reason: str, httpserver: HTTPServer) -> None:
    frame = vix(served(httpserver, HEADER + ROWS + row), end=pd.Timestamp("2024-01-08"))
    assert len(frame) == 5
    good, bad = gate(INDICES, frame)
    assert len(good) in (3, 4)
    assert bad.iloc[:, -1].str.contains(reason, regex=False).all()


def test_rows_after_the_end_and_before_the_start_stay_out(httpserver: HTTPServer) -> None:
    source = served(httpserver, HEADER + ROWS + "12/31/2099,1,1,1,1\n")
    assert vix(source, "2024-01-03", pd.Timestamp("2024-01-04"))["close"].tolist() == [14.04, 14.13]
    assert vix(source)["session"].max() == END


def test_an_unknown_symbol_is_refused_before_anybody_is_asked(httpserver: HTTPServer) -> None:
    with pytest.raises(InputError, match=r"got '\.\./VIX', allowed are VIX, VXN, RVX, VIX3M"):
        Cboe(httpserver.url_for("/"), ONCE).fetch("indices", ["../VIX"], None, END)
    assert not httpserver.log


def test_days_in_the_wrong_order_are_refused_before_anybody_is_asked(
    httpserver: HTTPServer,
) -> None:
    with pytest.raises(InputError, match="start 2024-02-01 lies after end"):
        vix(Cboe(httpserver.url_for("/"), ONCE), "2024-02-01")
    assert not httpserver.log


def test_one_symbol_that_fails_is_named(httpserver: HTTPServer) -> None:
    source = served(httpserver, HEADER + ROWS)
    httpserver.expect_request("/prices/RVX_History.csv").respond_with_data("gone", 404)
    with pytest.raises(SourceUnavailable, match=r"Cboe, RVX_History\.csv: HTTP 404"):
        source.fetch("indices", ["VIX", "RVX"], None, END)
