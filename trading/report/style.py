"""Colours of a page of trades, and Plotly's documents in its style. Pure.

Figures are plain documents, as Plotly's script reads them: what draws them is in the page.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import numpy as np

from trading.structures.exits import EXPIRY, STOP, TARGET

Document = dict[str, Any]

INK: Final = "#22262c"
SOFT: Final = "#616873"
GRID: Final = "#e6e9ee"
GOOD: Final = "#1f5fa8"
BAD: Final = "#b3392f"
GREY: Final = "#aab2bd"
# Colour-blind safe (Okabe and Ito), darkened where white paper asks for it.
SERIES: Final = (
    "#1f5fa8", "#d55e00", "#8a97a5", "#22262c", "#009e73", "#cc79a7", "#b8860b", "#56b4e9",
    "#7f6bb3", "#9c4f1a", "#4c7a34",
)  # fmt: skip
ENDS: Final = {TARGET: "target", STOP: "stop", EXPIRY: "expiry"}
END_COLOURS: Final = {TARGET: GOOD, STOP: BAD, EXPIRY: GREY}


def figure(traces: Sequence[Document], height: int, **layout: object) -> Document:
    """Return a figure: its traces, its height in pixels, and what else of the layout."""
    axis = {"gridcolor": GRID, "zerolinecolor": GREY, "automargin": True}
    base: Document = {
        "height": height,
        "margin": {"l": 10, "r": 12, "t": 10, "b": 10},
        "font": {"size": 12, "color": INK, "family": "system-ui, Segoe UI, Arial, sans-serif"},
        "plot_bgcolor": "#fff",
        "paper_bgcolor": "#fff",
        "hoverlabel": {"align": "left"},
        "xaxis": {},
        "yaxis": {},
        **layout,
    }
    for name, value in base.items():
        if name.startswith(("xaxis", "yaxis")):
            base[name] = {**axis, **value}
    return {"data": list(traces), "layout": base}


def rounded(values: object, digits: int = 4) -> list[float | None]:
    """Return numbers as a document holds them: of few digits, None where unknown."""
    found = np.round(np.asarray(values, dtype=np.float64), digits)
    return [float(one) if np.isfinite(one) else None for one in found]


def dates(days: object) -> list[str]:
    """Return days as `YYYY-MM-DD`."""
    return [str(day) for day in np.asarray(days, dtype="datetime64[D]")]


def plain(label: str) -> str:
    """Return a label that Plotly shows as it is: it reads tags in texts."""
    return escape(label, quote=False)
