"""The closed trades of a backtest, a row each, with what a page says of them. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.backtest.portfolio import Fill
from trading.backtest.result import Backtest
from trading.backtest.run import Entered

#: What is read of how a position ended, USD a contract; see `Ends`.
AMOUNTS: Final = ("profit", "spread", "commission", "assigned")


def every_trade(backtest: Backtest) -> pd.DataFrame:
    """Return every structure's trades at sessions with forecasts: what cells are judged on.

    Columns: `ticker`, `structure`, `reason`, `held` (calendar days), `risk` and those of `AMOUNTS`,
    USD a contract.
    """
    parts = []
    for ticker, structures in backtest.entered.items():
        known = backtest.said[ticker].known
        for name, one in structures.items():
            rows = np.flatnonzero(known[one.lives.start] & np.isfinite(one.ends.profit))
            parts.append(_rows(backtest, ticker, name, one, rows).assign(contracts=1))
    return pd.concat(parts, ignore_index=True)


def filled_trades(backtest: Backtest, fills: list[Fill]) -> pd.DataFrame:
    """Return the trades that a book took, with their `contracts`; see `every_trade`."""
    taken: dict[tuple[str, str], list[Fill]] = {}
    for fill in fills:
        taken.setdefault((fill.ticker, fill.strategy), []).append(fill)
    parts = []
    for (ticker, name), some in taken.items():
        rows = np.array([fill.row for fill in some])
        part = _rows(backtest, ticker, name, backtest.entered[ticker][name], rows)
        parts.append(part.assign(contracts=[fill.contracts for fill in some]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _rows(
    backtest: Backtest, ticker: str, name: str, one: Entered, rows: np.ndarray
) -> pd.DataFrame:
    days = backtest.histories[ticker].days.to_numpy("datetime64[D]")
    entered = days[one.lives.start[rows]]
    left = days[one.lives.place[rows, one.ends.column[rows]]]
    return pd.DataFrame(
        {
            "ticker": ticker,
            "structure": name,
            "row": rows,
            "entered": entered,
            "left": left,
            "held": (left - entered).astype(int),
            "reason": one.ends.reason[rows],
            "risk": one.held.max_loss[rows],
            **{amount: getattr(one.ends, amount)[rows] for amount in AMOUNTS},
        }
    )
