"""Generated stores and entity frames, and the join written as the sentence that defines it.

A case is one parquet folder and one entity frame. Its moments lie around clock changes, half days
and each other's edges, a microsecond off now and then; rows tie, repeat, come late, are corrected
and hold nulls. Everything of a case is decoded from a few bytes, which hypothesis shrinks well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64, Int64, String
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from feature_repo.store.repo_config import repo_config

NEW_YORK = ZoneInfo("America/New_York")
MICROSECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)
QUARTER = timedelta(minutes=15)


def new_york(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=NEW_YORK, fold=fold).astimezone(UTC)


SEASONS = [
    # Clocks go forward on 10 March: from one close to the next are 71 hours, not 72.
    [new_york(2024, 3, 8, 16), new_york(2024, 3, 10, 3), new_york(2024, 3, 11, 16)],
    # 13:00 is the close of a half day.
    [new_york(2024, 7, 2, 16), new_york(2024, 7, 3, 13), new_york(2024, 7, 5, 16)],
    [new_york(2024, 11, 27, 16), new_york(2024, 11, 29, 13), new_york(2024, 12, 2, 16)],
    # 01:30 comes twice.
    [
        new_york(2024, 11, 1, 16),
        new_york(2024, 11, 3, 1, 30),
        new_york(2024, 11, 3, 1, 30, fold=1),
        new_york(2024, 11, 4, 16),
    ],
]
TTLS = [None, timedelta(0), MICROSECOND, HOUR, 20 * HOUR, 3 * DAY]
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "mixed"]
EVENT_OFFSETS = [*[timedelta(0)] * 5, MICROSECOND, -MICROSECOND, None]
DELAYS = [timedelta(0), timedelta(0), QUARTER, QUARTER, HOUR, 20 * HOUR, DAY, 3 * DAY, -HOUR, None]
ASKED = [
    *(timedelta(0), MICROSECOND, -MICROSECOND, QUARTER, QUARTER - MICROSECOND, 2 * QUARTER),
    *(HOUR, 20 * HOUR, 3 * DAY, -400 * DAY, 400 * DAY, None),
]
TICKERS = ["A", "A", "A", "B", "B", None]
LOTS = [1, 1, 1, 2, None]
KEYS = ["ticker", "lot"]
FEATURES = ["row", "value"]
TIMES = ["event_timestamp", "created_timestamp"]


@dataclass(frozen=True)
class Row:
    """A stored row; `row` is its number, a feature that tells which one was seen."""

    key: tuple
    event: datetime | None
    known: datetime | None
    row: int
    value: float | None


@dataclass(frozen=True)
class Case:
    """One store and one entity frame: `asked` holds a key and a moment a row.

    `parts` is the number of its independent parts.
    """

    rows: tuple[Row, ...]
    asked: tuple[tuple[tuple, datetime | None], ...]
    ttl: timedelta | None
    zone: str
    stored_zone: str
    split: int
    parts: int = 1

    @property
    def keys(self) -> int:
        found = [row.key for row in self.rows] + [key for key, _ in self.asked]
        return len(found[0]) if found else 1


@st.composite
def cases(draw: DrawFn, most: int = 1) -> Case:
    """A case of one or two keys: up to `most` parts of up to 14 stored and 12 entity rows each.

    Parts have tickers of their own, and share a store, a ttl, the zones and so one read.
    """
    keys, head = draw(st.integers(1, 2)), draw(st.binary(min_size=4, max_size=4))
    ttl, parts = pick(TTLS, head[0]), draw(st.integers(1, most))
    stored: list[Row] = []
    wanted: list[tuple] = []
    for part in range(parts):
        rows, asked = draw(st.integers(0, 14)), draw(st.integers(0, 12))
        data = draw(st.binary(min_size=1 + 6 * rows + 5 * asked, max_size=1 + 6 * rows + 5 * asked))
        made = Part(pick(SEASONS, data[0]), keys, str(part or ""))
        mine, theirs = data[1 : 1 + 6 * rows], data[1 + 6 * rows :]
        first = len(stored)
        stored += [made.row(mine[6 * i : 6 * i + 6], first + i) for i in range(rows)]
        wanted += [made.entity(theirs[5 * i : 5 * i + 5], ttl) for i in range(asked)]
    zone, stored_zone = pick(ZONES, head[1]), pick(ZONES[:2], head[2])
    split = head[3] % (4 * (len(stored) + 1))
    return Case(tuple(stored), tuple(wanted), ttl, zone, stored_zone, split, parts)


@dataclass(frozen=True)
class Part:
    """A season, the number of keys, and what the part's tickers end in."""

    anchors: list[datetime]
    keys: int
    suffix: str

    def key(self, tickers: Sequence, ticker: int, lot: int) -> tuple:
        named = pick(tickers, ticker)
        return (named and named + self.suffix, pick(LOTS, lot))[: self.keys]

    def row(self, data: bytes, number: int) -> Row:
        event = shifted(pick(self.anchors, data[2]), pick(EVENT_OFFSETS, data[3]))
        known = shifted(event or self.anchors[0], pick(DELAYS, data[4]))
        value = None if data[5] % 4 == 3 else float(data[5])
        return Row(self.key(TICKERS, data[0], data[1]), event, known, number, value)

    def entity(self, data: bytes, ttl: timedelta | None) -> tuple:
        edges = [ttl, ttl + MICROSECOND, ttl - MICROSECOND] if ttl else []
        moment = shifted(pick(self.anchors, data[2]), pick([*ASKED, *edges], data[3]))
        moment = shifted(moment, pick([timedelta(0)] * 6 + [MICROSECOND, -MICROSECOND], data[4]))
        return self.key([*TICKERS, "X"], data[0], data[1]), moment


