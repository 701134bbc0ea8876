"""The outer checks on their own: every kind of bad request, and errors of what stands behind."""

import asyncio
import json

import pytest

from serving.http.checks import MAX_BODY_BYTES, Checks
from serving.http.schema import SignalRequest

GOOD = b'{"ticker": "SPY"}'
JSON_TYPE = [(b"content-type", b"application/json")]


class Behind:
    """What stands behind: answers what it is told, and keeps the body it was given."""

    def __init__(self, status=200, body=b'{"fine": true}', chunks=1, headers=()):
        self.status, self.body, self.chunks, self.headers = status, body, chunks, list(headers)
        self.received = None

    async def __call__(self, scope, receive, send):
        self.received, more = b"", True
        while more:
            message = await receive()
            self.received += message.get("body", b"")
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        size = -(-len(self.body) // self.chunks) or 1
        parts = [self.body[i : i + size] for i in range(0, len(self.body), size)] or [b""]
        for number, part in enumerate(parts, 1):
            more = number < len(parts)
            await send({"type": "http.response.body", "body": part, "more_body": more})


def ask(body=GOOD, headers=JSON_TYPE, method="POST", path="/signal", behind=None, parts=1):
    """Send one request, in parts; return status, headers and body."""
    behind = behind or Behind()
    size = -(-len(body) // parts) or 1
    chunks = [body[i : i + size] for i in range(0, len(body), size)] or [b""]
    incoming = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
        for number, chunk in enumerate(chunks, 1)
    ]
    sent = []

    async def receive():
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": list(headers)}
    asyncio.run(Checks(behind, {"/signal": SignalRequest})(scope, receive, send))
    assert [m["type"] for m in sent[:1]] == ["http.response.start"]
    fields = {k.decode().lower(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], fields, b"".join(m.get("body", b"") for m in sent[1:])


def problem(*arguments, **options):
    status, headers, body = ask(*arguments, **options)
    document = json.loads(body)
    assert sorted(document) == ["detail", "error"]
    assert all(isinstance(v, str) and v for v in document.values())
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(body)
    return status, document, headers


def test_a_good_request_arrives_whole():
    behind = Behind()
    assert ask(behind=behind) == (200, {}, b'{"fine": true}')
    assert behind.received == GOOD


def test_a_body_in_many_parts_arrives_whole():
    behind = Behind()
    assert ask(behind=behind, parts=7)[0] == 200
    assert behind.received == GOOD


@pytest.mark.parametrize(
    "given", [b"application/json", b"Application/JSON", b"application/json; charset=utf-8"]
)
def test_json_media_types_pass(given):
    assert ask(headers=[(b"Content-Type", given)])[0] == 200


@pytest.mark.parametrize(
    "given",
    [
        None, b"", b"text/plain", b"application/jsonp", b"multipart/form-data; boundary=x",
        b"application/x-www-form-urlencoded", b"application/vnd.bentoml+pickle", b"\xff\xfe",
    ],
)  # fmt: skip
def test_other_media_types_are_415_and_go_no_further(given):
    behind = Behind()
    headers = [] if given is None else [(b"content-type", given)]
    status, document, _ = problem(headers=headers, behind=behind)
    assert (status, document["error"]) == (415, "unsupported_media_type")
    assert behind.received is None


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_405(method):
    status, document, headers = problem(b"", method=method)
    assert (status, document["error"], headers["allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"SPY", b'{"ticker": NaN}', b'{"ticker": Infinity}', b"{'ticker': 'SPY'}",
        b'{"ticker": 1e999}',
        b'{"ticker": "SPY",}', b'{"ticker": "SPY"} x', b'{"ticker": "SPY", "ticker": "QQQ"}',
        b'{"ticker": "\xff"}', b"\xef\xbb\xbf" + GOOD, b"[" * 60_000, b"9" * 5_000,
        '{"ticker": "SPY"}'.encode("utf-16"), b'{"ticker": "\\ud800"}', b'{"\\ud800": 1}',
    ],
    ids=lambda b: repr(b[:24]),
)  # fmt: skip
def test_what_is_no_json_is_400(body):
    behind = Behind()
    status, document, _ = problem(body, behind=behind)
    assert (status, document["error"]) == (400, "bad_request")
    assert behind.received is None
    assert len(document["detail"]) < 400


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{}", "ticker"),
        (b'{"tickers": ["SPY"]}', "ticker"),
        (b'{"ticker": "SPY", "as_of": "2020-01-01"}', "as_of"),
        (b'{"ticker": null}', "ticker"),
        (b'{"ticker": 5}', "ticker"),
        (b'{"ticker": ["SPY"]}', "ticker"),
        (b'{"ticker": {"a": 1}}', "ticker"),
        (b"[]", "body"),
        (b'"SPY"', "body"),
        (b"null", "body"),
    ],
)
def test_wrong_fields_are_422_by_name(body, named):
    behind = Behind()
    status, document, _ = problem(body, behind=behind)
    assert (status, document["error"]) == (422, "unprocessable_entity")
    assert named in document["detail"]
    assert behind.received is None


