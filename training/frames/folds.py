"""Folds over sessions, purged by label end (Decision 8): walk-forward and combinatorial. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from market.errors import InputError

N_FOLDS: Final = 5  # Decision 8
N_GROUPS: Final = 6  # 15 splits of 2 tested groups: 5 paths through the window
N_TEST_GROUPS: Final = 2
EMBARGO: Final = 5  # sessions, as many as a label looks ahead


#: `datetime64`, which `Shaped` does not look at; NaT where unknown.
Days = Shaped[np.ndarray, " n_rows"]


@dataclass(frozen=True)
class Fold:
    """One fold: positions of the rows that are fitted on, and of the rows that are forecast."""

    train: Int64[np.ndarray, " n_train"]
    test: Int64[np.ndarray, " n_test"]


def walk_forward(
    sessions: Days,
    label_ends: Days,
    n_folds: int = N_FOLDS,
    min_test_sessions: int = 1,
    *,
    embargo: int = 0,
    window_start: np.datetime64 | None = None,
    tested: Bool[np.ndarray, " n_rows"] | None = None,
) -> tuple[Fold, ...]:
    """Return expanding folds by unique session, each training part purged by label end.

    The last `n_folds` stretches of n // (n_folds + 1) unique sessions of the window are the test
    parts. A row belongs to the training part of a fold if its session and its label end both lie
    before the first test session; with an unbroken calendar that leaves a gap of as many
    sessions as the label looks ahead (Lopez de Prado 2018, chapter 7).

    Parameters
    ----------
    sessions
        Session of each row, in any order, several rows a session allowed; shape (n_rows,).
    label_ends
        Session at whose close the row's label is known; NaT is never trained on; (n_rows,).
    n_folds
        Number of folds, at least 1.
    min_test_sessions
        Sessions that each test part needs.
    embargo
        Sessions between the last label end trained on and the first test session.
    window_start
        First session of the window; rows before it are history: trained on, never tested. None
        makes all rows the window. The test parts are the same with and without history.
    tested
        Rows that may be tested, and whose sessions make the window: those of one ticker among
        several; all if None; shape (n_rows,).

    Raises
    ------
    InputError
        If there are too few sessions for the folds, or the embargo is negative.
    """
    _require_embargo(embargo)
    eligible = np.ones(len(sessions), dtype=np.bool_) if tested is None else tested
    if window_start is not None:
        eligible = eligible & (sessions >= window_start)
    calendar = np.unique(sessions)
    parts = _test_parts(np.unique(sessions[eligible]), n_folds, max(min_test_sessions, 1))
    return tuple(
        Fold(
            train=_before(sessions, label_ends, _earlier(calendar, part[0], embargo)),
            test=_positions(eligible & (sessions >= part[0]) & (sessions <= part[-1])),
        )
        for part in parts
    )


def _test_parts(
    unique: Shaped[np.ndarray, " n_unique"], n_folds: int, least: int
) -> list[Shaped[np.ndarray, " n_part"]]:
    """Return the last stretches of unique sessions, all of one length."""
    length = len(unique) // (n_folds + 1) if n_folds >= 1 else 0
    if length < least:
        raise InputError(
            f"too few sessions for {n_folds} folds: got {len(unique)} labelled sessions, "
            f"needed at least {least * (max(n_folds, 1) + 1)}; "
            "train on a longer period (--period, --start)"
        )
    return np.split(unique[len(unique) - n_folds * length :], n_folds)


def combinatorial(
    sessions: Days,
    label_ends: Days,
    n_groups: int = N_GROUPS,
    n_test_groups: int = N_TEST_GROUPS,
    embargo: int = EMBARGO,
    *,
    tested: Bool[np.ndarray, " n_rows"] | None = None,
) -> tuple[Fold, ...]:
    """Return a fold for each choice of test groups, purged on both sides and embargoed.

    The unique sessions are cut into `n_groups` stretches of n // n_groups, the last one with the
    rest. A row is trained on if its label's span, session to label end, shares no day with the
    span of a test stretch, first session to last label end, and if it does not lie in the
    `embargo` sessions after that span (Lopez de Prado 2018, chapters 7 and 12). Rows after a test
    part are trained on: a second opinion, not what could have been known.

    Parameters
    ----------
    sessions, label_ends
        As in `walk_forward`.
    n_groups
        At least 2.
    n_test_groups
        Groups tested at once, 1 to `n_groups` - 1. Each group is tested in
        C(n_groups - 1, n_test_groups - 1) folds, in lexicographic order of the choices.
    embargo
        Sessions left out after the last label end of a test stretch.
    tested
        Rows that may be tested, and whose sessions are grouped, as in `walk_forward`. The others
        are trained on, where their labels do not meet those tested.

    Raises
    ------
    InputError
        If the counts make no split, there are fewer sessions than groups, or the embargo is
        negative.
    """
    _require_embargo(embargo)
    eligible = np.ones(len(sessions), dtype=np.bool_) if tested is None else tested
    unique = np.unique(sessions[eligible])
    if not 1 <= n_test_groups < n_groups or len(unique) < n_groups:
        raise InputError(
            f"no combinatorial folds: got {n_test_groups} test groups of {n_groups} and "
            f"{len(unique)} labelled sessions; allowed are 1 test group or more, fewer than the "
            "groups, and a session for each group"
        )
    place = np.searchsorted(unique, sessions)
    group = np.minimum(place // (len(unique) // n_groups), n_groups - 1)
    chosen = combinations(range(n_groups), n_test_groups)
    return tuple(
        _combined(sessions, label_ends, unique, eligible & np.isin(group, choice), embargo)
        for choice in chosen
    )


def _require_embargo(embargo: int) -> None:
    if embargo < 0:
        raise InputError(f"bad embargo: got {embargo} sessions, allowed is 0 or more")


def _combined(
    sessions: Days,
    label_ends: Days,
    unique: Shaped[np.ndarray, " n_unique"],
    test: Bool[np.ndarray, " n_rows"],
    embargo: int,
) -> Fold:
    kept = ~test & ~np.isnat(label_ends)
    calendar = np.unique(sessions)
    for first, last in _stretches(unique, sessions[test]):
        inside = test & (sessions >= first) & (sessions <= last)
        ends = label_ends[inside & ~np.isnat(label_ends)]
        closed = max(last, ends.max()) if len(ends) else last
        resumes = _later(calendar, closed, embargo)
        before = (sessions < first) & (label_ends < first)
        kept &= before if resumes is None else before | (sessions > resumes)
    return Fold(train=_positions(kept), test=_positions(test))


def _stretches(
    unique: Shaped[np.ndarray, " n_unique"], tested: Days
) -> Iterator[tuple[np.datetime64, ...]]:
    """Yield the first and last session of each unbroken run of tested sessions."""
    places = np.searchsorted(unique, np.unique(tested))
    for run in np.split(places, np.flatnonzero(np.diff(places) > 1) + 1):
        yield unique[run[0]], unique[run[-1]]


def _before(
    sessions: Days, label_ends: Days, day: np.datetime64 | None
) -> Int64[np.ndarray, " n_train"]:
    if day is None:
        return np.zeros(0, dtype=np.int64)
    return _positions((sessions < day) & (label_ends < day))


def _earlier(calendar: Days, day: np.datetime64, count: int) -> np.datetime64 | None:
    """Return the session `count` before one of the calendar, None before its first."""
    at = int(np.searchsorted(calendar, day)) - count
    return calendar[at] if at >= 0 else None


def _later(calendar: Days, day: np.datetime64, count: int) -> np.datetime64 | None:
    """Return the session `count` after the last one up to a day, None past the calendar's end."""
    at = int(np.searchsorted(calendar, day, side="right")) - 1 + count
    return calendar[at] if at < len(calendar) else None


def _positions(rows: Bool[np.ndarray, " n_rows"]) -> Int64[np.ndarray, " n_positions"]:
    return np.flatnonzero(rows).astype(np.int64)
