"""How often a vendor may be called: a budget of calls that every process of a home shares."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

from pyrate_limiter import AbstractBucket, InMemoryBucket, Rate, RateItem, SQLiteBucket

from ingestion.sources.wire.patience import TryAgain
from market.errors import ConfigurationError

FILE: Final = "calls.sqlite"


class CallRate:
    """At most so many calls within any window of time, over all processes that share a folder.

    Parameters
    ----------
    calls
        The most calls within a window.
    seconds
        The length of the window.
    folder
        Where the calls are booked; None books them in this object alone. It holds nothing that
        is missed when it is deleted.
    """

    def __init__(self, calls: int, seconds: float, folder: Path | None = None) -> None:
        self.rate = Rate(calls, round(seconds * 1000))
        self.folder = folder
        self._alone = Lock()
        self._own = InMemoryBucket([self.rate])

    def take(self) -> None:
        """Book a call that is made now, without waiting.

        Raises
        ------
        TryAgain
            If none is free: after which pause one may be.
        ConfigurationError
            If the folder cannot be written.
        """
        with self._bucket() as bucket:
            now = bucket.now()
            _forget_the_future(bucket, now)
            bucket.leak(now)
            decision = bucket.put_decision(RateItem("call", now))
        if not decision.allowed:
            wait = decision.retry_after_ms
            pause = (self.rate.interval if wait is None else wait) / 1000
            raise TryAgain(
                f"the {self.rate.limit} calls allowed in {self.rate.interval / 1000:g} s are used "
                f"up, one is free in {pause:.3g} s",
                pause,
            )

    @contextmanager
    def _bucket(self) -> Iterator[AbstractBucket]:
        if self.folder is None:
            with self._alone:
                yield self._own
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            bucket = SQLiteBucket.init_from_file(
                [self.rate], db_path=str(self.folder / FILE), use_file_lock=True
            )
            with closing(bucket), bucket.lock:
                yield bucket
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(
                f"{self.folder / FILE}: cannot book calls ({error!s:.100}); make the folder "
                "writable, or delete the file"
            ) from None


def _forget_the_future(bucket: AbstractBucket, now: int) -> None:
    """Empty a bucket filled before the clock was set back: it would stay full for as long."""
    newest = bucket.peek(0)
    if newest is not None and newest.timestamp > now + bucket.rates[-1].interval:
        bucket.flush()
