"""Checks of the machine: Python, the installed packages, the calendar, the disk."""

import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import pandas as pd

from market.calendar import calendar
from optrade.flows.doctor.finding import Finding, Level

PYTHONS: Final = ((3, 11), (3, 12))
FREE_BYTES: Final = 2 * 2**30
PROJECT: Final = Path(__file__).resolve().parents[3]
LOCK: Final = "requirements.lock"  # beside the rooms of a checkout; an installed wheel has none
INSTALL: Final = f"install with `uv pip install --require-hashes -r {LOCK}`"
# A package of the lock file opens its own line: `name==version ; marker \`.
LOCKED: Final = re.compile(r"^[A-Za-z0-9][^#\\\n]*", re.MULTILINE)
NAMED: Final = 5


def check_environment(
    root: Path, now: pd.Timestamp, lock: Path = PROJECT / LOCK
) -> Iterator[Finding]:
    """Yield the findings on Python, the lock file where there is one, the calendar and the disk.

    Parameters
    ----------
    root
        The folder of the home, which need not exist yet.
    now
        The time, with a zone.
    lock
        The lock file.
    """
    yield python_fits(sys.version_info[:2])
    if lock.is_file():
        yield packages_fit(lock.read_text("utf-8"))
    yield calendar_reaches(calendar().sessions[-1], now)
    yield disk_has_room(root)


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def python_fits(found: tuple[int, int]) -> Finding:
    """Return whether a version of Python is one that the packages are locked for."""
    words = f"Python {platform.python_version()} ({found[0]}.{found[1]}), needed 3.11 or 3.12"
    return Finding("python", "ok" if found in PYTHONS else "error", words)


def packages_fit(lock: str) -> Finding:
    """Return whether the installed packages are those of a lock file.

    A package that is missing breaks what imports it; one of another version may.

    Parameters
    ----------
    lock
        The text of the lock file, as `uv pip compile` writes it.
    """
    from packaging.requirements import Requirement

    rows = [Requirement(line.strip()) for line in LOCKED.findall(lock)]
    needed = [row for row in rows if row.marker is None or row.marker.evaluate()]
    missing, other = [], []
    for row in needed:
        found = installed_version(row.name)
        if found is None:
            missing.append(row.name)
        elif not row.specifier.contains(found, prereleases=True):
            other.append(f"{row.name} {found} ({LOCK} says {row.specifier})")
    if not missing and not other:
        return Finding("packages", "ok", f"{len(needed)} packages, as {LOCK} says")
    level: Level = "error" if missing else "warning"
    parts = [f"missing: {_few(missing)}"] if missing else []
    parts += [f"of another version: {_few(other)}"] if other else []
    return Finding("packages", level, f"{'; '.join(parts)}; {INSTALL}")


def calendar_reaches(last: pd.Timestamp, now: pd.Timestamp) -> Finding:
    """Return whether the sessions of the next month are known.

    Parameters
    ----------
    last
        The last session known, midnight without a zone.
    now
        The time, with a zone.
    """
    needed = (now.tz_localize(None) + pd.DateOffset(months=1)).normalize()
    words = f"XNYS sessions known up to {last.date()}"
    if last >= needed:
        return Finding("calendar", "ok", words)
    return Finding(
        "calendar", "error", f"{words}, needed up to {needed.date()}: update exchange-calendars"
    )


def disk_has_room(root: Path) -> Finding:
    """Return whether the home, or the folder it will be made in, is writable and has room."""
    folder = next(place for place in (root, *root.parents) if place.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Finding(
            "disk", "error", f"{folder} cannot be written to: change its owner, or set OPTRADE_HOME"
        )
    usage = shutil.disk_usage(folder)
    if not usage.total and not _takes_folders(folder):
        return Finding(
            "disk", "error", f"{root} cannot be made: {folder} holds no files; set OPTRADE_HOME"
        )
    free = usage.free
    words = f"{free / 2**30:.1f} GiB free at the home"
    if free > FREE_BYTES:
        return Finding("disk", "ok", words)
    return Finding("disk", "warning", f"{words}, needed {FREE_BYTES / 2**30:.0f}: make room")


def _takes_folders(folder: Path) -> bool:
    """Return whether a folder can be made in one: the kernel's own, as /proc, refuse even root."""
    try:
        Path(tempfile.mkdtemp(dir=folder)).rmdir()
    except OSError:
        return False
    return True


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
