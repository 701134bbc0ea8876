"""The look-ahead audit: whether a stored row changes once the future of its session is cut off.

The raw rows are cut at a session, the features computed again by the path that built them, and
the session's row is compared with the stored one as it was first known. A feature that read
anything of later days, by whatever way, has another value then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import polars as pl

from audit.cut import Moment, cut_macro, cut_ticker, landed_at, publications
from feature_repo.errors import InputError
from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS, names
from feature_repo.features.declare import Group
from feature_repo.features.planted import groups_of
from feature_repo.manifest import Manifest, read_manifest, read_rows
from feature_repo.markets import MARKET
from ingestion.compute import MacroRaw, Raw, TickerRaw
from ingestion.feature_rows import created_at
from ingestion.frames import CREATED, SESSION
from ingestion.raw import RawReader
from ingestion.versions import TICK

# The share of a value by which two computations of it may differ.
TOLERANCE: Final = 1e-9
TICKER_VIEWS: Final = tuple(name for name, group in GROUPS.items() if group.entity == "ticker")
MARKET_VIEWS: Final = tuple(name for name in GROUPS if name not in TICKER_VIEWS)


@dataclass(frozen=True)
class Leak:
    """A feature whose stored values are not what could be known; None is null.

    `created_timestamp` in the place of a feature: the row counts as known before its inputs were.
    `got` and `expected` are of the first such session; times are seconds since 1970.
    """

    view: str
    key: str
    feature: str
    sessions: int
    first: str
    got: float | None
    expected: float | None


@dataclass(frozen=True)
class LookaheadReport:
    """The outcome of the audit.

    Attributes
    ----------
    tickers, cuts, seed
        What was asked.
    rows, compared
        Rows of a session and view, and values, that were compared.
    absent
        Views without a row for any of the tickers.
    leaks
        What was found, in catalogue order.
    """

    tickers: tuple[str, ...]
    cuts: int
    seed: int
    rows: int
    compared: int
    absent: tuple[str, ...]
    leaks: tuple[Leak, ...]

    def document(self) -> dict[str, Any]:
        """Return the report as plain values."""
        return {"findings": len(self.leaks), **asdict(self)}


def leaks(data_dir: Path, tickers: Sequence[str], cuts: int, seed: int) -> LookaheadReport:
    """Return the look-ahead audit of all views of some tickers, and of the market's.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    tickers
        Tickers whose features were built.
    cuts
        How many sessions to cut at: one in each of as many equal parts of the history, and as many
        again in an optional view that covers less than a quarter of it.
    seed
        Chooses the sessions.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    manifest = read_manifest(data_dir)
    check_built(manifest, tickers)
    reader = RawReader(data_dir, manifest, definitions(manifest)["technical"])
    subjects = [_Subject(reader, key, TICKER_VIEWS, reader.ticker(key)) for key in tickers]
    if any(manifest.keys(view) for view in MARKET_VIEWS):
        subjects.append(_Subject(reader, MARKET, MARKET_VIEWS, reader.macro()))
    found = [row for subject in subjects for row in subject.compared(cuts, seed)]
    held = {view for subject in subjects for view in subject.stored}
    return LookaheadReport(
        tickers=tuple(tickers),
        cuts=cuts,
        seed=seed,
        rows=len(found),
        compared=sum(row.expected.size for row in found),
        absent=tuple(view for view in GROUPS if view not in held),
        leaks=tuple(_leaks(found)),
    )


def refuse_leaks(data_dir: Path, ticker: str, cuts: int = 3) -> None:
    """Refuse features that know the future: look at a few sessions of a ticker and of the market.

    Raises
    ------
    InputError
        If a feature leaks, naming it; or as `leaks`.
    """
    found = leaks(data_dir, [ticker], cuts, seed=0).leaks
    if found:
        named = ", ".join(dict.fromkeys(f"{leak.view}:{leak.feature}" for leak in found))
        raise InputError(
            f"look-ahead: got features of {ticker} that read later sessions ({named:.300}), "
            f"allowed are none; see `optrade audit lookahead --tickers {ticker}`, then build them "
            "again without the fault"
        )


def check_built(manifest: Manifest, tickers: Sequence[str]) -> None:
    """Check that technical features were built for each ticker.

    Raises
    ------
    InputError
        Naming those that lack them.
    """
    missing = [ticker for ticker in tickers if ("technical", ticker) not in manifest.entries]
    if missing:
        raise InputError(
            f"no features of {', '.join(missing)} in this home: run "
            f"`optrade ingest --tickers {','.join(missing)}` first, or name others"
        )


def definitions(manifest: Manifest) -> Mapping[str, Group]:
    """Return the definitions that the views of a home were built by, one version for all.

    Raises
    ------
    InputError
        If they are of another version than this program's.
    """
    built = {manifest.tables[view].definition_hash for view in GROUPS if manifest.keys(view)}
    groups = groups_of(str(built.pop())) if len(built) == 1 else None
    if groups is None:
        raise InputError(
            "features of another version of the definitions: run `optrade build-features` first"
        )
    return groups


@dataclass(frozen=True)
class _Row:
    """One stored row of a view against what could be known; both of shape (n_features + 1,)."""

    view: str
    key: str
    session: date
    got: np.ndarray
    expected: np.ndarray

    @cached_property
    def differs(self) -> np.ndarray:
        """Which values differ; the last is the time it was known, which may be later."""
        got, expected = self.got, self.expected
        same = (got == expected) | (np.isnan(got) & np.isnan(expected))
        same |= np.abs(got - expected) <= TOLERANCE * np.abs(expected)
        same[-1] = not got[-1] < expected[-1]
        return np.asarray(~same)


@dataclass(frozen=True)
class _Subject:
    """A key, its raw rows and its stored views."""

    reader: RawReader
    key: str
    views: Sequence[str]
    raw: TickerRaw | MacroRaw

    @cached_property
    def stored(self) -> dict[str, pl.DataFrame]:
        """All versions of the rows of the views that hold the key."""
        manifest, data_dir = self.reader.manifest, self.reader.data_dir
        held = [view for view in self.views if (view, self.key) in manifest.entries]
        return {view: read_rows(data_dir, view, [self.key], manifest) for view in held}

    @cached_property
    def changes(self) -> list[datetime]:
        """The times at which the past of an input changed."""
        return self.raw.changes()

    @cached_property
    def published(self) -> list[pl.DataFrame]:
        """The macro rows of each series, with when each was published."""
        return publications(self.raw.rows) if isinstance(self.raw, MacroRaw) else []

    def compared(self, cuts: int, seed: int) -> Iterator[_Row]:
        """Yield each view's row of the chosen sessions, stored and as it could be known."""
        for session in self.sessions(cuts, seed):
            moment = Moment.of(session)
            found = {
                view: first_known(rows, moment)
                for view, rows in self.stored.items()
                if session in rows[SESSION]
            }
            raw = self.cut(moment)
            times = {view: self.known_by(view, row, moment) for view, row in found.items()}
            for time in set(times.values()):
                wanted = [view for view in found if times[view] == time]
                again = self.rebuilt(raw, time, session)
                for view in wanted:
                    yield self.row(view, session, found[view], again.get(view))

    def sessions(self, cuts: int, seed: int) -> list[date]:
        """Return the sessions to cut at, ascending: the last one has no future to cut off."""
        held = {view: rows[SESSION].unique().sort()[:-1] for view, rows in self.stored.items()}
        longest = max((days.len() for days in held.values()), default=0)
        optional = [view for view in held if view in OPTIONAL_GROUPS]
        short = [view for view in optional if held[view].len() * 4 < longest]
        chosen: set[date] = set()
        for view in [next(iter(held)), *short]:
            chosen |= set(held[view].gather(spread(held[view].len(), cuts, seed)))
        return sorted(chosen)

    def cut(self, moment: Moment) -> Raw:
        """Return the raw rows as they stood at a moment."""
        if isinstance(self.raw, TickerRaw):
            return cut_ticker(self.raw, moment)
        return cut_macro(self.published, self.raw.market, moment)

    def known_by(self, view: str, row: pl.DataFrame, moment: Moment) -> datetime | None:
        """Return up to when raw rows had landed where a row was computed; None for all.

        What a later landing changed is not in the row: it is a version of its own.
        """
        created: datetime = row[CREATED][0]
        if row["version"][0] > 0:
            return created
        reached = landed_at(self.inputs(view), moment.session)
        if reached is None:
            return None
        later = [time for time in self.changes if time > max(reached, created)]
        return later[0] - TICK if later else None

    def inputs(self, view: str) -> list[pl.DataFrame]:
        """Return the tables that have to reach a session before a view has its row."""
        if isinstance(self.raw, MacroRaw):
            return [self.raw.market]
        indices = self.raw.indices.values() if view in ("iv", "iv_lags", "iv_path") else ()
        return [self.raw.prices, *indices]

    def rebuilt(self, raw: Raw, time: datetime | None, session: date) -> dict[str, np.ndarray]:
        """Return the views' values of a session, and when each row was known."""
        first = self.reader.manifest.first_live_landing
        live = None if first is None else datetime.fromisoformat(first)
        day, values = pd.DatetimeIndex([session]), {}
        for view, aligned, features in raw.views(time):
            at = aligned.sessions.get_indexer(day)[0]
            if at >= 0:
                known = created_at(aligned, live)[at].timestamp()
                values[view] = np.array([*(features[name][at] for name in names(view)), known])
        return values

    def row(self, view: str, session: date, stored: pl.DataFrame, again: np.ndarray | None) -> _Row:
        """Return a stored row with what it is held against: nulls where nothing is rebuilt."""
        values = stored.select(pl.col(*names(view)).cast(pl.Float64)).to_numpy()[0]
        known = stored[CREATED][0].timestamp()
        expected = np.full(values.size + 1, np.nan) if again is None else again
        return _Row(view, self.key, session, np.append(values, known), expected)


def first_known(rows: pl.DataFrame, moment: Moment) -> pl.DataFrame:
    """Return the newest version of a session known at its decision, else the first one."""
    versions = rows.filter(pl.col(SESSION) == moment.session).with_row_index("version")
    known = versions.filter(pl.col(CREATED) <= moment.decision)
    return versions.head(1) if known.is_empty() else known.tail(1)


def spread(count: int, cuts: int, seed: int) -> list[int]:
    """Return places below `count`, ascending, one drawn from each of `cuts` equal parts."""
    edges = np.linspace(0, count, min(cuts, count) + 1).astype(int)
    rng = np.random.default_rng(seed)
    return [int(rng.integers(a, b)) for a, b in pairwise(edges)]


def _leaks(rows: Sequence[_Row]) -> Iterator[Leak]:
    """Yield one leak for each feature of a key that differs in any session."""
    found: dict[tuple[str, str, int], list[_Row]] = {}
    for row in rows:
        for place in np.flatnonzero(row.differs).tolist():
            found.setdefault((row.view, row.key, place), []).append(row)
    order = {view: number for number, view in enumerate(GROUPS)}
    for view, key, place in sorted(found, key=lambda at: (order[at[0]], at[1], at[2])):
        held = found[view, key, place]
        pair = (held[0].got[place], held[0].expected[place])
        got, expected = (None if np.isnan(value) else float(value) for value in pair)
        feature = [*names(view), CREATED][place]
        yield Leak(view, key, feature, len(held), str(held[0].session), got, expected)