def pick(choices: Sequence, byte: int) -> object:
    return choices[byte % len(choices)]


def shifted(moment: datetime | None, by: timedelta | None) -> datetime | None:
    return None if moment is None or by is None else moment + by


def candidates(
    case: Case, key: tuple, moment: datetime | None, *, known_at: bool = True
) -> list[Row]:
    """Look at every stored row: return those that rank first, tied ones in their order.

    The sentence: of the rows of the key with event <= t and known <= t the one with the latest
    event, then the latest known time; nothing if its event is more than the ttl before t.
    """
    if None in key or moment is None:
        return []
    seen = [
        row
        for row in case.rows
        if row.key == key
        and row.event is not None
        and row.event <= moment
        and (not known_at or (row.known is not None and row.known <= moment))
    ]
    if not seen:
        return []
    first = max(map(rank, seen))
    if case.ttl and moment - first[0] > case.ttl:
        return []
    return [row for row in seen if rank(row) == first]


def rank(row: Row) -> tuple[datetime, datetime]:
    return row.event, row.known or datetime.min.replace(tzinfo=UTC)


def expected(case: Case, *, known_at: bool = True) -> list[tuple]:
    """Return the features that each entity row sees; of tied rows the last one counts."""
    found = [candidates(case, *asked, known_at=known_at) for asked in case.asked]
    return [(tied[-1].row, tied[-1].value) if tied else (None, None) for tied in found]


def frame(case: Case) -> pd.DataFrame:
    """Return the entity frame: keys, moments in the case's zone or zones, and a row number."""
    columns = list(zip(*(key for key, _ in case.asked), strict=True)) or [()] * case.keys
    made = {
        name: pd.Series(values, dtype=dtype)
        for name, values, dtype in zip(KEYS, columns, [object, "Int64"], strict=False)
    }
    made["event_timestamp"] = moments([moment for _, moment in case.asked], case.zone)
    return pd.DataFrame({**made, "number": range(len(case.asked))})


def moments(values: list[datetime | None], zone: str) -> pd.Series:
    if zone != "mixed":
        index = pd.DatetimeIndex([pd.NaT if v is None else v for v in values], tz="UTC")
        return pd.Series(index.tz_convert(zone))
    zones = [ZoneInfo(name) for name in ZONES[:-1]]
    mixed = [v and v.astimezone(zones[i % len(zones)]) for i, v in enumerate(values)]
    return pd.Series(mixed, dtype=object)


def write(case: Case, folder: Path) -> None:
    """Make a folder hold the stored rows in one or two files, and nothing else."""
    time = pl.Datetime("us", "UTC")
    types = dict(zip(KEYS, [pl.String, pl.Int64], strict=True))
    schema = {name: types[name] for name in KEYS[: case.keys]}
    schema |= {**dict.fromkeys(TIMES, time), "row": pl.Int64, "value": pl.Float64}
    made = pl.DataFrame(
        [(*row.key, row.event, row.known, row.row, row.value) for row in case.rows],
        schema=schema,
        orient="row",
    ).with_columns(pl.col(TIMES).dt.convert_time_zone(case.stored_zone))
    split = case.split if case.split < len(case.rows) else len(case.rows)
    made[:split].write_parquet(folder / "0.parquet")
    if split < len(case.rows):
        made[split:].write_parquet(folder / "1.parquet")
    else:
        (folder / "1.parquet").unlink(missing_ok=True)


@dataclass(frozen=True)
class Plain:
    """Another Feast project: plain folders of parquet and the as-of store, no manifest."""

    store: FeatureStore
    configs: dict[bool, RepoConfig]
    views: dict[tuple[int, timedelta | None], FeatureView]
    folders: dict[int, Path]

    def view(self, case: Case) -> FeatureView:
        return self.views[case.keys, case.ttl]


def plain(data: Path) -> Plain:
    """Make such a project: a view for each number of keys and ttl, all of one folder a number."""
    configs = {known_at: plain_config(data, known_at) for known_at in (True, False)}
    (data / "feast").mkdir(parents=True)
    store = FeatureStore(config=configs[True])
    entities = [
        Entity(name="ticker", join_keys=["ticker"], value_type=ValueType.STRING),
        Entity(name="lot", join_keys=["lot"], value_type=ValueType.INT64),
    ]
    folders = {count: data / f"keys_{count}" for count in (1, 2)}
    for folder in folders.values():
        folder.mkdir()
    names = {(n, ttl): f"view_{n}_{i}" for n in folders for i, ttl in enumerate(TTLS)}
    made = [
        plain_view(name, entities[:count], ttl, folders[count])
        for (count, ttl), name in names.items()
    ]
    store.apply([*entities, *made])
    views = {of: store.get_feature_view(name) for of, name in names.items()}
    return Plain(store, configs, views, folders)


def plain_config(data: Path, known_at: bool) -> RepoConfig:
    config = repo_config(data, None)
    config.offline_config = {"type": config.offline_config["type"], "known_at": known_at}
    return config


def plain_view(
    name: str, entities: list[Entity], ttl: timedelta | None, folder: Path
) -> FeatureView:
    types = dict(zip([*KEYS, *FEATURES], [String, Int64, Int64, Float64], strict=True))
    fields = [*(entity.name for entity in entities), *FEATURES]
    return FeatureView(
        name=name,
        entities=entities,
        ttl=ttl,
        schema=[Field(name=field, dtype=types[field]) for field in fields],
        source=FileSource(
            name=name,
            path=str(folder),
            timestamp_field=TIMES[0],
            created_timestamp_column=TIMES[1],
        ),
    )
