"""The drift report: which features have left their reference, against what chance would do. Pure.

Decision 12: the index over ten reference deciles, nulls as a separate figure; a feature is
alarmed above the 99th percentile of its own bootstrap, and an alert needs more alarmed features
than 99 in 100 resamples without drift have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from home.records.drift import DriftReport, FeatureDrift, Method, Status, Window
from market.arrays import FloatArray, IntArray
from market.errors import InputError
from monitoring.drift.null import LEVEL, RESAMPLES, alarm_levels, alarmed_level, null_psi
from monitoring.drift.psi import DECILES, ORIENTATION, bin_counts, decile_bins, psi
from monitoring.drift.quality import Quality, feature_values, quality, status

SESSION: Final = "session"
CURRENT_SESSIONS: Final = 63  # a quarter
COMPARABLE: Final[tuple[Status, ...]] = ("ok", "constant")


@dataclass(frozen=True)
class Binned:
    """One feature in both windows, in bins of the reference; codes are None if not comparable."""

    name: str
    status: Status
    reference: Quality
    current: Quality
    labels: tuple[str, ...] = ()
    reference_codes: IntArray | None = None
    current_codes: IntArray | None = None
    psi: float | None = None


def windows(
    frame: pd.DataFrame,
    start: str | pd.Timestamp,
    end: str | pd.Timestamp,
    current_sessions: int = CURRENT_SESSIONS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the reference and the current rows of one ticker, in session order.

    The current window is the last sessions of the frame. The reference is what [start, end],
    such as the training window of a model, holds of the sessions before: a session is never
    compared with itself.

    A short window is no small sample of the same thing. Without any drift, 21 sessions have a
    decile index of 0.98 on average, 63 of 0.18 and 252 of 0.05, and a series as persistent as
    AR(0.95) passes 0.25 at 63 sessions in 98 cases of 100. This is why the alarm level of each
    feature comes from a bootstrap at the current window's length, and 0.1 and 0.25 are drawn for
    orientation only.

    Parameters
    ----------
    frame
        One row a session: `session` and features.
    start, end
        First and last session of the reference, both included.
    current_sessions
        Sessions of the current window.

    Raises
    ------
    InputError
        If a session is there twice, or either window would be empty.
    """
    if current_sessions < 1:
        raise InputError(f"bad current window: got {current_sessions} sessions, allowed 1 or more")
    rows = in_session_order(frame, "frame")
    at = pd.DatetimeIndex(rows[SESSION])
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    earlier = np.arange(len(rows)) < len(rows) - current_sessions
    reference, current = rows[earlier & (at >= first) & (at <= last)], rows[~earlier]
    if reference.empty or current.empty:
        held = f"{at[0].date()} to {at[-1].date()}" if len(at) else "no session"
        raise InputError(
            f"no reference sessions: got {held}, of which the last {current_sessions} are the "
            f"current window and the others none of {first.date()} to {last.date()}; "
            "ask for an earlier reference or a shorter current window"
        )
    return reference, current


def drift_report(
    ticker: str,
    reference: pd.DataFrame,
    current: pd.DataFrame,
    views: Mapping[str, str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> DriftReport:
    """Return the drift of each feature between two windows of one ticker.

    What is not known is None: all three figures of a feature that cannot be compared, and
    `alert` and `alarmed_level` where none can.

    Parameters
    ----------
    ticker
        Whose rows they are.
    reference, current
        One row a session: `session` and at least the features of `views`.
    views
        The view of each feature, by name; the report keeps its order.
    resamples, seed
        Of the bootstrap.

    Raises
    ------
    InputError
        If a session is there twice, or a feature is missing, no number or infinite.
    """
    if resamples < 1:
        raise InputError(f"bad number of resamples: got {resamples}, allowed 1 or more")
    before = in_session_order(reference, "reference")
    after = in_session_order(current, "current")
    features = binned(before, after, list(views))
    null, places = _null(features, len(after), resamples, seed)
    levels = alarm_levels(null)
    level_at = dict(zip(places, levels.tolist(), strict=True))
    rows = [
        _feature(feature, views[feature.name], level_at.get(place))
        for place, feature in enumerate(features)
    ]
    alarmed = sum(row.alarm is True for row in rows)
    limit = alarmed_level(null, levels) if places else None
    return DriftReport(
        ticker=ticker,
        reference=_window(before),
        current=_window(after),
        alert=None if limit is None else alarmed > limit,
        compared=len(places),
        alarmed=alarmed,
        alarmed_level=limit,
        method=_method(len(after), resamples, seed),
        features=rows,
    )


def binned(reference: pd.DataFrame, current: pd.DataFrame, features: Sequence[str]) -> list[Binned]:
    """Return each feature in decile bins of the reference, in the order given.

    Raises
    ------
    InputError
        As `drift_report`.
    """
    return [
        _binned(name, feature_values(reference, name), feature_values(current, name))
        for name in features
    ]


def _binned(name: str, reference: FloatArray, current: FloatArray) -> Binned:
    before, after = quality(name, reference), quality(name, current)
    word = status(before, after)
    if word not in COMPARABLE:
        return Binned(name, word, before, after)
    known = reference[~np.isnan(reference)]
    bins = decile_bins(known)
    codes = bins.codes(known), bins.codes(current[~np.isnan(current)])
    figure = float(psi(*(bin_counts(column, bins.count) for column in codes)))
    return Binned(name, word, before, after, tuple(bins.labels()), *codes, figure)


def _null(
    features: Sequence[Binned], window: int, resamples: int, seed: int
) -> tuple[FloatArray, list[int]]:
    """Return the index under no drift of the comparable features, and their places."""
    codes: dict[int, IntArray] = {
        place: feature.reference_codes
        for place, feature in enumerate(features)
        if feature.reference_codes is not None
    }
    known = [features[place].current.known for place in codes]
    return null_psi(list(codes.values()), known, window, resamples, seed), list(codes)


def _feature(feature: Binned, view: str, level: float | None) -> FeatureDrift:
    figure = feature.psi
    return FeatureDrift(
        name=feature.name,
        view=view,
        status=feature.status,
        psi=figure,
        alarm_level=level,
        alarm=None if figure is None or level is None else figure > level,
        null_share=feature.current.null_share,
        reference_null_share=feature.reference.null_share,
    )


def _method(window: int, resamples: int, seed: int) -> Method:
    return Method(
        deciles=DECILES,
        level=LEVEL,
        mean_block=window,
        resamples=resamples,
        seed=seed,
        orientation=list(ORIENTATION),
    )


def _window(rows: pd.DataFrame) -> Window:
    at = pd.DatetimeIndex(rows[SESSION])
    start, end = (str(at[place].date()) if len(at) else None for place in (0, -1))
    return Window(start=start, end=end, rows=len(rows))


def in_session_order(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of a window by session; `name` is what an error calls it.

    Raises
    ------
    InputError
        If there is no `session`, or one is there twice.
    """
    if SESSION not in frame:
        raise InputError(f"the {name} window lacks the column {SESSION}; one row is one session")
    rows = frame.sort_values(SESSION, ignore_index=True)
    twice = rows[SESSION][rows[SESSION].duplicated()]
    if len(twice):
        raise InputError(
            f"the {name} window holds session {pd.Timestamp(twice.iloc[0]).date()} twice, "
            "allowed is one row a session; report one ticker at a time"
        )
    return rows