def test_many_wrong_fields_do_not_make_a_long_answer():
    body = json.dumps({f"field_{i}" * 20: i for i in range(300)}).encode()
    assert len(problem(body)[1]["detail"]) < 4_000


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_413(declared):
    body = b'{"ticker": "' + b"S" * MAX_BODY_BYTES + b'"}'
    headers = [*JSON_TYPE]
    if declared:
        headers.append((b"content-length", str(len(body)).encode()))
    behind = Behind()
    status, document, _ = problem(body, headers=headers, parts=9, behind=behind)
    assert (status, document["error"]) == (413, "request_entity_too_large")
    assert behind.received is None


def test_a_body_at_the_limit_passes():
    body = GOOD + b" " * (MAX_BODY_BYTES - len(GOOD))
    assert ask(body)[0] == 200


def test_a_lie_about_the_length_does_not_help():
    body = b'{"ticker": "' + b"S" * MAX_BODY_BYTES + b'"}'
    assert problem(body, headers=[*JSON_TYPE, (b"content-length", b"10")], parts=3)[0] == 413


def test_other_routes_are_not_checked():
    behind = Behind()
    assert ask(b"anything", headers=[], method="GET", path="/metrics", behind=behind)[0] == 200


@pytest.mark.parametrize("status", [404, 405, 429, 500, 503, 504])
@pytest.mark.parametrize("body", [b"", b"Not Found", b'{"error": "no detail"}', b'["a", "b"]'])
@pytest.mark.parametrize("path", ["/signal", "/nowhere"])
def test_errors_from_behind_take_the_one_form(status, body, path):
    behind = Behind(status, body, chunks=2, headers=[(b"content-type", b"text/plain")])
    got, document, headers = problem(path=path, behind=behind)
    assert got == status
    assert " " not in document["error"]
    assert ("retry-after" in headers) == (status == 503)


def test_this_service_s_own_errors_pass_unchanged():
    body = b'{"error": "stale", "detail": "the store holds 2025-06-27"}'
    headers = [(b"retry-after", b"7"), (b"content-type", b"application/json")]
    status, fields, got = ask(behind=Behind(503, body, chunks=3, headers=headers))
    assert (status, got) == (503, body)
    assert fields["retry-after"] == "7"


def test_a_closed_connection_within_a_body_goes_no_further():
    behind = Behind()

    async def receive():
        return {"type": "http.disconnect"}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/signal", "headers": JSON_TYPE}
    asyncio.run(Checks(behind, {"/signal": SignalRequest})(scope, receive, send))
    assert sent[0]["status"] == 400
    assert behind.received is None


def test_what_is_not_http_passes():
    seen = []

    async def behind(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Checks(behind, {"/signal": SignalRequest})({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
