"""A process that fills the online store with one session and the next, in turns, until killed."""

import sys
from pathlib import Path

import pandas as pd
from feast import FeatureStore

from feature_repo.repo_config import repo_config
from ingestion.materialize import materialize


def main() -> None:
    """Materialize at each clock given, over and over; the Redis URL comes on stdin."""
    data, clocks = Path(sys.argv[1]), [pd.Timestamp(text) for text in sys.argv[2:]]
    store = FeatureStore(config=repo_config(data, sys.stdin.readline().strip(), timeout=5))
    while True:
        for clock in clocks:
            materialize(store, data, clock)
            print(clock.isoformat(), flush=True)  # noqa: T201 - what the test waits for


if __name__ == "__main__":
    main()
