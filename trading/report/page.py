"""A page of figures and tables in one file: Plotly's script inside, nothing loaded. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trading.report.style import Document

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE: Final = "page.html.j2"


@dataclass(frozen=True)
class Cell:
    """A cell of a table that says more than its text.

    Attributes
    ----------
    shade
        -1 to 1: how bad or good, as a colour behind the text.
    kind
        `few` for what cannot be judged, `found` for what survives, else empty.
    below
        A second, smaller line.
    hover
        What a pointer shows.
    """

    text: str
    shade: float = 0.0
    kind: str = ""
    below: str = ""
    hover: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row is its name."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""
    note: str = ""
    heat: bool = False


@dataclass(frozen=True)
class Chart:
    """A figure under a caption, and a smaller line below that."""

    figure: Document
    caption: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Section:
    """A headed part of the page.

    Attributes
    ----------
    columns
        How many charts or tables stand side by side where there is room.
    """

    title: str
    lines: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    columns: int = 1


@dataclass(frozen=True)
class Page:
    """What a page says.

    Attributes
    ----------
    lead
        The verdict, alone sufficient; `good` where something survives.
    words
        The rest of it.
    facts
        The rules, and what was synthetic.
    series
        What several traces share, by the name that stands in its place: `@days`.
    """

    title: str
    lead: str
    good: bool
    words: Sequence[str]
    facts: Sequence[str]
    sections: Sequence[Section]
    series: Mapping[str, Sequence[str]] = field(default_factory=dict)


def page_html(page: Page) -> str:
    """Return a page as HTML that needs no other file and asks no network."""
    figures: list[Document] = []
    for section in page.sections:
        figures += [chart.figure for chart in section.charts]
    return _template().render(
        page=page,
        plotly=_plotly() if figures else "",
        document=_json({"series": dict(page.series), "figures": figures}),
    )


def _json(document: Document) -> str:
    """Return a document as JSON that no script's end or comment can stand in."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@cache
def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template(
        TEMPLATE
    )
