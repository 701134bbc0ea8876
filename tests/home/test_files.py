"""Files are whole or absent."""

import os
from pathlib import Path

import pytest

from home.files import TEMPORARY, replace_file, sweep, sync_folder, write_durably
from market.errors import StoreUnavailable


def test_a_file_appears_with_its_folders(tmp_path: Path) -> None:
    replace_file(tmp_path / "a" / "b" / "file", b"one")
    sync_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"one"


def test_a_file_is_replaced_and_no_part_stays(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"one")
    replace_file(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"two"


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / f".file{TEMPORARY}").write_bytes(b"a par")
    replace_file(tmp_path / "file", b"two")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"two"


def test_a_reader_under_way_keeps_the_old_bytes(tmp_path: Path) -> None:
    replace_file(tmp_path / "file", b"one")
    with (tmp_path / "file").open("rb") as reader:
        replace_file(tmp_path / "file", b"two")
        assert reader.read() == b"one"


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError("no space left")

    replace_file(tmp_path / "file", b"one")
    monkeypatch.setattr("home.files.os.fsync", full)
    with pytest.raises(OSError, match="no space"):
        replace_file(tmp_path / "file", b"two")
    assert (tmp_path / "file").read_bytes() == b"one"


@pytest.mark.parametrize("write", [replace_file, write_durably])
def test_a_folder_in_the_place_of_a_file_is_named_itself(tmp_path: Path, write) -> None:
    (tmp_path / "file" / "inner").mkdir(parents=True)
    with pytest.raises(StoreUnavailable) as refused:
        write(tmp_path / "file", b"one")
    assert str(refused.value) == (
        f"{tmp_path / 'file'} is a folder, allowed is a file; move it away"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_is_refused_names_the_file_and_not_a_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(PermissionError) as refused:
        replace_file(tmp_path / "file", b"one")
    assert refused.value.filename == str(tmp_path / "file")


def test_sweeping_keeps_what_is_named(tmp_path: Path) -> None:
    keep = tmp_path / "a" / "keep.parquet"
    for path in (keep, tmp_path / "a" / "old.parquet", tmp_path / f".x{TEMPORARY}"):
        replace_file(path, b"x")
    sweep(tmp_path, {keep})
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [keep]


def test_sweeping_nothing_is_no_error(tmp_path: Path) -> None:
    sweep(tmp_path / "nowhere", set())


def test_a_private_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_durably(tmp_path / "a" / "secret", b"one", private=True)
    assert (tmp_path / "a" / "secret").stat().st_mode & 0o777 == 0o600
    write_durably(tmp_path / "a" / "open", b"one")
    assert (tmp_path / "a" / "open").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_file_and_then_its_folder_are_flushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    flush = os.fsync

    def noted(handle: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        flush(handle)

    monkeypatch.setattr("home.files.os.fsync", noted)
    write_durably(tmp_path / "file", b"one")
    assert flushed == [f".file.{os.getpid()}{TEMPORARY}", tmp_path.name]


def test_what_a_killed_process_of_the_same_number_left_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / f".file.{os.getpid()}{TEMPORARY}").write_bytes(b"cut sho")
    write_durably(tmp_path / "file", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
