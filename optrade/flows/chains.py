"""Option chains alone: recorded from one vendor, passed on as a file, and taken in from one."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.files import write_durably
from home.manifest import current_rows, read_manifest, read_rows
from ingestion.lake.lake import Lake
from ingestion.landing.batch import Batch
from ingestion.landing.fetching import Fetched
from ingestion.landing.land import fetch_all
from ingestion.landing.land_new import land_new
from ingestion.landing.report import TableReport
from ingestion.sources.live import LIVE
from ingestion.sources.recorded.chain_files import as_file, chain_file
from ingestion.tables.catalogue import OPTION_CHAINS
from ingestion.tables.frames import LANDED, as_declared
from market.calendar import NEW_YORK, close, last_complete_session, opening, sessions
from market.errors import InputError, UnknownName
from market.options.roots import chain_keys, chain_roots

if TYPE_CHECKING:
    from home.layout import Home
    from ingestion.sources.vendor import LiveOptions, Vendor

#: What landed this short a time ago is not asked for again: a run that died is taken up.
ASKED_LATELY: Final = pd.Timedelta(minutes=30)
VENDORS: Final = {vendor.word: vendor for vendor in LIVE if vendor.gives(OPTION_CHAINS.name)}


@dataclass(frozen=True)
class Exported:
    """A file of chains: its path, its rows, and the SHA-256 of its bytes."""

    path: Path
    rows: int
    sha256: str


def vendor_of_chains(word: str) -> "Vendor":
    """Return the vendor of option chains of a word.

    Raises
    ------
    InputError
        If there is none.
    """
    if word not in VENDORS:
        raise UnknownName("--source", word, VENDORS)
    return VENDORS[word]


def record(
    home: "Home",
    vendor: "Vendor",
    options: "LiveOptions",
    tickers: Sequence[str],
    now: pd.Timestamp,
) -> Iterator[TableReport]:
    """Land the chains of now of tickers, one after the other; yield a report of each.

    A ticker whose chains, its index's included, were recorded within the last half hour is not
    asked for again.

    Raises
    ------
    InputError
        If the home holds another origin.
    """
    source = vendor.open(options)
    source.tables = (OPTION_CHAINS.name,)
    with Lake(home.data) as lake:
        lake.check_origin(source.origin)
        for ticker in tickers:
            if not all(_landed_lately(lake, key, now) for key in chain_keys(ticker)):
                end = last_complete_session(now)
                yield from fetch_all(lake, source, [ticker], None, end, now)


def export(home: "Home", tickers: Sequence[str], path: Path) -> Exported:
    """Write all landed chains of tickers, and of their indices, into one file.

    Raises
    ------
    InputError
        If none has landed.
    """
    manifest = read_manifest(home.data)
    landed = manifest.keys(OPTION_CHAINS.name)
    wanted = dict.fromkeys(key for ticker in tickers for key in chain_keys(ticker))
    keys = [key for key in wanted if key in landed]
    if not keys:
        raise InputError(
            f"--export: no chain of {', '.join(wanted)} has landed; record or merge some first"
        )
    parts = [
        as_declared(OPTION_CHAINS.name, current_rows(home.data, OPTION_CHAINS.name, [key]))
        .select(OPTION_CHAINS.names)
        .to_pandas()
        .astype(OPTION_CHAINS.dtypes)
        for key in keys
    ]
    rows = pd.concat(parts, ignore_index=True)
    content = as_file(rows.sort_values(list(OPTION_CHAINS.key), ignore_index=True))
    write_durably(path, content)
    return Exported(path, len(rows), hashlib.sha256(content).hexdigest())


def merge(home: "Home", path: Path, now: pd.Timestamp) -> TableReport:
    """Gate and land the chains of a file, known from now on; none that is quoted later than that.

    Raises
    ------
    InputError
        If there is no such file, it cannot be read, it holds chains of something else than an
        underlying or an index, or the home holds another origin.
    """
    if not path.is_file():
        raise InputError(f"--merge: there is no file {path}")
    rows = chain_file(path)[list(OPTION_CHAINS.names)].astype(OPTION_CHAINS.dtypes)
    keys = tuple(sorted(set(rows["underlying"])))
    for key in keys:
        chain_roots(key)
    with Lake(home.data) as lake:
        lake.check_origin("live")
        batch = Batch(OPTION_CHAINS, keys, (None, last_complete_session(now)), now)
        fetched = Fetched(OPTION_CHAINS.check(rows))
        return land_new(lake, "live", batch, fetched, running=pd.Timedelta(0))


def _landed_lately(lake: Lake, key: str, now: pd.Timestamp) -> bool:
    """Whether quotes of a key landed within the last half hour that were new when they did.

    The time of the quotes decides: a file of old ones that was merged is no recording of now.
    """
    name = OPTION_CHAINS.name
    entry = lake.manifest.entries.get((name, key))
    since = now - ASKED_LATELY
    if entry is None or pd.Timestamp(entry.landed_at) <= since or lake.fault(name, key):
        return False
    columns = [LANDED, OPTION_CHAINS.dated]
    rows = read_rows(lake.data_dir, name, [key], lake.manifest, columns).to_pandas()
    newest = rows[rows[LANDED] > since].groupby(LANDED)[OPTION_CHAINS.dated].max()
    return any(quoted > _traded(landed) - ASKED_LATELY for landed, quoted in newest.items())


def _traded(moment: pd.Timestamp) -> pd.Timestamp:
    """Return when options were traded last: at the moment itself, or at the close before it."""
    day = moment.tz_convert(NEW_YORK).tz_localize(None)
    days = sessions(day - pd.Timedelta(days=10), day)
    last = days[opening(days) <= moment][-1:]
    return min(close(last)[0], moment)
