"""Versions of earnings reports: when each is in force, and the next and last of each company."""

from bisect import bisect_left, insort
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from jaxtyping import Bool, Float64, Int64
from numpy.typing import NDArray

from feature_repo.features.maths.arithmetic import flag, ratio
from feature_repo.features.maths.times import Times, nanoseconds, same_length

Places = NDArray[np.intp]

QUARTERS: Final = 4
# Decision 14: results of such a report count on its own session, of any other hour on the next.
BEFORE_CLOSE: Final = ("bmo", "dmh")
# Decision 14: where nobody recorded it, a date counts as announced so many sessions before.
ANNOUNCED: Final = 10
AFTER_CLOSE: Final = "amc"
# The hour of a report that the vendor lists no more: neither to come nor past.
WITHDRAWN: Final = "withdrawn"
# Orders within a day: before the close, unknown, after it. Of reports on one session the first
# is the next: an unknown hour does not matter beside a known early one, but beside a late one.
ORDERS: Final = 3


@dataclass(frozen=True)
class EarningsVersions:
    """Versions of reports, one a row, in the order in which they landed; each shape (n_rows,).

    Attributes
    ----------
    symbol
        The company: its column in the weights.
    event
        The report of a company, ascending with the fiscal period.
    session
        Place of the report's session in the calendar, see `report_sessions`.
    date_known, result_known
        When the version's date, and its figures, became known.
    hour
        bmo, amc, dmh or withdrawn; any other text is unknown.
    eps_actual, eps_estimate, revenue_actual, revenue_estimate
        Figures, NaN where missing.
    """

    symbol: Places
    event: Places
    session: Places
    date_known: Times
    result_known: Times
    hour: NDArray[np.str_] | NDArray[np.object_]
    eps_actual: Float64[np.ndarray, " n_rows"]
    eps_estimate: Float64[np.ndarray, " n_rows"]
    revenue_actual: Float64[np.ndarray, " n_rows"]
    revenue_estimate: Float64[np.ndarray, " n_rows"]

    def __post_init__(self) -> None:
        columns = {column.name: getattr(self, column.name) for column in fields(self)}
        same_length("earnings alignment", **columns)


@dataclass(frozen=True)
class Spans:
    """Versions in force, one a row, by places of cut-offs; ends are excluded.

    A report is to come from `known` to `entered`, and past from there to `until`; its figures
    are known from `figures` on.
    """

    symbol: Places
    event: Places
    session: Places
    order: Places
    row: Places
    known: Places
    entered: Places
    figures: Places
    until: Places


def spans(
    cuts: Int64[np.ndarray, " n_sessions"], sessions: Places, versions: EarningsVersions
) -> Spans:
    """Return when each version is the newest known of its report, and when that is past.

    One that withdraws the report ends the version before it, and is itself none.

    Parameters
    ----------
    cuts
        Cut-offs in nanoseconds, ascending; shape (n_sessions,).
    sessions
        Place of each cut-off's session in the calendar, shape (n_sessions,).
    versions
        All versions, in the order in which they landed.
    """
    known = np.searchsorted(cuts, nanoseconds("date_known", versions.date_known))
    figures = np.searchsorted(cuts, nanoseconds("result_known", versions.result_known))
    row, until = _in_force(versions, known, cuts.size)
    stands = versions.hour[row] != WITHDRAWN
    row, until = row[stands], until[stands]
    hour, session = versions.hour[row], versions.session[row]
    early = np.isin(hour, BEFORE_CLOSE)
    entered = np.clip(np.searchsorted(sessions, session + ~early), known[row], until)
    return Spans(
        symbol=versions.symbol[row],
        event=versions.event[row],
        session=session,
        order=np.where(early, 0, np.where(hour == AFTER_CLOSE, 2, 1)),
        row=row,
        known=known[row],
        entered=entered,
        figures=np.clip(figures[row], entered, until),
        until=until,
    )


def _in_force(versions: EarningsVersions, known: Places, end: int) -> tuple[Places, Places]:
    """Rows of the versions that are ever the newest known of their report, and until when."""
    landed = np.arange(known.size)
    rows = np.lexsort((landed, known, versions.event, versions.symbol))
    report = np.cumsum(_starts(versions.symbol[rows], versions.event[rows]))
    # One that landed before another that was known already is never the newest.
    newest = report * known.size + rows
    kept = newest == np.maximum.accumulate(newest)
    rows, report = rows[kept], report[kept]
    until = np.append(known[rows[1:]], end)[: rows.size]
    until[np.append(_starts(report)[1:], True)[: rows.size]] = end
    alive = until > known[rows]
    return rows[alive], until[alive]


