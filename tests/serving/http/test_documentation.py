"""The OpenAPI document: whole, and every example of it true."""

import asyncio
import json

import jsonschema
import openapi_spec_validator
import pytest

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.services import SERVICES
from serving.answer.predictions import Question, check_question
from serving.http import schema
from serving.http.checks import Checks
from serving.http.documentation import COMMON, Documentation, document
from serving.http.schema import Problem

DOCUMENT = document()
POSTS = [path for path, item in DOCUMENT["paths"].items() if "post" in item]
GETS = [path for path, item in DOCUMENT["paths"].items() if "get" in item]
ANSWERED_BY_BENTOML = {"default", "200"}


def walk(node):
    yield node
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from walk(child)


def contents(path, method):
    """Every content of an operation: its place, media type, and the object that describes it."""
    operation = DOCUMENT["paths"][path][method]
    places = {"question": operation.get("requestBody", {}), **operation["responses"]}
    for place, described in places.items():
        for media_type, media in described.get("content", {}).items():
            yield place, media_type, media


def shown(media):
    if "example" in media:
        return [media["example"]]
    return [row["value"] for row in media.get("examples", {}).values()]


def test_it_is_openapi_3_1():
    openapi_spec_validator.validate(json.loads(json.dumps(DOCUMENT)))


def test_every_reference_leads_somewhere():
    found = {n["$ref"] for n in walk(DOCUMENT) if isinstance(n, dict) and "$ref" in n}
    assert found
    for reference in found:
        node = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_schema_is_one_of_json_schema_2020_12(name):
    jsonschema.Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize("path", ["/signal", "/signals", "/predict"])
def test_every_question_is_documented_with_its_faults(path):
    operation = DOCUMENT["paths"][path]["post"]
    wanted = {"200", "422", "default", *(str(status) for status, *_ in COMMON)}
    one = set() if path == "/signals" else {"404", "503"}
    assert set(operation["responses"]) == wanted | one
    assert operation["requestBody"]["required"]
    if one:
        assert "Retry-After" in operation["responses"]["503"]["headers"]


def test_every_own_route_is_documented():
    assert sorted(GETS) == ["/", "/docs.json", "/healthz", "/livez", "/metrics", "/readyz"]


@pytest.mark.parametrize(
    ("path", "method"), [*((p, "post") for p in POSTS), *((p, "get") for p in GETS)]
)
def test_every_content_but_the_unnamed_fault_has_examples_that_fit_its_schema(path, method):
    for place, _, media in contents(path, method):
        examples = shown(media)
        assert examples or place == "default", f"{path} {place}"
        whole = {**media["schema"], "components": DOCUMENT["components"]}
        for example in examples:
            jsonschema.Draft202012Validator(whole).validate(example)
            name = media["schema"].get("$ref", "").rpartition("/")[2]
            if name:
                getattr(schema, name).model_validate(example)


@pytest.mark.parametrize("path", POSTS)
def test_every_fault_s_example_stands_under_its_word(path):
    for place, _, media in contents(path, "post"):
        if place not in {"question", *ANSWERED_BY_BENTOML}:
            for word, row in media["examples"].items():
                assert Problem.model_validate(row["value"]).error == word


def test_examples_of_faults_that_the_checks_give_are_what_they_give():
    def ask(body, media_type=b"application/json"):
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        headers = [(b"content-type", media_type)]
        scope = {"type": "http", "method": "POST", "path": "/x", "headers": headers}
        model = schema.SignalsRequest if b"tickers" in body else schema.SignalRequest
        asyncio.run(Checks(None, {"/x": model})(scope, receive, send))
        return str(sent[0]["status"]), json.loads(sent[1]["body"])

    def example(path, status, word):
        responses = DOCUMENT["paths"][path]["post"]["responses"]
        return responses[status]["content"]["application/json"]["examples"][word]["value"]

    for path, arguments in (
        ("/signal", (b"[NaN]",)),
        ("/signal", (b"{}",)),
        ("/signal", (b" " * 70_000,)),
        ("/signal", (b"{}", b"text/plain")),
        ("/signals", (b'{"tickers": []}',)),
    ):
        status, body = ask(*arguments)
        assert body == example(path, status, body["error"])


def test_the_bodies_of_predict_hold_what_any_model_may_read():
    rows = DOCUMENT["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    full, pool = (row["value"] for row in rows["examples"].values())
    assert list(full["features"]) == [f.name for g in GROUPS.values() for f in g.features]
    whole = (reference.split(":") for reference in SERVICES["direction_sentiment_earnings"])
    assert sorted(pool["features"]) == sorted(name for view, name in whole if view in GROUPS)
    for body, forecast in ((full, True), (pool, False)):
        question = Question(**body)
        check_question(question)
        assert question.asks_for_forecast == forecast


def ask_documentation(method, path, kind="http"):
    sent, passed = [], []

    async def behind(scope, receive, send):
        passed.append(scope)

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "method": method, "path": path}
    asyncio.run(Documentation(behind, lambda: {"ü": 1})(scope, None, send))
    return sent, passed


def test_the_middleware_gives_the_document():
    (start, body), passed = ask_documentation("GET", "/docs.json")
    assert (start["status"], passed) == (200, [])
    assert json.loads(body["body"]) == {"ü": 1}
    assert dict(start["headers"])[b"content-length"] == str(len(body["body"])).encode()


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [("POST", "/docs.json", "http"), ("GET", "/signal", "http"), ("GET", "/docs.json", "lifespan")],
)
def test_the_middleware_lets_all_else_through(method, path, kind):
    sent, passed = ask_documentation(method, path, kind)
    assert (sent, len(passed)) == ([], 1)
