"""What is in order and what is not, one line a check."""

import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from feature_repo.errors import InputError
from feature_repo.features.catalogue import GROUPS
from feature_repo.manifest import Manifest, read_manifest
from feature_repo.markets import last_complete_session, sessions

if TYPE_CHECKING:
    from optrade.runtime import Runtime

Level = Literal["ok", "warning", "error"]
FREE_BYTES: Final = 2 * 2**30


@dataclass(frozen=True)
class Finding:
    """The result of a check: what was looked at, how bad it is, what was found and what to do."""

    check: str
    level: Level
    found: str


def examine(run: "Runtime") -> list[Finding]:
    """Return every finding; nothing is changed and no network is used."""
    return [_python(), _disk(run), *_keys(run), *_data(run), _redis(run), *_models(run)]


def _python() -> Finding:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 12)
    found = f"Python {platform.python_version()}"
    return Finding("python", "ok" if fits else "error", f"{found}, needed 3.11 or 3.12")


def _disk(run: "Runtime") -> Finding:
    folder = run.home.root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    level: Level = "ok" if free > FREE_BYTES else "warning"
    return Finding("disk", level, f"{free / 2**30:.1f} GiB free at the home")


def _keys(run: "Runtime") -> Iterator[Finding]:
    without = {
        "FRED_API_KEY": "macro series come without vintages, with a conservative lag",
        "FINNHUB_API_KEY": "no news and no earnings",
    }
    held = {
        "FRED_API_KEY": run.settings.fred_api_key,
        "FINNHUB_API_KEY": run.settings.finnhub_api_key,
    }
    for name, value in held.items():
        found = "set" if value is not None else f"not set: {without[name]}"
        yield Finding(name, "ok", found)


def _data(run: "Runtime") -> Iterator[Finding]:
    try:
        manifest = read_manifest(run.home.data)
    except InputError as error:
        yield Finding("data", "error", str(error))
        return
    if manifest.origin is None:
        yield Finding("data", "warning", "nothing has landed yet: run `optrade ingest`")
        return
    yield Finding("data", "ok", f"origin {manifest.origin}")
    yield from (_view(run, manifest, name) for name in GROUPS)


def _view(run: "Runtime", manifest: Manifest, name: str) -> Finding:
    last = [entry.last for entry in manifest.entries.values() if entry.table == name]
    if not last:
        return Finding(f"view {name}", "error", "never built: run `optrade build-features`")
    newest = last_complete_session(run.as_of())
    age = len(sessions(min(last), newest)) - 1
    level: Level = "ok" if age <= 0 else "warning"
    return Finding(f"view {name}", level, f"up to {min(last)}, {age} sessions behind the clock")


def _redis(run: "Runtime") -> Finding:
    if run.settings.redis_url is not None:
        return Finding("redis", "ok", "REDIS_URL is set")
    from optrade import redis_server

    address = redis_server.status(run.home.data)
    found = "stopped, started when needed" if address is None else f"runs on port {address.port}"
    return Finding("redis", "ok", f"this home's own, {found}")


def _models(run: "Runtime") -> Iterator[Finding]:
    folder = run.home.models / "serving"
    names = sorted(path.stem for path in folder.glob("*.json")) if folder.is_dir() else []
    if names:
        yield Finding("models", "ok", ", ".join(names))
    else:
        yield Finding("models", "warning", "none serves yet: run `optrade train-all`")
