"""Served models are parsed when their file changes, and a change is never missed."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.reading import artifact
from serving.reading.artifact import ArtifactFiles
from serving.reading.refusal import Refusal

DEFINITIONS = "d" * 64
LONG_AGO = 1_750_000_000


@pytest.fixture
def files(tmp_path):
    return ArtifactFiles(tmp_path, DEFINITIONS)


@pytest.fixture
def parsed(monkeypatch):
    """The contents that were parsed."""
    contents = []

    def spy(path, content):
        contents.append(content)
        return parse(path, content)

    parse = artifact._parse
    monkeypatch.setattr(artifact, "_parse", spy)
    return contents


def put(write, folder, document):
    """Write a model as a promotion does: another file in its place, at rest since long."""
    path = write(folder / "new", document)
    os.utime(path, (LONG_AGO, LONG_AGO))
    place = folder / "serving" / path.name
    place.parent.mkdir(exist_ok=True)
    path.with_suffix(".sha256").replace(place.with_suffix(".sha256"))
    path.replace(place)
    return place


def test_a_file_that_does_not_change_is_parsed_once(files, documents, write, parsed):
    put(write, files.models_dir, documents["direction"]())
    put(write, files.models_dir, documents["regime"]())
    for _ in range(3):
        assert files.load("direction", "SPY") is files.load("direction", "SPY")
        assert files.load("regime", "SPY").task == "regime"
    assert len(parsed) == 2


def test_a_promotion_takes_effect_at_once(files, documents, write, parsed):
    """The same size and time, in another file."""
    for version in range(1, 9):
        put(write, files.models_dir, documents["direction"](version=version))
        assert files.load("direction", "SPY").version == version
        assert files.load("direction", "SPY").version == version
    assert len(parsed) == 8


def test_a_file_just_written_is_not_relied_on(files, documents, write):
    """Written twice within a tick of the clock: the same file, size and time."""
    path = write(files.models_dir, documents["direction"](version=1))
    found = path.stat()
    assert files.load("direction", "SPY").version == 1
    write(files.models_dir, documents["direction"](version=2))
    os.utime(path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    assert path.stat().st_ino == found.st_ino
    assert files.load("direction", "SPY").version == 2


def test_a_model_taken_away_or_damaged_is_not_answered_from_memory(files, documents, write):
    path = put(write, files.models_dir, documents["direction"]())
    good = path.read_bytes()
    assert files.load("direction", "SPY")
    path.unlink()
    with pytest.raises(Refusal, match="model_missing"):
        files.load("direction", "SPY")
    path.write_bytes(good.replace(b"0.45", b"0.55"))
    for _ in range(2):
        with pytest.raises(Refusal, match="model_refused"):
            files.load("direction", "SPY")
    path.write_bytes(good)
    assert files.load("direction", "SPY").threshold == 0.45


def test_threads_that_ask_at_once_get_one_object_that_was_parsed_once(
    files, documents, write, parsed
):
    put(write, files.models_dir, documents["paths"]())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: files.load("regime", "SPY"), range(64)))
    assert len({id(model) for model in found}) == 1
    assert len(parsed) == 1
