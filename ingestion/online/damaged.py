"""Feature files that are not as they were written: their tickers are left out, others served."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from feature_repo.features.catalogue import GROUPS
from home.manifest import Entry, Manifest, read_manifest
from market.errors import DamagedFile


@dataclass(frozen=True)
class Damaged:
    """The damaged feature files of tickers.

    Attributes
    ----------
    keys
        The tickers with a damaged file, by view.
    words
        Why a ticker is left out and what to do, by ticker.
    """

    keys: Mapping[str, tuple[str, ...]]
    words: Mapping[str, str]


def damaged_features(data_dir: Path) -> Damaged:
    """Return which feature files of tickers are damaged or missing.

    Raises
    ------
    DamagedFile
        If one is of the market, which every ticker needs.
    """
    keys: dict[str, list[str]] = defaultdict(list)
    words: dict[str, str] = {}
    manifest = read_manifest(data_dir)
    for view, group in GROUPS.items():
        for key in manifest.keys(view):
            fault = _fault(data_dir, manifest, manifest.entries[view, key])
            if fault is None:
                continue
            if group.entity != "ticker":
                raise DamagedFile(fault)
            keys[view].append(key)
            words.setdefault(key, fault)
    return Damaged({view: tuple(found) for view, found in keys.items()}, words)


def _fault(data_dir: Path, manifest: Manifest, entry: Entry) -> str | None:
    fault = manifest.fault(data_dir, entry)
    if fault is None:
        return None
    # A landing may have replaced it meanwhile: its successor is read.
    same = read_manifest(data_dir).entries.get((entry.table, entry.key)) == entry
    return fault if same else None
