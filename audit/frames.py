"""Training frames against a second, naive reading of the feature files.

The store finds what was known by one as-of join over all rows. Here each ticker and session is
looked up by itself, in the plainest way there is. The two share the manifest and nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from feature_repo.features.catalogue import GROUPS
from home.manifest import read_manifest
from market.calendar import read_time
from market.underlyings import MARKET

# Mismatches that a report names; all are counted.
SHOWN: Final = 20


@dataclass(frozen=True)
class Mismatch:
    """A value that two ways of reading do not agree on; None is null."""

    ticker: str
    session: str
    feature: str
    got: float | None
    expected: float | None


@dataclass(frozen=True)
class Difference:
    """The outcome of a comparison: values compared, mismatches counted, the first ones named."""

    compared: int
    mismatches: int
    first: tuple[Mismatch, ...]


@dataclass(frozen=True)
class NaiveFrame:
    """What was known of a service at each decision.

    Attributes
    ----------
    values
        `ticker`, `session` and the stored features of the service.
    not_yet_known
        Rows of a session that a view holds and that became known only after its decision: the
        session's features are null to every reader of history.
    on_demand
        Features of the service that are computed when read, and so are not in a file.
    """

    values: pd.DataFrame
    not_yet_known: int
    on_demand: tuple[str, ...]


def naive_frame(
    data_dir: Path,
    references: Sequence[str],
    ttls: Mapping[str, timedelta],
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
) -> NaiveFrame:
    """Return the features of a service for each ticker and session, looked up one by one.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    references
        `view:feature` of the service.
    ttls
        How old a row of a view may be when it is read.
    tickers, sessions
        What to look up; each session is read at its `read_time`.
    """
    views: dict[str, list[str]] = {}
    for reference in references:
        view, feature = reference.split(":")
        views.setdefault(view, []).append(feature)
    stored = {view: names for view, names in views.items() if view in GROUPS}
    moments = read_time(sessions)
    frames, late = [], 0
    for ticker in tickers:
        columns: dict[str, object] = {"ticker": ticker, "session": sessions}
        for view, names in stored.items():
            rows = _rows(data_dir, view, ticker if GROUPS[view].entity == "ticker" else MARKET)
            found, unknown = _looked_up(rows, names, moments, ttls[view])
            columns |= {name: found[:, place] for place, name in enumerate(names)}
            late += unknown
        frames.append(pd.DataFrame(columns))
    on_demand = [name for view, names in views.items() if view not in GROUPS for name in names]
    return NaiveFrame(pd.concat(frames, ignore_index=True), late, tuple(on_demand))


def differences(got: pd.DataFrame, expected: pd.DataFrame, tolerance: float = 0.0) -> Difference:
    """Return where two frames differ in the features of the second one.

    Parameters
    ----------
    got, expected
        `ticker`, `session` and features, a row for the same tickers and sessions.
    tolerance
        The share of a value by which it may differ; null equals only null.
    """
    key = ["ticker", "session"]
    names = [name for name in expected.columns if name not in key]
    one = got.sort_values(key, ignore_index=True).reindex(columns=[*key, *names])
    other = expected.sort_values(key, ignore_index=True)
    if not one[key].equals(other[key]):
        raise ValueError(f"frames of other sessions: got {len(one)} rows, needed {len(other)}")
    a, b = one[names].to_numpy(float), other[names].to_numpy(float)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if tolerance:
        same |= np.abs(a - b) <= tolerance * np.abs(b)
    rows, columns = np.nonzero(~same)
    return Difference(a.size, len(rows), tuple(_named(other, names, a, b, rows, columns)))


def _named(
    keys: pd.DataFrame,
    names: Sequence[str],
    got: np.ndarray,
    expected: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
) -> Iterator[Mismatch]:
    for row, column in list(zip(rows, columns, strict=True))[:SHOWN]:
        key = keys.iloc[row]
        values = (got[row, column], expected[row, column])
        yield Mismatch(
            key["ticker"],
            str(key["session"].date()),
            names[column],
            *(None if np.isnan(value) else float(value) for value in values),
        )


def _rows(data_dir: Path, view: str, key: str) -> pd.DataFrame | None:
    """Return all rows of a key of a view as they are in its file, None if nothing has landed."""
    paths = read_manifest(data_dir).paths(data_dir, view, [key])
    return pd.read_parquet(paths[0]) if paths else None


def _looked_up(
    rows: pd.DataFrame | None, names: Sequence[str], moments: pd.DatetimeIndex, ttl: timedelta
) -> tuple[np.ndarray, int]:
    """Return what was seen at each moment, shape (n_moments, n_names), and how much was late."""
    found = np.full((len(moments), len(names)), np.nan)
    if rows is None:
        return found, 0
    events = pd.DatetimeIndex(rows["event_timestamp"]).as_unit("ns").asi8
    known = pd.DatetimeIndex(rows["created_timestamp"]).as_unit("ns").asi8
    values = rows[list(names)].to_numpy(float)
    late, longest = 0, pd.Timedelta(ttl).value
    for place, moment in enumerate(moments.as_unit("ns").asi8):
        happened = (events <= moment) & (moment - events <= longest)
        seen = [(events[row], known[row], row) for row in np.flatnonzero(happened)]
        readable = [one for one in seen if one[1] <= moment]
        late += bool(seen) and not readable
        if readable:
            found[place] = values[max(readable)[2]]
    return found, late
