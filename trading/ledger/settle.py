"""Settlement: what recorded signals came to, once their five sessions have passed.

The direction is scored on the adjusted close (Decision 7), the IV forecast on the class of the
rank (Decision 3), both five XNYS sessions after the signal's own.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from home.records.outcome import Outcome
from home.records.paper import PaperEvent
from home.records.signal import Signal, SignalKey
from home.records.structure_outcome import StructureOutcome
from market.adjust import RAW_PRICES, adjusted_close
from market.arrays import FloatArray
from market.calendar import INDEX_DELAY, close, session_shift
from market.errors import InputError
from market.targets import HORIZON, holding_return
from trading.ledger.checked import DamagedRow, RecordedSignal
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.read import each_signal, settled_before

KEYS: Final = ["ticker", "session"]
IV_RANK: Final = "iv_rank"


@dataclass(frozen=True)
class Pending:
    """A signal whose outcome is not known, and why."""

    key: SignalKey
    reason: str


@dataclass(frozen=True)
class Settlement:
    """What a settlement found: outcomes now in the ledger for the first time, and the rest.

    Attributes
    ----------
    unread
        Why tickers are not settled whole, by ticker: nothing could be read of one with pending
        signals, or one of its rows in the ledger is damaged.
    structures
        What positions came to that have ended, now in the ledger for the first time.
    held
        Signals whose position has not ended, or cannot be followed, and why.
    paper
        What happened in the paper book.
    waits
        What the paper book waits for, or could not read, in words.
    shadows
        What was found of shadows, which are in nothing else here; None where there are none.
    """

    new: tuple[Outcome, ...]
    settled_before: int
    pending: tuple[Pending, ...]
    unread: Mapping[str, str] = field(default_factory=dict)
    structures: tuple[StructureOutcome, ...] = ()
    held: tuple[Pending, ...] = ()
    paper: tuple[PaperEvent, ...] = ()
    waits: tuple[str, ...] = ()
    shadows: "Settlement | None" = None


def outcomes(
    signals: Sequence[Signal],
    prices: pd.DataFrame,
    iv_rank: pd.DataFrame,
    as_of: pd.Timestamp,
) -> list[Outcome | Pending]:
    """Return what each signal came to, in the order given; pure.

    An outcome is known once session D+5 has closed, its volatility index has been published, and
    prices of both ends and a row of the rank are there. A rank that is null in its row stays
    null: the index has a hole there, and waiting does not fill it.

    Parameters
    ----------
    signals
        As served.
    prices
        Current raw price rows, all from one snapshot: `ticker`, `session` and `RAW_PRICES`, from
        before the oldest signal on.
    iv_rank
        `ticker`, `session`, `iv_rank` (0 to 100, or null).
    as_of
        The clock, with a zone: what closes later is not known, whatever the frames hold.

    Raises
    ------
    InputError
        If a column is missing, a session is there twice or is none, or a rank is out of range.
    """
    if not signals:
        return []
    keys = [signal.key for signal in signals]
    starts = pd.DatetimeIndex([key.session for key in keys])
    ends = _ends(starts)
    returns = _returns([key.ticker for key in keys], starts, ends, _adjusted_closes(prices))
    ranks = _ranks([key.ticker for key in keys], ends, iv_rank)
    due = close(ends) + INDEX_DELAY <= as_of
    found: list[Outcome | Pending] = []
    for place, signal in enumerate(signals):
        end, rank = str(ends[place].date()), ranks[place]
        reason = _missing(end, due[place], returns[place], rank)
        known = None if rank is None or np.isnan(rank) else rank
        found.append(
            outcome_of(signal, end, float(returns[place]), known)
            if reason is None
            else Pending(keys[place], reason)
        )
    return found


def settle(
    ledger: Path,
    prices: pd.DataFrame,
    iv_rank: pd.DataFrame,
    as_of: pd.Timestamp,
    rows: Sequence[RecordedSignal | DamagedRow] | None = None,
) -> Settlement:
    """Write the outcomes that are known by now into the ledger; on return they are on disk.

    A signal that was settled before is left as it is, so a second run writes nothing. The frames
    are those of `outcomes`, as current as they are today: what a vendor corrects later changes
    no settled row. A damaged row leaves the others to be settled. `rows` are those
    of `each_signal` with shadows, where they are read already: shadows are settled too.

    Raises
    ------
    InputError
        If there is no ledger, and as `outcomes`.
    """
    rows = each_signal(ledger, shadows=True) if rows is None else rows
    recorded = [row for row in rows if isinstance(row, RecordedSignal)]
    before, unread = settled_before(ledger, "outcomes")
    unread |= {row.ticker: str(row) for row in rows if isinstance(row, DamagedRow)}
    shadows = {row.signal.key for row in recorded if row.shadow}
    waiting = [row.signal for row in recorded if row.signal.key not in before]
    found = outcomes(waiting, prices, iv_rank, as_of)
    new = [row for row in found if isinstance(row, Outcome)]
    if new:
        record_outcomes(ledger, new, as_of)
    given = Settlement(*_of(found, before - shadows, lambda key: key not in shadows), unread)
    if not shadows:
        return given
    return replace(given, shadows=Settlement(*_of(found, before & shadows, shadows.__contains__)))


def _of(
    found: Sequence[Outcome | Pending],
    before: Collection[SignalKey],
    chosen: Callable[[SignalKey], bool],
) -> tuple[tuple[Outcome, ...], int, tuple[Pending, ...]]:
    """Return of the chosen signals the outcomes, how many were settled before, and the rest."""
    mine = [row for row in found if chosen(row.key)]
    new = tuple(row for row in mine if isinstance(row, Outcome))
    return new, len(before), tuple(row for row in mine if isinstance(row, Pending))


def _ends(starts: pd.DatetimeIndex) -> pd.DatetimeIndex:
    close(starts)  # refuses a day that is no session, by its date
    return session_shift(starts, HORIZON)


def _adjusted_closes(prices: pd.DataFrame) -> pd.Series:
    """Return adjusted closes in USD, accumulated forward, by ticker and session."""
    rows = _keyed(prices, RAW_PRICES, "prices")
    each = {
        ticker: adjusted_close(mine.reset_index("session"))
        for ticker, mine in rows.groupby(level="ticker", sort=False)
    }
    return pd.concat(each) if each else pd.Series(dtype=np.float64, index=rows.index)


def _returns(
    tickers: list[str], starts: pd.DatetimeIndex, ends: pd.DatetimeIndex, closes: pd.Series
) -> FloatArray:
    """Return simple returns from one session to another, null where a price is missing."""
    first, last = (
        closes.reindex(pd.MultiIndex.from_arrays([tickers, at])).to_numpy(np.float64)
        for at in (starts, ends)
    )
    return holding_return(first, last)


def _ranks(
    tickers: list[str], sessions: pd.DatetimeIndex, iv_rank: pd.DataFrame
) -> list[float | None]:
    """Return the rank of each session, NaN where it is null, None where it has no row."""
    ranks = _keyed(iv_rank, (IV_RANK,), "iv_rank")[IV_RANK].astype(np.float64)
    held = ranks.to_dict()
    return [held.get(key) for key in zip(tickers, sessions, strict=True)]


def _missing(end: str, due: bool, realised_return: float, rank: float | None) -> str | None:
    if not due:
        return f"not due before the close of {end}"
    if np.isnan(realised_return):
        return f"no price of its session or of {end}"
    return f"no {IV_RANK} row of {end}" if rank is None else None


def _keyed(frame: pd.DataFrame, columns: Sequence[str], name: str) -> pd.DataFrame:
    """Return a frame by ticker and session, sorted."""
    missing = [column for column in (*KEYS, *columns) if column not in frame]
    if missing:
        raise InputError(
            f"{name} lacks columns: got {', '.join(map(str, frame.columns))}, needed "
            f"{', '.join(missing)}; pass the current rows"
        )
    rows = frame.assign(session=pd.DatetimeIndex(frame["session"])).set_index(KEYS).sort_index()
    if rows.index.has_duplicates:
        ticker, session = rows.index[rows.index.duplicated()][0]
        raise InputError(
            f"{name} holds {ticker} {session.date()} twice, allowed is one row a session; "
            "pass the current rows only"
        )
    return rows
