"""What `optrade doctor` says of keys: unset, of a wrong form, and as the vendors answer."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import NamedTuple

import httpx2
import pandas as pd
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from home.layout import Home
from ingestion.sources.finnhub.vendor import FINNHUB
from ingestion.sources.fred.vendor import FRED
from ingestion.sources.live import LIVE
from ingestion.sources.massive.vendor import MASSIVE
from ingestion.sources.tradier.vendor import TRADIER
from ingestion.sources.vendor import Vendor
from optrade.flows.doctor.examine import examine
from optrade.flows.doctor.finding import Finding
from optrade.flows.doctor.vendors import check_keys
from optrade.runtime import Runtime
from optrade.settings import Settings

integration = pytest.mark.integration

KEYED = (FRED, FINNHUB)
FRED_KEY = "abcdefghijklmnopqrstuvwxyz012345"
FINNHUB_KEY = "c0ffee0123456789abcd"
KEYS = {"FRED_API_KEY": FRED_KEY, "FINNHUB_API_KEY": FINNHUB_KEY}
UNREGISTERED = {
    "error_code": 400,
    "error_message": "Bad Request.  The value for variable api_key is not registered.  Read "
    "https://fred.stlouisfed.org/docs/api/api_key.html for more information.",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)


def at(server: HTTPServer, vendor: Vendor) -> Vendor:
    key = dataclasses.replace(vendor.key, url=server.url_for(f"/{vendor.title}"))
    return dataclasses.replace(vendor, key=key)


def asked(server: HTTPServer, vendor: Vendor, seconds: float = 5.0) -> Finding:
    variable = vendor.key.variable
    settings = Settings(**{variable: KEYS[variable]})
    (finding,) = check_keys(settings, [at(server, vendor)], online=True, seconds=seconds)
    assert finding.check == variable
    assert_hidden(finding)
    return finding


def assert_hidden(*findings: Finding) -> None:
    for finding in findings:
        for key in KEYS.values():
            assert key not in f"{finding.check}{finding.found}"


class Answer(NamedTuple):
    """A vendor's answer, and how bad it is in which words."""

    vendor: Vendor
    status: int
    body: object
    level: str
    words: str


ANSWERS = {
    "FRED accepts": Answer(FRED, 200, {"seriess": [{"id": "DFF"}]}, "ok", "FRED accepts it"),
    "FRED, unregistered key": Answer(FRED, 400, UNREGISTERED, "error", "wrong: FRED refuses it"),
    "FRED, unauthorised": Answer(FRED, 401, {}, "error", "wrong: FRED refuses it (HTTP 401)"),
    "FRED, forbidden": Answer(FRED, 403, "<html>", "error", "refuses this key the access"),
    "FRED, another bad request": Answer(
        FRED, 400, {"error_message": "Bad Request.  The series does not exist."}, "warning",
        "HTTP 400 Bad Request. The series does not exist.",
    ),
    "FRED, too many": Answer(FRED, 429, "", "warning", "could not be asked (HTTP 429)"),
    "FRED, down": Answer(FRED, 503, "<html>down", "warning", "could not be asked (HTTP 503)"),
    "FRED, the key in the words": Answer(
        FRED, 500, {"error_message": f"no such key {FRED_KEY}"}, "warning", "no such key ***"
    ),
    "Finnhub accepts": Answer(
        FINNHUB, 200, {"buzz": {}, "symbol": "SPY"}, "ok", "news sentiment included"
    ),
    "Finnhub, wrong key": Answer(
        FINNHUB, 401, {"error": "Invalid API key"}, "error", "wrong: Finnhub refuses it (HTTP 401)"
    ),
    "Finnhub, free plan": Answer(
        FINNHUB, 403, {"error": "You don't have access to this resource."}, "ok",
        "its plan has no news sentiment",
    ),
    "Finnhub, too many": Answer(
        FINNHUB, 429, {"error": "API limit reached."}, "warning", "HTTP 429 API limit reached."
    ),
    "Finnhub, down": Answer(FINNHUB, 502, "<html>", "warning", "could not be asked (HTTP 502)"),
    "Finnhub, moved": Answer(FINNHUB, 302, "", "warning", "could not be asked (HTTP 302)"),
    "Finnhub, beyond reading": Answer(FINNHUB, 500, "[" * 99_999, "warning", "(HTTP 500)"),
    "Finnhub, a list": Answer(FINNHUB, 500, [], "warning", "could not be asked (HTTP 500)"),
}  # fmt: skip


@integration
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answer_of_a_vendor(answer: Answer, httpserver: HTTPServer) -> None:
    body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    httpserver.expect_request(f"/{answer.vendor.title}").respond_with_data(body, answer.status)
    finding = asked(httpserver, answer.vendor)
    assert finding.level == answer.level
    assert answer.words in finding.found
    assert len(httpserver.log) == 1


@integration
def test_what_is_asked_is_cheap_and_carries_the_key(httpserver: HTTPServer) -> None:
    for vendor in KEYED:
        httpserver.expect_request(f"/{vendor.title}").respond_with_data("{}")
        asked(httpserver, vendor)
    fred, finnhub = (request for request, _ in httpserver.log)
    assert fred.args.to_dict() == {"series_id": "DFF", "file_type": "json", "api_key": FRED_KEY}
    assert finnhub.args.to_dict() == {"symbol": "SPY"}
    assert finnhub.headers["X-Finnhub-Token"] == FINNHUB_KEY


