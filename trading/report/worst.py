"""The worst trades of a book: the underlying and the marks through their lives. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.backtest.result import Backtest
from trading.report.page import Chart
from trading.report.style import BAD, ENDS, GOOD, GREY, INK, Document, dates, figure, rounded

COUNT: Final = 10


def worst_charts(backtest: Backtest, trades: pd.DataFrame) -> list[Chart]:
    """Return the trades that lost the most USD, each with its life.

    Parameters
    ----------
    trades
        See `filled_trades`.
    """
    if trades.empty:
        return []
    lost = (trades["profit"] * trades["contracts"]).nsmallest(COUNT)
    charts = []
    for one, amount in zip(trades.loc[lost.index].to_dict("records"), lost, strict=True):
        times = "" if one["contracts"] == 1 else f"{one['contracts']} "
        caption = f"{amount:+,.0f} USD, {100 * one['profit'] / one['risk']:+.0f} % of the risk"
        detail = (
            f"{times}{one['ticker']} {one['structure']}, {one['entered']:%-d %b %Y} to "
            f"{one['left']:%-d %b %Y}, by {ENDS[one['reason']]}"
        )
        life = _life(backtest, one["ticker"], one["structure"], one["row"])
        charts.append(Chart(life, caption, detail))
    return charts


def _life(backtest: Backtest, ticker: str, structure: str, row: int) -> Document:
    """Return the closes of the underlying over the marks of a position, from signal to end."""
    one, history = backtest.entered[ticker][structure], backtest.histories[ticker]
    column = int(one.ends.column[row])
    start, places = int(one.lives.start[row]), one.lives.place[row, : column + 1]
    whole = np.concatenate([[start], places])
    days = dates(history.days[whole])
    shares = history.shares[whole] / history.shares[start]
    paid, brought = one.held.paid[row], one.ends.worth[row]
    worth = np.concatenate([[paid], one.ends.marks[row, :column], [brought]])
    traces: list[Document] = [
        _line(days, history.closed[whole] * shares, INK, "close"),
        *(_level(days, stop, BAD, "stop") for stop in (one.held.below[row], one.held.above[row])
          if np.isfinite(stop)),
        {**_line(days, worth, GOOD, "worth"), "yaxis": "y2"},
        {**_level(days, one.held.target[row], GOOD, "target"), "yaxis": "y2"},
        {**_level(days, paid, GREY, "paid"), "yaxis": "y2"},
    ]  # fmt: skip
    return figure(
        traces, 240, showlegend=False, hovermode="x unified", xaxis={"nticks": 4, "anchor": "y2"},
        yaxis={"domain": [0.54, 1.0], "title": {"text": ticker, "font": {"size": 11}}, "nticks": 4},
        yaxis2={"domain": [0.0, 0.46], "title": {"text": "USD a share", "font": {"size": 11}},
                "nticks": 4},
    )  # fmt: skip


def _line(days: list[str], values: np.ndarray, colour: str, name: str) -> Document:
    return {
        "type": "scatter", "mode": "lines+markers", "x": days, "y": rounded(values, 2),
        "name": name, "line": {"color": colour, "width": 1.6}, "marker": {"size": 3},
    }  # fmt: skip


def _level(days: list[str], value: float, colour: str, name: str) -> Document:
    return {
        "type": "scatter", "mode": "lines", "x": [days[0], days[-1]],
        "y": rounded([value, value], 2), "name": name,
        "line": {"color": colour, "width": 1.2, "dash": "dash"},
    }  # fmt: skip
