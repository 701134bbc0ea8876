"""The point-in-time audit: whether a training frame holds what was known, and nothing else.

Three questions. Does the store read the feature files as a naive second implementation does? Do
the macro features hold what had been published, as the raw rows say? And what would a fixed lag
have changed, had each session not its own vintage?
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from audit.frames import Difference, differences, naive_frame
from audit.releases import (
    LEVELS,
    MONTHLY,
    VintageAudit,
    known_levels,
    monthly_series,
    vintage_audit,
)
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.catalogue import names as feature_names
from feature_repo.features.services import SERVICES
from home.manifest import read_manifest
from home.strict_json import Json
from market.errors import InputError

if TYPE_CHECKING:
    from feast import FeatureStore

# Two ways of computing one percentage: rounding, no more.
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class PitReport:
    """The outcome of the audit.

    Attributes
    ----------
    service, tickers
        What was read.
    first, last, sessions
        The window, and its sessions.
    frame
        The training frame against the naive reading of the feature files.
    not_yet_known
        Rows of a view that became known only after their session's decision, and so are null in
        the frame.
    levels
        The monthly macro features of the frame against the raw rows; None if the service has
        none.
    on_demand
        Features computed when read: they are in no file, and were not compared.
    vintages
        What a fixed lag would have changed of each monthly series that has landed.
    """

    service: str
    tickers: tuple[str, ...]
    first: str
    last: str
    sessions: int
    frame: Difference
    not_yet_known: int
    levels: Difference | None
    on_demand: tuple[str, ...]
    vintages: tuple[VintageAudit, ...]

    @property
    def mismatches(self) -> int:
        """The number of values that are not what was known."""
        return self.frame.mismatches + (self.levels.mismatches if self.levels else 0)

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return {"mismatches": self.mismatches, **asdict(self)}


def audit_pit(
    store: "FeatureStore",
    data_dir: Path,
    service: str,
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
) -> PitReport:
    """Return the point-in-time audit of a service.

    Parameters
    ----------
    store
        The feature store that training reads.
    data_dir
        The data folder of the same home.
    service
        The name of a feature service.
    tickers, sessions
        What to read; each session at its decision time.

    Raises
    ------
    InputError
        If there is no such service, or nothing to read.
    """
    from training.frames.dataset import load_frame

    if service not in SERVICES:
        raise InputError(
            f"unknown feature service: got {service!r:.40}, allowed are {', '.join(SERVICES)}"
        )
    frame = load_frame(store, service, tickers, sessions)
    naive = naive_frame(data_dir, SERVICES[service], _ttls(store), tickers, sessions)
    held = (monthly_series(data_dir, series) for series in MONTHLY)
    return PitReport(
        service=service,
        tickers=tuple(tickers),
        first=str(sessions[0].date()),
        last=str(sessions[-1].date()),
        sessions=len(sessions),
        frame=differences(frame, naive.values),
        not_yet_known=naive.not_yet_known,
        levels=level_differences(data_dir, frame),
        on_demand=naive.on_demand,
        vintages=tuple(vintage_audit(rows, sessions) for rows in held if rows is not None),
    )


def level_differences(data_dir: Path, frame: pd.DataFrame) -> Difference | None:
    """Return where the monthly macro features of a frame are not what the raw rows say.

    Sessions without a macro row are left out; None if the frame has no such feature.
    """
    macro = [name for name in feature_names("macro") if name in frame]
    if not {*LEVELS} <= {*macro}:
        return None
    # The market's features are the same for every ticker.
    one = frame[frame["ticker"] == frame["ticker"].iloc[0]]
    held = one[one[macro].notna().any(axis=1)].reset_index(drop=True)
    if held.empty:
        return Difference(0, 0, ())
    days = pd.DatetimeIndex(held["session"])
    expected = known_levels(data_dir, days, session_landings(data_dir, days))
    keys = held[["ticker", "session"]]
    return differences(held, pd.concat([keys, expected], axis=1), ROUNDING)


def session_landings(data_dir: Path, sessions: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return when each session, or one after it, first landed with a price; UTC, shape (n,)."""
    manifest = read_manifest(data_dir)
    columns = ["session", "landed_at"]
    rows = pd.concat(
        pd.read_parquet(path, columns=columns) for path in manifest.paths(data_dir, "prices")
    )
    first = rows.groupby(pd.to_datetime(rows["session"]))["landed_at"].min()
    every = sessions.union(pd.DatetimeIndex(first.index))
    return pd.DatetimeIndex(first.reindex(every).bfill().reindex(sessions))


def _ttls(store: "FeatureStore") -> Mapping[str, Any]:
    return {view.name: view.ttl for view in store.list_feature_views() if view.name in GROUPS}