@pytest.fixture
def silent(httpserver: HTTPServer) -> Iterator[HTTPServer]:
    over = Event()

    def hold(_: Request) -> Response:
        over.wait(30)
        return Response("late")

    for vendor in KEYED:
        httpserver.expect_request(f"/{vendor.title}").respond_with_handler(hold)
    yield httpserver
    over.set()


@integration
@pytest.mark.parametrize("vendor", KEYED, ids=lambda vendor: vendor.title)
def test_vendor_that_does_not_answer_in_time(vendor: Vendor, silent: HTTPServer) -> None:
    finding = asked(silent, vendor, seconds=0.05)
    assert finding.level == "warning"
    assert "could not be asked" in finding.found


@integration
@pytest.mark.parametrize("vendor", KEYED, ids=lambda vendor: vendor.title)
def test_nobody_there(vendor: Vendor, httpserver: HTTPServer) -> None:
    closed = HTTPServer(host="127.0.0.1", port=0)
    closed.start()
    closed.stop()
    finding = asked(closed, vendor)
    assert (finding.level, "could not be asked" in finding.found) == ("warning", True)


def test_without_keys_nothing_is_asked_and_nothing_is_wrong() -> None:
    findings = list(check_keys(Settings(), LIVE, online=True))
    assert [row.level for row in findings] == ["ok"] * sum(row.key is not None for row in LIVE)
    assert all(row.found.startswith("not set: ") for row in findings)


def test_without_online_a_key_is_not_tried() -> None:
    # Sockets are blocked here: asking would fail.
    findings = list(check_keys(Settings(**KEYS), KEYED, online=False))
    assert [row.level for row in findings] == ["ok", "ok"]
    assert all("--online" in row.found for row in findings)
    assert_hidden(*findings)


@pytest.mark.parametrize("key", ["short", FRED_KEY + " 0", "a\nb" * 8, "\u043a\u043b" * 16])
@pytest.mark.parametrize("vendor", KEYED, ids=lambda vendor: vendor.title)
@pytest.mark.parametrize("online", [False, True])
def test_key_of_a_wrong_form_is_never_sent(vendor: Vendor, key: str, online: bool) -> None:
    (finding,) = check_keys(Settings(**{vendor.key.variable: key}), [vendor], online=online)
    assert finding.level == "error"
    assert key not in finding.found


@integration
def test_wrong_keys_make_the_whole_an_error(httpserver: HTTPServer, tmp_path: Path) -> None:
    for vendor, body in ((FRED, UNREGISTERED), (FINNHUB, {"error": "Invalid API key"})):
        status = 400 if vendor is FRED else 401
        httpserver.expect_request(f"/{vendor.title}").respond_with_json(body, status)
    run = Runtime(Settings(**KEYS), Home(tmp_path), pd.Timestamp("2024-11-18T15:00Z"))
    vendors = [at(httpserver, vendor) for vendor in KEYED]
    findings = examine(run, online=True, vendors=vendors)
    assert [row.check for row in findings if row.level == "error"] == list(KEYS)
    assert_hidden(*findings)


def test_the_addresses_are_the_vendors_own() -> None:
    hosts = [httpx2.URL(vendor.key.url).host for vendor in KEYED]
    assert hosts == ["api.stlouisfed.org", "api.finnhub.io"]
    assert all(vendor.key.url.startswith("https://") for vendor in KEYED)


@integration
def test_command_online_without_a_network_warns(optrade, monkeypatch: pytest.MonkeyPatch) -> None:
    # A proxy that nobody listens on: every vendor is out of reach, here as anywhere.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    monkeypatch.setenv("OPTRADE_LOG_LEVEL", "debug")
    done = optrade("doctor", "--online", "--json")
    found = {row["check"]: row for row in json.loads(done.stdout)}
    for name in KEYS:
        assert found[name]["level"] == "warning"
        assert "could not be asked" in found[name]["found"]
    assert not any(key in done.stdout + done.stderr for key in KEYS.values())


@pytest.mark.parametrize("vendor", [TRADIER, MASSIVE], ids=lambda vendor: vendor.word)
@pytest.mark.parametrize(
    ("chains", "level", "words"),
    [
        (None, "ok", "not set: not needed, as OPTRADE_CHAINS names no vendor"),
        ("cboe", "ok", "not set: not needed, as OPTRADE_CHAINS takes live option chains from cboe"),
        ("itself", "error", "not set: OPTRADE_CHAINS asks for its chains; set it"),
    ],
)
def test_a_key_of_option_chains_is_told_by_whose_chains_land(
    vendor: Vendor, chains: str | None, level: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(vendor.key.variable, raising=False)
    monkeypatch.setenv("OPTRADE_CHAINS", vendor.word if chains == "itself" else chains or "")
    (finding,) = check_keys(Settings(), [vendor], online=False)
    assert (finding.check, finding.level) == (vendor.key.variable, level)
    assert finding.found.startswith(words)
