"""A process that fills the online store with one session and the next, in turns, until killed.

Its parent forks it from a server that has Feast loaded: so it begins at once.
"""

from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pandas as pd
from feast import FeatureStore

from feature_repo.store.repo_config import repo_config
from ingestion.online.materialize import materialize


def write(data: Path, url: str, clocks: Sequence[pd.Timestamp], told: Connection) -> None:
    """Materialize at each clock given, over and over, and tell of each turn that is done."""
    store = FeatureStore(config=repo_config(data, url, timeout=5))
    while True:
        for clock in clocks:
            materialize(store, data, clock)
            told.send(clock.isoformat())
