"""How trades ended, what they came to by days held, and what they cost. Pure."""

from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from trading.backtest.portfolio import NAMES
from trading.report.page import Cell, Table
from trading.report.style import (
    BAD,
    END_COLOURS,
    ENDS,
    GOOD,
    INK,
    Document,
    figure,
    rounded,
)

#: Trades that are drawn one by one; more are drawn as boxes.
POINTS: Final = 1_500
#: Places of days held; beyond, a box is of several days.
BOXES: Final = 40
#: Return that is shaded the most.
DEEP: Final = 0.5


def exits_figure(trades: pd.DataFrame) -> Document:
    """Return the share of each structure's trades that ended by target, stop and expiry."""
    names = [name for name in NAMES if (trades["structure"] == name).any()]
    shares = pd.crosstab(trades["structure"], trades["reason"], normalize="index")
    shares = shares.reindex(index=names, columns=list(ENDS), fill_value=0.0)
    traces = [
        {
            "type": "bar", "orientation": "h", "y": names, "x": rounded(shares[reason]),
            "name": word, "marker": {"color": END_COLOURS[reason]},
            "text": [f"{one:.0%}" if one >= 0.06 else "" for one in shares[reason]],
            "textposition": "inside", "insidetextanchor": "middle", "textangle": 0,
            "hovertemplate": "%{y}: %{x:.1%}",
        }
        for reason, word in ENDS.items()
    ]  # fmt: skip
    return figure(
        traces, 330, barmode="stack", bargap=0.25, xaxis={"tickformat": ".0%", "range": [0, 1]},
        yaxis={"autorange": "reversed"}, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom",
                                                 "x": 0, "traceorder": "normal"},
    )  # fmt: skip


def exits_table(trades: pd.DataFrame) -> Table:
    """Return how many trades of each structure ended how, and what they came to."""
    returns = trades["profit"] / trades["risk"]
    rows: list[list[str | Cell]] = []
    for name in NAMES:
        mine = trades["structure"] == name
        if not mine.any():
            continue
        by = [_mean(returns[mine & (trades["reason"] == reason)]) for reason in ENDS]
        rows.append([name, f"{int(mine.sum()):,}", _mean(returns[mine]), *by])
    columns = ("", "trades", "mean", *(f"by {word}" for word in ENDS.values()))
    return Table(columns, rows, note="Means in % of the risk.", heat=True)


def _mean(returns: pd.Series) -> Cell:
    if returns.empty:
        return Cell("-")
    mean = float(returns.mean())
    return Cell(f"{100 * mean:+.1f}", float(np.clip(mean / DEEP, -1.0, 1.0)))


def costs_table(trades: pd.DataFrame) -> Table:
    """Return what a trade of each structure cost, in USD a contract and of the risk."""
    rows = []
    for name in NAMES:
        mine = trades[trades["structure"] == name]
        if mine.empty:
            continue
        risk, costs = mine["risk"], mine[["spread", "commission", "assigned"]]
        whole = costs.sum(axis=1)
        rows.append(
            [
                name,
                *(f"{costs[part].mean():,.2f}" for part in costs),
                f"{whole.mean():,.2f}",
                f"{100 * (whole / risk).mean():.1f} %",
                f"{100 * ((mine['profit'] + whole) / risk).mean():+.1f} %",
                f"{100 * (mine['profit'] / risk).mean():+.1f} %",
            ]
        )
    columns = (
        "", "spread, USD", "commission, USD", "assignment, USD", "all, USD", "of the risk",
        "mean before", "mean after",
    )  # fmt: skip
    return Table(columns, rows, note=(
        "Means of a contract, entering and leaving. Assignment: what short calls lose to holders "
        "who exercise before a dividend."
    ))  # fmt: skip


def held_figure(
    held: Int64[np.ndarray, " n"], returns: Float64[np.ndarray, " n"], *, of_risk: bool
) -> Document:
    """Return what trades came to against the calendar days that they were held."""
    tick = ".0%" if of_risk else ",~s"
    words = "return, of the risk" if of_risk else "P&L, USD"
    traces = _points(held, returns, tick) if len(held) <= POINTS else _boxes(held, returns, tick)
    return figure(
        traces, 400, showlegend=False, xaxis={"title": {"text": "calendar days held"}},
        yaxis={"tickformat": tick, "title": {"text": words}, "zeroline": True, "zerolinewidth": 2},
    )  # fmt: skip


def _points(
    held: Int64[np.ndarray, " n"], returns: Float64[np.ndarray, " n"], tick: str
) -> list[Document]:
    colours = [GOOD if one > 0.0 else BAD for one in returns]
    return [
        {
            "type": "scatter", "mode": "markers", "x": held.tolist(), "y": rounded(returns),
            "marker": {"size": 6, "opacity": 0.55, "color": colours},
            "hovertemplate": f"%{{x}} days: %{{y:{tick}}}<extra></extra>",
        }
    ]  # fmt: skip


def _boxes(
    held: Int64[np.ndarray, " n"], returns: Float64[np.ndarray, " n"], tick: str
) -> list[Document]:
    """Return a box of every few days held, from 5 % to 95 %, and the line of their means."""
    step = max(1, -(-(int(held.max()) + 1) // BOXES))
    place = held // step
    places = np.unique(place)
    ends = [np.quantile(returns[place == one], [0.05, 0.25, 0.5, 0.75, 0.95]) for one in places]
    low, first, median, third, high = np.array(ends).T
    middle = (places * step + (step - 1) / 2.0).tolist()
    means = [float(returns[place == one].mean()) for one in places]
    counts = [f"{int((place == one).sum()):,} trades" for one in places]
    box = {
        "type": "box", "x": middle, "q1": rounded(first), "median": rounded(median),
        "q3": rounded(third), "lowerfence": rounded(low), "upperfence": rounded(high),
        "line": {"color": GOOD, "width": 1.2}, "fillcolor": "rgba(31, 95, 168, 0.18)",
        "hoverinfo": "y", "whiskerwidth": 0.4,
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines+markers", "x": middle, "y": rounded(means),
        "line": {"color": INK, "width": 1.4}, "marker": {"size": 5, "color": INK},
        "text": counts, "hovertemplate": f"mean %{{y:{tick}}}, %{{text}}<extra></extra>",
    }  # fmt: skip
    return [box, line]
