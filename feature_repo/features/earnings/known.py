"""What the earnings calendar said at each cut-off, of a basket that stands for a ticker.

Every version of a report that landed is given. At a cut-off the newest of those known by then
counts, so a version that becomes known later changes no value of an earlier session. Places are
those of sessions in one calendar that reaches past the last cut-off, as reports lie ahead.

A report before or during trading is past on its session, one after the close or of unknown hour
on the next session (Decision 14); until then it is to come.
"""

from typing import Final

import numpy as np
from jaxtyping import Float64

from feature_repo.features.earnings.group import CAP
from feature_repo.features.earnings.reports import (
    ORDERS,
    EarningsVersions,
    LastReports,
    Places,
    last_reports,
    next_reports,
    spans,
)
from feature_repo.features.maths.arithmetic import ratio
from feature_repo.features.maths.times import Times, ascending, nanoseconds, same_length
from market.arrays import BySession
from market.errors import InputError

BySymbol = Float64[np.ndarray, "n_symbols n_sessions"]

SOON: Final = 5
# By order within the day: before the close, unknown, after it.
AFTER_CLOSE: Final = np.array([0.0, np.nan, 1.0])


def report_sessions(calendar: Times, dates: Times) -> Places:
    """Place of the session that each report belongs to: its own day's, else the next one.

    Parameters
    ----------
    calendar
        Sessions, ascending; a date after the last gets the place after it.
    dates
        Days of reports, shape (n_rows,).
    """
    days = ascending("calendar", calendar)
    return np.searchsorted(days, nanoseconds("report dates", dates), side="left")


def earnings_by_session(
    cut_offs: Times,
    sessions: Places,
    versions: EarningsVersions,
    weights: Float64[np.ndarray, "n_sessions n_symbols"],
) -> dict[str, BySession]:
    """Distances, weights and surprises of a basket's reports, as known at each cut-off.

    Parameters
    ----------
    cut_offs
        Ascending, shape (n_sessions,).
    sessions
        Place of each cut-off's session in the calendar, shape (n_sessions,).
    versions
        All versions that landed; those known later are not looked at.
    weights
        Weight of each company in force, 0 if it is no member; shape (n_sessions, n_symbols). A
        single stock is its own basket of weight 1.

    Returns
    -------
    dict
        The sources of the earnings group, each of shape (n_sessions,), not capped:
        `sessions_to_report` of the nearest report, `sessions_since_report` of the latest,
        `weight_within_5` (null if the calendar is silent on every member: nothing to come and
        nothing in 90 sessions), `next_report_after_close` of the nearest, where an earlier report
        of the same session counts and an unknown hour makes it null, `eps_surprise_last`,
        `eps_surprise_mean_4`, `eps_beats_4` (null before four reports with known figures) and
        `revenue_surprise_last`. Of several members the last four are means by weight, over those
        that reported within 90 sessions and whose figure is known.

    Raises
    ------
    InputError
        If times are missing or do not ascend, or shapes do not fit.
    """
    cuts = ascending("cut-offs", cut_offs)
    same_length("earnings alignment", cut_offs=cuts, sessions=sessions, weights=weights)
    if versions.symbol.size and versions.symbol.max() >= weights.shape[1]:
        raise InputError(
            f"earnings alignment: got symbol {versions.symbol.max()}, allowed are the "
            f"{weights.shape[1]} columns of the weights; add its weights or drop its versions"
        )
    in_force = spans(cuts, sessions, versions)
    shape = (weights.shape[1], cuts.size)
    last = last_reports(in_force, versions, shape)
    return _of_basket(sessions, next_reports(in_force, shape), last, weights.T)


def _of_basket(
    sessions: Places, coming: BySymbol, last: LastReports, weights: BySymbol
) -> dict[str, BySession]:
    """Return the sources out of members' next and last reports and weights, (symbols, n)."""
    member = weights > 0
    coming = np.where(member, coming, np.inf)
    nearest = coming.min(axis=0, initial=np.inf)
    ahead, since = np.floor(coming / ORDERS) - sessions, sessions - last.session
    recent = member & (since <= CAP)
    watched = recent | np.isfinite(coming)
    soon = np.where(ahead <= SOON, weights, 0.0).sum(axis=0)
    # A single stock's last report counts however old it is.
    counted = np.where(recent | (member & (member.sum(axis=0) == 1)), weights, 0.0)
    latest = np.where(member & ~np.isnan(since), since, np.inf).min(axis=0, initial=np.inf)
    return {
        "sessions_to_report": _known(np.floor(nearest / ORDERS) - sessions),
        "sessions_since_report": _known(latest),
        "weight_within_5": np.where(watched.any(axis=0), soon, np.nan),
        "next_report_after_close": _after_close(nearest),
        "eps_surprise_last": _mean_by_weight(last.eps_surprise, counted),
        "eps_surprise_mean_4": _mean_by_weight(last.eps_surprise_mean, counted),
        "eps_beats_4": _mean_by_weight(last.eps_beats, counted),
        "revenue_surprise_last": _mean_by_weight(last.revenue_surprise, counted),
    }


def _known(x: BySession) -> BySession:
    return np.where(np.isfinite(x), x, np.nan)


def _after_close(key: BySession) -> BySession:
    out = np.full(key.size, np.nan)
    known = np.isfinite(key)
    out[known] = AFTER_CLOSE[key[known].astype(np.intp) % ORDERS]
    return out


def _mean_by_weight(x: BySymbol, weights: BySymbol) -> BySession:
    """Mean over members whose value is known, null if none is; shape (n_sessions,)."""
    held = np.where(np.isnan(x), 0.0, weights)
    with np.errstate(invalid="ignore"):
        return ratio((held * np.nan_to_num(x)).sum(axis=0), held.sum(axis=0))
