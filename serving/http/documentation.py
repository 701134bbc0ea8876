"""The service's OpenAPI document, with examples, and the middleware that serves it.

BentoML's own holds neither examples nor the errors of this service, and calls itself OpenAPI 3.0
over schemas of JSON Schema 2020-12, which are those of 3.1.
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from typing import Final

from pydantic.json_schema import models_json_schema

from home.records.signal import Signal
from home.strict_json import Json
from serving.http import examples
from serving.http.asgi import App, Receive, Scope, Send
from serving.http.schema import (
    PredictAnswer,
    PredictRequest,
    Problem,
    SignalRequest,
    SignalsAnswer,
    SignalsRequest,
)

PATH: Final = "/docs.json"
SCHEMAS: Final = "#/components/schemas/"
JSON: Final = "application/json"
MODELS: Final = (
    *(SignalRequest, SignalsRequest, PredictRequest, Signal, SignalsAnswer, PredictAnswer),
    Problem,
)
# The faults of every POST: status, what it means, examples by their word.
COMMON: Final = (
    (400, "The body is no JSON document (NaN, Infinity and 1e999 are none).", (examples.NO_JSON,)),
    (413, "The body is too large.", (examples.TOO_LARGE,)),
    (415, "The content type is not application/json.", (examples.NOT_JSON_TYPE,)),
)
NOT_FOUND: Final = (404, "The ticker is no underlying.", (examples.UNKNOWN_TICKER,))
Fault = tuple[int, str, tuple[dict[str, str], ...]]


@cache
def document() -> dict[str, Json]:
    """Return the OpenAPI 3.1 document of the service."""
    _, found = models_json_schema(
        [(model, "validation") for model in MODELS], ref_template=SCHEMAS + "{model}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "SignalService",
            "version": version("optrade"),
            "description": "Options signals of one home: direction, implied volatility, "
            "strategy, and the evidence for them. Errors are JSON: a word for programs, a "
            "sentence for people; 4xx is the caller's to change, 503 is the service's.",
        },
        "servers": [{"url": "."}],
        "tags": [{"name": "signals"}, {"name": "service"}],
        "paths": {**_questions(), **_own()},
        "components": {"schemas": found["$defs"]},
    }


def _questions() -> dict[str, Json]:
    return {
        "/signal": _post(
            "The signal of one underlying for the last complete session.",
            ("SignalRequest", {"SPY": examples.SIGNAL_QUESTION}),
            ("Signal", {"SPY": examples.SIGNAL_ANSWER}),
            (
                NOT_FOUND,
                (422, "The body has wrong fields.", (examples.WRONG_FIELDS,)),
                _ours(examples.STALE, examples.STORE_UNAVAILABLE),
            ),
        ),
        "/signals": _post(
            "The signals of several underlyings, in the order asked. Each entry is a signal or "
            "an error with its ticker; a ticker asked twice is answered twice. The status is "
            "200 even where every entry is an error.",
            ("SignalsRequest", {"one of two is unknown": examples.SIGNALS_QUESTION}),
            ("SignalsAnswer", {"one of two is unknown": examples.SIGNALS_ANSWER}),
            ((422, "No tickers, too many, or wrong fields.", (examples.NO_TICKERS,)),),
        ),
        "/predict": _post(
            "The prediction for features that the caller brings. Every feature that the served "
            "direction model reads has to be there, with iv_rank and iv_hv_spread: none is "
            "filled in. Those of the on-demand view cross that are not sent are computed from "
            "the others. With everything that the served volatility model reads the IV class is "
            "forecast, else it is today's band (ELEVATED as HIGH). `date` names the session "
            "that the features belong to.",
            (
                "PredictRequest",
                {
                    "IV forecast": examples.predict_question(forecaster=True),
                    "today's band": examples.predict_question(forecaster=False),
                },
            ),
            ("PredictAnswer", {"SPY": examples.PREDICT_ANSWER}),
            (
                NOT_FOUND,
                (
                    422,
                    "Wrong fields, a day that is no session, or features that do not fit.",
                    (
                        examples.MISSING_FEATURES,
                        examples.UNKNOWN_FEATURES,
                        examples.BAD_DATE,
                    ),
                ),
                _ours(examples.MODEL_MISSING),
            ),
        ),
    }


def _own() -> dict[str, Json]:
    alive = {"200": _text("The process answers.", "\n")}
    ready = {
        "200": _text("The home is open and its online store answers.", "\n"),
        "503": _problem("Not ready, and why.", (examples.STORE_UNAVAILABLE,), again=True),
    }
    this = {
        "200": {
            "description": "OpenAPI 3.1.",
            "content": {JSON: {"schema": {"type": "object"}, "example": {"openapi": "3.1.0"}}},
        }
    }
    page = {
        "200": {
            "description": "HTML.",
            "content": {"text/html": {"schema": {"type": "string"}, "example": "<!doctype html>"}},
        }
    }
    return {
        "/healthz": _get("Whether the process answers.", alive),
        "/livez": _get("Whether the process answers.", alive),
        "/readyz": _get("Whether signals can be asked for.", ready),
        "/metrics": _get(
            "Counts and seconds, for Prometheus.", {"200": _text("Metrics.", examples.METRICS)}
        ),
        PATH: _get("This document.", this),
        "/": _get("The service in words, for people; it loads nothing from elsewhere.", page),
    }


def _post(
    description: str,
    question: tuple[str, Mapping[str, Json]],
    answer: tuple[str, Mapping[str, Json]],
    faults: tuple[Fault, ...],
) -> dict[str, Json]:
    responses = {"200": {"description": "The answer.", "content": _content(*answer)}}
    for status, words, shown in (*COMMON, *faults):
        responses[str(status)] = _problem(words, shown, again=status == 503)
    responses["default"] = _problem("A fault of the service that has no name yet.", ())
    return {
        "post": {
            "tags": ["signals"],
            "description": description,
            "requestBody": {"required": True, "content": _content(*question)},
            "responses": dict(sorted(responses.items())),
        }
    }


def _get(description: str, responses: Mapping[str, Json]) -> dict[str, Json]:
    return {"get": {"tags": ["service"], "description": description, "responses": responses}}


def _ours(*shown: dict[str, str]) -> Fault:
    return 503, "No answer that can be stood behind just now.", shown


def _problem(
    words: str, shown: tuple[dict[str, str], ...], *, again: bool = False
) -> dict[str, Json]:
    named = {example["error"]: example for example in shown}
    found = {"description": words, "content": _content("Problem", named)}
    if again:
        header = {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
        found["headers"] = {"Retry-After": header}
    return found


def _content(schema: str, shown: Mapping[str, Json]) -> dict[str, Json]:
    media: dict[str, Json] = {"schema": {"$ref": SCHEMAS + schema}}
    if shown:
        media["examples"] = {name: {"value": value} for name, value in shown.items()}
    return {JSON: media}


def _text(words: str, example: str) -> dict[str, Json]:
    content = {"text/plain": {"schema": {"type": "string"}, "example": example}}
    return {"description": words, "content": content}


class Documentation:
    """ASGI middleware: answers GET of the document, lets all else through.

    Parameters
    ----------
    app
        What stands behind.
    source
        Gives the document.
    """

    def __init__(self, app: App, source: Callable[[], Mapping[str, Json]]) -> None:
        self.app = app
        self.source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or (scope["method"], scope["path"]) != ("GET", PATH):
            await self.app(scope, receive, send)
            return
        body = json.dumps(self.source(), ensure_ascii=False).encode()
        headers = [
            (b"content-type", JSON.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
