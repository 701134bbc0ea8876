"""What the sessions of an underlying are climbed with: the backtest's side, made once for all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from home.records.signal import Signal
from home.records.structure import Structure
from optrade.flows.reconcile.again import Again
from serving.answer.structure import Pricing
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.backtest.policies import by_matrix
from trading.backtest.portfolio import NAMES
from trading.backtest.positions import CROSSED
from trading.backtest.result import Asked, Rules, entered_of
from trading.backtest.run import Entered, Fill, every_structure
from trading.reconcile.ladder import cents_of
from trading.reconcile.profits import entered_profit

#: The backtest sizes as unproven models do; what a contract comes to does not hang on it.
SIZE: Final = "half"


@dataclass(frozen=True)
class Scene:
    """What all sessions of an underlying are climbed with.

    Attributes
    ----------
    strategies
        What the backtest's matrix takes after each session of the history, None for no position.
    known
        Sessions of which the backtest has forecasts.
    synthetic
        Every structure across the spread on the index's smile, by when it is filled.
    crossed
        The same at the backtest's fill, on a chain where it takes one.
    final
        As the backtest trades it.
    then
        What was known of the underlying at a clock.
    again
        A signal's position made again; see `made_again`.
    """

    history: History
    rules: Rules
    strategies: tuple[str | None, ...]
    known: np.ndarray
    synthetic: Mapping[Fill, Mapping[str, Entered]]
    crossed: Mapping[str, Entered]
    final: Mapping[str, Entered]
    then: Callable[[pd.Timestamp], History]
    again: Callable[[Signal], Again]

    @classmethod
    def of(
        cls,
        asked: Asked,
        rules: Rules,
        places: np.ndarray,
        then: Callable[[pd.Timestamp], History],
        again: Callable[[Signal], Again],
    ) -> "Scene":
        """Return the scene of some sessions of an underlying, ascending places in its history."""
        history = asked.history
        chosen = by_matrix(asked.said).strategy
        across = replace(rules, crossing=CROSSED)
        fills: tuple[Fill, ...] = ("open", "close")
        return cls(
            history,
            rules,
            tuple(None if one < 0 else NAMES[one] for one in chosen),
            asked.said.known,
            {fill: every_structure(history, places, fill) for fill in fills},
            entered_of(asked, across, places),
            entered_of(asked, rules, places),
            then,
            again,
        )

    def place(self, session: str) -> int:
        """Return the place of a session in the history, -1 where it has none."""
        return int(self.history.days.get_indexer(pd.DatetimeIndex([session]))[0])

    def backtest(self, place: int) -> int:
        """Return what the backtest's matrix came to, in cents; raises as `entered_profit`."""
        return cents_of(entered_profit(self.final, self.strategies[place], place))


def walked_position(strategy: str | None, row: FeatureRow) -> Structure | None:
    """Return the position that the walk-forward models take, priced as a signal's is."""
    return None if strategy is None else Pricing().priced(row, strategy, SIZE, None).structure
