"""Training frames kept in `data/processed`, by a hash of all that they were read from.

A file is named by its key and by the hash of its own bytes: what was cut short or changed does
not answer to its name, and is read from the store again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

import pandas as pd

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, find
from home.files import TEMPORARY, write_durably
from home.manifest import Manifest
from market.calendar import read_time
from market.underlyings import MARKET

FORMAT: Final = 1  # of the files and of what their key is made from
KEPT: Final = 24  # every service of three tickers, alone and pooled, over two windows
# Whose modules define and read features.
CODE: Final = ("feature_repo", "home", "market")
STALE_SECONDS: Final = 3600  # a partial file this much older than a whole one was left by a kill


def frame_key(
    manifest: Manifest,
    service: str,
    references: Mapping[str, Sequence[str]],
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
    *,
    code: str,
    known_at: bool,
) -> str:
    """Return the SHA-256 of everything that decides what a frame holds, 64 hexadecimal digits.

    Parameters
    ----------
    manifest
        Of the data folder that the store reads.
    service, references
        The feature service: its name, and the features of each of its views.
    tickers, sessions
        What is read; their order changes nothing.
    code
        The fingerprint of `CODE`: a read computes the on-demand features, and says what was known.
    known_at
        Whether the store hides rows until they were known.
    """
    days = sessions.sort_values()
    keys = {"ticker": sorted(set(tickers)), "market": [MARKET]}
    # `None` for a view that has not landed: it is read as nulls.
    contents = {
        f"{view}/{key}": entry.sha256 if (entry := manifest.entries.get((view, key))) else None
        for view in _stored(references)
        for key in keys[GROUPS[view].entity]
    }
    made_from = {
        "format": FORMAT,
        "service": service,
        "references": {view: list(names) for view, names in references.items()},
        "tickers": sorted(tickers),
        "sessions": [str(day.date()) for day in days],
        "read_times": [moment.isoformat() for moment in read_time(days)],
        "code": code,
        "known_at": known_at,
        "contents": contents,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def cached(folder: Path, key: Callable[[], str], read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a frame kept under its key, or read and keep it: the same bits either way.

    Parameters
    ----------
    folder
        Where the files are; made if missing.
    key
        Computes the key; asked again after a reading, for a landing may have come between: such
        a frame is returned and not kept.
    read
        Reads the frame from the store.
    """
    asked = key()
    content = _kept(folder, asked)
    if content is None:
        content = _encoded(read())
        if key() == asked:
            _keep(folder, asked, content)
    return pd.read_parquet(BytesIO(content))


def _stored(references: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the stored views behind a service, those that its on-demand views need included."""
    found: dict[str, None] = {}
    for view in references:
        sources = ON_DEMAND[view].sources if view in ON_DEMAND else ()
        found |= dict.fromkeys(find(name)[0].name for name in sources) if sources else {view: None}
    return list(found)


def _kept(folder: Path, key: str) -> bytes | None:
    for path in folder.glob(f"{key}-*.parquet"):
        try:
            content = path.read_bytes()
            os.utime(path)  # read last, dropped last
        except FileNotFoundError:  # another process has dropped it
            continue
        if path.name == _name(key, content):
            return content
        path.unlink(missing_ok=True)
    return None


def _keep(folder: Path, key: str, content: bytes) -> None:
    written = folder / _name(key, content)
    write_durably(written, content)
    newest = sorted(folder.glob("*.parquet"), key=_modified, reverse=True)
    old = _modified(written) - STALE_SECONDS
    stale = [part for part in folder.glob(f".*{TEMPORARY}") if _modified(part) < old]
    for path in [*newest[KEPT:], *stale]:
        path.unlink(missing_ok=True)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process has dropped it
        return 0.0


def _name(key: str, content: bytes) -> str:
    return f"{key}-{hashlib.sha256(content).hexdigest()}.parquet"


def _encoded(frame: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.to_parquet(buffer, index=False, compression="lz4")
    return buffer.getvalue()
