"""Plotly figures of money: profits that add up, and the equity of a book. Pure."""

from typing import Final

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboard.charts import BLUE, GREY, INK, RED, STRATEGY_COLOURS, styled
from monitoring.money import TOTAL

FEW: Final = 40  # sessions of a line that are marked one by one
LINES: Final = (0.66, 0.34)  # heights of equity and drawdown
SESSIONS: Final = "%-d %b %Y"
#: A line of a few days has no hours below it.
SHORTEST: Final = pd.Timedelta(days=31)


def accrued(table: pd.DataFrame) -> go.Figure:
    """Return profits by session of exit, added up: a line a strategy, and one of all."""
    figure = go.Figure()
    for name, part in table.groupby("strategy", sort=False):
        total = name == TOTAL
        figure.add_scatter(
            x=part["session"], y=part["profit"], name=str(name),
            mode="lines+markers" if len(part) <= FEW else "lines",
            line={"shape": "hv", "width": 3 if total else 1.8,
                  "color": INK if total else STRATEGY_COLOURS.get(str(name), GREY)},
            marker={"size": 5},
            hovertemplate=f"{name}, %{{x|{SESSIONS}}}: %{{y:+,.2f}} USD<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    figure.update_yaxes(title="USD, one contract each", tickformat=",d")
    _sessions(figure, table["session"])
    return styled(figure, 380, showlegend=True)


def equity(table: pd.DataFrame) -> go.Figure:
    """Return the equity of a book at closes, and below it how far it lies under its height."""
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=LINES, vertical_spacing=0.06)
    mode = "lines+markers" if len(table) <= FEW else "lines"
    figure.add_scatter(
        x=table["session"], y=table["equity"], mode=mode, name="equity",
        line={"color": BLUE, "width": 2}, marker={"size": 5},
        hovertemplate=f"%{{x|{SESSIONS}}}: %{{y:,.2f}} USD<extra></extra>", row=1, col=1,
    )  # fmt: skip
    figure.add_scatter(
        x=table["session"], y=-table["drawdown"], mode="lines", name="drawdown", fill="tozeroy",
        line={"color": RED, "width": 1.2},
        hovertemplate=f"%{{x|{SESSIONS}}}: %{{y:.2%}}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    figure.update_yaxes(title="equity, USD", tickformat=",d", row=1, col=1)
    deepest = float(table["drawdown"].max())
    figure.update_yaxes(
        title="below its height", tickformat=".1%", nticks=4,
        range=[-1.1 * max(deepest, 0.01), 0.0], row=2, col=1,
    )  # fmt: skip
    _sessions(figure, table["session"])
    return styled(figure, 420, showlegend=False)


def _sessions(figure: go.Figure, days: pd.Series) -> None:
    """Keep a short line on an axis of days."""
    last = max(days.max(), days.min() + SHORTEST)
    room = (last - days.min()) / 60
    figure.update_xaxes(
        type="date", range=[days.min() - room, last + room], tickformat="%-d %b\n%Y"
    )
