"""Would a signal be given now: each ticker is asked for as serving asks, in the home or beside it.

Where the store is stopped or empty, the first question would start and fill it. That is rehearsed
in a home of links, with a server of its own for as long as it takes: nothing of the home changes.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from feature_repo.store.repo_config import TIMEOUT, document, online_store
from home.layout import DataFiles, Home
from home.manifest import read_manifest
from market.errors import InputError
from optrade.flows.doctor.finding import Finding, Level
from optrade.flows.serve.configuration import served_configuration
from optrade.flows.serve.online import holds_features, ready_store
from optrade.redis import server as redis_server
from serving.answer.open_home import OpenHome, open_home
from serving.reading.refusal import Refusal

if TYPE_CHECKING:
    from optrade.runtime import Runtime

# What mends a refusal that does not say so itself.
MENDS: Final = {
    "ahead": "run `optrade materialize`",
    "mixed_sessions": "run `optrade materialize`",
    "not_published": "run `optrade materialize`",
    "wrong_origin": "run `optrade materialize`",
    "null_features": "run `optrade ingest`",
    "unknown_service": "run `optrade materialize`",
}
# No fault of the home: a step that is still to come.
UNTRAINED: Final = "model_missing"
BUILT: Final = "technical"  # a view that every ticker with features has
TRAIN: Final = "run `optrade train-all`"
LINKS: Final = "home"  # the home of links, in a folder of its own


def check_signals(run: "Runtime") -> Iterator[Finding]:
    """Yield for each ticker that has landed whether a signal of it would be given now."""
    try:
        manifest = read_manifest(run.home.data)
    except (InputError, OSError):
        return  # a finding on the data says so
    landed, built = manifest.keys("prices"), manifest.keys(BUILT)
    for ticker in landed:
        if ticker not in built:
            yield _none(ticker, "its features were never built: run `optrade build-features`")
    if not built:
        return
    with tempfile.TemporaryDirectory() as folder:
        for one in _rehearsed(run, built, Path(folder)):
            # A file of the home of links is the home's own.
            own = one.found.replace(str(Path(folder) / LINKS), str(run.home.root))
            yield replace(one, found=own)


def _rehearsed(run: "Runtime", tickers: tuple[str, ...], folder: Path) -> list[Finding]:
    try:
        with _asked(run, folder) as (home, note):
            return [_signal(run, home, ticker, note) for ticker in tickers]
    except (InputError, Refusal, OSError) as error:
        return [_none(ticker, str(error)) for ticker in tickers]


def _none(ticker: str, why: str, level: Level = "error") -> Finding:
    return Finding(f"signal {ticker}", level, f"none would be given: {why}")


def _signal(run: "Runtime", home: OpenHome, ticker: str, note: str) -> Finding:
    try:
        found = home.signal_for(ticker, run.as_of())
    except Refusal as refusal:
        words = refusal.detail
        if "`optrade" not in words:
            words = f"{words}; {MENDS.get(refusal.error, TRAIN)}"
        return _none(ticker, words, "warning" if refusal.error == UNTRAINED else "error")
    return Finding(f"signal {ticker}", "ok", f"{found.strategy} of {found.session}{note}")


@contextmanager
def _asked(run: "Runtime", folder: Path) -> Iterator[tuple[OpenHome, str]]:
    """Yield the home to ask, and what a finding adds; the folder is for what that takes."""
    url = _running(run)
    if url is not None and holds_features(run, url):
        yield _opened(run, url, folder), ""
        return
    shadow = replace(
        run,
        home=linked(run.home, folder / LINKS),
        settings=run.settings.model_copy(update={"redis_url": None}),
    )
    try:
        ready_store(shadow, say=lambda _: None)
        note = "; the online store is filled when it is first asked"
        yield open_home(shadow.home.root, served_configuration(shadow)), note
    finally:
        redis_server.stop(shadow.home.data)


def _running(run: "Runtime") -> str | None:
    """Return the URL of the store that answers; None for the home's own that is stopped."""
    if run.settings.redis_url is not None:
        return run.redis_url()
    address = redis_server.status(run.home.data)
    return None if address is None else address.url


def _opened(run: "Runtime", url: str, folder: Path) -> OpenHome:
    """Return the home over a server, by a configuration beside the home's own, which may be old."""
    path = folder / "feature_store.yaml"
    path.write_text(json.dumps(document(run.home.data, online_store(url, TIMEOUT))), "utf-8")
    configuration = served_configuration(run).model_copy(update={"feature_store": str(path)})
    return open_home(run.home.root, configuration)


def linked(home: Home, root: Path) -> Home:
    """Return a home of links to all that a signal is made of, with a registry of its own."""
    shadow, files = Home(root), DataFiles(home.data.resolve())
    shadow.data.mkdir(parents=True)
    shadow.files.manifest.symlink_to(files.manifest)
    (shadow.data / "features").symlink_to(files.root / "features")
    shadow.models.symlink_to(home.models.resolve())
    return shadow
