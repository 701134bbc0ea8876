"""Closed trades, as they are judged: of a backtest, of a paper book, or of another program."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from jaxtyping import Float64

from market.arrays import BoolArray, DateArray
from market.errors import InputError


@dataclass(frozen=True)
class Trades:
    """Closed trades, one a place, in any order.

    Attributes
    ----------
    entered, left
        Days.
    profit
        In USD, after costs.
    risk
        The most that each could lose, in USD above 0; NaN where it is not known.
    cell
        What each is an instance of: a label, such as `UP, LOW, Bull Call Spread`.
    group
        What a cell is a part of, such as the same structure at every session: a cell that is no
        better says nothing of its own. The cell itself where there is no such thing.
    lower, higher
        Profit with the level of volatility a point lower and higher: how sure a synthetic price is;
        NaN where prices were quoted.
    """

    entered: DateArray
    left: DateArray
    profit: Float64[np.ndarray, " n_trades"]
    risk: Float64[np.ndarray, " n_trades"]
    cell: np.ndarray
    group: np.ndarray
    lower: Float64[np.ndarray, " n_trades"]
    higher: Float64[np.ndarray, " n_trades"]

    def __post_init__(self) -> None:
        count = len(self.profit)
        if any(len(column) != count for column in vars(self).values()):
            lengths = {name: len(column) for name, column in vars(self).items()}
            raise InputError(f"trades: got columns of lengths {lengths}, allowed is one length")
        if not np.isfinite(self.profit).all():
            raise InputError("trades: a profit is no finite number")
        if (self.left < self.entered).any():
            at = int(np.argmax(self.left < self.entered))
            raise InputError(
                f"trades: one entered {self.entered[at]} left on {self.left[at]}, which is before"
            )

    def __len__(self) -> int:
        return len(self.profit)

    @property
    def of_risk(self) -> bool:
        """Whether returns are shares of the risk; else they are USD."""
        return bool(np.isfinite(self.risk).all())

    @property
    def returns(self) -> Float64[np.ndarray, " n_trades"]:
        """Profit as a share of the risk, or in USD where a risk is not known."""
        return self.profit / self.risk if self.of_risk else self.profit

    @property
    def worst_mean(self) -> float:
        """The mean return at the level of the band that is the worst for all of them together."""
        means = []
        for moved in (self.lower, self.higher):
            profit = np.where(np.isnan(moved), self.profit, moved)
            means.append(float((profit / self.risk if self.of_risk else profit).mean()))
        return min(means)

    def where(self, kept: BoolArray) -> Self:
        """Return some of the trades."""
        return type(self)(**{name: column[kept] for name, column in vars(self).items()})


def joined(parts: Sequence[Trades]) -> Trades:
    """Return the trades of several in one."""
    names = [field.name for field in fields(Trades)]
    return Trades(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in names})