def _starts(*columns: Places) -> Bool[np.ndarray, " n_rows"]:
    """Whether a row differs from the one before."""
    out = np.ones(columns[0].size, dtype=np.bool_)
    out[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return out


def next_reports(
    in_force: Spans, shape: tuple[int, int]
) -> Float64[np.ndarray, "n_symbols n_sessions"]:
    """Session times `ORDERS` plus order of the next report, infinite if none is known.

    Parameters
    ----------
    in_force
        Versions in force.
    shape
        Symbols and sessions, that of the result.
    """
    key = in_force.session * ORDERS + in_force.order
    out = np.full(shape, np.inf)
    # Nearer reports are written over farther ones.
    for at in np.argsort(-key, kind="stable"):
        out[in_force.symbol[at], in_force.known[at] : in_force.entered[at]] = key[at]
    return out


@dataclass(frozen=True)
class LastReports:
    """The last report of each symbol: its session, and figures; each (symbols, n_sessions).

    Surprises are in percent, beats a share. Those of the last four reports are null until four
    are past with known figures.
    """

    session: Float64[np.ndarray, "n_symbols n_sessions"]
    eps_surprise: Float64[np.ndarray, "n_symbols n_sessions"]
    eps_surprise_mean: Float64[np.ndarray, "n_symbols n_sessions"]
    eps_beats: Float64[np.ndarray, "n_symbols n_sessions"]
    revenue_surprise: Float64[np.ndarray, "n_symbols n_sessions"]


def last_reports(
    in_force: Spans, versions: EarningsVersions, shape: tuple[int, int]
) -> LastReports:
    """Return the last report of each symbol at each cut-off, null before the first.

    Parameters
    ----------
    in_force
        Versions in force.
    versions
        All versions, for their figures.
    shape
        Symbols and sessions.
    """
    out = np.full((len(fields(LastReports)), *shape), np.nan)
    eps, beats, revenue = _surprises(versions)
    for symbol in np.unique(in_force.symbol):
        at, session, rows = _history(in_force, np.flatnonzero(in_force.symbol == symbol))
        states = np.array(
            [
                session,
                eps[rows[:, -1]],
                eps[rows].mean(axis=1),
                beats[rows].mean(axis=1),
                revenue[rows[:, -1]],
            ]
        )
        place = np.searchsorted(at, np.arange(shape[1]), side="right") - 1
        out[:, symbol, place >= 0] = states[:, place[place >= 0]]
    return LastReports(*out)


def _surprises(
    versions: EarningsVersions,
) -> tuple[Float64[np.ndarray, " n"], Float64[np.ndarray, " n"], Float64[np.ndarray, " n"]]:
    """Surprise and beat of earnings, and surprise of revenue, by row; null in the row -1."""
    eps, expected = versions.eps_actual, versions.eps_estimate
    revenue = versions.revenue_estimate
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = (
            100.0 * ratio(eps - expected, np.abs(expected)),
            flag(eps > expected, eps, expected),
            100.0 * ratio(versions.revenue_actual - revenue, revenue),
        )
    eps_surprise, beats, revenue_surprise = (np.append(x, np.nan) for x in columns)
    return eps_surprise, beats, revenue_surprise


def _history(
    in_force: Spans, rows: Places
) -> tuple[Places, Float64[np.ndarray, " n_states"], Places]:
    """States of one symbol: places where they begin, last session, rows of the last four reports.

    A row is -1 where there is no report, or none with known figures. Of states that begin at
    one place the last one counts.
    """
    past: list[tuple[int, int, int]] = []
    at, session, last = [], [], []
    for place, starts, report in sorted(_changes_of_past(in_force, rows)):
        if starts:
            insort(past, report)
        else:
            del past[bisect_left(past, report)]
        at.append(place)
        session.append(past[-1][0] if past else np.nan)
        last.append([-1] * QUARTERS + [row for *_, row in past[-QUARTERS:]])
    return (
        np.array(at, dtype=np.intp),
        np.array(session),
        np.array([rows_[-QUARTERS:] for rows_ in last], dtype=np.intp).reshape(-1, QUARTERS),
    )


def _changes_of_past(in_force: Spans, rows: Places) -> list[tuple[int, bool, tuple[int, int, int]]]:
    """Where reports of one symbol become past or cease to be so: (session, event, row)."""
    columns = (in_force.session, in_force.event, in_force.row)
    ends = (in_force.entered, in_force.figures, in_force.until)
    changes = []
    for values in zip(*(column[rows].tolist() for column in (*columns, *ends)), strict=True):
        session, event, row, entered, figures, until = values
        for start, end, shown in ((entered, figures, -1), (figures, until, row)):
            if start < end:
                report = (session, event, shown)
                changes += [(start, True, report), (end, False, report)]
    return changes
