"""All vintages of a series over a real socket, from a server that cuts windows as ALFRED does."""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from feature_repo.features.macro.known import monthly_as_known
from ingestion.gate.expectations import gate
from ingestion.sources.fred.source import MOST_PAGES, VINTAGED, Fred
from ingestion.sources.fred.vintages import (
    EARLIEST,
    LATEST,
    Published,
    TooManyVintages,
    Window,
    all_vintages,
    stitched,
    windows,
)
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import MACRO_SERIES
from ingestion.views.macro import macro_available
from market.calendar import decision_time
from market.errors import MissingCredential, NotEntitled, SchemaViolation, SourceUnavailable

integration = pytest.mark.integration

KEY = "abcdefghijklmnopqrstuvwxyz012345"
PATH = "/fred/series/observations"
END = pd.Timestamp("2024-03-01")
QUICK = Http(Patience(
    attempts=2, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
))  # fmt: skip

# Month, day of publication, value; "." is none. A revision of January comes with February's
# figure, one figure is withdrawn for a while, and one stands since before the windows divide.
HISTORY = [
    ("1979-10-01", "1979-11-20", "6.0"),
    ("1979-11-01", "1979-12-20", "5.9"),
    ("1979-11-01", "1980-01-20", "5.8"),
    ("1999-12-01", "2000-01-01", "4.0"),
    ("2019-11-01", "2019-12-11", "3.5"),
    ("2019-12-01", "2020-01-10", "3.6"),
    ("2024-01-01", "2024-02-02", "3.7"),
    ("2024-01-01", "2024-02-09", "."),
    ("2024-01-01", "2024-02-16", "3.7"),
    ("2024-01-01", "2024-03-08", "3.8"),
    ("2024-02-01", "2024-03-08", "3.9"),
    ("2025-10-01", "2025-11-20", "."),
]
PUBLISHED = [row for row in HISTORY if row[2] != "." and row[1] != "2024-02-16"]


@dataclass
class Alfred:
    """Answers as ALFRED does: values that stand in a window, their periods cut to it."""

    history: Sequence[tuple[str, str, str]] = tuple(HISTORY)
    most_vintages: int = 2000
    page: int = 100_000
    overlap: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        query = request.args
        assert query["api_key"] == KEY
        assert (query["file_type"], query["output_type"]) == ("json", "1")
        first, last = query["realtime_start"], query["realtime_end"]
        self.asked.append((first, last))
        early = date.fromisoformat(first) - timedelta(days=self.overlap)
        rows = self._standing(max(early, EARLIEST).isoformat(), last)
        if not rows:
            return refusal(400, "The series does not exist in ALFRED but may exist in FRED.")
        vintages = {row["realtime_start"] for row in rows}
        if len(vintages) > self.most_vintages:
            return refusal(400, f"There are {len(vintages)} vintage dates in the specified "
                           f"real-time period: {first} to {last}.  This exceeds the maximum "
                           f"number of vintage dates allowed ({self.most_vintages}).")  # fmt: skip
        offset = int(query["offset"])
        return Response(answer(rows[offset : offset + self.page], len(rows), first, last))

    def _standing(self, first: str, last: str) -> list[dict[str, str]]:
        rows = []
        for month, start, value in self.history:
            later = [s for m, s, _ in self.history if m == month and s > start]
            end = (date.fromisoformat(min(later)) - timedelta(1)).isoformat() if later else "9999"
            if start <= last and end >= first:
                rows.append(observation(month, max(start, first), min(end, last), value))
        return rows


def observation(month: str, start: str, end: str, value: str) -> dict[str, str]:
    return {"realtime_start": start, "realtime_end": end, "date": month, "value": value}


def answer(rows: list[dict[str, str]], count: int, first: str, last: str) -> str:
    return json.dumps({
        "realtime_start": first, "realtime_end": last, "observation_start": "1600-01-01",
        "observation_end": "9999-12-31", "units": "lin", "output_type": 1, "file_type": "json",
        "order_by": "observation_date", "sort_order": "asc", "count": count, "offset": 0,
        "limit": 100_000, "observations": rows,
    })  # fmt: skip


def refusal(status: int, message: str) -> Response:
    words = {"error_code": status, "error_message": f"Bad Request.  {message}"}
    return Response(json.dumps(words), status, content_type="application/json")


def serve(server: HTTPServer, alfred: Callable[[Request], Response]) -> Fred:
    server.expect_request(PATH).respond_with_handler(alfred)
    return Fred(KEY, server.url_for("/fred"), server.url_for("/csv"), QUICK)


