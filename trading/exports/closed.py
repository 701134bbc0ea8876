"""Exports that hold a closed trade a row: freqtrade, QuantConnect, backtesting.py, plain. Pure."""

from typing import Final

import numpy as np
import pandas as pd

from trading.exports.columns import above_nothing, empty, numbers, refused, span
from trading.exports.export import Export, labels, trades_of

OPEN: Final = "still open"
#: Days to an expiry at most.
FAR: Final = 4_000


def plain(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the trades of a table of `entry`, `exit`, `pnl`, perhaps `risk` and `label`."""
    closed, left_out = _closed(frame, empty(frame["exit"]))
    risk, notes = None, []
    if "risk" in closed:
        given = ~empty(closed["risk"]).to_numpy()
        if given.all():
            risk = above_nothing(closed, "risk")
        else:
            notes.append(f"{int((~given).sum()):,} trades have no risk: returns are USD")
    profit = numbers(closed, "pnl")
    trades = trades_of(
        span(closed, "entry", "exit"), profit, risk, labels(closed, by or ("label",))
    )
    return Export("plain", trades, left_out, tuple(notes))


def freqtrade(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the trades of freqtrade, as shares of the stake."""
    closed, left_out = _closed(frame, frame["is_open"].str.lower().isin(("true", "1")))
    profit, stake = numbers(closed, "profit_abs"), above_nothing(closed, "stake_amount")
    when = span(closed, "open_date", "close_date")
    label = labels(closed, by or ("strategy", "enter_tag"))
    notes = ("the risk of a trade is its stake",)
    return Export("freqtrade", trades_of(when, profit, stake, label), left_out, notes)


def quantconnect(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the closed trades of QuantConnect; its P&L is before fees."""
    closed, left_out = _closed(frame, empty(frame["Exit Time"]))
    profit = numbers(closed, "P&L") - numbers(closed, "Fees")
    when = span(closed, "Entry Time", "Exit Time")
    label = labels(closed, by or ("Symbols",))
    return Export("QuantConnect", trades_of(when, profit, None, label), left_out,
                  ("fees are taken off",))  # fmt: skip


def backtesting_py(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the trades of backtesting.py, whose P&L is after commissions."""
    closed, left_out = _closed(frame, empty(frame["ExitTime"]))
    when = span(closed, "EntryTime", "ExitTime")
    tagged = closed.assign(Tag=closed["Tag"].where(~empty(closed["Tag"]), ""))
    label = labels(tagged, by or ("Tag",))
    return Export("backtesting.py", trades_of(when, numbers(closed, "PnL"), None, label), left_out)


def optopsy(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the trades of optopsy's raw frame, USD of a contract of 100 shares.

    It names no entry and no exit: the entry is as many days before the expiry as it says, and the
    exit is taken for the expiry, the latest it can be.
    """
    closed, left_out = _closed(frame, empty(frame["total_exit_proceeds"]))
    days = numbers(closed, "dte_entry")
    if (far := (days < 0.0) | (days > FAR)).any():
        raise refused(closed, "dte_entry", int(far.argmax()), f"0 to {FAR:,} days")
    end = pd.to_datetime(closed["expiration"].str[:10], format="%Y-%m-%d", errors="coerce")
    if end.isna().any():
        at = int(end.isna().to_numpy().argmax())
        raise refused(closed, "expiration", at, "a day such as 2024-03-28")
    dated = closed.assign(
        entry=(end - pd.to_timedelta(days, unit="D")).dt.strftime("%Y-%m-%d"),
        exit=end.dt.strftime("%Y-%m-%d"),
    )
    when = span(dated, "entry", "exit")
    profit = 100.0 * (numbers(closed, "total_exit_proceeds") - numbers(closed, "total_entry_cost"))
    label = labels(closed, by or ("underlying_symbol",))
    notes = (
        "a contract of 100 shares a trade, without commissions",
        "the exit is taken for the expiry, which optopsy's frame does not tell apart",
    )
    return Export("optopsy", trades_of(when, profit, None, label), left_out, notes)


def _closed(frame: pd.DataFrame, open_: pd.Series) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows of closed trades, and how many others there are."""
    count = int(np.asarray(open_).sum())
    return frame[~open_], {OPEN: count} if count else {}
