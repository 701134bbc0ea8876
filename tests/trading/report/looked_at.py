"""What a page has in it: its parts, its figures, and what it would load."""

import json
import re
from html.parser import HTMLParser

LOADING = {"src", "href", "srcset", "data", "action", "poster", "background", "xlink:href"}


class Looked(HTMLParser):
    """Tags, texts and scripts of a page.

    Attributes
    ----------
    loaded
        What attributes ask for.
    texts
        What stands in each kind of tag, in order.
    """

    def __init__(self, page):
        super().__init__()
        self.loaded, self.texts, self.scripts, self.policy = [], {}, [], None
        self.open, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append(tag)
        found = dict(attrs)
        self.loaded += [found[name] for name in LOADING & set(found)]
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]
        if tag == "meta":
            self.open.pop()

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        tag = self.open[-1] if self.open else ""
        if tag == "script":
            self.scripts.append(data)
        elif data.strip():
            self.texts.setdefault(tag, []).append(" ".join(data.split()))

    @property
    def document(self):
        """Return the figures and what they share."""
        return json.loads(self.scripts[0], parse_constant=_refuse)

    def asked(self):
        """Return what the page would fetch: by attributes, and by its style."""
        style = " ".join(self.texts.get("style", []))
        return self.loaded + re.findall(r"@import|url\([^)]*\)", style)


def _refuse(constant):
    raise ValueError(constant)


def validated(document):
    """Make Plotly read every figure of a page, which refuses what it does not know."""
    import plotly.graph_objects as go

    for figure in document["figures"]:
        for trace in figure["data"]:
            shared = trace.get("x")
            values = document["series"].get(shared, shared) if isinstance(shared, str) else shared
            go.Figure([{**trace, "x": values}], figure["layout"])
    return len(document["figures"])
