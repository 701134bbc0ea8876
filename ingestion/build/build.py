"""Feature rows from raw rows: align, compute, and append what is new or changed.

Shard by shard, so that memory does not grow with the number of keys; this process alone holds the
lock, and switches the manifest once, at the end.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial

import pandas as pd
import structlog

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.planted import leaked_hash
from feature_repo.store.shard_runs import LOCAL, Placement, each
from home.layout import DataFiles
from home.manifest import Manifest
from home.progress import Progress
from home.strict_json import Json
from ingestion.build.shards import BuildTask, KeyBuilt, build_shard, shards_of
from ingestion.gate.expectations import REASON
from ingestion.gate.rules import paid_words
from ingestion.lake.lake import Lake
from ingestion.lake.quarantine import FOLDER
from ingestion.lake.record import fingerprint, read_record, write_record
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import utc
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.reader import RawReader, prices_span
from market.underlyings import MARKET

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ViewReport:
    """What a build did to one view, and where it ends; `stale` says why, if that is early.

    `unavailable` says why a view that a home may lack is not there; nothing is wrong with it then.
    `failed` says of each of its keys that could not be built why; what it had stays.
    """

    view: str
    generation: int
    keys: int
    rows_new: int
    rows_corrected: int
    last_session: str | None
    stale: str | None
    unavailable: str | None = None
    failed: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return asdict(self)


def build_features(
    lake: Lake,
    tickers: Sequence[str],
    landed_at: pd.Timestamp,
    progress: Progress | None = None,
    *,
    rebuild: bool = False,
    plant_leak: bool = False,
    placement: Placement = LOCAL,
) -> list[ViewReport]:
    """Bring every view up to the raw rows: new sessions, and one new row for each changed one.

    Where the feature definitions changed, all keys of the view are built again into a new
    generation, which readers see once it is complete. A key whose raw rows, code and features are
    those of its last build is left as it is.

    A view that carries values forward ends with the last session at which the source of its table
    answered: what was known then is not today's. Other views need no holding back, a session
    without its own price or index is pending by itself.

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
    rebuild
        Start a new generation in any case, as after a quarantine was released.
    plant_leak
        Compute one feature with tomorrow's close, for audits to find (`features.planted`).
    placement
        Where shards of keys are worked on; the result is the same, file by file.

    Returns
    -------
    list
        One report a view. A ticker that has no prices, or whose raw rows are damaged or make no
        features, is among its failed keys, with the reason; the others are built all the same, and
        so are its views that need no damaged file.

    Raises
    ------
    InputError
        If no prices have landed at all.
    """
    prices_span(lake.manifest, MARKET)
    definitions = leaked_hash() if plant_leak else definition_hash()
    with lake.all_or_nothing():
        for view in GROUPS:
            lake.open_view(view, GROUPS[view].entity, definitions, rebuild=rebuild)
        _say_if_redefined(lake, definitions)
        task = BuildTask(lake.data_dir, lake.opened(), utc(landed_at), lake.first_live, plant_leak)
        keys = _keys(lake, tickers)
        counts, failed = _build_keys(lake, task, keys, progress, placement)
    return [_report(lake.manifest, view, counts[view], failed) for view in GROUPS]


def _say_if_redefined(lake: Lake, definitions: str) -> None:
    """Say in one line that other definitions built what is there, and what follows from that."""
    states = lake.manifest.tables
    views = [v for v in GROUPS if v in states and states[v].definition_hash != definitions]
    if views:
        logger.warning(
            "other feature definitions built this home: its features are built anew, as a new "
            "generation; train its models again with `optrade train-all`",
            views=",".join(views),
        )


def _build_keys(
    lake: Lake,
    task: BuildTask,
    keys: Sequence[tuple[str, str]],
    progress: Progress | None,
    placement: Placement,
) -> tuple[dict[str, Counter[str]], dict[tuple[str, str], str]]:
    """Build each key that is not as it was last built, commit, and record what was built.

    Returns
    -------
    tuple
        By view, how many rows were new and how many corrected; and by (view, key), why it could
        not be built.
    """
    built_file = DataFiles(lake.data_dir).built
    reader, record = RawReader(lake.data_dir, lake.manifest), read_record(built_file)
    state = partial(_state, lake, task, reader)

    def report(key: str, done: int) -> None:
        if progress is not None:
            progress(f"features of {key}", done, len(keys))

    due = [
        key
        for key in keys
        if _is_due(lake, task, key, record.get("/".join(key)), state(key))
        or _is_damaged(reader, key)
    ]
    shards = shards_of(task, reader, due)
    if shards:
        lake.clear_old_files()
    counts = {view: Counter[str]() for view in GROUPS}
    failed: dict[tuple[str, str], str] = {}
    entities = {key: entity for entity, key in due}
    waiting = set(due)
    unchanged = [key for key in keys if key not in waiting]
    for done, (_, key) in enumerate(unchanged, start=1):
        report(key, done)
    with closing(each(build_shard, task, shards, placement)) as built_keys:
        for done, built in enumerate(built_keys, start=len(unchanged) + 1):
            for entry in built.entries:
                lake.stage_entry(entry)
            failed |= {(view, built.key): why for view, why in built.failed.items()}
            _drop_unmade(lake, built, task.views_of(entities[built.key]))
            _quarantine_skipped(lake, task, built)
            for view, count in built.counts.items():
                counts[view] += count
            report(built.key, done)
    lake.commit()
    # What a damaged file was left out of is to be built again once the file is mended.
    left = {key for _, key in failed}
    done = [key for key in keys if key[1] not in left and not _is_damaged(reader, key)]
    built_record = record | {"/".join(key): state(key) for key in done}
    if built_record != record:
        write_record(built_file, built_record)
    return counts, failed


def _quarantine_skipped(lake: Lake, task: BuildTask, built: KeyBuilt) -> None:
    """Name the rows that landed and that no adjustment can compute with, and quarantine them."""
    if built.skipped.is_empty() or PRICES.splits is None:
        return
    rows = built.skipped.select(PRICES.names).to_pandas().astype(PRICES.dtypes)
    sessions = [str(day.date()) for day in rows[PRICES.dated]]
    if (fault := lake.fault(FOLDER + PRICES.name, built.key)) is not None:
        logger.warning("skipped, not in quarantine", key=built.key, sessions=sessions, why=fault)
        return
    logger.warning("skipped, in quarantine", table=PRICES.name, key=built.key, sessions=sessions)
    lake.quarantine(PRICES, rows.assign(**{REASON: paid_words(PRICES.splits)}), task.time)


def _drop_unmade(lake: Lake, built: KeyBuilt, views: Sequence[str]) -> None:
    """Leave a key out of new generations in which nothing makes it any more."""
    made = {entry.table for entry in built.entries}
    for view in views:
        if (
            view not in made
            and lake.is_new_generation(view)
            and built.key in lake.manifest.keys(view)
        ):
            logger.warning("nothing makes it any more, left out", view=view, key=built.key)
            lake.drop(view, built.key)


def _state(lake: Lake, task: BuildTask, reader: RawReader, key: tuple[str, str]) -> str:
    """Return the fingerprint of what a key is built from and of what it has, as committed."""
    outputs = [(view, key[1]) for view in task.views_of(key[0])]
    return fingerprint(lake.manifest, reader.inputs(*key), outputs)


def _is_due(
    lake: Lake, task: BuildTask, name: tuple[str, str], recorded: str | None, state: str
) -> bool:
    entity, key = name
    views = task.views_of(entity)
    fresh = any(lake.is_new_generation(view) for view in views)
    return fresh or recorded != state or any(lake.fault(view, key) for view in views)


def _is_damaged(reader: RawReader, key: tuple[str, str]) -> bool:
    """Return whether a file is damaged that the features of a key are computed from."""
    return any(reader.fault(name) for name in reader.inputs(*key))


def _keys(lake: Lake, tickers: Sequence[str]) -> list[tuple[str, str]]:
    """Return what to build: the tickers asked for, all held ones if a generation is new."""
    wanted = dict.fromkeys(tickers)
    for view, group in GROUPS.items():
        if group.entity == "ticker" and lake.is_new_generation(view):
            wanted |= dict.fromkeys(lake.manifest.keys(view))
    return [*(("ticker", ticker) for ticker in wanted), ("market", MARKET)]


def _report(
    manifest: Manifest,
    view: str,
    counts: Counter[str],
    failed: Mapping[tuple[str, str], str],
) -> ViewReport:
    last = {key: manifest.entries[view, key].last for key in manifest.keys(view)}
    stale = _stale(manifest, view, last)
    absent = view in OPTIONAL_GROUPS and not last and not _unanswered(manifest, view)
    report = ViewReport(
        view=view,
        generation=manifest.tables[view].generation if view in manifest.tables else 0,
        keys=len(last),
        rows_new=counts["new"],
        rows_corrected=counts["corrected"],
        last_session=min(last.values(), default=None),
        stale=None if absent else stale,
        unavailable=_absent(manifest, view) if absent else None,
        failed={key: why for (name, key), why in failed.items() if name == view},
    )
    logger.info("features built", **report.document())
    return report


def _stale(manifest: Manifest, view: str, last: Mapping[str, str]) -> str | None:
    """Return why a view ends early, None if it does not."""
    behind = [key for key, end in last.items() if end < prices_span(manifest, key)[1]]
    unanswered = _unanswered(manifest, view)
    if unanswered and (behind or not last):
        return f"{VIEW_OF[view].carried} could not be fetched: {', '.join(unanswered[:10])}"
    if not last:
        return f"not all of {', '.join(VIEW_OF[view].tables)} has landed"
    return f"an input of {', '.join(behind[:10])} ends before its prices" if behind else None


def _unanswered(manifest: Manifest, view: str) -> list[str]:
    """Return the keys of a carried table whose source did not answer at the last prices."""
    carried, end = VIEW_OF[view].carried, prices_span(manifest, MARKET)[1]
    return [
        f"{key} since {answer.through or 'ever'}"
        for (table, key), answer in sorted(manifest.answers.items())
        if table == carried and not answer.refused and (answer.through or "") < end
    ]


def _absent(manifest: Manifest, view: str) -> str:
    """Return why a home has nothing of a view that it may lack."""
    tables = VIEW_OF[view].own_tables
    landed = [table for table in tables if manifest.keys(table)]
    if not landed:
        return f"nothing of {', '.join(tables)} has landed"
    return f"{', '.join(landed)} tells nothing yet of a ticker at any session's decision time"
