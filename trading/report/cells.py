"""Cells as a heat map with their intervals, and any labels as rows. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from market.iv_rank import REGIMES
from market.targets import DIRECTIONS
from trading.backtest.policies import of_matrix
from trading.backtest.portfolio import NAMES
from trading.backtest.result import cell_name
from trading.judgement.cells import Cell as Judged
from trading.judgement.verdict import Judgement
from trading.report.page import Cell, Table

FEW: Final = "few"
#: Before a cell that the matrix trades.
MINE: Final = "▸"
#: Rows of a table of labels; more are counted.
MOST: Final = 60


def heat_tables(judgement: Judgement, tickers: Sequence[str]) -> list[Table]:
    """Return a heat map an underlying: direction and regime by structure."""
    cells = {cell.name: cell for cell in judgement.cells}
    deep = deepest(judgement)
    states = [f"{direction}, {regime}" for direction in DIRECTIONS for regime in REGIMES]
    tables = []
    for ticker in tickers:
        rows: list[list[str | Cell]] = []
        never = []
        for state in states:
            found = {name: cells.get(cell_name(ticker, state, name)) for name in NAMES}
            if any(found.values()):
                mine = of_matrix(state)
                heat = (_heat(one, judgement, deep, name in mine) for name, one in found.items())
                rows.append([state, *heat])
            else:
                never.append(state)
        note = f"Never forecast: {_states(never)}." if never else ""
        tables.append(Table(("", *NAMES), rows, caption=ticker, note=note, heat=True))
    return tables


def _states(never: list[str]) -> str:
    """Return states in words, a direction alone where none of its regimes is left."""
    whole = [one for one in DIRECTIONS if all(f"{one}, {regime}" in never for regime in REGIMES)]
    return "; ".join([*whole, *(one for one in never if one.split(", ")[0] not in whole)])


def _heat(found: Judged | None, judgement: Judgement, deep: float, mine: bool) -> Cell:
    if found is None:
        return Cell("")
    cell = shown(found, judgement, deep)
    return replace(cell, text=f"{MINE} {cell.text}") if mine else cell


def deepest(judgement: Judgement) -> float:
    """Return the mean that is shaded the most: of what can be judged, the largest."""
    return max((abs(cell.mean) for cell in judgement.cells if cell.judged), default=1.0) or 1.0


def shown(cell: Judged, judgement: Judgement, deep: float) -> Cell:
    """Return a mean, its interval for all that was tried below it, and the rest on hover."""
    amount = judgement.amount
    hover = (
        f"{cell.name}: {judgement.figures(cell)}. {cell.n:,} trades on {cell.days:,} days, "
        f"{cell.won:.0%} won, worst 5 % {amount(cell.worst)}"
    )
    if cell.over is not None:
        hover += (
            f"; over {cell.group} in all {amount(cell.over)} [{amount(cell.low_over)}, "
            f"{amount(cell.high_over)}]"
        )
    if not cell.judged:
        return Cell(_short(cell.mean, judgement), kind=FEW, below=f"n {cell.n}", hover=hover)
    below = f"[{_short(cell.low_of_all, judgement)}, {_short(cell.high_of_all, judgement)}]"
    kind = "found" if cell.survives else ""
    shade = float(np.clip(cell.mean / deep, -1.0, 1.0))
    return Cell(_short(cell.mean, judgement), shade, kind, below, hover)


def _short(value: float | None, judgement: Judgement) -> str:
    """Return a return without its unit, which the page says."""
    if value is None:
        return "-"
    return f"{100.0 * value:+.1f}" if judgement.of_risk else f"{value:+,.0f}"


def cells_note(judgement: Judgement) -> str:
    """Return how a cell is read."""
    unit = "% of the most that a trade can lose" if judgement.of_risk else "USD"
    return (
        f"Mean of a trade in {unit}; in brackets the 95 % interval that holds for all "
        f"{judgement.tried:,} tried together. Grey: too few trades, wins or losses to be judged. "
        "A frame: survives."
    )


def labels_table(judgement: Judgement) -> Table:
    """Return a row a cell, whatever its label: figures, intervals, deflated Sharpe ratio."""
    deep = deepest(judgement)
    rows = [_label(cell, judgement, deep) for cell in judgement.cells[:MOST]]
    left = len(judgement.cells) - len(rows)
    note = cells_note(judgement) + (f" {left:,} more are not shown." if left else "")
    columns = (
        "", "mean", "by itself", "trades", "days", "won", "worst 5 %", "drawdown",
        "total, USD", "Sharpe of a trade", "deflated",
    )  # fmt: skip
    return Table(columns, rows, note=note)


def _label(cell: Judged, judgement: Judgement, deep: float) -> Sequence[str | Cell]:
    alone = "-"
    if cell.low is not None:
        alone = f"[{_short(cell.low, judgement)}, {_short(cell.high, judgement)}]"
    return [
        cell.name, shown(cell, judgement, deep), alone, f"{cell.n:,}", f"{cell.days:,}",
        f"{cell.won:.0%}", judgement.amount(cell.worst),
        judgement.amount(cell.drawdown).lstrip("+"), f"{cell.profit:+,.0f}",
        "-" if cell.sharpe is None else f"{cell.sharpe:+.2f}",
        "-" if cell.deflated is None else f"{cell.deflated:.2f}",
    ]  # fmt: skip