def unrate(source: Fred, start: str | None = None, end: pd.Timestamp = END) -> pd.DataFrame:
    first = None if start is None else pd.Timestamp(start)
    return MACRO_SERIES.check(source.fetch("macro_series", ["UNRATE"], first, end))


def as_rows(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    days = [frame[name].dt.strftime("%Y-%m-%d") for name in ("observation_date", "vintage_date")]
    return list(zip(*days, frame["value"].map("{:.1f}".format), strict=True))


def expected(until: str) -> list[tuple[str, str, str]]:
    return sorted(row for row in PUBLISHED if row[0] <= until)


# --- what is published --------------------------------------------------------------------------


@integration
@pytest.mark.parametrize("series", VINTAGED)
def test_every_publication_once_with_its_own_day(series: str, httpserver: HTTPServer) -> None:
    alfred = Alfred()
    frame = serve(httpserver, alfred).fetch("macro_series", [series], None, END)
    assert as_rows(MACRO_SERIES.check(frame)) == expected("2024-03-01")
    assert set(frame["series"]) == {series}
    either = frame.assign(value=frame["value"] + 30.0)  # levels that both series could have
    good, bad = gate(MACRO_SERIES, either)
    assert (len(good), len(bad)) == (len(frame), 0)
    assert alfred.asked == [
        ("1776-07-04", "1979-12-31"),
        ("1980-01-01", "1999-12-31"),
        ("2000-01-01", "2019-12-31"),
        ("2020-01-01", "9999-12-31"),
    ]


@integration
@pytest.mark.parametrize(
    "alfred",
    [
        Alfred(overlap=400),
        Alfred(most_vintages=3),
        Alfred(page=2),
        Alfred(page=1, most_vintages=4, overlap=1),
    ],
    ids=["answers overlap", "too many vintages", "pages", "all of it"],
)
def test_however_the_answer_is_divided_it_is_the_same(
    alfred: Alfred, httpserver: HTTPServer
) -> None:
    assert as_rows(unrate(serve(httpserver, alfred))) == expected("2024-03-01")


@integration
def test_rows_outside_the_days_asked_for_stay_out(httpserver: HTTPServer) -> None:
    source = serve(httpserver, Alfred())
    months = unrate(source, "2019-12-01", pd.Timestamp("2024-01-31"))["observation_date"]
    assert set(months) == {pd.Timestamp("2019-12-01"), pd.Timestamp("2024-01-01")}


@integration
def test_a_series_that_begins_late_has_no_earlier_window(httpserver: HTTPServer) -> None:
    alfred = Alfred([row for row in HISTORY if row[1] > "2020"])
    assert as_rows(unrate(serve(httpserver, alfred)))[0] == HISTORY[5]


@integration
def test_other_series_are_the_latest_revision_as_before(httpserver: HTTPServer) -> None:
    xml = '<observations><observation date="2024-01-02" value="3.95"/></observations>'
    httpserver.expect_request(PATH).respond_with_data(xml)
    source = Fred(KEY, httpserver.url_for("/fred"), httpserver.url_for("/csv"), QUICK)
    frame = source.fetch("macro_series", ["DGS10"], None, END)
    assert frame["vintage_date"].isna().all()
    (request, _) = httpserver.log[0]
    assert "realtime_start" not in request.args


@integration
def test_a_count_by_alfred_is_not_believed_for_ever(httpserver: HTTPServer) -> None:
    row = observation("2024-01-01", "2024-02-02", "9999-12-31", "3.7")

    def short(request: Request) -> Response:
        rows = [row] if request.args["offset"] == "0" else []
        return Response(answer(rows, 5, "1776-07-04", "9999-12-31"))

    with pytest.raises(SourceUnavailable, match="got no row from the place 1 on of 5"):
        unrate(serve(httpserver, short))


@integration
def test_pages_without_an_end_are_given_up(httpserver: HTTPServer) -> None:
    row = observation("2024-01-01", "2024-02-02", "9999-12-31", "3.7")

    def endless(request: Request) -> Response:
        place = int(request.args["offset"])
        return Response(answer([row], place + 2, "1776-07-04", "9999-12-31"))

    with pytest.raises(SourceUnavailable, match=f"got {MOST_PAGES} rows in {MOST_PAGES} pages"):
        unrate(serve(httpserver, endless))
    assert len(httpserver.log) == MOST_PAGES


# --- faults -------------------------------------------------------------------------------------


class Fault(NamedTuple):
    answer: Response
    error: type[Exception]
    words: str
    asked: int = 1


def one(**cells: object) -> Response:
    row = observation("2024-01-01", "2024-02-02", "9999-12-31", "3.7") | cells
    return Response(json.dumps({"count": 1, "observations": [row]}))


FAULTS = {
    "unregistered key": Fault(
        refusal(400, "The value for variable api_key is not registered."),
        MissingCredential, "FRED refuses the key (HTTP 400)",
    ),
    "key not accepted": Fault(refusal(401, "no"), MissingCredential, "(HTTP 401)"),
    "no access": Fault(refusal(403, "no"), NotEntitled, "(HTTP 403)"),
    "another refusal": Fault(
        refusal(400, "Variable realtime_start is wrong."), SourceUnavailable,
        "HTTP 400 Bad Request: Bad Request.  Variable realtime_start is wrong.; try again later",
    ),
    "too many requests": Fault(
        refusal(429, "Too Many Requests."), SourceUnavailable, "HTTP 429", 2
    ),
    "down": Fault(Response("<html>", 502), SourceUnavailable, "HTTP 502 Bad Gateway, tried", 2),
    "moved": Fault(Response("", 302), SourceUnavailable, "HTTP 302 Found"),
    "a web page": Fault(
        Response("<html>Just a moment</html>"), SourceUnavailable, "a web page ('<html>Just"
    ),
    "empty": Fault(Response(""), SourceUnavailable, "an empty answer"),
    "cut": Fault(Response('{"count": 1, "obs'), SourceUnavailable, "not JSON"),
    "other JSON": Fault(Response("[1]"), SchemaViolation, "without count and observations"),
    "no count": Fault(Response('{"observations": []}'), SchemaViolation, "without count"),
    "no observation": Fault(
        Response('{"count": 0, "observations": []}'), SourceUnavailable,
        "FRED, UNRATE: got no observation in any vintage", 4,
    ),
    "not in ALFRED": Fault(
        refusal(400, "The series does not exist in ALFRED but may exist in FRED."),
        SourceUnavailable, "got no observation in any vintage", 4,
    ),
    "a word for a number": Fault(one(value="high"), SchemaViolation, "'value': 'high'"),
    "not a number": Fault(one(value="nan"), SchemaViolation, "'value': 'nan'"),
    "a number as such": Fault(one(value=3.7), SchemaViolation, "'value': 3.7"),
    "a day that is none": Fault(one(date="2024-02-31"), SchemaViolation, "2024-02-31"),
    "a day too early": Fault(one(date="1677-09-20"), SchemaViolation, "1677-09-20"),
    "a day too late": Fault(one(date="2262-04-12"), SchemaViolation, "2262-04-12"),
    "another form of day": Fault(one(date="20240201"), SchemaViolation, "20240201"),
    "no day of publication": Fault(one(realtime_start=None), SchemaViolation, "allowed are days"),
}  # fmt: skip


@integration
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_and_the_key_is_nowhere(
    fault: Fault,
    httpserver: HTTPServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    source = serve(httpserver, lambda _: fault.answer)
    with pytest.raises(fault.error) as caught:
        unrate(source)
    assert fault.words in str(caught.value)
    assert len(httpserver.log) == fault.asked
    assert held_by(caught.value) == []
    ours = [record.getMessage() for record in caplog.records if record.name != "werkzeug"]
    assert any("realtime" not in line and "HTTP Request" in line for line in ours), "httpx2 logs"
    assert not any(KEY in line for line in ours)
    assert KEY not in "".join(capfd.readouterr())


def held_by(error: BaseException) -> list[str]:
    """Messages and variables of a traceback that hold the key."""
    seen: list[str] = []
    at: BaseException | None = error
    while at is not None:
        seen += [text for text in (str(at), repr(at), repr(vars(at))) if KEY in text]
        walk = at.__traceback__
        while walk is not None:
            frame = walk.tb_frame
            if "tests" not in Path(frame.f_code.co_filename).parts:
                seen += [name for name, value in frame.f_locals.items() if KEY in repr(value)]
            walk = walk.tb_next
        at = at.__cause__ or at.__context__
    return seen


@integration
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_window_that_fails_once_is_asked_again(status: int, httpserver: HTTPServer) -> None:
    alfred, failed = Alfred(), []

    def stumble(request: Request) -> Response:
        if request.args["realtime_start"] == "2000-01-01" and not failed:
            failed.append(status)
            return refusal(status, "Slow down.")
        return alfred(request)

    assert as_rows(unrate(serve(httpserver, stumble))) == expected("2024-03-01")
    assert len(httpserver.log) == 5


@integration
def test_a_window_that_fails_for_good_fails_the_series(httpserver: HTTPServer) -> None:
    alfred = Alfred()

    def broken(request: Request) -> Response:
        if request.args["realtime_start"] == "2000-01-01":
            return Response("<html>", 500)
        return alfred(request)

    words = r"FRED, UNRATE, vintages of 2000-01-01 to 2019-12-31: HTTP 500 .*, tried 2 times"
    with pytest.raises(SourceUnavailable, match=words):
        unrate(serve(httpserver, broken))


@integration
def test_a_window_that_is_empty_after_others_is_not_believed(httpserver: HTTPServer) -> None:
    alfred = Alfred()

    def forgets(request: Request) -> Response:
        if request.args["realtime_start"] == "2000-01-01":
            return Response(answer([], 0, "2000-01-01", "2019-12-31"))
        return alfred(request)

    with pytest.raises(SourceUnavailable, match="no observation in the vintages of 2000-01-01 to"):
        unrate(serve(httpserver, forgets))


# --- windows and stitching ----------------------------------------------------------------------


@given(st.dates(date(1777, 1, 1), date(2150, 12, 31)))
def test_windows_follow_one_another_over_all_days(until: date) -> None:
    found = windows(until)
    assert (found[0].first, found[-1].last) == (EARLIEST, LATEST)
    for one_window, following in pairwise(found):
        assert following.first == one_window.last + timedelta(days=1)
    assert found[-1].first <= until


def test_a_day_with_too_many_vintages_is_given_up() -> None:
    def ask(window: Window) -> list[Published]:
        raise TooManyVintages(f"There are 3000 in {window}")

    with pytest.raises(SourceUnavailable, match="FRED, X, vintages of 1776-07-04 to 1776-07-04"):
        all_vintages("FRED, X", ask, date(2024, 1, 1))


days_of_publication = st.dates(date(1975, 1, 1), date(2024, 1, 1))
histories = st.dictionaries(
    st.tuples(st.integers(0, 5), days_of_publication), st.integers(1, 3), min_size=1, max_size=25
)


@given(histories, st.sampled_from([2, 3, 5, 2000]))
def test_stitched_windows_are_the_changes_of_the_whole(
    history: dict[tuple[int, date], int], most: int
) -> None:
    rows = sorted(
        Published(date(1970, 1 + month, 1), day, float(value))
        for (month, day), value in history.items()
    )

    def ask(window: Window) -> list[Published]:
        found = []
        for row in rows:
            later = [r.vintage_date for r in rows
                     if r.observation_date == row.observation_date
                     and r.vintage_date > row.vintage_date]  # fmt: skip
            if row.vintage_date <= window.last and (not later or min(later) > window.first):
                found.append(row._replace(vintage_date=max(row.vintage_date, window.first)))
        if len({row.vintage_date for row in found}) > most:
            raise TooManyVintages(str(window))
        return found

    changes, standing = [], {}
    for row in sorted(rows, key=lambda row: row.vintage_date):
        if standing.get(row.observation_date) != row.value:
            changes.append(row)
            standing[row.observation_date] = row.value
    got = all_vintages("a series", ask, date(2024, 1, 1))
    expected_rows = [(str(r.observation_date), str(r.vintage_date), r.value) for r in changes]
    days = [got[name].dt.strftime("%Y-%m-%d") for name in ("observation_date", "vintage_date")]
    assert sorted(zip(*days, got["value"], strict=True)) == sorted(expected_rows)


def test_two_values_on_one_day_are_left_to_the_gate() -> None:
    day = date(2024, 2, 2)
    rows = [Published(date(2024, 1, 1), day, 3.7), Published(date(2024, 1, 1), day, 3.8)]
    frame = stitched(rows).assign(series="UNRATE")[list(MACRO_SERIES.names)]
    good, bad = gate(MACRO_SERIES, frame.astype(MACRO_SERIES.dtypes))
    assert (len(good), len(bad)) == (0, 2)


# --- what a session knows of it -----------------------------------------------------------------


@integration
def test_a_session_knows_what_had_been_published_by_noon(httpserver: HTTPServer) -> None:
    frame = unrate(serve(httpserver, Alfred()))
    rows = pl.from_pandas(frame)
    known = macro_available("UNRATE", rows)
    cut_offs = decision_time(pd.DatetimeIndex(["2024-02-01", "2024-02-02", "2024-03-07",
                                               "2024-03-08"]))  # fmt: skip
    levels = monthly_as_known(
        cut_offs,
        pd.DatetimeIndex(frame["observation_date"]),
        known,
        frame["value"].to_numpy(),
        pd.DatetimeIndex(frame["vintage_date"]),
        earlier=(1,),
    )
    np.testing.assert_array_equal(levels[0], [3.6, 3.7, 3.7, 3.9])
    # January was revised with February's figure, and the change is that of one vintage.
    np.testing.assert_array_equal(levels[1], [3.5, np.nan, np.nan, 3.8])
