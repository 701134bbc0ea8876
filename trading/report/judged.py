"""The page of judged trades, whoever made them: the verdict first. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from trading.judgement.trades import Trades
from trading.judgement.verdict import Judgement
from trading.report.cells import labels_table
from trading.report.ends import held_figure
from trading.report.page import Cell, Chart, Page, Section, Table, page_html
from trading.report.policies import MONTHS
from trading.report.style import GOOD, SERIES, Document, dates, figure, plain, rounded

#: Labels whose own sums are drawn, those of the most trades.
DRAWN: Final = 6
WORST: Final = 10


def judged_html(trades: Trades, judgement: Judgement, title: str, facts: Sequence[str] = ()) -> str:
    """Return what trades came to as one HTML page that needs no other file.

    Parameters
    ----------
    facts
        Where they come from, and what is not known of them.
    """
    first, *words = judgement.words()
    boxes = "Boxes from 25 % to 75 %, whiskers from 5 % to 95 %; the line is the mean."
    held = (trades.left - trades.entered).astype(np.int64)
    return page_html(
        Page(
            title=title,
            lead=first[:1].upper() + first[1:],
            good=bool(judgement.survivors),
            words=words,
            facts=facts,
            sections=[
                Section("P&L summed, by the day of the exit", charts=[Chart(sums_figure(trades))]),
                Section("Cells", tables=[labels_table(judgement)]),
                Section(
                    "P&L against days held",
                    lines=[boxes] if len(trades) > 1 else [],
                    charts=[Chart(held_figure(held, trades.returns, of_risk=trades.of_risk))],
                ),
                Section("Months", tables=[months_table(trades)]),
                Section("Worst trades", tables=[worst_table(trades, judgement)]),
            ],
        )
    )


def sums_figure(trades: Trades) -> Document:
    """Return the sum of profits by the day of the exit, of all and of the most frequent labels."""
    names, counts = np.unique(trades.cell, return_counts=True)
    most = [str(name) for name in names[np.argsort(-counts, kind="stable")][:DRAWN]]
    traces = [_summed(trades, "all", GOOD, 2.2)]
    if len(names) > 1:
        for name, colour in zip(most, SERIES[1:], strict=False):
            traces.append(_summed(trades.where(trades.cell == name), plain(name), colour, 1.2))
    return figure(
        traces, 420, hovermode="x unified", showlegend=len(traces) > 1,
        yaxis={"tickformat": ",~s", "title": {"text": "USD"}}, xaxis={"nticks": 8},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top", "x": 0},
    )  # fmt: skip


def _summed(trades: Trades, name: str, colour: str, width: float) -> Document:
    days, place = np.unique(trades.left, return_inverse=True)
    sums = np.cumsum(np.bincount(place, trades.profit))
    return {
        "type": "scatter", "mode": "lines+markers" if len(days) < 2 else "lines",
        "x": dates(days), "y": rounded(sums, 2), "name": name,
        "line": {"color": colour, "width": width, "shape": "hv"},
        "hovertemplate": "%{y:,.0f} USD",
    }  # fmt: skip


def months_table(trades: Trades) -> Table:
    """Return the profit of the trades that were left in each month, a row a year."""
    left = pd.DatetimeIndex(trades.left)
    sums = pd.Series(trades.profit).groupby([left.year, left.month]).sum()
    deep = float(sums.abs().quantile(0.95)) or 1.0
    rows: list[list[str | Cell]] = []
    for year in sorted(set(left.year)):
        months = sums.loc[year]
        cells = [
            Cell("") if month not in months.index
            else Cell(f"{months[month]:+,.0f}", float(np.clip(months[month] / deep, -1.0, 1.0)))
            for month in range(1, 13)
        ]  # fmt: skip
        rows.append([str(year), *cells, f"{months.sum():+,.0f}"])
    return Table(("", *MONTHS, "year"), rows, note="USD, by the day of the exit.", heat=True)


def worst_table(trades: Trades, judgement: Judgement) -> Table:
    """Return the trades that lost the most."""
    order = np.argsort(trades.returns, kind="stable")[:WORST]
    rows = [
        [
            str(trades.entered[at]),
            str(trades.left[at]),
            str(trades.cell[at]),
            f"{trades.profit[at]:+,.2f}",
            judgement.amount(float(trades.returns[at])),
        ]
        for at in order
    ]
    return Table(("entered", "left", "label", "USD", "return"), rows)
