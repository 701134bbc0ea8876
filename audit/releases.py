"""Monthly figures by day of publication: what a session knew of them, row by row.

A second implementation of what `feature_repo.features.macro.known` gives, and the measure of what
a fixed lag would have given in its place.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from home.manifest import read_manifest
from market.availability import SERIES, available_at
from market.calendar import NEW_YORK, decision_time

MONTHLY: Final = tuple(name for name, row in SERIES.items() if row.day is not None)
LEVELS: Final = ("unemployment_rate", "cpi_yoy")
NO_VINTAGE: Final = (
    "no vintage has landed: values are today's revision at a fixed lag; to have each session's "
    "own, set FRED_API_KEY and ingest --source live into a new home"
)


@dataclass(frozen=True)
class VintageAudit:
    """What a fixed lag of today's revision would have changed of a series.

    Attributes
    ----------
    series
        FRED's name.
    vintages
        Days of publication that have landed.
    sessions
        Sessions with a level by both ways; the other figures are of these.
    differing
        Sessions whose level differs.
    mean_absolute, largest_absolute
        Of the differences, all sessions counted, in the unit of the series.
    worst_session, by_vintage, by_lag
        Where the difference is largest, and the two levels there.
    unpublished
        Sessions to which the lag gives a month that was not published yet.
    note
        What is missing, and what to do.
    """

    series: str
    vintages: int
    sessions: int = 0
    differing: int = 0
    mean_absolute: float | None = None
    largest_absolute: float | None = None
    worst_session: str | None = None
    by_vintage: float | None = None
    by_lag: float | None = None
    unpublished: int = 0
    note: str | None = None


@dataclass(frozen=True)
class Level:
    """The newest month known, as months since 1970, and its level; -1 and NaN for none."""

    month: int = -1
    value: float = np.nan
    year_before: float = np.nan


@dataclass(frozen=True)
class MonthlySeries:
    """All landed rows of a monthly series, in the order in which they became known.

    Attributes
    ----------
    series
        FRED's name.
    months
        Months since 1970 that rows are about, shape (n_rows,).
    values
        Levels, NaN for none.
    dated
        Whether a row has a day of publication.
    known, lagged
        When a row was known: by its publication or else the lag, and by the lag; nanoseconds
        since 1970 UTC.
    landed
        When it landed, likewise.
    publications
        Days of publication, each once.
    """

    series: str
    months: np.ndarray
    values: np.ndarray
    dated: np.ndarray
    known: np.ndarray
    lagged: np.ndarray
    landed: np.ndarray
    publications: int

    def level(self, moment: int, landed_by: int, *, dated_only: bool = False) -> Level:
        """Return what was known: from publications if there are any, else by the lag.

        Parameters
        ----------
        moment
            Nanoseconds since 1970 UTC.
        landed_by
            Rows that landed later are not seen.
        dated_only
            Leave rows without a day of publication out in any case.
        """
        seen = (self.known <= moment) & (self.landed <= landed_by) & ~np.isnan(self.values)
        dated = seen & self.dated
        chosen = dated if dated_only or dated.any() else seen
        # Of one month the last publication counts, and of one publication its last correction.
        return newest(
            dict(zip(self.months[chosen].tolist(), self.values[chosen].tolist(), strict=True))
        )

    def today(self) -> dict[int, tuple[int, float]]:
        """Return each month's time by the lag, and its figure in the newest revision."""
        rows = np.flatnonzero(~np.isnan(self.values))
        # A publication is newer than a row without a day.
        ordered = rows[np.argsort(self.dated[rows], kind="stable")]
        return {
            int(self.months[row]): (int(self.lagged[row]), float(self.values[row]))
            for row in ordered
        }


