"""The option chains of a session as they landed: what a position is priced on where there are."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import polars as pl

from home.manifest import MANIFEST, read_manifest
from market.calendar import NEW_YORK, sessions
from market.errors import InputError
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from market.options.roots import chain_keys
from serving.reading.row import Quoted

TABLE: Final = "option_chains"
#: Sessions of tickers that are kept: those of a day, a few thousand tickers are read anew.
KEPT: Final = 64


class Known(NamedTuple):
    """A chain, and from when on it was known, in UTC."""

    since: pd.Timestamp
    chain: Chain


class Landed(NamedTuple):
    """What has landed of an underlying's quotes.

    Attributes
    ----------
    chains
        Of one session, by their time.
    earlier
        Times of the quotes of sessions before, ascending, each after from when on it was known.
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

    def quoted(self, ticker: str, session: pd.Timestamp, as_of: pd.Timestamp) -> Quoted:
        """Return the chains that may price a ticker's options; see `newest`."""
        return Quoted(*(self.newest(key, session, as_of) for key in chain_keys(ticker)))

    def newest(self, key: str, session: pd.Timestamp, as_of: pd.Timestamp) -> Chain | str:
        """Return the last chain of a session that was known at a moment, or why there is none.

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
        chains = [known.chain for known in landed.chains if known.since <= as_of]
        if chains:
            return chains[-1]
        known = (quoted for since, quoted in reversed(landed.earlier) if since <= as_of)
        return _none_of(key, session, next(known, None))

    def _landed(self, key: str, session: pd.Timestamp) -> Landed:
        state = _state(self.data_dir / MANIFEST)
        kept = self._kept.get((key, session))
        if kept is not None and kept[0] == state:
            return kept[1]
        found = _read(self.data_dir, key, session)
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key, session] = state, found
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


def _read(data_dir: Path, key: str, session: pd.Timestamp) -> Landed:
    manifest = read_manifest(data_dir)
    entry = manifest.entries.get((TABLE, key))
    if entry is None:
        return Landed([], [])
    bounds = pd.DatetimeIndex([session, session + pd.Timedelta(days=1)])
    first, end = bounds.tz_localize(NEW_YORK).tz_convert("UTC").to_pydatetime()
    quoted = pl.col("quote_time")
    try:
        table = pl.scan_parquet(manifest.path(data_dir, entry), glob=False)
        rows = table.filter(quoted.is_between(first, end, closed="left")).collect().to_pandas()
        before = table.filter(quoted < first).group_by(quoted).agg(pl.col("landed_at").max())
        earlier = before.sort(quoted).collect().to_pandas()
    except FileNotFoundError as error:
        raise InputError(f"{entry.path} is missing; {manifest.cure(TABLE)}") from error
    if "root" not in rows:  # landed before there were indices among them
        rows["root"] = rows["underlying"]
    landed = rows.groupby("quote_time")["landed_at"].max()
    chains = [
        Known(max(chain.quote_time, landed[chain.quote_time]), chain) for chain in chains_of(rows)
    ]
    times = zip(earlier["landed_at"], earlier["quote_time"], strict=True)
    return Landed(chains, [(max(since, quoted), quoted) for since, quoted in times])
