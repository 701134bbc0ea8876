"""MLflow's database of a home, and its errors in words: what was found, what to do.

MLflow says the same in a traceback, and where its database is locked after minutes of trying.
"""

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from home.layout import served_files, serving_models
from home.verified import require_regular
from market.errors import InputError, StoreUnavailable

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE: Final = "mlflow.db"
ARTIFACTS: Final = "artifacts"
SQLITE: Final = "sqlite:///"
# Where MLflow keeps addresses of files, each below that of its experiment.
ADDRESSES: Final = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
#: What SQLite says where another program holds a database.
LOCKED: Final = "database is locked"
#: How long another that writes is waited for.
BUSY_SECONDS: Final = 3.0
REVISION: Final = re.compile(r"""^(down_)?revision\s*(?::[^=]*)?=\s*["'](\w+)["']""", re.MULTILINE)


class DatabaseLocked(StoreUnavailable):
    """Another program holds the database: nothing of it is lost."""


class OtherSchema(StoreUnavailable):
    """Another version of MLflow wrote the database: nothing of it is lost."""


class DatabaseGone(StoreUnavailable):
    """The database that the models that serve are of is missing or empty."""


@contextmanager
def tracking(mlruns_dir: Path) -> Iterator["MlflowClient"]:
    """Give a client that writes to a home's tracking database, made if missing; see `come_home`.

    Raises
    ------
    StoreUnavailable
        If the database or the disk below it fails, in the body too.
    """
    with explained(mlruns_dir / DATABASE):
        mlruns_dir.mkdir(parents=True, exist_ok=True)
        check(mlruns_dir / DATABASE)
        come_home(mlruns_dir)
        yield open_client(mlruns_dir)


@contextmanager
def reading(mlruns_dir: Path) -> Iterator["MlflowClient"]:
    """Give a client of a tracking database that is there, to look at it.

    Raises
    ------
    InputError
        If nothing was trained yet: to look makes no database.
    StoreUnavailable
        As `tracking`.
    """
    require_database(mlruns_dir)
    with explained(mlruns_dir / DATABASE):
        yield open_client(mlruns_dir)


def require_database(mlruns_dir: Path) -> None:
    """Refuse a home without a usable tracking database; see `reading` and `check`."""
    if not (mlruns_dir / DATABASE).exists():
        raise InputError(
            f"no models yet: {mlruns_dir} holds no {DATABASE}; run `optrade train-all` first"
        )
    check(mlruns_dir / DATABASE)


def require_kept(mlruns_dir: Path, models_dir: Path) -> None:
    """Refuse a home whose models serve though the database that they are of is gone or empty.

    Raises
    ------
    DatabaseGone
    """
    path = mlruns_dir / DATABASE
    require_regular(path)
    present = path.exists()
    if not (present and schema(path) is not None) and served_files(serving_models(models_dir)):
        raise DatabaseGone(
            f"MLflow's database {path} is {'empty' if present else 'missing'}, though models "
            "serve: signals are still given, but champions, runs and promotion are lost; restore "
            "it from a copy, or run `optrade train-all`, which begins anew"
        )


def open_client(mlruns_dir: Path) -> "MlflowClient":
    """Return a client of a home's tracking database, made if missing; its errors are MLflow's."""
    from mlflow import MlflowClient

    mlruns_dir.mkdir(parents=True, exist_ok=True)
    address = f"{SQLITE}{mlruns_dir.resolve() / DATABASE}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def artifacts(mlruns_dir: Path) -> Path:
    """Return the folder of the runs' files: one folder for each run, beside the database."""
    return mlruns_dir.resolve() / ARTIFACTS


def database_folder(client: "MlflowClient") -> Path:
    """Return the folder of the database that a client is of."""
    return Path(client.tracking_uri.removeprefix(SQLITE)).parent


