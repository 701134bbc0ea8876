"""What an HTML page would load, and from where."""

import re
from html.parser import HTMLParser
from typing import Final

# Attributes by which a browser fetches something when it shows a page; a link to follow is none.
LOADING: Final = {
    "script": ("src",), "link": ("href",), "img": ("src", "srcset"), "iframe": ("src", "srcdoc"),
    "source": ("src", "srcset"), "video": ("src", "poster"), "audio": ("src",), "embed": ("src",),
    "object": ("data",), "image": ("href", "xlink:href"), "use": ("href", "xlink:href"),
    "track": ("src",), "input": ("src",), "body": ("background",), "base": ("href",),
}  # fmt: skip
IN_STYLE: Final = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found += [given[name] for name in LOADING.get(tag, ()) if given.get(name)]
        self._style(given.get("style") or "")
        if tag == "meta" and (given.get("http-equiv") or "").lower() == "refresh":
            self.found.append(given.get("content") or "")
        self.in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self.in_style = False

    def handle_data(self, data: str) -> None:
        if self.in_style:
            self._style(data)

    def _style(self, text: str) -> None:
        self.found += [one or other for one, other in IN_STYLE.findall(text)]


def loads(page: str) -> list[str]:
    """Return what a browser would load for a page, beside what stands in the page itself."""
    reader = _Loads()
    reader.feed(page)
    reader.close()
    return [url for url in reader.found if not url.startswith(("data:", "#"))]
