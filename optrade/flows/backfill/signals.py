"""Signals of past sessions by models that had not seen them, recorded as backfilled."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.origin import Origin
from home.records.signal import Signal
from home.strict_json import Json
from market.calendar import last_complete_session, read_time, session_shift, sessions
from market.errors import InputError
from optrade.clock import utc_now
from optrade.flows.backfill.rows import Carried, PastRows, carried_over
from optrade.flows.backtest.walks import walks_of
from optrade.flows.train.jobs import landed_prices
from optrade.flows.train.walked import Walked
from optrade.flows.train.window import Window
from optrade.periods import parse_day
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.reading.refusal import Refusal
from trading.ledger.signals import Ledger
from trading.ledger.timing import fill_time

if TYPE_CHECKING:
    from home.progress import Progress
    from optrade.runtime import Runtime

#: Where no first session is asked for.
LENGTH: Final = pd.DateOffset(years=1)


@dataclass(frozen=True)
class PastSignals:
    """A ticker's signals of past sessions, and why other sessions have none.

    Attributes
    ----------
    lacking
        Sessions by what they lack.
    """

    ticker: str
    signals: list[Signal] = field(default_factory=list)
    lacking: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Backfilled:
    """What became of a ticker's past signals.

    Attributes
    ----------
    written, kept
        Rows that are new, and that were there before.
    other
        Of those that were there before, how many say something else than today's models would.
    first, last
        Sessions of the signals; None where there is none.
    """

    ticker: str
    written: int
    kept: int
    other: int
    lacking: Counter[str]
    first: str | None
    last: str | None

    def document(self) -> dict[str, Json]:
        """Return it as JSON values."""
        return {**vars(self), "lacking": {**self.lacking}}


def asked_days(start: str | None, end: str | None, clock: pd.Timestamp) -> pd.DatetimeIndex:
    """Return the sessions that are asked for, by default a year.

    One whose signal may still be followed is none of the past.

    Raises
    ------
    InputError
        If there is none.
    """
    newest = last_complete_session(clock)
    if fill_time(str(newest.date())) > clock:
        newest = session_shift(pd.DatetimeIndex([newest]), -1)[0]
    stop = newest if end is None else min(parse_day("--end", end), newest)
    begin = stop - LENGTH if start is None else parse_day("--start", start)
    days = sessions(begin, stop) if begin <= stop else pd.DatetimeIndex([])
    if days.empty:
        typed = {"--start": start, "--end": end}
        got = ", ".join(f"{name} {day}" for name, day in typed.items() if day is not None)
        raise InputError(
            f"{got}: holds no session of the past; allowed are days up to {newest.date()}, the "
            "last whose signal cannot be followed any more"
        )
    return days


def past_signals(
    run: "Runtime", ticker: str, days: pd.DatetimeIndex, window: Window, carried: Carried
) -> PastSignals:
    """Return the signals of a ticker's past sessions; see `optrade.flows.train.walked`.

    Raises
    ------
    InputError
        If the home lacks what a training reads.
    """
    store = run.feature_store(online=False)
    walked = walks_of(run, store, ticker, window)
    origin = run.home.origin()
    found = PastSignals(ticker)
    models = {day: _models_at(walked, day) for day in days}
    served = {day: one for day, one in models.items() if one is not None}
    if early := len(days) - len(served):
        found.lacking["no model of a walk-forward had been fitted by then"] = early
    if not served:
        return found
    distinct = {(one.direction.sha256, one.regime.sha256): one for one in served.values()}
    rows = PastRows.read(
        run.home.data, store, ticker, carried, pd.DatetimeIndex([*served]), distinct.values()
    )
    pricing = Pricing(run.settings.capital, run.settings.require_edge)
    for day, one in served.items():
        made = _signal(rows, day, one, origin, pricing)
        if isinstance(made, Signal):
            found.signals.append(made)
        else:
            found.lacking[made] += 1
    return found


def backfill(
    run: "Runtime", tickers: list[str], days: pd.DatetimeIndex, window: Window,
    progress: "Progress",
) -> list[Backfilled]:  # fmt: skip
    """Record the signals of past sessions; what is in the ledger stays as it is.

    A ticker's are on disk all together, or none of them.
    """
    found = []
    carried = carried_over(run.home.data, days)
    for number, ticker in enumerate(tickers):
        progress(f"walking forward over {ticker}", number, len(tickers))
        landed_prices(run, ticker)
        found.append(_recorded(run, past_signals(run, ticker, days, window, carried)))
    progress("backfilled", len(tickers), len(tickers))
    return found


def _models_at(walked: dict[str, Walked], day: pd.Timestamp) -> Models | None:
    direction, regime, distribution = (
        walked[name].model_at(day) for name in ("direction", "regime", "distribution")
    )
    if direction is None or regime is None:
        return None
    return Models(direction, regime, {}, distribution)


def _signal(
    rows: PastRows, day: pd.Timestamp, models: Models, origin: Origin, pricing: Pricing
) -> Signal | str:
    """Return the signal of a session, or why there is none."""
    row = rows.at(day, models)
    if isinstance(row, str):
        return row
    as_of = read_time(pd.DatetimeIndex([day]))[0]
    try:
        return build_signal(row, models, as_of=as_of, origin=origin, pricing=pricing)
    except (InputError, Refusal) as error:
        return str(error)


def _recorded(run: "Runtime", found: PastSignals) -> Backfilled:
    rows = []
    if found.signals:
        with Ledger(run.home.ledger) as ledger:
            rows = ledger.record_all(found.signals, utc_now(), backfilled=True)
    sessions_of = [one.session for one in found.signals]
    return Backfilled(
        ticker=found.ticker,
        written=sum(row.new for row in rows),
        kept=sum(not row.new for row in rows),
        other=sum(not row.new and not row.same for row in rows),
        lacking=found.lacking,
        first=min(sessions_of, default=None),
        last=max(sessions_of, default=None),
    )
