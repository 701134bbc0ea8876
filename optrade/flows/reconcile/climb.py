"""The rungs of one session: from what live came to, a cause at a time, to the backtest's matrix."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from home.records.signal import Signal
from home.records.structure import Structure
from market.errors import InputError, SourceUnavailable
from optrade.flows.reconcile.again import Again
from optrade.flows.reconcile.lived import Lived
from serving.answer.structure import Pricing
from serving.reading.row import FeatureRow
from trading.backtest.history import History
from trading.backtest.policies import by_matrix
from trading.backtest.portfolio import NAMES
from trading.backtest.positions import CROSSED
from trading.backtest.result import Asked, Rules, entered_of
from trading.backtest.run import Entered, Fill, every_structure
from trading.reconcile.ladder import Ladder, Rung, Waiting, cents_of, ladder
from trading.reconcile.profits import (
    Acted,
    Waits,
    differing,
    entered_profit,
    filled_in,
    later_than,
    plan_profit,
    structure_profit,
)

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


def missed(scene: Scene, ticker: str, place: int) -> Ladder | Waiting | None:
    """Return the ladder of a session without a signal, None where the backtest took nothing."""
    session = str(scene.history.days[place].date())
    strategy = scene.strategies[place]
    if strategy is None:
        return None
    try:
        rung = Rung("missed session", scene.backtest(place), f"the backtest took {strategy}")
    except Waits as error:
        return Waiting(ticker, session, str(error))
    return ladder(ticker, session, 0, [rung])


def climbed(scene: Scene, lived: Lived) -> Ladder | Waiting:
    """Return the ladder of a recorded signal, or what is waited for."""
    signal = lived.signal
    if lived.cents is None:
        return Waiting(signal.ticker, signal.session, lived.why)
    place = scene.place(signal.session)
    if place < 0 or not scene.known[place]:
        why = "no forecast of a model that had not seen it"
        rungs = [Rung("not in the backtest", 0, why)]
        return ladder(signal.ticker, signal.session, lived.cents, rungs)
    try:
        backtest, rungs = scene.backtest(place), []
        try:
            for rung in _rungs(scene, lived, place):
                rungs.append(rung)
        except Waits:
            raise
        except (InputError, SourceUnavailable) as error:
            rungs.append(Rung("cannot be made again", backtest, str(error)))
    except Waits as error:
        return Waiting(signal.ticker, signal.session, str(error))
    return ladder(signal.ticker, signal.session, lived.cents, rungs)


def _rungs(scene: Scene, lived: Lived, place: int) -> Iterator[Rung]:
    yield from _of_life(scene, lived)
    again = scene.again(lived.signal)
    fill = scene.rules.fill if lived.acted is None else lived.acted.fill
    yield from _of_signal(scene, lived, again, fill)
    yield _of_model(scene, lived.signal, again, fill, place)
    yield from _of_backtest(scene, fill, place)


def _of_life(scene: Scene, lived: Lived) -> Iterator[Rung]:
    """Yield what live did: at what was known then, later, now; and had it been left to its plan."""
    acted, now = lived.acted, scene.history
    if acted is None or lived.known_by is None:
        return
    yield from _of_data(acted, scene.then(lived.known_by), now)
    entered = acted.again(now)
    profit = 0.0 if entered is None else entered.profit(now)
    note = _since(scene, lived)
    yield Rung("data corrected since", cents_of(profit), note)
    if acted.left is not None:
        planned = plan_profit(now, None if entered is None else entered.held)
        yield Rung("exit by hand", cents_of(planned), f"left at the close of {acted.left}")


def _of_data(acted: Acted, then: History, now: History) -> Iterator[Rung]:
    try:
        yield Rung("calculated otherwise", cents_of(acted.profit(then)))
    except InputError as error:
        # What was known then does not say what it came to: the rest is of no other cause.
        yield Rung("calculated otherwise", cents_of(acted.profit(now)), str(error))
        return
    later = later_than(filled_in(then, now), now)
    yield Rung("known later", cents_of(acted.profit(later)), _life_words(acted, then, later))


def _since(scene: Scene, lived: Lived) -> str:
    if lived.acted is None or lived.known_by is None:
        return ""
    then = scene.then(lived.known_by)
    return _life_words(lived.acted, filled_in(then, scene.history), scene.history)


def _life_words(acted: Acted, then: History, now: History) -> str:
    return differing(then, now, acted.held.session, acted.held.structure.expiration)


def _of_signal(scene: Scene, lived: Lived, again: Again, fill: Fill) -> Iterator[Rung]:
    """Yield what the signal's position came to, made again from more of the backtest's data."""

    def came(structure: Structure | None) -> int:
        return cents_of(structure_profit(scene.history, lived.signal.session, structure, fill))

    recorded, limited = lived.signal.structure, again.limited
    note = f"{_named(recorded)} was said, today's code says {_named(limited)}"
    yield Rung("calculated otherwise", came(limited), note)
    yield Rung("capital or edge", came(again.at_clock), f"{_named(again.at_clock)} was refused")
    yield Rung("known later", came(again.known_later), again.later)
    yield Rung("data corrected since", came(again.corrected), again.since)


def _of_model(scene: Scene, signal: Signal, again: Again, fill: Fill, place: int) -> Rung:
    strategy = scene.strategies[place]
    structure = walked_position(strategy, again.row)
    served = signal.provenance.models
    note = (
        f"{_named(again.corrected)} by versions {served.direction.version} and "
        f"{served.regime.version}, {strategy or 'no position'} walked forward"
    )
    profit = structure_profit(scene.history, signal.session, structure, fill)
    return Rung("another model", cents_of(profit), note)


def walked_position(strategy: str | None, row: FeatureRow) -> Structure | None:
    """Return the position that the walk-forward models take, priced as a signal's is."""
    return None if strategy is None else Pricing().priced(row, strategy, SIZE, None).structure


def _of_backtest(scene: Scene, fill: Fill, place: int) -> Iterator[Rung]:
    """Yield the backtest's own position: its prices, its moment of entry, its costs."""

    def came(entered: Mapping[str, Entered]) -> int:
        return cents_of(entered_profit(entered, scene.strategies[place], place))

    other = scene.rules.fill
    if fill != other:
        yield Rung("another price", came(scene.synthetic[fill]), "on the index's smile")
        yield Rung("another fill", came(scene.synthetic[other]), f"at the {other}, not the {fill}")
    yield Rung("another price", came(scene.crossed), "on the backtest's board")
    yield Rung("another cost", came(scene.final), "at mid, not across the spread")


def _named(structure: Structure | None) -> str:
    return "no position" if structure is None else structure.strategy
