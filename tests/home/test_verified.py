"""No file of a home is read whose bytes are not those that were written."""

import ast
import hashlib
import os
from pathlib import Path

import pytest

from home import verified as room
from home.verified import read_regular, verified
from market.errors import DamagedFile, InputError

ROOT = Path(__file__).resolve().parents[2]
LONG_AGO = 1_750_000_000
ROOMS = (
    "audit", "dashboard", "feature_repo", "forecasters", "home", "ingestion", "monitoring",
    "optrade", "serving", "trading", "training",
)  # fmt: skip
PARQUET = {"read_parquet", "scan_parquet", "read_table", "ParquetFile", "read_schema"}
# Who decodes parquet, and why the bytes are those that were written.
READERS = {
    "feature_repo/asof_store.py": "rows that a caller pushes, of files that are no lake's",
    "feature_repo/store/monitoring.py": "its own measures, of files that are no lake's",
    "feature_repo/store/writes.py": "a file of a Feast project that is added to, no lake's",
    "ingestion/sources/recorded/chain_files.py": "a caller's folder of chains, no lake's",
    "home/manifest.py": "its paths are `Manifest.paths`, which checks them",
    "feature_repo/store/source.py": "`Manifest.paths`; a plain folder has no manifest",
    "dashboard/queries/data.py": "`Manifest.path`",
    "serving/reading/chains.py": "`Manifest.path`",
    "audit/frames.py": "`Manifest.paths`",
    "audit/pit.py": "`Manifest.paths`",
    "audit/releases.py": "`Manifest.paths`",
    "training/frames/cache.py": "a file answers to the hash of its bytes, which is its name",
    "training/registry/mlflow_runs.py": "`checked_file`, by a tag of the run",
    "training/registry/trial_runs.py": "`checked_file`, by a tag of the run",
}
# Who makes a path of something's `path`, and of what.
NAMED = {
    "home/manifest.py": "of an entry, to check it",
    "ingestion/lake/data_folder.py": "of an entry, to write or to keep it",
    "optrade/flows/repair.py": "of an entry, to say what stands in its place",
    "serving/reading/online.py": "of Feast's registry",
    "serving/service.py": "of Feast's source, a folder",
}


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return hashlib.sha256(content).hexdigest()


def test_the_bytes_that_were_written_are_read(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    assert verified(path, written(path, b"rows"), "cure") == path


def test_other_bytes_are_refused_with_the_cure(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    digest = written(path, b"rows")
    path.write_bytes(b"rowt")
    with pytest.raises(DamagedFile, match=r"rows is damaged: .*; run this"):
        verified(path, digest, "run this")


def test_a_change_is_seen_that_keeps_size_and_time(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(room, "AT_REST", 0)
    path = tmp_path / "rows"
    digest = written(path, b"rows")
    verified(path, digest, "")
    before = path.stat()
    with path.open("r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedFile):
        verified(path, digest, "")


def test_a_file_at_rest_is_hashed_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(room, "AT_REST", 0)
    path = tmp_path / "rows"
    digest = written(path, b"rows")
    verified(path, digest, "")
    monkeypatch.setattr(room, "_read", None)
    assert verified(path, digest, "") == path


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("pipe", "a pipe"), ("", "a folder")):
        with pytest.raises(InputError, match=f"is {kind}, allowed is a file"):
            read_regular(tmp_path / name)
        with pytest.raises(DamagedFile, match="cure"):
            verified(tmp_path / name, "0" * 64, "cure")
    with pytest.raises(FileNotFoundError):
        verified(tmp_path / "none", "0" * 64, "cure")


def trees() -> list[tuple[str, ast.AST]]:
    paths = sorted(path for folder in ROOMS for path in (ROOT / folder).rglob("*.py"))
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in paths]


def test_every_reader_of_parquet_says_why_its_bytes_are_those_that_were_written() -> None:
    found = {
        path
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in PARQUET
    }
    assert found == set(READERS)


def test_nobody_makes_a_path_of_an_entry_without_a_check() -> None:
    found = {
        path
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.right, ast.Attribute)
        and node.right.attr == "path"
    }
    assert found == set(NAMED)
