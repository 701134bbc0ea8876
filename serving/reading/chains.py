"""The option chain of a session as it landed: what a position is priced on where there is one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd
import polars as pl

from home.manifest import MANIFEST, read_manifest
from market.calendar import NEW_YORK
from market.errors import InputError
from market.options.chain import Chain
from market.options.chain_rows import chains_of

TABLE: Final = "option_chains"
#: Sessions of tickers that are kept: those of a day, a few thousand tickers are read anew.
KEPT: Final = 64


class Known(NamedTuple):
    """A chain, and from when on it was known, in UTC."""

    since: pd.Timestamp
    chain: Chain


@dataclass(frozen=True)
class LandedChains:
    """The chains of a home, read when they are asked for.

    What a landing does not change is kept, by the state of the manifest.
    """

    data_dir: Path
    _kept: dict[tuple[str, pd.Timestamp], tuple[object, list[Known]]] = field(
        default_factory=dict, repr=False
    )

    def newest(self, ticker: str, session: pd.Timestamp, as_of: pd.Timestamp) -> Chain | str | None:
        """Return the last chain of a session that was known at a moment.

        Parameters
        ----------
        session
            Midnight without a zone; quotes of that day in New York count.
        as_of
            The clock, with a zone.

        Returns
        -------
        Chain, str or None
            None where none was known, and why where its file cannot be read.
        """
        try:
            known = self._known(ticker, session)
        except InputError as error:
            return f"the chain cannot be read: {error}"
        chains = [one.chain for one in known if one.since <= as_of]
        return chains[-1] if chains else None

    def _known(self, ticker: str, session: pd.Timestamp) -> list[Known]:
        state = _state(self.data_dir / MANIFEST)
        kept = self._kept.get((ticker, session))
        if kept is not None and kept[0] == state:
            return kept[1]
        found = _read(self.data_dir, ticker, session)
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[ticker, session] = state, found
        return found


def _state(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _read(data_dir: Path, ticker: str, session: pd.Timestamp) -> list[Known]:
    manifest = read_manifest(data_dir)
    entry = manifest.entries.get((TABLE, ticker))
    # A day of New York ends on the next one in UTC, which `last` is in.
    if entry is None or entry.last < str(session.date()):
        return []
    bounds = pd.DatetimeIndex([session, session + pd.Timedelta(days=1)])
    first, end = bounds.tz_localize(NEW_YORK).tz_convert("UTC").to_pydatetime()
    try:
        rows = (
            pl.scan_parquet(manifest.path(data_dir, entry), glob=False)
            .filter(pl.col("quote_time").is_between(first, end, closed="left"))
            .collect()
            .to_pandas()
        )
    except FileNotFoundError as error:
        raise InputError(f"{entry.path} is missing; {manifest.cure(TABLE)}") from error
    if "root" not in rows:  # landed before there were indices among them
        rows["root"] = rows["underlying"]
    landed = rows.groupby("quote_time")["landed_at"].max()
    return [
        Known(max(chain.quote_time, landed[chain.quote_time]), chain) for chain in chains_of(rows)
    ]
