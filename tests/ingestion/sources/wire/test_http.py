"""What a web server may do to us, over a real socket; and the patience that all vendors share."""

from collections.abc import Callable, Iterator
from threading import Event, current_thread
from typing import NamedTuple
from unittest.mock import Mock

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from ingestion.sources.wire.http import Http, redact, retry_after, status_fault, transport_fault
from ingestion.sources.wire.patience import Patience, TryAgain, in_time, patiently
from market.errors import SchemaViolation, SourceUnavailable

QUICK = Patience(
    attempts=3, attempt_seconds=5, budget_seconds=30, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip
HASTY = Patience(
    attempts=2, attempt_seconds=0.2, budget_seconds=30, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
)  # fmt: skip
KEY = "k3y/with+signs"
WHAT = "Vendor, file.csv"


class Fault(NamedTuple):
    """An answer, the requests it should cost, and the words it should give."""

    answer: Callable[[], Response]
    requests: int
    words: str
    patience: Patience = QUICK


def status(code: int, body: str = "", **headers: str) -> Callable[[], Response]:
    return lambda: Response(body, code, {k.replace("_", "-"): v for k, v in headers.items()})


def test_a_try_again_is_no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def call(_: float) -> str:
        raise TryAgain("busy")

    told = Mock(spec_set=["info"])
    monkeypatch.setattr("ingestion.sources.wire.patience.logger", told)
    with pytest.raises(SourceUnavailable, match="tried 3 times"):
        patiently(WHAT, call, QUICK)
    assert [(row.args, row.kwargs["why"]) for row in told.info.mock_calls] == (
        [(("asked again",), "busy")] * 2
    )


FAULTS = {
    "too many requests": Fault(status(429), 3, "HTTP 429 Too Many Requests, tried 3 times"),
    "with a short pause": Fault(
        status(429, Retry_After="0"), 3, "(asks for 0 s of pause), tried 3 times"
    ),
    "with a pause beyond the budget": Fault(
        status(429, Retry_After="3600"),
        1,
        "HTTP 429 Too Many Requests (asks for 3600 s of pause); try again later",
    ),
    "internal error": Fault(status(500), 3, "HTTP 500 Internal Server Error, tried 3 times"),
    "bad gateway with a page": Fault(status(502, "<html>"), 3, "HTTP 502 Bad Gateway"),
    "maintenance": Fault(status(503), 3, "HTTP 503 Service Unavailable"),
    "an unheard-of status": Fault(status(599), 3, "HTTP 599, tried 3 times"),
    "not found": Fault(status(404), 1, "HTTP 404 Not Found; try again later"),
    "forbidden": Fault(status(403), 1, "HTTP 403 Forbidden; try again later"),
    "round in circles": Fault(status(302, Location="/file.csv"), 21, "Exceeded maximum"),
    "fewer bytes than announced": Fault(
        lambda: Response(iter([b"DATE"]), headers={"Content-Length": "100"}),
        3,
        "the answer broke off",
    ),
    "no gzip as announced": Fault(
        status(200, "plain", Content_Encoding="gzip"), 3, "the answer broke off"
    ),
}


@pytest.mark.integration
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_is_unavailable_after_bounded_tries(fault: Fault, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/file.csv").respond_with_handler(lambda _: fault.answer())
    with pytest.raises(SourceUnavailable) as caught:
        Http(fault.patience).text(
            WHAT, httpserver.url_for("/file.csv"), {"api_key": KEY}, secrets=[KEY]
        )
    assert str(caught.value).startswith(f"{WHAT}: ")
    assert fault.words in str(caught.value)
    assert len(httpserver.log) == fault.requests
    assert_clean(caught.value, KEY)


@pytest.fixture
def held(httpserver: HTTPServer) -> Iterator[HTTPServer]:
    """A server that accepts a request and does not answer it before the test is over."""
    over = Event()

    def hold(_: Request) -> Response:
        over.wait(30)
        return Response("late")

    httpserver.expect_request("/file.csv").respond_with_handler(hold)
    yield httpserver
    over.set()


@pytest.mark.integration
def test_server_that_hangs_is_left_alone(held: HTTPServer) -> None:
    with pytest.raises(SourceUnavailable, match=r"no answer .*, tried 2 times; try again later"):
        Http(HASTY).text(WHAT, held.url_for("/file.csv"))


@pytest.mark.integration
def test_server_that_drips_is_left_alone(httpserver: HTTPServer) -> None:
    # Each byte comes within the client's own timeout, so that only the time of the try ends it.
    over = Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b"x"

    httpserver.expect_request("/file.csv").respond_with_handler(lambda _: Response(drip()))
    once = Patience(attempts=1, attempt_seconds=0.5, budget_seconds=10)
    with pytest.raises(SourceUnavailable, match=r"file\.csv: no answer within 0\.5 s"):
        Http(once).text(WHAT, httpserver.url_for("/file.csv"))
    over.set()


@pytest.mark.integration
def test_nobody_there(httpserver: HTTPServer) -> None:
    closed = HTTPServer(host="127.0.0.1", port=0)
    closed.start()
    url = closed.url_for("/file.csv")
    closed.stop()
    with pytest.raises(SourceUnavailable, match=r"connection failed \(.*refused.*tried 3 times"):
        Http(QUICK).text(WHAT, url)


@pytest.mark.integration
def test_a_fault_that_passes_is_not_seen(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/file.csv").respond_with_data("down", 503)
    httpserver.expect_ordered_request("/file.csv").respond_with_data("", 429)
    httpserver.expect_ordered_request("/file.csv", query_string="id=A%26B").respond_with_data("ok")
    assert Http(QUICK).text(WHAT, httpserver.url_for("/file.csv"), {"id": "A&B"}) == "ok"
    httpserver.check_assertions()


@pytest.mark.integration
def test_a_moved_file_is_followed_and_a_byte_order_mark_dropped(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/old").respond_with_data("", 301, {"Location": "/new"})
    httpserver.expect_request("/new").respond_with_data("﻿DATE,CLOSE")
    assert Http(QUICK).text(WHAT, httpserver.url_for("/old")) == "DATE,CLOSE"


@pytest.mark.integration
def test_bytes_that_are_no_text_are_refused(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/file.csv").respond_with_data(b"DATE\xff")
    with pytest.raises(SchemaViolation, match="byte 0xff at position 4, allowed is UTF-8"):
        Http(QUICK).text(WHAT, httpserver.url_for("/file.csv"))


# --- patience -----------------------------------------------------------------------------------


def refusing(*faults: Exception) -> tuple[Callable[[float], str], list[float]]:
    """A call that raises each fault in turn, then answers; and the seconds it was given."""
    left, given = list(faults), []

    def call(seconds: float) -> str:
        given.append(seconds)
        if left:
            raise left.pop(0)
        return "answer"

    return call, given


@pytest.mark.parametrize("failures", range(3))
def test_tries_until_it_succeeds(failures: int) -> None:
    call, given = refusing(*[TryAgain("busy")] * failures)
    assert patiently(WHAT, call, QUICK) == "answer"
    assert len(given) == failures + 1
    assert all(0 < seconds <= QUICK.attempt_seconds for seconds in given)


def test_gives_up_after_the_last_try_with_the_last_reason() -> None:
    call, given = refusing(TryAgain("busy"), TryAgain("busy"), TryAgain("gone"), TryAgain("new"))
    with pytest.raises(SourceUnavailable) as caught:
        patiently(WHAT, call, QUICK)
    assert str(caught.value) == f"{WHAT}: gone, tried 3 times; try again later"
    assert len(given) == 3
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_what_will_not_pass_is_not_tried_again() -> None:
    call, given = refusing(SourceUnavailable("no such file"))
    with pytest.raises(SourceUnavailable) as caught:
        patiently(WHAT, call, QUICK)
    assert str(caught.value) == f"{WHAT}: no such file; try again later"
    assert len(given) == 1


def test_other_errors_pass_as_they_are() -> None:
    wrong = SchemaViolation("a word for a number")
    call, given = refusing(wrong)
    with pytest.raises(SchemaViolation) as caught:
        patiently(WHAT, call, QUICK)
    assert caught.value is wrong
    assert len(given) == 1


def test_no_pause_is_begun_that_the_budget_does_not_cover() -> None:
    call, given = refusing(*[TryAgain("busy")] * 9)
    patience = Patience(attempts=9, budget_seconds=4, longest_pause_seconds=5)
    with pytest.raises(SourceUnavailable, match="busy; try again later"):
        patiently(WHAT, call, patience)
    assert len(given) == 1
    assert given[0] <= 4


def test_a_pause_that_the_vendor_asks_for_is_kept_within_the_budget() -> None:
    call, given = refusing(TryAgain("busy", pause=0.001))
    patience = Patience(attempts=2, budget_seconds=4, longest_pause_seconds=5)
    assert patiently(WHAT, call, patience) == "answer"
    assert len(given) == 2


def test_a_call_without_an_end_is_left_alone() -> None:
    over, threads = Event(), []

    def call(_: float) -> bool:
        threads.append(current_thread())
        return over.wait(30)

    with pytest.raises(TryAgain, match=r"no answer within 0\.05 s"):
        in_time(call, 0.05)
    # A thread that is no daemon would be waited for when the process ends.
    assert threads[0].daemon
    over.set()


# --- the parts of a message ---------------------------------------------------------------------

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": " 0 "}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:29:30 GMT", "Date": DATE}, 90.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:00:00 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:29:30 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1e400"}, None),
        ({"Retry-After": "soon", "Date": DATE}, None),
    ],
)
def test_pause_asked_for(headers: dict[str, str], pause: float | None) -> None:
    assert retry_after(httpx2.Headers(headers)) == pause


def test_only_statuses_that_pass_are_tried_again() -> None:
    tried = {code for code in range(300, 600) if isinstance(status_fault(code, {}), TryAgain)}
    assert tried == {408, 423, 425, 429, *range(500, 600)}


def test_what_the_vendor_says_is_told_up_to_a_length() -> None:
    assert str(status_fault(404, {}, "no series")) == "HTTP 404 Not Found: no series"
    assert len(str(status_fault(404, {}, "x" * 10_000))) < 250


def test_errors_of_the_transport_that_cannot_pass_are_not_tried_again() -> None:
    fault = transport_fault(httpx2.UnsupportedProtocol("no scheme"))
    assert not isinstance(fault, TryAgain)
    assert str(fault) == "no answer (no scheme)"
    assert "ReadError" in str(transport_fault(httpx2.ReadError("")))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain words? yes = no", "plain words? yes = no"),
        (f"key {KEY} there", "key *** there"),
        ("key k3y%2Fwith%2Bsigns there", "key *** there"),
        ("at https://h/p?api_key=abc&x=1 failed", "at https://h/p?*** failed"),
        ("at 'https://h/p?token=abc'", "at 'https://h/p?***'"),
        ("proxy http://me:word@host:1", "proxy http://***@host:1"),
    ],
)
def test_redacted(text: str, clean: str) -> None:
    assert redact(text, KEY, "") == clean


def assert_clean(error: BaseException, secret: str) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert secret not in f"{seen!s} {seen!r} {seen.args!r}"
        seen = seen.__cause__ or seen.__context__
