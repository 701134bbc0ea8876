"""The configuration of the feature store of a home: in code, and as a file for `feast -f`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from home.files import write_durably
from home.layout import DataFiles
from home.strict_json import Json
from market.errors import InputError

if TYPE_CHECKING:
    from feast import RepoConfig

REPO: Final = Path(__file__).resolve().parents[1]
PROJECT: Final = "optrade"
STORE: Final = "optrade.offline_store.AsofOfflineStore"
SESSION_POINTER: Final = "optrade:session"
# Set by who was refused a row, for who can write it anew.
REFILL_ASKED: Final = "optrade:refill"
# How Redis says that a key holds something else than what it is asked for.
WRONG_TYPE: Final = "WRONGTYPE"
# A frozen server must not hang a request: redis-py by itself waits for ever.
TIMEOUT: Final = 0.25
# Rows a pipeline: what a server answers well within the timeout.
WRITE_BATCH: Final = 1_000
_REDIS_PORT: Final = 6379


def repo_config(
    data_dir: Path, redis: str | None, *, registry: Path | None = None, timeout: float = TIMEOUT
) -> "RepoConfig":
    """Return Feast's configuration for a home.

    Parameters
    ----------
    data_dir
        The data folder of the home.
    redis
        The URL of the online store, `redis[s]://[[user]:password@]host[:port][/db]`; None for a
        store that only reads history.
    registry
        The registry file, by default the home's own.
    timeout
        Seconds that the online store has to answer.

    Raises
    ------
    InputError
        If the URL is not of that form.
    """
    from feast import RepoConfig

    online = None if redis is None else online_store(redis, timeout)
    return RepoConfig(repo_path=REPO, **document(data_dir, online, registry))


def document(
    data_dir: Path, online: dict[str, Json] | None, registry: Path | None = None
) -> dict[str, Json]:
    """Return the configuration as Feast's YAML spells it; see `repo_config`."""
    files = DataFiles(data_dir.resolve())
    return {
        "project": PROJECT,
        "provider": "local",
        # Read once a process; what changes it (apply, materialize) says so by refresh_registry.
        "registry": {"path": str(registry or files.registry), "cache_ttl_seconds": 0},
        "offline_store": {"type": STORE, "known_at": True, "manifest": str(files.manifest)},
        "online_store": online,
        "entity_key_serialization_version": 3,
        "coerce_tz_aware": False,
        "materialization": {"pull_latest_features": True, "online_write_batch_size": WRITE_BATCH},
    }


def online_store(redis: str, timeout: float) -> dict[str, Json]:
    """Return the online store's part of the configuration.

    A row is written whatever stands there: a corrected row keeps its event time, and Feast would
    take it for a repetition. One writer at a time, under the lock of `apply`, makes that safe.
    """
    return {
        "type": "redis",
        "connection_string": connection_string(redis, timeout),
        "skip_dedup": True,
    }


def connection_string(url: str, timeout: float = TIMEOUT) -> str:
    """Return a Redis URL as Feast spells it: `host:port,name=value,...`, without retries.

    Feast reads each value as JSON where it can and splits at commas, and its YAML reader expands
    `$`: names and passwords go as JSON strings with those two escaped, so that a password of
    digits stays one.

    Raises
    ------
    InputError
        If the URL is not `redis[s]://[[user]:password@]host[:port][/db]`.
    """
    parts = split_redis_url(url)
    options: dict[str, str] = {"db": parts.path.strip("/") or "0"}
    if parts.scheme == "rediss":
        options["ssl"] = "true"
    for name, value in (("username", parts.username), ("password", parts.password)):
        if value:
            text = json.dumps(unquote(value))
            options[name] = text.replace(",", "\\u002c").replace("$", "\\u0024")
    options |= {
        "socket_timeout": str(timeout),
        "socket_connect_timeout": str(timeout),
        "retry": "null",
    }
    host = f"{parts.hostname}:{parts.port or _REDIS_PORT}"
    return ",".join([host, *(f"{name}={value}" for name, value in options.items())])


def redis_options(connection: str) -> dict[str, Any]:
    """Return redis-py's arguments for a connection as Feast spells it."""
    host, *options = connection.split(",")
    name, _, port = host.partition(":")
    found: dict[str, Any] = {"host": name, "port": int(port or _REDIS_PORT)}
    for option in options:
        key, _, value = option.partition("=")
        try:
            found[key] = json.loads(value)
        except json.JSONDecodeError:
            found[key] = value
    return found


def split_redis_url(url: str) -> SplitResult:
    """Return the parts of a Redis URL.

    Raises
    ------
    InputError
        If it is of another form; the message does not repeat it, as it may hold a password.
    """
    try:
        parts = urlsplit(url)
        plain = parts.port != 0 and ":" not in (parts.hostname or "")
    except ValueError:
        raise InputError(_URL_FORM.format("a URL that cannot be read")) from None
    if parts.scheme not in ("redis", "rediss"):
        raise InputError(_URL_FORM.format(f"scheme {parts.scheme!r:.20}"))
    if not parts.hostname or not plain:
        raise InputError(_URL_FORM.format("no host name or an address with colons"))
    if parts.query or parts.fragment or not (parts.path.strip("/") or "0").isdecimal():
        raise InputError(_URL_FORM.format("more than a database number after the host"))
    return parts


_URL_FORM: Final = (
    "REDIS_URL: got {}, allowed is redis[s]://[[user]:password@]host[:port][/db], "
    "with special characters of a password percent-encoded"
)


def write_feature_store_yaml(data_dir: Path, redis: str | None) -> Path:
    """Write the configuration to data/feast/feature_store.yaml; see `write_configuration`."""
    return write_configuration(data_dir, None if redis is None else online_store(redis, TIMEOUT))


def write_configuration(data_dir: Path, online: dict[str, Json] | None) -> Path:
    """Write a home's configuration for `feast -c feature_repo -f <path> ...`.

    Readable by its owner alone, as it may hold a password.

    Parameters
    ----------
    data_dir
        The data folder of the home.
    online
        The online store's part, as `online_store` gives it.

    Returns
    -------
    Path
        data/feast/feature_store.yaml.
    """
    path = DataFiles(data_dir).feature_store
    text = json.dumps(document(data_dir, online), indent=2)
    content = f"# Written by optrade: YAML, in its JSON form.\n{text}\n".encode()
    # A service opens its stores anew when the file is replaced: not for the same content.
    if not path.is_file() or path.read_bytes() != content:
        write_durably(path, content, private=True)
    return path
