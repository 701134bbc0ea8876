"""The page at `/`: what this service is, its endpoints, whether it is ready. It loads nothing.

BentoML's own loads its scripts from elsewhere, which a machine without a network cannot, and which
tells others who looks at a service.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from html import escape
from http import HTTPStatus
from typing import Any, Final

from serving.http import examples
from serving.http.asgi import App, Message, Receive, Scope, Send
from serving.http.checks import refuse_method

PATH: Final = "/"
METHODS: Final = ("GET", "HEAD")
READY: Final = "/readyz"
# A browser is told to load nothing either.
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: auto; padding: 1rem; }}
table {{ border-collapse: collapse; }}
td {{ padding: .3rem 1rem .3rem 0; vertical-align: top; border-bottom: 1px solid #ddd; }}
pre {{ background: #f4f4f4; padding: .8rem; overflow-x: auto; }}
</style>
</head>
<body>
<h1>{title} {version}</h1>
<p>{about}</p>
<p><strong>{state}</strong></p>
<table>
{rows}
</table>
<p>Ask for a signal:</p>
<pre>{curl}</pre>
<p>Fields, examples and errors: <a href="docs.json">docs.json</a> (OpenAPI).</p>
<p>Research software, no investment advice.</p>
</body>
</html>
"""


def front_page(document: Mapping[str, Any], base: str, state: str) -> str:
    """Return the page, HTML.

    Parameters
    ----------
    document
        The OpenAPI document of the service.
    base
        The URL that the service was asked at.
    state
        Whether it is ready, in a sentence.
    """
    body = json.dumps(examples.SIGNAL_QUESTION)
    curl = f"curl -X POST {base}/signal -H 'content-type: application/json' -d '{body}'"
    info = document["info"]
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        about=escape(info["description"]),
        state=escape(state),
        rows="\n".join(_rows(document["paths"])),
        curl=escape(curl),
    )


def _rows(paths: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            shown = escape(path)
            if method == "get":
                shown = f'<a href="{escape(path.lstrip("/") or ".")}">{shown}</a>'
            words = escape(operation["description"])
            yield f"<tr><td>{method.upper()}</td><td>{shown}</td><td>{words}</td></tr>"


class FrontPage:
    """ASGI middleware: answers at the page's path, lets all else through.

    Parameters
    ----------
    app
        What stands behind; it is asked whether the service is ready.
    source
        Gives the OpenAPI document.
    """

    def __init__(self, app: App, source: Callable[[], Mapping[str, Any]]) -> None:
        self.app = app
        self.source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self.app(scope, receive, send)
            return
        if scope["method"] not in METHODS:
            await refuse_method(send, scope["method"], METHODS)
            return
        state = await _state(self.app, scope, receive)
        page = front_page(self.source(), _base(scope), state).encode()
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(page)).encode()),
            (b"content-security-policy", POLICY.encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})


async def _state(app: App, scope: Scope, receive: Receive) -> str:
    """Return what the service says of its readiness."""
    status, body = 0, b""

    async def keep(message: Message) -> None:
        nonlocal status, body
        status = message.get("status", status)
        body += message.get("body", b"")

    await app({**scope, "method": "GET", "path": READY, "raw_path": READY.encode()}, receive, keep)
    if status == HTTPStatus.OK:
        return "Ready: signals can be asked for."
    try:
        return f"Not ready: {json.loads(body)['detail']}"
    except (ValueError, LookupError, TypeError):
        return f"Not ready: {READY} answers {status}."


def _base(scope: Scope) -> str:
    """Return the URL that the service was asked at."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"127.0.0.1:3000").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}{scope.get('root_path', '')}"
