"""Plotly figures of a priced position. Pure."""

from typing import Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboard.charts import AMBER, BLUE, GREEN, GREY, INK, RED, styled
from home.records.structure import Structure
from market.options.costs import MULTIPLIER
from trading.structures.payoff import Legs, value_at_expiry

MIDDLE: Final = "#f4f6f8"
HEIGHT: Final = 330
ROOM: Final = 0.4  # above the lines, for the words, of their span


def payoff(found: Structure) -> go.Figure:
    """Return profit by price of the underlying today, half way and at expiry, entered at mid.

    Breakevens and the expected move are marked.
    """
    table = found.table
    figure = go.Figure()
    half = (len(table.days) - 1) // 2
    for name, at, colour in (("today", 0, GREY), ("half way", half, AMBER)):
        _line(figure, f"{name}, {table.days[at]}", table.spot, table.profit[at], colour, 1.8)
    spots = np.unique([*table.spot, *(leg.strike for leg in found.legs)])
    _line(figure, f"expiry, {found.expiration}", spots, at_expiry(found, spots), BLUE, 2.6)
    figure.add_vrect(
        x0=found.spot - found.expected_move, x1=found.spot + found.expected_move,
        fillcolor=BLUE, opacity=0.07, line_width=0,
    )  # fmt: skip
    figure.add_hline(y=0, line={"color": INK, "width": 1})
    figure.add_vline(x=found.spot, line={"color": GREY, "width": 1, "dash": "dot"})
    _mark(figure, found.spot, f"now {found.spot:.2f}", GREY, 1.0)
    _mark(figure, found.spot, f"expected move ±{found.expected_move:.2f}", BLUE, 0.92)
    for price in found.mid.breakevens:
        figure.add_vline(x=price, line={"color": GREEN, "width": 1.4, "dash": "dash"})
        _mark(figure, price, f"breakeven {price:.2f}", GREEN, 0.84)
    figure.update_xaxes(title="underlying, USD", range=[table.spot[0], table.spot[-1]])
    least, most = min(map(min, table.profit)), max(map(max, table.profit))
    room = (most - least) * ROOM
    figure.update_yaxes(
        title="profit, USD a contract", tickformat=",d", range=[least - 0.15 * room, most + room]
    )
    styled(figure, HEIGHT, showlegend=True, hovermode="x")
    return figure


def at_expiry(found: Structure, spots: np.ndarray) -> np.ndarray:
    """Return profit in USD a contract at expiry by price of the underlying, entered at mid."""
    held = Legs(
        np.array([leg.strike for leg in found.legs]),
        np.array([1.0 if leg.right == "call" else -1.0 for leg in found.legs]),
        np.array([1.0 if leg.action == "buy" else -1.0 for leg in found.legs]),
    )
    return MULTIPLIER * (value_at_expiry(held, spots) - found.mid.net)


def profits(found: Structure) -> go.Figure:
    """Return profit by day and price of the underlying as a heat map; 0 lies between colours."""
    table = found.table
    across = np.transpose(table.profit)
    least, most = min(across.min(), -1.0), max(across.max(), 1.0)
    prices = [f"{price:.2f}" for price in table.spot]
    figure = go.Figure(
        go.Heatmap(
            x=table.days,
            y=prices,
            z=across,
            zmin=least,
            zmax=most,
            colorscale=[[0.0, RED], [-least / (most - least), MIDDLE], [1.0, GREEN]],
            showscale=False,
            text=across,
            texttemplate="%{text:,.0f}",
            textfont={"size": 11},
            hovertemplate="%{x}, underlying %{y}: %{z:+,.0f} USD<extra></extra>",
        )
    )
    now = int(np.argmin(np.abs(np.array(table.spot) - found.spot)))
    figure.add_annotation(
        x=1, xref="paper", y=now, text="◂ now", showarrow=False, xanchor="left",
        font={"color": INK, "size": 12},
    )  # fmt: skip
    shown = [pd.Timestamp(day).strftime("%-d %b") for day in table.days]
    figure.update_xaxes(
        type="category", showgrid=False, tickvals=table.days, ticktext=shown, tickangle=0
    )
    figure.update_yaxes(type="category", title="underlying, USD", showgrid=False, dtick=1)
    figure = styled(figure, 2 * HEIGHT - 120)
    return figure.update_layout(margin_r=52)


def _line(
    figure: go.Figure, name: str, spots: object, profit: object, colour: str, width: float
) -> None:
    figure.add_scatter(
        x=spots, y=profit, mode="lines", name=name, line={"color": colour, "width": width},
        hovertemplate="%{x:.2f}: %{y:+,.0f} USD<extra>" + name + "</extra>",
    )  # fmt: skip


def _mark(figure: go.Figure, price: float, words: str, colour: str, height: float) -> None:
    figure.add_annotation(
        x=price, y=height, yref="paper", text=words, showarrow=False,
        font={"color": colour, "size": 11}, bgcolor="rgba(255,255,255,0.75)", yanchor="top",
    )  # fmt: skip
