"""What positions of recorded signals were worth in USD, by strategy, and as judged. Pure.

Positions are frames, a row a position of one contract: `session` (of entry), `strategy`, `risk`
(USD that it can lose), and where it has ended `end_session`, `reason`, `profit` (USD after costs)
and `pricing`; these are null while it is held.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd

from trading.judgement.cells import Cell
from trading.judgement.trades import Trades, joined
from trading.judgement.verdict import Judgement, judge

#: What all strategies together are called; also tried, so also counted.
TOTAL: Final = "all strategies"
FIGURES: Final = (
    "strategy", "n", "held", "won", "mean", "total", "mean_of_risk", "low", "high", "worst",
    "priced_by",
)  # fmt: skip


def ended(positions: pd.DataFrame) -> pd.DataFrame:
    """Return the positions that have ended."""
    return positions[positions["reason"].notna()]


def judged(positions: pd.DataFrame) -> Judgement:
    """Return what ended positions came to by strategy, and all together where there are several.

    Means are shares of the risk, their intervals by blocks of days of entry.
    """
    trades = _trades(ended(positions))
    if len(set(trades.cell.tolist())) > 1:
        total = np.full(len(trades), TOTAL)
        trades = joined([trades, replace(trades, cell=total, group=total)])
    return judge(trades)


def _trades(rows: pd.DataFrame) -> Trades:
    # Of a recorded signal no outcome is known at other levels of volatility.
    unknown = np.full(len(rows), np.nan)
    labels = np.array(rows["strategy"].tolist(), dtype=np.str_)
    return Trades(
        rows["session"].to_numpy("datetime64[D]"),
        rows["end_session"].to_numpy("datetime64[D]"),
        rows["profit"].to_numpy(np.float64),
        rows["risk"].to_numpy(np.float64),
        labels,
        labels,
        unknown,
        unknown,
    )


def verdict(judgement: Judgement) -> list[str]:
    """Return whether any of it is shown to pay, in words; the first line alone is sufficient."""
    cells = [cell for cell in judgement.cells if cell.judged]
    if not cells:
        return ["too few positions have ended to say whether any of it pays"]
    paying = [cell.name for cell in judgement.survivors]
    first = f"{', '.join(paying)}: shown to pay" if paying else "none of it is shown to pay"
    losing = [
        f"{cell.name} is shown to lose: {judgement.figures(cell)}"
        for cell in cells
        if cell.high_of_all is not None and cell.high_of_all < 0.0
    ]
    return [first, *losing, *judgement.words()[1:]]


def worth_table(positions: pd.DataFrame, judgement: Judgement) -> pd.DataFrame:
    """Return what each strategy's positions were worth, the most positions first, then of all.

    Returns
    -------
    DataFrame
        `strategy`, `n` (ended), `held`, `won` (share), `mean` and `total` (USD a contract),
        `mean_of_risk`, `low`, `high` (of its 95 % interval, shares of the risk), `worst` (USD),
        `priced_by`. A figure is null where nothing has ended, an interval where too little has.
    """
    cells = {cell.name: cell for cell in judgement.cells}
    counts = positions["strategy"].value_counts()
    rows = [_worth(positions[positions["strategy"] == name], name, cells) for name in counts.index]
    if len(rows) > 1:
        rows.append(_worth(positions, TOTAL, cells))
    return pd.DataFrame(rows, columns=list(FIGURES))


def _worth(positions: pd.DataFrame, name: str, cells: dict[str, Cell]) -> dict[str, object]:
    rows = ended(positions)
    found: dict[str, object] = {
        "strategy": name, "n": len(rows), "held": len(positions) - len(rows),
    }  # fmt: skip
    if rows.empty:
        return found
    # Of one strategy alone, all is that strategy.
    cell = cells.get(name) or cells[rows["strategy"].iloc[0]]
    return found | {
        "won": cell.won,
        "mean": rows["profit"].mean(),
        "total": rows["profit"].sum(),
        "mean_of_risk": cell.mean,
        "low": cell.low,
        "high": cell.high,
        "worst": rows["profit"].min(),
        "priced_by": counted(rows["pricing"]),
    }


def counted(kinds: Iterable[str]) -> str:
    """Return what there is, such as `synthetic`; how many of each where there are several."""
    counts = pd.Series(list(kinds)).value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{kind} {count:,}" for kind, count in counts.items())


def by_reason(positions: pd.DataFrame) -> pd.DataFrame:
    """Return ended positions by strategy and by what ended them.

    Returns
    -------
    DataFrame
        `strategy`, `reason`, `n`, `won` (share), `mean`, `total`, `worst` (USD a contract).
    """
    rows = ended(positions).assign(gain=lambda of: of["profit"] > 0.0)
    grouped = rows.groupby(["strategy", "reason"], sort=True)
    return grouped.agg(
        n=("profit", "size"), won=("gain", "mean"), mean=("profit", "mean"),
        total=("profit", "sum"), worst=("profit", "min"),
    ).reset_index()  # fmt: skip


def accrued(positions: pd.DataFrame) -> pd.DataFrame:
    """Return the sum of profits by session of exit, from 0 at the first entry.

    Returns
    -------
    DataFrame
        `strategy` (the last is `TOTAL` where there are several), `session`, `profit` (USD, of one
        contract of each position that has ended by then).
    """
    rows = ended(positions)
    parts = [(name, part) for name, part in rows.groupby("strategy", sort=False)]
    if len(parts) > 1:
        parts.append((TOTAL, rows))
    lines = [_accrued(str(name), part) for name, part in parts]
    columns = ["strategy", "session", "profit"]
    return pd.concat(lines, ignore_index=True) if lines else pd.DataFrame(columns=columns)


def _accrued(name: str, rows: pd.DataFrame) -> pd.DataFrame:
    sums = rows.groupby("end_session")["profit"].sum().cumsum()
    return pd.DataFrame(
        {
            "strategy": name,
            "session": [rows["session"].min(), *sums.index],
            "profit": [0.0, *sums.to_numpy()],
        }
    )
