"""The page at `/`: it says what there is, and loads nothing."""

import asyncio
import json
import re

import httpx2
import pytest

from serving.http.documentation import document
from serving.http.front_page import FrontPage, front_page
from tests.pages import loads


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://unpkg.com/swagger-ui.js"></script>',
        '<link rel="stylesheet" href="//cdn/x.css">',
        "<style>@import 'https://fonts';</style>",
        '<p style="background: url(http://elsewhere/x.png)">',
        '<img src="data:," srcset="x.png">',
    ],
)
def test_what_a_page_loads_is_found(page):
    assert len(loads(page)) == 1


def test_it_names_every_endpoint_and_loads_nothing():
    page = front_page(document(), "http://here:3000", "Ready.")
    assert loads(page) == []
    for path in document()["paths"]:
        assert f">{path}<" in page
    assert 'href="docs.json"' in page
    assert "curl -X POST http://here:3000/signal" in page
    assert set(re.findall(r"https?://[^/\s]+", page)) == {"http://here:3000"}


def test_what_others_send_is_text_in_it():
    page = front_page(document(), "http://<script>", "<b>Not ready</b>")
    assert "<script" not in page
    assert "<b>" not in page


def ask(method="GET", path="/", kind="http", ready=(200, b"\n")):
    sent, passed = [], []

    async def behind(scope, receive, send):
        passed.append(scope["path"])
        await send({"type": "http.response.start", "status": ready[0], "headers": []})
        await send({"type": "http.response.body", "body": ready[1]})

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path, "headers": [(b"host", b"h:1")]}
    asyncio.run(FrontPage(behind, document)(scope, None, send))
    return sent, passed


@pytest.mark.parametrize(
    ("ready", "words"),
    [
        ((200, b"\n"), "Ready: signals"),
        ((503, json.dumps({"detail": "no <data> yet"}).encode()), "Not ready: no &lt;data&gt; yet"),
        ((503, b"x"), "Not ready: /readyz answers 503."),
        ((500, b"[]"), "Not ready: /readyz answers 500."),
    ],
)
def test_it_says_whether_the_service_is_ready(ready, words):
    (start, body), passed = ask(ready=ready)
    assert (start["status"], passed) == (200, ["/readyz"])
    assert words in body["body"].decode()
    headers = dict(start["headers"])
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers[b"content-security-policy"].startswith(b"default-src 'none'")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_is_told_what_is_allowed(method):
    (start, body), passed = ask(method)
    assert (start["status"], passed) == (405, [])
    assert dict(start["headers"])[b"allow"] == b"GET, HEAD"
    said = {"error": "method_not_allowed", "detail": f"got {method}, allowed is GET, HEAD"}
    assert json.loads(body["body"]) == said


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("POST", "/signal", "http"), ("GET", "/docs.json", "http"), ("GET", "/", "lifespan")],
)
def test_all_else_goes_through(method, path, kind):
    assert ask(method, path, kind)[1] == [path]


@pytest.mark.integration
def test_the_service_shows_it(served):
    answer = httpx2.get(f"{served[1]}/", timeout=30)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Ready: signals can be asked for." in answer.text
    assert f"curl -X POST {served[1]}/signal" in answer.text
    assert loads(answer.text) == []


@pytest.mark.integration
def test_it_says_what_keeps_the_service_from_answering(restored):
    home, base = restored
    home.registry.rename(home.registry.with_suffix(".away"))
    try:
        page = httpx2.get(f"{base}/", timeout=30)
    finally:
        home.registry.with_suffix(".away").rename(home.registry)
    assert page.status_code == 200
    assert loads(page.text) == []