def come_home(mlruns_dir: Path) -> None:
    """Let a database that was copied or moved name the files beside it, and no other home's.

    MLflow keeps absolute addresses: a new run would write into the folder of the home that the
    database comes from, and MLflow's own pages would read there.
    """
    path, here = mlruns_dir / DATABASE, artifacts(mlruns_dir).as_uri()
    if not path.exists() or schema(path) is None:
        return
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection, connection:
        kept = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
        ours = f"/{mlruns_dir.resolve().name}/{ARTIFACTS}"
        for old in (place for (place,) in kept if place != here and str(place).endswith(ours)):
            for table, column in ADDRESSES:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? || substr({column}, ?) "  # noqa: S608
                    f"WHERE {column} = ? OR substr({column}, 1, ?) = ?",
                    (here, len(old) + 1, old, len(old) + 1, f"{old}/"),
                )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what MLflow and the database below it raise into one error that says what to do.

    Raises
    ------
    StoreUnavailable
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        # SQLAlchemy may put advice to programmers before what SQLite says.
        words = next((line for line in lines if "(sqlite3." in line), lines[0])
        kind = DatabaseLocked if LOCKED in words else StoreUnavailable
        raise kind(
            f"MLflow's database {path}: {words:.160}; check that the disk has room, that it "
            f"may be written, and that no other program holds it{_opened_by(path)} "
            "(`optrade doctor`)"
        ) from error


def check(path: Path) -> None:
    """Refuse a database that the installed MLflow cannot use; one that is missing is made by it.

    Raises
    ------
    DatabaseLocked, OtherSchema
        If another program holds it, or another version of MLflow wrote it.
    StoreUnavailable
        If it is damaged.
    """
    if not path.exists():
        return
    require_regular(path)
    found, wanted = schema(path), newest_schema()
    if found not in (None, wanted):
        raise OtherSchema(
            f"MLflow's database {path} has schema {found}, MLflow {version('mlflow')} needs "
            f"{wanted}: install the MLflow that wrote it, or bring it up with "
            f"`mlflow db upgrade sqlite:///{path}` after a copy was made"
        )


def require_writable(mlruns_dir: Path) -> None:
    """Refuse a database that cannot be written to, before a training has taken its minutes.

    Raises
    ------
    StoreUnavailable
        As `check`, and if another program is writing to it and does not end.
    """
    path = mlruns_dir / DATABASE
    check(path)
    if path.exists():
        with explained(path), closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()


def schema(path: Path) -> str | None:
    """Return the revision of a database's schema, None where it has no tables yet.

    Raises
    ------
    StoreUnavailable
        If the file is no database; `DatabaseLocked` if another program holds it.
    """
    address = f"{path.resolve().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
            if ("alembic_version",) not in tables:
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise unreadable(path, error) from error
    return None if row is None else str(row[0])


def unreadable(path: Path, error: sqlite3.Error) -> StoreUnavailable:
    """Return what to say of a database that SQLite cannot read."""
    words = f"MLflow's database {path} cannot be read ({error})"
    if LOCKED in str(error):
        return DatabaseLocked(
            f"{words}: end the program that holds it{_opened_by(path)}, then try again"
        )
    return StoreUnavailable(
        f"{words}: restore it from a copy; moved away, a new one is made by the next training"
    )


def _opened_by(path: Path) -> str:
    """Return the other processes that have a file open, in brackets, where the system tells."""
    found = {}
    for handle in Path("/proc").glob("[0-9]*/fd/*"):
        process = handle.parents[1]
        with suppress(OSError):  # it has ended, or is another user's
            if process.name != str(os.getpid()) and handle.readlink() == path.resolve():
                found[process.name] = (process / "comm").read_text().strip()
    words = ", ".join(f"process {number}, {name}" for number, name in sorted(found.items()))
    return f" ({words})" if words else ""


def newest_schema() -> str | None:
    """Return the revision that the installed MLflow brings a database to, out of its migrations."""
    package = find_spec("mlflow")
    if package is None or package.origin is None:
        return None
    followed, found = set(), set()
    folder = Path(package.origin).parent / "store" / "db_migrations" / "versions"
    for migration in folder.glob("*.py"):
        for down, revision in REVISION.findall(migration.read_text("utf-8")):
            (followed if down else found).add(revision)
    newest = found - followed
    return newest.pop() if len(newest) == 1 else None
