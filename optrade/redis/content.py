"""What an online store holds, asked of the server itself: whose features, and of which session."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from feature_repo.store.repo_config import (
    REFILL_ASKED,
    SESSION_POINTER,
    WRONG_TYPE,
    connection_string,
    redis_options,
)
from home.records.pointer import SessionPointer
from market.errors import ConfigurationError, InputError, StoreUnavailable

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
        If the server refuses what the URL asks for: its user, its password, its database.
    StoreUnavailable
        If it does not answer, or not as Redis does.
    """
    from redis.exceptions import AuthenticationError, RedisError, ResponseError

    with connect(url) as client:
        try:
            content: Any = client.get(SESSION_POINTER)
        except (AuthenticationError, ResponseError) as error:
            if WRONG_TYPE in str(error):
                return None  # another tool wrote it
            raise ConfigurationError(_no_use(url, error, "correct REDIS_URL")) from None
        except (RedisError, OSError) as error:
            cure = "start it, correct REDIS_URL"
            raise StoreUnavailable(_no_use(url, error, cure)) from None
    if content is None:
        return None
    try:
        return SessionPointer.from_json(content, SESSION_POINTER)
    except InputError:
        return None  # of another version


def refill_asked(url: str) -> bool:
    """Return, once, whether the service was refused a row that filling would mend."""
    from redis.exceptions import RedisError

    with connect(url) as client:
        try:
            return bool(client.delete(REFILL_ASKED))
        except RedisError:
            return False  # the next look at the pointer says what is wrong


def _no_use(url: str, error: Exception, cure: str) -> str:
    return (
        f"Redis at {place(url)} is no use ({type(error).__name__}: {error!s:.80}): {cure}, or "
        "unset REDIS_URL to have a server of the home's own"
    )


def check_named(url: str, data_dir: Path) -> None:
    """Check that a server that the user names answers, and holds no other home's features.

    Raises
    ------
    InputError
        If the URL is malformed.
    ConfigurationError
        If the server does not let us in, or another home uses it.
    StoreUnavailable
        If the server does not answer.
    """
    found = published(url)
    if found is not None and found.data_dir != str(data_dir.resolve()):
        raise ConfigurationError(
            f"REDIS_URL: the server holds the features of {found.data_dir}, this home's are in "
            f"{data_dir.resolve()}; name a database of its own (such as .../1), or empty this one "
            "(redis-cli FLUSHDB) if that home has moved"
        )
