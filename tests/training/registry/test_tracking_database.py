"""MLflow's database: what is wrong with it is one line with the cure, and never a traceback."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from market.errors import InputError, StoreUnavailable
from training.registry import tracking_database
from training.registry.tracking_database import (
    DatabaseLocked,
    check,
    explained,
    newest_schema,
    reading,
    tracking,
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", (newest_schema(),))
    connection.close()
    return path


def test_a_database_of_the_installed_version_is_in_order(database: Path, tmp_path: Path) -> None:
    check(database)
    check(tmp_path / "none.db")


def test_a_database_of_before_is_named_with_the_way_out(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'cc1f77228345'")
    connection.close()
    for opened in (tracking, reading):
        with (
            pytest.raises(StoreUnavailable, match=r"schema cc1f77228345.*`mlflow db upgrade"),
            opened(database.parent),
        ):
            pass


def test_a_damaged_database_is_named(database: Path) -> None:
    database.write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        check(database)


def test_a_locked_database_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking_database, "BUSY_SECONDS", 0.01)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match=r"locked.*end the program that holds it"):
        check(database)
    other.close()


def test_who_holds_a_locked_database_is_named(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking_database, "BUSY_SECONDS", 0.01)
    script = (
        "import sqlite3, sys; other = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "other.execute('BEGIN EXCLUSIVE'); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, database], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        with pytest.raises(DatabaseLocked, match=rf"holds it \(process {other.pid}, python"):
            check(database)
        other.stdin.close()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_named(tmp_path: Path, make) -> None:
    make(tmp_path / "mlflow.db")
    with pytest.raises(InputError, match="allowed is a file"):
        check(tmp_path / "mlflow.db")


def test_looking_makes_no_database(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="optrade train-all"), reading(tmp_path / "mlruns"):
        pass
    assert not (tmp_path / "mlruns").exists()


def test_what_the_libraries_raise_later_is_translated(database: Path) -> None:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import OperationalError

    for error in (
        MlflowException("odd"),
        OperationalError("INSERT", {}, sqlite3.OperationalError("database or disk is full")),
    ):
        said = pytest.raises(StoreUnavailable, match=r"mlflow\.db: .*`optrade doctor`")
        with said, explained(database):
            raise error
