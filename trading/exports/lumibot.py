"""Fills of lumibot, matched first in, first out: a trade is a lot opened and closed. Pure."""

from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from market.errors import InputError
from trading.exports.closed import OPEN
from trading.exports.columns import above_nothing, empty, numbers, refused, span
from trading.exports.export import Export, labels, trades_of

#: What ends an option besides a fill, and whether it is paid in cash. Where it is not, shares are
#: delivered at the strike by a fill of their own: the option itself then ends for nothing, though
#: lumibot writes what it was worth.
SETTLED: Final = {"expired": True, "cash_settled": True, "assigned": False, "exercised": False}
#: What is traded.
CONTRACT: Final = ("strategy", "symbol", "asset.asset_type", "asset.right", "asset.strike",
                   "asset.expiration")  # fmt: skip
#: Shares or contracts below which nothing is left of a lot: quantities are binary fractions.
DUST: Final = 1e-9


class Lot(NamedTuple):
    """What is open of a fill: its row, signed quantity, price and cost of one."""

    row: int
    quantity: float
    price: float
    cost: float


class Closed(NamedTuple):
    """A part of a lot that another fill closed: rows of both, and USD after costs."""

    opened: int
    closed: int
    profit: float


def lumibot(frame: pd.DataFrame, by: tuple[str, ...] = ()) -> Export:
    """Return the trades that lumibot's fills make up, in USD."""
    fills = _fills(frame)
    found, left = [], 0
    contract = [name for name in CONTRACT if name in fills]
    for _, rows in fills.groupby(contract, sort=False):
        lots: deque[Lot] = deque()
        found += list(_matched(rows, lots))
        left += len(lots)
    found.sort(key=lambda one: (one.closed, one.opened))
    opened = fills.loc[[one.opened for one in found]].reset_index(drop=True)
    closed = fills.loc[[one.closed for one in found]].reset_index(drop=True)
    when = span(opened.assign(left=closed["time"]), "time", "left")
    profit = np.array([one.profit for one in found], dtype=np.float64)
    notes = ["fills are matched first in, first out, lot by lot"]
    if fills["status"].isin([name for name, cash in SETTLED.items() if not cash]).any():
        notes.append("an option that was assigned or exercised ends for nothing, its shares at the "
                     "strike")  # fmt: skip
    trades = trades_of(when, profit, None, labels(opened, by or ("symbol",)))
    return Export("lumibot", trades, {OPEN: left} if left else {}, tuple(notes))


def _fills(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what was traded or settled, in order, with numbers in the place of texts."""
    status = frame["status"].str.lower()
    if (part := (status == "partial_fill").to_numpy()).any():
        raise refused(
            frame, "status", int(part.argmax()), "fill: parts of orders are not told apart"
        )
    fills = frame[status.isin(("fill", *SETTLED))]
    cost = fills["trade_cost"].where(~empty(fills["trade_cost"]), "0")
    fills = fills.assign(status=status[fills.index], trade_cost=cost)
    side = fills["side"].str.lower()
    known = side.str.startswith(("buy", "sell")).to_numpy()
    if not known.all():
        raise refused(fills, "side", int((~known).argmax()), "a side that buys or sells")
    price = numbers(fills, "price")
    bought = np.where(side.str.startswith("buy"), 1.0, -1.0)
    delivered = fills["status"].isin([name for name, cash in SETTLED.items() if not cash])
    return fills.assign(
        quantity=numbers(fills, "filled_quantity") * bought,
        price=np.where(delivered, 0.0, price),
        multiplier=_multipliers(fills),
        trade_cost=numbers(fills, "trade_cost"),
    )  # fmt: skip


def _multipliers(fills: pd.DataFrame) -> np.ndarray:
    """Return the shares of a contract; 1 where nothing else is said of what is no derivative."""
    name = "asset.multiplier"
    missing = empty(fills[name])
    derived = missing & fills["asset.asset_type"].str.lower().isin(("option", "future"))
    if derived.any():
        raise refused(fills, name, int(derived.to_numpy().argmax()), "the multiplier of a contract")
    return above_nothing(fills.assign(**{name: fills[name].where(~missing, "1")}), name)


def _matched(rows: pd.DataFrame, lots: deque[Lot]) -> Iterator[Closed]:
    """Yield what fills of one contract close, and leave in `lots` what stays open."""
    columns = (rows[name] for name in ("quantity", "price", "trade_cost", "multiplier"))
    for row, quantity, price, cost, multiplier in zip(rows.index, *columns, strict=True):
        if quantity == 0.0:
            raise InputError(f"row {row + 2}: filled_quantity: got 0, allowed is more")
        each, left = cost / abs(quantity), quantity
        while lots and abs(left) > DUST and lots[0].quantity * left < 0.0:
            lot = lots.popleft()
            part = min(abs(lot.quantity), abs(left)) * np.sign(lot.quantity)
            profit = part * multiplier * (price - lot.price) - abs(part) * (lot.cost + each)
            yield Closed(lot.row, row, float(profit))
            left += part
            if abs(rest := lot.quantity - part) > DUST:
                lots.appendleft(lot._replace(quantity=rest))
        if abs(left) > DUST:
            lots.append(Lot(row, left, price, each))
