"""What a run of `materialize` found, and the session pointer that it publishes."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import polars as pl

from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.macro.group import MACRO
from feature_repo.store.repo_config import SESSION_POINTER
from home.manifest import latest, read_manifest, read_rows
from home.records.pointer import SessionPointer
from home.strict_json import Json
from ingestion.tables.frames import CARRIED, SEPARATOR, SESSION


@dataclass(frozen=True)
class Materialization:
    """What a run found to be newest, and so what the online store holds after it.

    `sessions` maps a required view to the session of each ticker, None where there is no row;
    `session` is the one they all have, None where they differ: then it was not published.
    `optional` is the same for the views that a home may lack, with the tickers that the home has
    rows of; they hold nothing back. `definition_hash` is that of the definitions the views were
    built by. `damaged` says of each ticker why a damaged file of features leaves it out, `lacking`
    why a required view holds nothing of it: the others do not wait for it.
    """

    as_of: pd.Timestamp
    origin: str
    tickers: tuple[str, ...]
    sessions: Mapping[str, Mapping[str, str | None]]
    optional: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    definition_hash: str = field(default_factory=definition_hash)
    damaged: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)

    @property
    def session(self) -> str | None:
        """The session that all required views of all tickers hold."""
        found = {session for view in self.sessions.values() for session in view.values()}
        return found.pop() if len(found) == 1 else None

    @property
    def newest(self) -> str:
        """The newest session of any required view, empty where there is none."""
        return max((s for view in self.sessions.values() for s in view.values() if s), default="")

    @property
    def oldest(self) -> str | None:
        """The session that every required view has reached, None where one has no row."""
        found = [session for view in self.sessions.values() for session in view.values()]
        return None if None in found else min(found, default=None)

    @property
    def complete(self) -> tuple[str, ...]:
        """The tickers of which every required view holds the newest session."""
        newest = {self.newest}
        return tuple(
            ticker
            for ticker in self.tickers
            if {view[ticker] for view in self.sessions.values()} == newest
        )

    def behind(self) -> tuple[str, ...]:
        """Return `view/ticker: session` for what keeps the newest session from being published."""
        return _other_than(self.newest, self.sessions)

    def optional_behind(self) -> tuple[str, ...]:
        """Return `view/ticker: session` for the optional views that hold another session.

        A model that reads one of them refuses until it has caught up.
        """
        return _other_than(self.newest, self.optional)

    def document(self) -> dict[str, Json]:
        """Return the result as one row of a report."""
        return {
            "session": self.session,
            "published": self.session is not None,
            "as_of": self.as_of.isoformat(),
            "tickers": ", ".join(self.tickers),
            "behind": ", ".join(self.behind()),
            "optional_behind": ", ".join(self.optional_behind()),
            "damaged": ", ".join(self.damaged),
            "lacking": ", ".join(self.lacking),
        }


def _other_than(session: str, views: Mapping[str, Mapping[str, str | None]]) -> tuple[str, ...]:
    return tuple(
        f"{view}/{ticker}: {held or 'no row'}"
        for view, found in views.items()
        for ticker, held in found.items()
        if held != session
    )


def pointer_of(done: Materialization, data_dir: Path) -> tuple[str, str] | None:
    """Return the session pointer's key and value, None if the required views do not agree."""
    if done.session is None:
        return None
    pointer = SessionPointer(
        session=done.session,
        as_of=done.as_of.isoformat(),
        origin=done.origin,
        tickers=list(done.tickers),
        definition_hash=done.definition_hash,
        data_dir=str(data_dir.resolve()),
        damaged=dict(done.damaged),
        lacking=dict(done.lacking),
        carried=carried_by(data_dir, done.session, done.as_of),
    )
    return SESSION_POINTER, pointer.to_json()


def carried_by(data_dir: Path, session: str, as_of: pd.Timestamp) -> list[str] | None:
    """Return what the macro row of a session carries; None where its file does not say."""
    return next(carried_by_each(data_dir, [(session, as_of)]))


def carried_by_each(
    data_dir: Path, asked: Iterable[tuple[str, pd.Timestamp]]
) -> Iterator[list[str] | None]:
    """Yield what `carried_by` returns of sessions and their clocks; the file is read once."""
    manifest = read_manifest(data_dir)
    rows = read_rows(data_dir, MACRO.name, manifest=manifest)
    day = rows[SESSION].cast(pl.String)
    for session, as_of in asked:
        if CARRIED not in rows.columns:
            yield None
            continue
        key = manifest.tables[MACRO.name].key
        held = latest(rows.filter(day == session), key, as_of.to_pydatetime(warn=False))[CARRIED]
        yield [mark for text in held if text is not None for mark in text.split(SEPARATOR)]
