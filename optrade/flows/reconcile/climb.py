"""The rungs of one session: from what live came to, a cause at a time, to the backtest's matrix."""

from collections.abc import Iterator, Mapping

import pandas as pd

from home.records.signal import Signal
from home.records.structure import Structure
from market.errors import InputError, SourceUnavailable
from optrade.flows.reconcile.again import Again
from optrade.flows.reconcile.lived import Lived
from optrade.flows.reconcile.scene import Scene, walked_position
from trading.backtest.history import History
from trading.backtest.run import Entered, Fill
from trading.reconcile.ladder import Cause, Ladder, Rung, Waiting, cents_of, ladder
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
        return _without_forecast(scene, signal, lived.cents)
    try:
        rungs = list(_rungs(scene, lived, place))
    except Waits as error:
        return Waiting(signal.ticker, signal.session, str(error))
    return ladder(signal.ticker, signal.session, lived.cents, rungs)


def _without_forecast(scene: Scene, signal: Signal, live: int) -> Ladder | Waiting:
    """Return the ladder of a signal that the backtest knows nothing of.

    The newest sessions are forecast once their outcomes are there to be walked over.
    """
    known = scene.history.days[scene.known]
    if len(known) and pd.Timestamp(signal.session) > known[-1]:
        return Waiting(signal.ticker, signal.session, "the backtest has no forecast of it yet")
    rung = Rung("not in the backtest", 0, "no forecast of a model that had not seen it")
    return ladder(signal.ticker, signal.session, live, [rung])


def _rungs(scene: Scene, lived: Lived, place: int) -> Iterator[Rung]:
    """Yield the rungs of a signal; where one cannot be made, what is left is one."""
    backtest = scene.backtest(place)
    try:
        yield from _of_life(scene, lived)
        again = scene.again(lived.signal)
        fill = scene.rules.fill if lived.acted is None else lived.acted.fill
        yield from _of_signal(scene, lived, again, fill)
        yield _of_model(scene, lived.signal, again, fill, place)
        yield from _of_backtest(scene, fill, place)
    except Waits:
        raise
    except (InputError, SourceUnavailable) as error:
        yield Rung("cannot be made again", backtest, str(error))


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
    recorded, limited, at_clock = lived.signal.structure, again.limited, again.at_clock
    made: list[tuple[Cause, Structure | None, str]] = [
        ("calculated otherwise", limited, f"{_named(recorded)} was said, not {_named(limited)}"),
        ("capital or edge", at_clock, f"{_named(at_clock)} was refused"),
        ("known later", again.known_later, again.later),
        ("data corrected since", again.corrected, again.since),
    ]
    for number, (cause, structure, note) in enumerate(made):
        if number == 0 or structure != made[number - 1][1]:
            profit = structure_profit(scene.history, lived.signal.session, structure, fill)
        yield Rung(cause, cents_of(profit), note)


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
