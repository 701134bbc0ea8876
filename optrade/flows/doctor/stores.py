"""Checks of the stores beside the files: Redis, Feast's registry, MLflow's database, the ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.services import SERVICES
from feature_repo.store.feast_registry import read_registry
from feature_repo.store.repo_config import connection_string, redis_options
from home.manifest import read_manifest
from market.errors import InputError
from optrade.flows.doctor.environment import installed_version
from optrade.flows.doctor.finding import Finding
from trading.ledger.chain import head_of
from trading.ledger.checked import faults, rows_of
from trading.ledger.connection import check_whole, is_new, read_only, reading, version_of
from trading.ledger.read import read_events
from trading.ledger.schema import CHAINED_FROM
from trading.ledger.states import unusable
from trading.paper.book import book_of
from training.registry.tracking_database import DATABASE, newest_schema, require_kept

if TYPE_CHECKING:
    from optrade.runtime import Runtime

# A key that Redis evicts reads as a null feature, and a signal is then refused.
POLICY: Final = "noeviction"
REDIS_SECONDS: Final = 2.0


def check_stores(run: "Runtime") -> Iterator[Finding]:
    """Yield the findings on Redis, the registry, MLflow and the ledger; none is written to."""
    yield _redis(run)
    yield _registry(run)
    yield check_mlflow(run.home.mlruns, run.home.models)
    yield check_ledger(run.home.ledger)


def _redis(run: "Runtime") -> Finding:
    from optrade.redis import server as redis_server

    if run.settings.redis_url is not None:
        return check_redis(run.settings.redis_url.get_secret_value(), "REDIS_URL")
    try:
        address = redis_server.status(run.home.data)
    except InputError as error:
        return Finding("redis", "error", str(error))
    if address is None:
        return Finding("redis", "ok", "this home's own, stopped, started when needed")
    return check_redis(address.url, f"this home's own, on port {address.port}")


def check_redis(url: str, whose: str) -> Finding:
    """Return whether a Redis answers, and what it does when it is full.

    Parameters
    ----------
    url
        The address; no finding holds it, as a password may stand in it.
    whose
        How to call the server in the finding.
    """
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        options = redis_options(connection_string(url, REDIS_SECONDS))
        with Redis(**options) as client:
            server: Any = client.info("server")
            memory: Any = client.info("memory")
    except InputError as error:
        return Finding("redis", "error", str(error))
    except (RedisError, OSError) as error:
        return Finding("redis", "error", f"{whose}: no use ({error!s:.100}); start or correct it")
    policy = memory.get("maxmemory_policy", "unknown")
    words = f"{whose}: Redis {server['redis_version']}, maxmemory-policy {policy}"
    if policy == POLICY:
        return Finding("redis", "ok", words)
    return Finding(
        "redis", "warning",
        f"{words}: features can vanish; set it to {POLICY}",
    )  # fmt: skip


def _registry(run: "Runtime") -> Finding:
    path = run.home.files.registry
    if not path.exists():
        return _unpublished(run)
    try:
        read_registry(path)
    except (InputError, OSError) as error:
        return Finding("registry", "error", str(error))
    held = f"{len(GROUPS)} views and {len(SERVICES)} services, as defined"
    return Finding("registry", "ok", f"{held}; Feast {installed_version('feast')}")


def _unpublished(run: "Runtime") -> Finding:
    try:
        landed = read_manifest(run.home.data).origin is not None
    except (InputError, OSError):
        landed = True
    if landed:
        return Finding("registry", "warning", "none yet: run `optrade materialize`")
    return Finding("registry", "ok", "none yet, as nothing has landed")


def check_mlflow(mlruns_dir: Path, models_dir: Path) -> Finding:
    """Return whether MLflow's database opens and has the tables of the installed MLflow.

    It is only read: MLflow itself would create or refuse it. Its package is not imported. That it
    is not there is an error where models serve.
    """
    try:
        require_kept(mlruns_dir, models_dir)
    except InputError as error:
        return Finding("mlflow", "error", str(error))
    path = mlruns_dir / DATABASE
    installed = f"MLflow {installed_version('mlflow')}"
    if not path.exists():
        return Finding("mlflow", "ok", f"no database yet, as nothing was trained; {installed}")
    try:
        with closing(read_only(path)) as connection:
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            models = connection.execute("SELECT count(*) FROM registered_models").fetchone()[0]
    except (sqlite3.Error, TypeError) as error:
        return Finding(
            "mlflow", "error",
            f"{path.name} cannot be read ({error!s:.100}): restore it from a copy, or move it "
            "away and train again",
        )  # fmt: skip
    words = f"{models} registered models, schema {revision}"
    if revision == newest_schema():
        return Finding("mlflow", "ok", f"{words}, that of {installed}")
    return Finding(
        "mlflow", "error",
        f"{words}, not that of {installed}: install the MLflow that wrote it, or run "
        f"`mlflow db upgrade` on a copy",
    )  # fmt: skip


def check_ledger(path: Path) -> Finding:
    """Return whether the ledger can be read, is of our version, whole, and as it was written."""
    try:
        if is_new(path):
            return Finding("ledger", "ok", "none yet, as no signal was recorded")
        with reading(path) as connection:
            check_whole(connection, path)
            wrong = list(faults(connection, path))
            rows = [bool(row.get("shadow")) for row in rows_of(connection, "signals")]
            chained = version_of(connection) >= CHAINED_FROM
            head = head_of(connection) if chained else None
    except InputError as error:
        return Finding("ledger", "error", str(error))
    if wrong:
        more = f"; so are {len(wrong) - 1} rows more" if len(wrong) > 1 else ""
        return Finding("ledger", "error", f"{wrong[0]}{more}")
    try:
        book_of(read_events(path))
    except InputError as error:
        return Finding("ledger", "error", str(unusable(path, "damaged", str(error))))
    shadows = sum(rows)
    words = f"{len(rows) - shadows} recorded signals" + (f", {shadows} shadows" if shadows else "")
    if head is None:
        return Finding("ledger", "ok", f"{words}, of an older schema: the next recording chains it")
    return Finding("ledger", "ok", f"{words}; {head.words()}")
