"""Feature rows from raw rows: align, compute, and append what is new or changed.

One key at a time, so that memory does not grow with their number; the manifest is switched once,
at the end.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl
import structlog

from feature_repo.errors import InputError
from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS, definition_hash, names
from feature_repo.features.declare import Group
from feature_repo.features.planted import leaked_hash, with_leak
from feature_repo.manifest import Manifest
from feature_repo.markets import MARKET
from ingestion.build_record import BUILT, fingerprint, read_record, write_record
from ingestion.compute import CARRIED, TABLES_OF, Raw
from ingestion.compute_events import View
from ingestion.feature_rows import feature_rows
from ingestion.frames import CREATED, SESSION, utc
from ingestion.lake import Lake
from ingestion.raw import RawReader, prices_span
from ingestion.tables import TABLES, landed_as
from ingestion.versions import TICK, append

Progress = Callable[[str, int, int], None]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ViewReport:
    """What a build did to one view, and where it ends; `stale` says why, if that is early.

    `unavailable` says why a view that a home may lack is not there; nothing is wrong with it then.
    """

    view: str
    generation: int
    keys: int
    rows_new: int
    rows_corrected: int
    last_session: str | None
    stale: str | None
    unavailable: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return asdict(self)


def build_features(
    lake: Lake,
    tickers: Sequence[str],
    landed_at: pd.Timestamp,
    progress: Progress | None = None,
    *,
    stale: Collection[str] = (),
    rebuild: bool = False,
    plant_leak: bool = False,
) -> list[ViewReport]:
    """Bring every view up to the raw rows: new sessions, and one new row for each changed one.

    Where the feature definitions changed, all keys of the view are built again into a new
    generation, which readers see once it is complete. A key whose raw rows, code and features are
    those of its last build is left as it is.

    Parameters
    ----------
    lake
        Open for writing.
    tickers
        The tickers to build; each has landed prices.
    landed_at
        The time of this landing, with a zone: when corrections become known.
    progress
        Called with (what, done, total) after each key.
    stale
        Raw tables whose fetch failed, in whole or part. A view that carries values forward from
        one of them is left as it is: it would give yesterday's values as today's. Other views
        need no holding back, a session without its own price or index is pending by itself.
    rebuild
        Start a new generation in any case, as after a quarantine was released.
    plant_leak
        Compute one feature with tomorrow's close, for audits to find (`features.planted`).

    Returns
    -------
    list
        One report a view.

    Raises
    ------
    InputError
        If a ticker has no prices or no volatility index, or its raw rows make no features.
    """
    views = [view for view in GROUPS if CARRIED.get(view) not in stale]
    definitions = leaked_hash() if plant_leak else definition_hash()
    technical = (with_leak() if plant_leak else GROUPS)["technical"]
    with lake.all_or_nothing():
        for view in views:
            lake.open_view(view, GROUPS[view].entity, definitions, rebuild=rebuild)
        keys = _keys(lake, views, tickers)
        counts = _build_keys(lake, views, keys, utc(landed_at), progress, technical)
    reports = [_report(lake.manifest, view, counts[view], stale) for view in GROUPS]
    for report in reports:
        logger.info("features built", **report.document())
    return reports


def _build_keys(
    lake: Lake,
    views: Sequence[str],
    keys: Sequence[tuple[str, str]],
    time: datetime,
    progress: Progress | None,
    technical: Group,
) -> dict[str, Counter[str]]:
    """Build each key that is not as it was last built, commit, and record what was built."""
    reader, record = (
        RawReader(lake.data_dir, lake.manifest, technical),
        read_record(lake.data_dir / BUILT),
    )
    counts = {view: Counter[str]() for view in GROUPS}
    mine = {entity: [v for v in views if GROUPS[v].entity == entity] for entity, _ in keys}

    def state(entity: str, key: str) -> str:
        outputs = [(view, key) for view in mine[entity]]
        return fingerprint(lake.manifest, reader.inputs(entity, key), outputs)

    for done, (entity, key) in enumerate(keys, start=1):
        fresh = any(lake.is_new_generation(view) for view in mine[entity])
        if fresh or record.get(f"{entity}/{key}") != state(entity, key):
            raw = reader.ticker(key) if entity == "ticker" else reader.macro()
            for view, found in _build_key(lake, mine[entity], key, raw, time).items():
                counts[view] += found
        if progress is not None:
            progress(f"features of {key}", done, len(keys))
    lake.commit()
    built = record | {f"{entity}/{key}": state(entity, key) for entity, key in keys}
    if built != record:
        write_record(lake.data_dir / BUILT, built)
    return counts


def _keys(lake: Lake, views: Sequence[str], tickers: Sequence[str]) -> list[tuple[str, str]]:
    """Return what to build: the tickers asked for, all held ones if a generation is new."""
    wanted = dict.fromkeys(tickers)
    for view in views:
        if GROUPS[view].entity == "ticker" and lake.is_new_generation(view):
            wanted |= dict.fromkeys(lake.manifest.keys(view))
    market = [("market", MARKET)] if "macro" in views else []
    return [*(("ticker", ticker) for ticker in wanted), *market]


def _build_key(
    lake: Lake, views: Sequence[str], key: str, raw: Raw, time: datetime
) -> dict[str, Counter[str]]:
    """Append to the views of one key what is new or changed, and stage them.

    A view that has rows is brought to what is known now. One that has none, as in a new
    generation, is built as it would have been at each time its past changed, so that a correction
    stays one and is known from its landing on.
    """
    held = {view: lake.stored(view, key) for view in views}
    rows, counts = dict(held), {view: Counter[str]() for view in views}
    for known_by, corrected_at in _steps(raw, held, time):
        for view, aligned, features in _computed(raw, known_by, key):
            if view not in held or (known_by is not None and held[view] is not None):
                continue
            entity = GROUPS[view].entity
            incoming = feature_rows(entity, key, aligned, features, lake.first_live)
            known_from = corrected_at if held[view] is None else time
            result = append(
                rows[view], incoming, (entity, SESSION), names(view), CREATED, known_from
            )
            rows[view] = result.rows
            counts[view] += Counter(new=result.new, corrected=result.corrected)
    for view, found in counts.items():
        if found.total():
            lake.write_features(view, key, rows[view], pd.Timestamp(time))
    return counts


def _steps(
    raw: Raw, held: dict[str, pl.DataFrame | None], time: datetime
) -> Iterator[tuple[datetime | None, datetime]]:
    """Yield up to when raw rows are seen (None: all), and from when their corrections are known."""
    changes = raw.changes() if any(rows is None for rows in held.values()) else []
    return zip([*(change - TICK for change in changes), None], [time, *changes], strict=True)


def _computed(raw: Raw, known_by: datetime | None, key: str) -> Iterator[View]:
    try:
        yield from raw.views(known_by)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error


def _report(
    manifest: Manifest, view: str, counts: Counter[str], stale: Collection[str]
) -> ViewReport:
    last = {key: manifest.entries[view, key].last for key in manifest.keys(view)}
    absent = view in OPTIONAL_GROUPS and not last
    return ViewReport(
        view=view,
        generation=manifest.tables[view].generation if view in manifest.tables else 0,
        keys=len(last),
        rows_new=counts["new"],
        rows_corrected=counts["corrected"],
        last_session=min(last.values(), default=None),
        stale=None if absent else _stale(manifest, view, last, stale),
        unavailable=_absent(manifest, view) if absent else None,
    )


def _stale(
    manifest: Manifest, view: str, last: Mapping[str, str], stale: Collection[str]
) -> str | None:
    """Return why a view ends early, None if it does not."""
    if CARRIED.get(view) in stale:
        return f"{CARRIED[view]} could not be fetched"
    if not last:
        return f"not all of {', '.join(TABLES_OF[view])} has landed"
    behind = [key for key, end in last.items() if end < prices_span(manifest, key)[1]]
    return f"an input of {', '.join(behind[:10])} ends before its prices" if behind else None


def _absent(manifest: Manifest, view: str) -> str:
    """Return why a home has nothing of a view that it may lack."""
    tables = TABLES_OF[view]
    landed = [table for table in tables if manifest.keys(landed_as(TABLES[table]).name)]
    if not landed:
        return f"nothing of {', '.join(tables)} has landed"
    return f"{', '.join(landed)} tells nothing yet of a ticker at any session's decision time"
