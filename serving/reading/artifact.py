"""Where served models lie: one JSON document a file, checked whole; nothing is ever unpickled.

An artifact is refused unless its hash, its schema, the lengths of its lists and the hash of the
feature definitions it was trained on are all right.
"""

import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from pydantic import ValidationError

from forecasters.base import CLASSES, Task
from forecasters.document import FORMAT, Artifact
from home import strict_json
from home.layout import next_model, serving_model, standby_models
from home.served_model import CURE, check_served
from market.errors import DamagedFile
from serving.reading.refusal import Refusal

__all__ = [
    "CLASSES",
    "FORMAT",
    "Artifact",
    "ArtifactFiles",
    "Task",
    "artifact_path",
    "load_artifact",
]

#: A file written so lately may be written again without its time of writing moving.
AT_REST: Final = 100_000_000  # nanoseconds; a file system's clock ticks every few milliseconds
#: Characters of a fault that are shown; a booster is long.
SHOWN: Final = 400


def artifact_path(models_dir: Path, task: Task, ticker: str) -> Path:
    """Return where the served model of a task and ticker lies."""
    return serving_model(models_dir, f"{task}_{ticker}")


def load_artifact(models_dir: Path, task: Task, ticker: str, definition_hash: str) -> Artifact:
    """Return the served model of a task and ticker.

    Parameters
    ----------
    definition_hash
        Of the feature definitions this process computes with; a model of others is refused.

    Raises
    ------
    Refusal
        `model_missing` if there is none, `model_refused` if anything about it is wrong, `refuted`
        if it is, as in a home from before Decision 20.
    """
    return ArtifactFiles(models_dir, definition_hash).load(task, ticker)


# Inode, size and time of writing: a file that is replaced has others.
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class ArtifactFiles:
    """The served models of a home: looked for at every question, parsed when a file has changed.

    Attributes
    ----------
    definition_hash
        Of the feature definitions this process computes with.
    """

    models_dir: Path
    definition_hash: str
    _kept: dict[Path, tuple[Stamp, Artifact]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def load(self, task: Task, ticker: str) -> Artifact:
        """Return the served model of a task and ticker; see `load_artifact`."""
        try:
            return self._loaded(task, ticker)
        except DamagedFile:
            pass  # a promotion may have come between the readings of the model and of its hash
        try:
            return self._loaded(task, ticker)
        except DamagedFile as error:
            raise Refusal("model_refused", str(error)) from error

    def _loaded(self, task: Task, ticker: str) -> Artifact:
        path = artifact_path(self.models_dir, task, ticker)
        # What is about to take the file's place serves already, whether or not its writer lives.
        for one in (next_model(path), path):
            try:
                artifact = self._read(one, task, ticker)
            except FileNotFoundError:
                continue
            if artifact.evidence.standing == "refuted":
                _refuse_refuted(artifact)
            return artifact
        raise Refusal(
            "model_missing",
            f"no {task} model for {ticker} yet: run `optrade train-all`, or `optrade repair` where "
            "one has served",
        )

    def standby(self, task: Task, ticker: str) -> list[Artifact]:
        """Return the other unrefuted versions that can be asked, proven first, then the newest."""
        found = (one for one in self.each_standby(task, ticker) if isinstance(one, Artifact))
        fit = [one for one in found if one.evidence.standing != "refuted"]
        return sorted(fit, key=lambda one: (one.evidence.proven, one.version), reverse=True)

    def each_standby(self, task: Task, ticker: str) -> Iterator[Artifact | DamagedFile]:
        """Give the versions that stand by, in the place of a damaged one what is wrong with it."""
        folder = standby_models(self.models_dir, f"{task}_{ticker}")
        for path in sorted(folder.glob("*.json")):
            try:
                yield self._read(path, task, ticker)
            except DamagedFile as error:
                yield error
            except (FileNotFoundError, Refusal):
                continue  # gone by now, or of other definitions: it is nobody's to answer

    def _read(self, path: Path, task: Task, ticker: str) -> Artifact:
        try:
            if not stat.S_ISREG(path.stat().st_mode):
                _refuse(path, "cannot be read: it is no file; move it away")
            # A promotion replaces the file: time and content are then those of one that was opened.
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
                if (kept := self._unchanged(path, stamp)) is not None:
                    return kept
                content = file.read()
        except FileNotFoundError:
            raise
        except OSError as error:
            _refuse(path, f"cannot be read: {error.strerror}")
        # One thread parses, the others find what it kept.
        with self._lock:
            kept = self._unchanged(path, stamp)
            return kept if kept is not None else self._parsed(path, stamp, content, task, ticker)

    def _unchanged(self, path: Path, stamp: Stamp) -> Artifact | None:
        kept = self._kept.get(path)
        return kept[1] if kept is not None and kept[0] == stamp else None

    def _parsed(
        self, path: Path, stamp: Stamp, content: bytes, task: Task, ticker: str
    ) -> Artifact:
        artifact = _parse(path, content)
        wanted = (task, ticker, f"{task}_{ticker}")
        got = (artifact.task, artifact.ticker, artifact.name)
        if got != wanted:
            _refuse(path, f"got task, ticker, name {got}, allowed are {wanted}")
        if artifact.definition_hash != self.definition_hash:
            _refuse(
                path,
                f"trained on feature definitions {artifact.definition_hash:.12}, "
                f"this service computes {self.definition_hash:.12}",
            )
        check_served(path, content)
        if time.time_ns() - stamp[2] > AT_REST:
            self._kept[path] = (stamp, artifact)
        return artifact


def _parse(path: Path, content: bytes) -> Artifact:
    try:
        document = strict_json.loads(content)
        if not isinstance(document, dict):
            _refuse(path, f"got a JSON {type(document).__name__}, allowed is an object")
        # A number too large for a float reads as infinity, which canonical JSON does not know.
        found = strict_json.signature(document)
    except ValueError as error:
        _refuse_damaged(path, f"no JSON document: {error}")
    if document.get("sha256") != found:
        named = document.get("sha256")
        says = "names none" if named is None else f"says {named!r:.14}"
        _refuse_damaged(path, f"its content has SHA-256 {found:.12}, it {says}")
    if document.get("format") != FORMAT:
        _refuse(path, f"got format {document.get('format')!r:.20}, allowed is {FORMAT}")
    try:
        return Artifact.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        _refuse(path, f"{where}: {first['msg']}"[:SHOWN] if where else first["msg"])


def _refuse_refuted(artifact: Artifact) -> NoReturn:
    raise Refusal(
        "refuted",
        f"{artifact.name} version {artifact.version} ({artifact.model}) is worse than the "
        f"{artifact.evidence.baseline.replace('_', ' ')}, and so never serves: run "
        "`optrade train-all`",
    )


def _refuse_damaged(path: Path, what: str) -> NoReturn:
    raise DamagedFile(f"{path.name} is damaged: {what}; {CURE}")


def _refuse(path: Path, what: str) -> NoReturn:
    raise Refusal("model_refused", f"{path.name}: {what}; train again with `optrade train-all`")
