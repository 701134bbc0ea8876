"""The home behind a running server: opened on first use, and again when what it rests on moves."""

import threading
from pathlib import Path

import pandas as pd

from home.layout import Home
from home.records.signal import Signal
from serving.answer.open_home import OpenHome, feature_store_yaml, open_home
from serving.answer.predictions import Question
from serving.http.schema import PredictAnswer
from serving.reading.configuration import Configuration, read_configuration
from serving.reading.online import ask_refill
from serving.reading.refusal import LOST_ROWS, Refusal

# A file's time and inode: replacing it changes them.
Version = tuple[int, int]
Stamp = tuple[Configuration, Version, Version]


class ServedHome:
    """A home that outlives its configuration: a restarted Redis has a new port and password."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = threading.Lock()
        self._opened: tuple[Stamp, OpenHome] | None = None

    def signal_for(self, ticker: str, now: pd.Timestamp) -> Signal:
        """Return a ticker's signal; see `OpenHome.signal_for`. Lost rows are asked for anew.

        Parameters
        ----------
        now
            The time of asking, with a zone; a configured clock takes its place.
        """
        configuration = read_configuration(Home(self.home).data)
        opened = self._open(configuration)
        try:
            return opened.signal_for(ticker, configuration.clock(now))
        except Refusal as refusal:
            if refusal.error in LOST_ROWS:
                ask_refill(opened.client)
            raise

    def predict(self, question: Question) -> PredictAnswer:
        """Return a prediction for a caller's own features; see `OpenHome.predict`."""
        return self._open(read_configuration(Home(self.home).data)).predict(question)

    def check_ready(self) -> None:
        """Check that the home can be opened, its registry is whole and its store answers.

        Raises
        ------
        Refusal, InputError
            Saying why not.
        """
        self._open(read_configuration(Home(self.home).data)).check_ready()

    def _open(self, configuration: Configuration) -> OpenHome:
        stamp = _stamp(self.home, configuration)
        with self._lock:
            if self._opened is None or self._opened[0] != stamp:
                self._opened = (stamp, open_home(self.home, configuration))
            return self._opened[1]


def _stamp(home: Path, configuration: Configuration) -> Stamp:
    yaml, snapshot = feature_store_yaml(home, configuration), Home(home).files.serving_registry
    return configuration, _version(yaml), _version(snapshot)


def _version(path: Path) -> Version:
    try:
        found = path.stat()
    except FileNotFoundError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino
