"""The option chains of a session as they landed: what a position is priced on where there are."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import polars as pl

from home.manifest import MANIFEST, Manifest, read_manifest
from market.calendar import NEW_YORK, sessions
from market.errors import InputError
from market.options.chain import TRIED, Chain
from market.options.chain_rows import CONTRACT, chains_of
from market.options.roots import chain_keys
from serving.reading.row import Quoted

TABLE: Final = "option_chains"
#: Sessions of tickers that are kept: those of a day, a few thousand tickers are read anew.
KEPT: Final = 64


class Known(NamedTuple):
    """A chain as it was from a moment on, in UTC, until more of it landed."""

    since: pd.Timestamp
    chain: Chain


class Landed(NamedTuple):
    """What has landed of an underlying's quotes.

    Attributes
    ----------
    chains
        Of one session, by their time and, of each, by what of it had landed.
    earlier
        Times of the quotes of sessions before, ascending, each after from when on any of it was
        known.
    """

    chains: list[Known]
    earlier: list[tuple[pd.Timestamp, pd.Timestamp]]


@dataclass(frozen=True)
class LandedChains:
    """The chains of a home, read when they are asked for.

    What a landing does not change is kept, by the state of the manifest.
    """

    data_dir: Path
    _kept: dict[tuple[str, pd.Timestamp], tuple[object, Landed]] = field(
        default_factory=dict, repr=False
    )
    _manifest: dict[object, Manifest] = field(default_factory=dict, repr=False)

    def quoted(self, ticker: str, session: pd.Timestamp, as_of: pd.Timestamp) -> Quoted:
        """Return the chains that may price a ticker's options; see `newest`."""
        found = [self.newest(key, session, as_of) for key in chain_keys(ticker)]
        newest = [one if isinstance(one, str) else one[0] for one in found]
        before = [() if isinstance(one, str) else one[1:] for one in found]
        return Quoted(newest[0], newest[1] if newest[1:] else None, *before)

    def newest(
        self, key: str, session: pd.Timestamp, as_of: pd.Timestamp
    ) -> tuple[Chain, ...] | str:
        """Return the last chains of a session known at a moment, or why there is none.

        At most `TRIED`, the latest first. Of each contract it is the newest version that had landed
        by then: what lands later, a correction or a contract more, changes no answer of before.

        Parameters
        ----------
        key
            The underlying, or an index.
        session
            Midnight without a zone; quotes of that day in New York count.
        as_of
            The clock, with a zone.
        """
        try:
            landed = self._landed(key, session)
        except InputError as error:
            return f"the chain of {key} cannot be read: {error}"
        # Of each time the last version takes the place of those before.
        chains = {one.chain.quote_time: one.chain for one in landed.chains if one.since <= as_of}
        if chains:
            return tuple(reversed(chains.values()))[:TRIED]
        known = (quoted for since, quoted in reversed(landed.earlier) if since <= as_of)
        return _none_of(key, session, next(known, None))

    def _landed(self, key: str, session: pd.Timestamp) -> Landed:
        state = _state(self.data_dir / MANIFEST)
        kept = self._kept.get((key, session))
        if kept is not None and kept[0] == state:
            return kept[1]
        found = _read(self.data_dir, key, session, self._manifest_of(state))
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key, session] = state, found
        return found

    def _manifest_of(self, state: object) -> Manifest:
        found = self._manifest.get(state)
        if found is None:
            found = read_manifest(self.data_dir)
            self._manifest.clear()
            self._manifest[state] = found
        return found


@lru_cache(KEPT)
def _none_of(key: str, session: pd.Timestamp, newest: pd.Timestamp | None) -> str:
    """Return why no chain counts for a session: the newest is stale, or there is none."""
    words = f"no chain of {key} of {session.date()} was known"
    if newest is None:
        return f"{words}, nor one before"
    day = newest.tz_convert(NEW_YORK).tz_localize(None).normalize()
    late = len(sessions(day + pd.Timedelta(days=1), session))
    return f"{words}: the newest is of {day.date()}, {late} session{'s' * (late != 1)} before"


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(data_dir: Path, key: str, session: pd.Timestamp, manifest: Manifest) -> Landed:
    entry = manifest.entries.get((TABLE, key))
    # A quote of an evening in New York is of the next day in UTC.
    if entry is None or entry.first > str((session + pd.Timedelta(days=1)).date()):
        return Landed([], [])
    bounds = pd.DatetimeIndex([session, session + pd.Timedelta(days=1)])
    first, end = bounds.tz_localize(NEW_YORK).tz_convert("UTC").to_pydatetime()
    quoted = pl.col("quote_time")
    try:
        table = pl.scan_parquet(manifest.path(data_dir, entry), glob=False)
        rows = table.filter(quoted.is_between(first, end, closed="left")).collect().to_pandas()
        before = table.filter(quoted < first).group_by(quoted).agg(pl.col("landed_at").min())
        earlier = before.sort(quoted).collect().to_pandas()
    except FileNotFoundError as error:
        raise InputError(f"{entry.path} is missing; {manifest.cure(TABLE)}") from error
    if "root" not in rows:  # landed before there were indices among them
        rows["root"] = rows["underlying"]
    rows = rows.sort_values("landed_at", kind="stable")
    chains = [one for _, versions in rows.groupby("quote_time") for one in _versions(versions)]
    times = zip(earlier["landed_at"], earlier["quote_time"], strict=True)
    return Landed(chains, [(max(since, quoted), quoted) for since, quoted in times])


def _versions(rows: pd.DataFrame) -> Iterator[Known]:
    """Yield the chain of one time as it was after each landing of its quotes, ascending."""
    for landed in rows["landed_at"].unique():
        known = rows[rows["landed_at"] <= landed].drop_duplicates(list(CONTRACT), keep="last")
        for chain in chains_of(known):
            yield Known(max(chain.quote_time, landed), chain)
