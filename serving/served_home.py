"""The home behind a running server: opened on first use, and again when its configuration moves."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd

from feature_repo.errors import InputError
from serving.configuration import Configuration, read_configuration
from serving.context import OpenHome, feature_store_yaml, open_home
from serving.refusal import Refusal

Stamp = tuple[Configuration, int, int]


class ServedHome:
    """A home that outlives its configuration: a restarted Redis has a new port and password."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._opened: tuple[Stamp, OpenHome] | None = None

    def signal_for(self, ticker: str, now: pd.Timestamp) -> dict[str, Any]:
        """Return a ticker's signal; see `OpenHome.signal_for`.

        Parameters
        ----------
        now
            The time of asking, with a zone; a configured clock takes its place.
        """
        configuration = read_configuration(self.home / "data")
        return self._open(configuration).signal_for(ticker, configuration.clock(now))

    def ready(self) -> bool:
        """Return whether the home can be opened and its online store answers."""
        try:
            return self._open(read_configuration(self.home / "data")).answers()
        except (Refusal, InputError):
            return False

    def _open(self, configuration: Configuration) -> OpenHome:
        stamp = _stamp(self.home, configuration)
        with self._lock:
            if self._opened is None or self._opened[0] != stamp:
                self._opened = (stamp, open_home(self.home, configuration))
            return self._opened[1]


def _stamp(home: Path, configuration: Configuration) -> Stamp:
    try:
        found = feature_store_yaml(home, configuration).stat()
    except FileNotFoundError:
        return configuration, 0, 0
    return configuration, found.st_mtime_ns, found.st_ino
