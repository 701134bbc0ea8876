"""Checks of the home's data: manifest, files, and how far every view reaches."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pandas as pd

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from home.layout import source_options
from home.manifest import Manifest, damaged, read_manifest
from ingestion.lake.simulation import held
from ingestion.online.lacking import cure, not_landed
from ingestion.views.catalogue import VIEW_OF
from market.calendar import last_complete_session, sessions
from market.errors import InputError
from market.underlyings import MARKET
from optrade.flows.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from optrade.runtime import Runtime

NAMED: Final = 3


def check_data(run: "Runtime") -> Iterator[Finding]:
    """Yield the findings on the manifest, on the files that it names, and on every view."""
    try:
        manifest = read_manifest(run.home.data)
    except (InputError, OSError) as error:
        yield Finding("data", "error", str(error))
        return
    if manifest.origin is None:
        yield Finding(
            "data", "warning", "nothing has landed yet: run `optrade ingest --source simulated`"
        )
        return
    yield Finding("data", "ok", f"origin {manifest.origin}, {len(manifest.entries)} files")
    if manifest.origin == "simulated":
        yield from _simulation(run)
    yield _files(run)
    if not manifest.keys("prices"):
        yield Finding("views", "error", f"no prices have landed: {_ingest(manifest)}")
        return
    try:
        newest = last_complete_session(run.as_of())
    except InputError as error:
        yield Finding("views", "error", str(error))
        return
    yield from (check_view(manifest, name, newest) for name in GROUPS)


def check_view(manifest: Manifest, name: str, newest: pd.Timestamp) -> Finding:
    """Return how far a view reaches, and what to run where that is not far enough.

    Parameters
    ----------
    manifest
        Of a home that holds prices.
    name
        A feature group.
    newest
        The last complete session at the clock, midnight without a zone.
    """
    check = f"view {name}"
    last = _reaches(manifest, name)
    if not last:
        return Finding(check, *_absent(manifest, name))
    if manifest.tables[name].definition_hash != definition_hash():
        words = "built by other feature definitions than the code's: run `optrade build-features`"
        return Finding(check, "error", words)
    lacking = [key for key in _expected(manifest, name) if key not in last]
    if lacking:
        return Finding(check, "warning", _lacking(manifest, name, lacking))
    oldest = min(last.values())
    age = max(len(sessions(oldest, newest)) - 1, 0)
    words = f"up to {oldest}, {age} {'session' if age == 1 else 'sessions'} behind the clock"
    if not age:
        return Finding(check, "ok", words)
    behind = [key for key, session in last.items() if session == oldest]
    return Finding(check, "warning", f"{words} ({_few(behind)}): {_ingest(manifest)}")


def _reaches(manifest: Manifest, name: str) -> dict[str, str]:
    """Return the last day of each key that has rows of a view or raw table."""
    return {
        key: entry.last
        for (table, key), entry in sorted(manifest.entries.items())
        if table == name and entry.last
    }


def _expected(manifest: Manifest, name: str) -> tuple[str, ...]:
    if name in OPTIONAL_GROUPS:
        return ()
    return (MARKET,) if GROUPS[name].entity == "market" else manifest.keys("prices")


def _lacking(manifest: Manifest, name: str, keys: list[str]) -> str:
    missing = dict.fromkeys(row for key in keys for row in not_landed(manifest, name, key))
    words = f"nothing for {', '.join(keys)}"
    if not missing:
        return f"{words}: run `optrade build-features`"
    kept = [key for key in manifest.keys("prices") if key not in keys and MARKET not in keys]
    return f"{words}, as nothing of {', '.join(missing)} has landed: {cure(manifest, kept)}"


def _absent(manifest: Manifest, name: str) -> tuple[Level, str]:
    if name not in OPTIONAL_GROUPS:
        return "error", "never built: run `optrade build-features`"
    tables = VIEW_OF[name].own_tables
    landed = [table for table in tables if _reaches(manifest, table)]
    if not landed:
        return "ok", f"not there, because nothing has landed in {', '.join(tables)}"
    return "warning", (
        f"not there, though {', '.join(landed)} landed: run `optrade build-features`; it stays "
        "so where no row falls within a session"
    )


def _files(run: "Runtime") -> Finding:
    try:
        wrong = damaged(run.home.data)
    except (InputError, OSError) as error:
        return Finding("files", "error", str(error))
    if not wrong:
        return Finding("files", "ok", "every file that the manifest names is as it landed")
    return Finding(
        "files", "error",
        f"missing or damaged: {_few(wrong)}; run `optrade repair`",
    )  # fmt: skip


def _simulation(run: "Runtime") -> Iterator[Finding]:
    try:
        market = held(run.home.data)
    except (InputError, OSError) as error:
        yield Finding("simulation", "error", str(error))
        return
    if market is not None:
        words = f"seed {market.seed}, signal strength {market.signal_strength:g}"
        yield Finding("simulation", "ok", words)


def _ingest(manifest: Manifest) -> str:
    return f"run `optrade ingest {source_options(manifest)}`"


def _few(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
