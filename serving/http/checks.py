"""The outer checks of HTTP: method, media type, size, JSON, fields; and one form of error.

They stand before BentoML, which answers 500 to a multipart body, takes NaN, and has a form of
error of its own.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final, NoReturn

from pydantic import BaseModel, ValidationError

from home import strict_json
from serving.http.asgi import App, Message, Receive, Scope, Send
from serving.http.schema import Problem
from serving.reading.refusal import LATER

MAX_BODY_BYTES: Final = 64 * 1024
JSON: Final = "application/json"


class BadRequest(Exception):
    """A request that is the caller's to change: a status and what to change."""

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def problem(
    status: int, error: str, detail: str, headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an error; every 503 says when to ask again."""
    found = {"content-type": JSON, **(headers or {})}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        found.setdefault("retry-after", str(LATER))
    return status, found, Problem(error=error, detail=detail).model_dump_json().encode()


async def refuse_method(send: Send, method: str, allowed: Sequence[str]) -> None:
    """Answer 405, naming the methods that are allowed."""
    names = ", ".join(allowed)
    status = HTTPStatus.METHOD_NOT_ALLOWED
    detail = f"got {method:.20}, allowed is {names}"
    await _answer(send, *problem(status, _word(status), detail, {"allow": names}))


def parse_body(body: bytes) -> strict_json.Json:
    """Return the JSON value of a body.

    Raises
    ------
    BadRequest
        400, with what is wrong and where.
    """
    try:
        return strict_json.loads(body)
    except ValueError as error:
        raise BadRequest(
            HTTPStatus.BAD_REQUEST, f"the body is no JSON document: {error!s:.200}"
        ) from None


def check_fields(model: type[BaseModel], document: object) -> None:
    """Check a document against a model.

    Raises
    ------
    BadRequest
        422, naming every field that is wrong.
    """
    try:
        model.model_validate(document)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(step) for step in fault['loc']) or 'body'!s:.80}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)[:10]
        ]
        raise BadRequest(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(faults)) from None


class Checks:
    """ASGI middleware: lets good requests through, answers the others itself.

    Parameters
    ----------
    app
        What stands behind.
    inputs
        The input model of every route that takes a JSON body.
    """

    def __init__(self, app: App, inputs: Mapping[str, type[BaseModel]]) -> None:
        self.app = app
        self.inputs = dict(inputs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        outgoing = _OneForm(send)
        model = self.inputs.get(scope["path"])
        try:
            if model is not None:
                receive = await _checked(scope, receive, model)
        except BadRequest as bad:
            await _answer(send, *problem(bad.status, _word(bad.status), bad.detail, bad.headers))
            return
        await self.app(scope, receive, outgoing)


async def _checked(scope: Scope, receive: Receive, model: type[BaseModel]) -> Receive:
    """Check a request, and return a `receive` that gives its body once more."""
    if scope["method"] != "POST":
        raise BadRequest(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"got {scope['method']:.20}, allowed is POST",
            {"allow": "POST"},
        )
    headers = {name.lower(): value for name, value in scope["headers"]}
    given = headers.get(b"content-type", b"").decode("latin-1")
    if given.split(";")[0].strip().lower() != JSON:
        raise BadRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"got content type {given or 'none'!s:.80}, allowed is {JSON}",
        )
    body = await _read(receive, headers.get(b"content-length"))
    check_fields(model, parse_body(body))
    return _replay(body, receive)


async def _read(receive: Receive, declared: bytes | None) -> bytes:
    if declared is not None and declared.isdigit() and int(declared) > MAX_BODY_BYTES:
        _too_large()
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest(HTTPStatus.BAD_REQUEST, "the connection closed within the body")
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            _too_large()
        more = message.get("more_body", False)
    return body


def _too_large() -> NoReturn:
    raise BadRequest(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is over {MAX_BODY_BYTES} bytes"
    )


def _replay(body: bytes, receive: Receive) -> Receive:
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


class _OneForm:
    """A `send` that turns errors of other layers into this service's form."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        starts = message["type"] == "http.response.start"
        if starts and message["status"] >= HTTPStatus.BAD_REQUEST:
            self.start = message
        elif self.start is None:
            await self.send(message)
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._finish(self.start)

    async def _finish(self, start: Message) -> None:
        try:
            Problem.model_validate_json(self.body)
        except ValidationError:
            status = HTTPStatus(start["status"])
            await _answer(self.send, *problem(status, _word(status), status.description))
        else:
            await self.send(start)
            await self.send({"type": "http.response.body", "body": self.body})


def _word(status: HTTPStatus) -> str:
    return status.phrase.lower().replace(" ", "_")


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    fields = [*headers.items(), ("content-length", str(len(body)))]
    await send(
        {
            "type": "http.response.start",
            "status": int(status),
            "headers": [
                (name.encode("latin-1"), value.encode("latin-1")) for name, value in fields
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})