def from_rows(series: str, rows: pd.DataFrame) -> MonthlySeries:
    """Return a series from raw rows in any order, `landed_at` among their columns."""
    dates = pd.DatetimeIndex(rows["observation_date"])
    vintage = pd.DatetimeIndex(rows["vintage_date"])
    hour = pd.Timedelta(hours=SERIES[series].hour)
    published = (vintage + hour).tz_localize(NEW_YORK).tz_convert("UTC")
    lagged = _ticks(available_at(series, dates))
    known = np.where(vintage.notna(), _ticks(published), lagged)
    landed = _ticks(pd.DatetimeIndex(rows["landed_at"]))
    order = np.lexsort((landed, known))
    return MonthlySeries(
        series=series,
        months=(dates.year.to_numpy() * 12 + dates.month.to_numpy() - 1 - 1970 * 12)[order],
        values=rows["value"].to_numpy(float)[order],
        dated=np.asarray(vintage.notna())[order],
        known=known[order],
        lagged=lagged[order],
        landed=landed[order],
        publications=vintage.nunique(),
    )


def monthly_series(data_dir: Path, series: str) -> MonthlySeries | None:
    """Return the landed rows of a series, None if there are none."""
    paths = read_manifest(data_dir).paths(data_dir, "macro_series", [series])
    return from_rows(series, pd.read_parquet(paths[0])) if paths else None


def newest(levels: dict[int, float]) -> Level:
    """Return the newest month of some, with its level and that of a year before."""
    if not levels:
        return Level()
    month = max(levels)
    return Level(month, levels[month], levels.get(month - 12, np.nan))


def vintage_audit(rows: MonthlySeries, sessions: pd.DatetimeIndex) -> VintageAudit:
    """Return what a fixed lag of today's revision would have changed at each decision."""
    if not rows.publications:
        return VintageAudit(rows.series, 0, note=NO_VINTAGE)
    moments = _ticks(decision_time(sessions)).tolist()
    last, today = int(rows.landed.max()), rows.today()
    by_vintage = [rows.level(at, last, dated_only=True) for at in moments]
    by_lag = [newest({m: value for m, (from_, value) in today.items() if from_ <= at})
              for at in moments]  # fmt: skip
    return _compared(rows, sessions, by_vintage, by_lag)


def _compared(
    rows: MonthlySeries, sessions: pd.DatetimeIndex, by_vintage: list[Level], by_lag: list[Level]
) -> VintageAudit:
    pairs = list(zip(by_vintage, by_lag, strict=True))
    gaps = np.array([lag.value - vintage.value for vintage, lag in pairs])
    both = np.isfinite(gaps)
    if not both.any():
        return VintageAudit(
            rows.series, rows.publications, note="no session of the window knew a vintage"
        )
    worst = int(np.nanargmax(np.abs(gaps)))
    return VintageAudit(
        series=rows.series,
        vintages=rows.publications,
        sessions=int(both.sum()),
        differing=int((gaps[both] != 0).sum()),
        mean_absolute=float(np.abs(gaps[both]).mean()),
        largest_absolute=float(abs(gaps[worst])),
        worst_session=str(sessions[worst].date()),
        by_vintage=by_vintage[worst].value,
        by_lag=by_lag[worst].value,
        unpublished=sum(pairs[at][1].month > pairs[at][0].month for at in np.flatnonzero(both)),
    )


def known_levels(
    data_dir: Path, sessions: pd.DatetimeIndex, landed: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return the features that show a monthly level, computed from the raw rows.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    sessions
        The sessions, shape (n,).
    landed
        When each of them first landed: its features were computed from what had landed by then.

    Returns
    -------
    pd.DataFrame
        `unemployment_rate` and `cpi_yoy` in %, null where not known; shape (n, 2).
    """
    moments = _ticks(decision_time(sessions))
    landed_by = np.maximum(moments, _ticks(landed))
    levels = {name: _levels(data_dir, name, moments, landed_by) for name in MONTHLY}
    return pd.DataFrame(
        {
            "unemployment_rate": [level.value for level in levels["UNRATE"]],
            "cpi_yoy": [
                100.0 * (level.value / level.year_before - 1.0) for level in levels["CPIAUCSL"]
            ],
        }
    )


def _levels(data_dir: Path, series: str, moments: np.ndarray, landed_by: np.ndarray) -> list[Level]:
    rows = monthly_series(data_dir, series)
    if rows is None:
        return [Level()] * len(moments)
    pairs = zip(moments.tolist(), landed_by.tolist(), strict=True)
    return [rows.level(at, by) for at, by in pairs]


def _ticks(times: pd.DatetimeIndex) -> np.ndarray:
    return times.as_unit("ns").asi8
