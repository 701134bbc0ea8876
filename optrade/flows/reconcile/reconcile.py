"""Every session of a home between what live came to and what the backtest says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from home.records.reconcile import CauseRow, LadderRow, PendingRow, ReconcileReport, StepRow
from market.errors import InputError
from optrade.flows.paper.histories import histories_of
from optrade.flows.paper.quotes import Asked as Wanted
from optrade.flows.paper.quotes import quotes_of
from optrade.flows.reconcile.again import made_again
from optrade.flows.reconcile.climb import climbed, missed
from optrade.flows.reconcile.lived import LiveSide, first_session, live_side
from optrade.flows.reconcile.scene import Scene
from optrade.flows.replay.models import named_model
from trading.backtest.history import History
from trading.backtest.result import Asked, Rules
from trading.reconcile.ladder import Ladder, Reconciliation, Waiting

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def reconcile(
    run: "Runtime",
    asked: Mapping[str, Asked],
    rules: Rules,
    start: str | None = None,
    end: str | None = None,
) -> Reconciliation:
    """Return why live differed from the backtest, session by session.

    Parameters
    ----------
    asked
        Histories and forecasts by underlying, as the backtest takes them.
    start, end
        The first and the last session; by default from the first recorded signal on.

    Raises
    ------
    InputError
        If no signal was recorded in time, or a date is none.
    StoreUnavailable
        If the ledger cannot be used.
    """
    side = live_side(run.home.ledger, list(asked))
    first = start or first_session(side.lived)
    if first is None:
        raise _none_recorded(asked)
    found: list[Ladder | Waiting] = []
    for ticker, one in asked.items():
        if ticker not in side.damaged:
            found += _of_ticker(run, ticker, one, rules, side, (first, end))
    found.sort(key=lambda row: (row.session, row.ticker))
    return Reconciliation(
        tuple(row for row in found if isinstance(row, Ladder)),
        tuple(row for row in found if isinstance(row, Waiting)),
        side.left_out,
    )


def nothing_known(run: "Runtime", tickers: Sequence[str]) -> Reconciliation | None:
    """Return what the ledger alone says where no outcome is known: no backtest is needed for it.

    Raises
    ------
    InputError
        If no signal was recorded in time.
    StoreUnavailable
        If the ledger cannot be used.
    """
    side = live_side(run.home.ledger, tickers)
    if first_session(side.lived) is None:
        raise _none_recorded(tickers)
    if side.damaged or any(one.cents is not None for one in side.lived.values()):
        return None
    waiting = tuple(
        Waiting(ticker, session, side.lived[ticker, session].why)
        for ticker, session in sorted(side.lived)
    )
    return Reconciliation((), waiting, side.left_out)


def _none_recorded(tickers: Iterable[str]) -> InputError:
    return InputError(
        f"no signal of {', '.join(tickers)} was recorded in time: there is nothing to reconcile; "
        "run `optrade signal-all --record` each session"
    )


def _of_ticker(
    run: "Runtime", ticker: str, asked: Asked, rules: Rules, side: LiveSide,
    span: tuple[str, str | None],
) -> list[Ladder | Waiting]:  # fmt: skip
    first = pd.Timestamp(span[0])
    last = pd.Timestamp.max if span[1] is None else pd.Timestamp(span[1])
    days = asked.history.days
    inside = (days >= first) & (days <= last)
    mine = {
        session: one
        for (of, session), one in side.lived.items()
        if of == ticker and first <= pd.Timestamp(session) <= last
    }
    if not inside.any():
        return [Waiting(ticker, one, "the backtest's window ends before it") for one in mine]
    begin = min([*mine, str(days[inside][0].date())])
    history = _quoted(run, asked, begin, run.now)
    asked = replace(asked, history=history)
    then = _then(run, asked, begin)
    named = cache(partial(named_model, run.home))  # many signals name the same ones
    again = partial(made_again, run, history=history, named=named)
    places = np.flatnonzero(inside & asked.said.known)
    scene = Scene.of(asked, rules, places, then, again)
    found: list[Ladder | Waiting | None] = [climbed(scene, one) for one in mine.values()]
    found += [
        missed(scene, ticker, place)
        for place in places.tolist()
        if str(days[place].date()) not in mine
    ]
    return [one for one in found if one is not None]


def _then(run: "Runtime", asked: Asked, first: str) -> Callable[[pd.Timestamp], History]:
    """Return what gives the history that was known at a clock; many settle at one."""
    ticker = asked.history.ticker

    @cache
    def known(clock: pd.Timestamp) -> History:
        found, unread = histories_of(run.home.data, [ticker], first, clock, known_by=clock)
        if ticker in unread:
            raise InputError(unread[ticker])
        return _quoted(run, replace(asked, history=found[ticker]), first, clock)

    return known


def _quoted(run: "Runtime", asked: Asked, first: str, clock: pd.Timestamp) -> History:
    """Return a history with the quotes of its own chains that had landed by a clock.

    What was entered on quotes is marked by them.
    """
    history = asked.history
    if not asked.chains:
        return history
    expirations = np.unique(np.concatenate([one.expiration for one in asked.chains.values()]))
    wanted = Wanted(history.listing.root, frozenset(map(str, expirations)), first)
    return replace(history, quotes=quotes_of(run.home.data, history.ticker, wanted, clock))


def report_of(found: Reconciliation, rules: Rules) -> ReconcileReport:
    """Return a reconciliation as it is printed."""
    return ReconcileReport(
        verdict=found.words(),
        fill=rules.fill,
        crossing=rules.crossing,
        live=found.live,
        backtest=found.backtest,
        causes=[
            CauseRow(cause=one.cause, sessions=one.n, cents=one.cents) for one in found.causes()
        ],
        ladders=[ladder_row(one) for one in found.ladders],
        pending=[
            PendingRow(ticker=one.ticker, session=one.session, why=one.why) for one in found.waiting
        ],
        left_out=found.left_out,
    )


def ladder_row(one: Ladder) -> LadderRow:
    """Return a session's ladder as it is printed."""
    return LadderRow(
        ticker=one.ticker,
        session=one.session,
        live=one.live,
        backtest=one.backtest,
        steps=[StepRow(cause=step.cause, cents=step.cents, note=step.note) for step in one.steps],
    )
