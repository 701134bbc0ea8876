"""What an online store holds, asked of the server itself: whose features, and of which session."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from feature_repo.store.repo_config import SESSION_POINTER, connection_string, redis_options
from home.records.pointer import SessionPointer
from market.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from redis import Redis

ANSWER_WAIT: Final = 2.0


def connect(url: str) -> "Redis":
    """Return a client of the server that a URL names; it connects on first use.

    Raises
    ------
    InputError
        If the URL is malformed.
    """
    from redis import Redis

    return Redis(**redis_options(connection_string(url, ANSWER_WAIT)))


def place(url: str) -> str:
    """Return `host:port` of a URL, which may hold a password."""
    return connection_string(url).partition(",")[0]


def published(url: str) -> SessionPointer | None:
    """Return what was last published to a server, None where nothing was that can be read.

    Raises
    ------
    InputError
        If the URL is malformed.
    ConfigurationError
        If the server does not answer, or does not let us in.
    """
    from redis.exceptions import RedisError

    with connect(url) as client:
        try:
            content: Any = client.get(SESSION_POINTER)
        except (RedisError, OSError) as error:
            raise ConfigurationError(
                f"Redis at {place(url)} is no use "
                f"({type(error).__name__}: {error!s:.80}): start it, correct REDIS_URL, or unset "
                "REDIS_URL to have a server of the home's own"
            ) from None
    if content is None:
        return None
    try:
        return SessionPointer.from_json(content, SESSION_POINTER)
    except InputError:
        return None  # of another version


def check_named(url: str, data_dir: Path) -> None:
    """Check that a server that the user names answers, and holds no other home's features.

    Raises
    ------
    InputError
        If the URL is malformed.
    ConfigurationError
        If the server does not answer, or another home uses it.
    """
    found = published(url)
    if found is not None and found.data_dir != str(data_dir.resolve()):
        raise ConfigurationError(
            f"REDIS_URL: the server holds the features of {found.data_dir}, this home's are in "
            f"{data_dir.resolve()}; name a database of its own (such as .../1), or empty this one "
            "(redis-cli FLUSHDB) if that home has moved"
        )
