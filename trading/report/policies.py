"""Policies side by side: what each came to, its equity, and one's months. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.backtest.policies import EDGE, HOLD, MATRIX, RANDOM
from trading.backtest.result import Backtest, Policy
from trading.judgement.returns import falls
from trading.report.closed import AMOUNTS, filled_trades
from trading.report.page import Cell, Table
from trading.report.style import SERIES, Document, figure, rounded

#: What is drawn until more is asked for.
FIRST: Final = (MATRIX, EDGE, RANDOM, HOLD)
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: The return of a month that is shaded the most.
DEEP: Final = 0.05
COLUMNS: Final = (
    "", "total", "a year", "Sharpe", "Sortino", "drawdown", "sessions below", "trades",
    "mean, % of risk", "costs, USD",
)  # fmt: skip


def policies_table(backtest: Backtest) -> Table:
    """Return what each policy's book came to."""
    rows = [_row(backtest, policy) for policy in backtest.policies]
    spread = next((one.range for one in backtest.policies if one.range is not None), None)
    note = "Sharpe and Sortino of daily returns, a year, without a rate."
    if spread is not None:
        low, high = (f"{100 * end:+.1f} %" for end in spread)
        note += (
            f" Random signals are the matrix's own, turned by a random number of sessions: of such "
            f"books 90 % came to {low} to {high} in all; shown is the one of the middle."
        )
    return Table(COLUMNS, rows, note=note)


def _row(backtest: Backtest, policy: Policy) -> list[str | Cell]:
    found = policy.performance
    row: list[str | Cell] = [
        policy.name, _percent(found.total), _percent(found.yearly), _ratio(found.sharpe),
        _ratio(found.sortino), f"{100 * found.drawdown:.1f} %", f"{found.longest:,}",
    ]  # fmt: skip
    if policy.book is None:
        return [*row, "-", "-", "-"]
    trades = filled_trades(backtest, policy.book.fills)
    if trades.empty:
        return [*row, "0", "-", "0"]
    mean = float((trades["profit"] / trades["risk"]).mean())
    costs = float((trades[list(AMOUNTS[1:])].sum(axis=1) * trades["contracts"]).sum())
    return [*row, f"{len(trades):,}", f"{100 * mean:+.1f}", f"{costs:,.0f}"]


def equity_figure(backtest: Backtest) -> Document:
    """Return the equity of policies on a log axis, and below it how far each has fallen."""
    traces: list[Document] = []
    for policy, colour in zip(backtest.policies, SERIES * 2, strict=False):
        shown = True if policy.name in FIRST else "legendonly"
        line = {"color": colour, "width": 2.2 if policy.name == MATRIX else 1.4}
        both = {
            "type": "scatter", "mode": "lines", "x": "@days", "line": line, "name": policy.name,
            "legendgroup": policy.name, "visible": shown,
        }  # fmt: skip
        equity = np.where(policy.equity > 0.0, policy.equity, np.nan)
        traces.append({**both, "y": rounded(equity, 0), "hovertemplate": "%{y:,.0f} USD"})
        fallen = rounded(-falls(policy.equity))
        traces.append({**both, "y": fallen, "yaxis": "y2", "showlegend": False,
                       "hovertemplate": "%{y:.1%}"})  # fmt: skip
    return figure(
        traces,
        620,
        hovermode="x unified",
        xaxis={"anchor": "y2", "nticks": 8},
        yaxis={"type": "log", "domain": [0.38, 1.0], "dtick": "D2", "tickformat": ",~s",
               "title": {"text": "equity, USD"}},
        yaxis2={"domain": [0.0, 0.33], "tickformat": ".0%", "title": {"text": "below its height"}},
        legend={"orientation": "h", "y": -0.07, "yanchor": "top", "x": 0},
    )  # fmt: skip


def monthly_table(days: pd.DatetimeIndex, equity: np.ndarray) -> Table:
    """Return the return of every month and year, a row a year."""
    closes = pd.Series(equity, index=days)
    ends = closes.groupby([days.year, days.month]).last()
    before = np.concatenate([[equity[0]], ends.to_numpy()[:-1]])
    moves = pd.Series(ends.to_numpy() / before - 1.0, index=ends.index)
    rows: list[list[str | Cell]] = []
    for year in sorted(set(days.year)):
        months = moves.loc[year]
        whole = float((1.0 + months).prod() - 1.0)
        cells = [_month(months.get(month)) for month in range(1, 13)]
        rows.append([str(year), *cells, f"{100 * whole:+.1f}"])
    return Table(("", *MONTHS, "year"), rows, note="Returns in %.", heat=True)


def _month(move: float | None) -> Cell:
    if move is None:
        return Cell("")
    return Cell(
        f"{100 * move:+.1f}".replace("-0.0", "+0.0"), float(np.clip(move / DEEP, -1.0, 1.0))
    )


def _percent(value: float) -> str:
    return f"{100 * value:+.1f} %"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
