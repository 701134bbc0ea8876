"""Mutations of a home's files, and whether every reader refuses them by name.

    python -m benchmarks.mutations HOME --seed 7 --count 300

Works on a copy of the home, which has to be ingested and trained. Each mutation is of one file that
the manifest, the registry or serving names; all readers of that kind of file are asked, and the
file is put back.
"""

import argparse
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pandas as pd
import polars as pl

from audit.parity import pulled
from dashboard.queries.data import latest_nulls
from dashboard.queries.models import serving_models
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.definition_hash import definition_hash
from feature_repo.store.repo_config import repo_config
from home import strict_json
from home.layout import Home
from home.manifest import Entry, Manifest, current_rows, read_manifest
from home.served_model import read_served
from ingestion.lake.data_folder import stored_rows
from ingestion.views.raw import Raw
from ingestion.views.reader import RawReader
from market.errors import DamagedFile, InputError, SourceUnavailable
from market.underlyings import MARKET
from serving.reading.artifact import load_artifact
from training.registry.mlflow_runs import (
    EVIDENCE,
    LOSSES,
    SERVING,
    read_evidence,
    read_losses,
)
from training.registry.mlflow_runs import read_served as read_registered
from training.registry.tracking_database import reading

REFUSALS: Final = (InputError, SourceUnavailable)
Reader = Callable[[], object]
Mutation = Callable[[bytes, bytes, random.Random], bytes]


def flip_bit(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return the bytes with one bit flipped."""
    bad = bytearray(content)
    bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
    return bytes(bad)


def truncate(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return the bytes without some of the last ones."""
    return content[: rng.randrange(len(content))]


def append(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return the bytes with some more behind them."""
    return content + rng.randbytes(rng.randint(1, 4096))


def zero_block(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return the bytes with a block of them zero; one that is not zero already."""
    start = rng.randrange(len(content))
    end = start + rng.randint(1, 512)
    return content[:start] + b"\0" * len(content[start:end]) + content[end:]


def swap(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return the bytes of another file of the kind."""
    return other


def older(content: bytes, other: bytes, rng: random.Random) -> bytes:  # noqa: ARG001
    """Return what an earlier version of the file may have held, whole in itself."""
    if content.startswith(b"PAR1"):
        rows = pl.read_parquet(BytesIO(content), hive_partitioning=False)
        buffer = BytesIO()
        rows.head(rows.height - 1).write_parquet(buffer)
        return buffer.getvalue()
    document = strict_json.loads(content)
    if not isinstance(document, dict):
        raise TypeError("no document of a model")
    return strict_json.canonical(strict_json.signed({**document, "version": 10_000}))


MUTATIONS: Final[dict[str, Mutation]] = {
    one.__name__: one for one in (flip_bit, truncate, append, zero_block, swap, older)
}


@dataclass(frozen=True)
class Target:
    """A file, and who reads it by what name."""

    kind: str
    path: Path
    readers: dict[str, Reader]


def targets(home: Home) -> Iterator[Target]:
    """Yield every raw, feature and model file of a home with its readers."""
    manifest = read_manifest(home.data)
    for entry in manifest.entries.values():
        if entry.table in GROUPS:
            yield Target("feature", home.data / entry.path, _feature_readers(home, manifest, entry))
        else:
            yield Target("raw", home.data / entry.path, _raw_readers(home, manifest, entry))
    for path in sorted(home.serving_models.glob("*.json")):
        yield Target("model", path, _model_readers(home, path))
    yield from _registry_targets(home)


def _raw_readers(home: Home, manifest: Manifest, entry: Entry) -> dict[str, Reader]:
    name, data = (entry.table, entry.key), home.data
    reader = RawReader(data, manifest)
    keys = [*(("ticker", ticker) for ticker in manifest.keys("prices")), ("market", MARKET)]
    built = next((key for key in keys if name in reader.inputs(*key)), None)
    found: dict[str, Reader] = {
        "ingest": lambda: stored_rows(data, manifest, manifest.tables[name[0]], *name),
        "labels": lambda: current_rows(data, name[0], [name[1]]),
    }
    if built is not None:
        found["build"] = lambda: _whole(RawReader(data, manifest).raw(*built))
    return found


def _whole(raw: Raw) -> Raw:
    """Return raw rows that every view of their key can be built from."""
    if raw.damaged:
        raise DamagedFile(next(iter(raw.damaged.values())))
    return raw


def _feature_readers(home: Home, manifest: Manifest, entry: Entry) -> dict[str, Reader]:
    from feast import FeatureStore

    view, key = entry.table, entry.key
    ticker = key if GROUPS[view].entity == "ticker" else manifest.keys("prices")[0]
    store = FeatureStore(config=repo_config(home.data, None))
    last = pd.DatetimeIndex([entry.last]).as_unit("ns")
    named = next(one for one in store.list_feature_views() if one.name == view)
    moment = pd.Timestamp(entry.last, tz="UTC") + pd.Timedelta(days=1)
    asked = pd.DataFrame({"ticker": [ticker], "market": [MARKET], "event_timestamp": [moment]})
    one = f"{view}:{GROUPS[view].features[0].name}"
    state = manifest.tables[view]
    return {
        "build": lambda: stored_rows(home.data, manifest, state, view, key),
        "Feast store": lambda: store.get_historical_features(asked, [one]).to_df(),
        "materialize": lambda: pulled(store, [named], [ticker], last),
        "dashboard": lambda: latest_nulls(home.data),
    }


def _model_readers(home: Home, path: Path) -> dict[str, Reader]:
    task, _, ticker = path.stem.partition("_")

    def dashboard() -> None:
        _, faults = serving_models(home.serving_models)
        if faults:
            raise InputError(faults[0])

    return {
        "serving": lambda: load_artifact(home.models, task, ticker, definition_hash()),  # type: ignore[arg-type]
        "drift": lambda: read_served(path),
        "dashboard": dashboard,
    }


def _registry_targets(home: Home) -> Iterator[Target]:
    """Yield the files of the runs of registered versions that a promotion reads."""
    with reading(home.mlruns) as client:
        for version in client.search_model_versions():
            folder = home.artifacts / str(version.run_id) / "artifacts"
            reads = {LOSSES: read_losses, EVIDENCE: read_evidence, SERVING: read_registered}
            for file, read in reads.items():
                yield Target(
                    "registry",
                    folder / file,
                    {"promote": lambda v=version, r=read: r(client, v)},
                )


def copied(home: Home, to: Path) -> Home:
    """Return a copy of a home."""
    shutil.copytree(home.root, to, ignore=shutil.ignore_patterns("redis", "*.log"))
    return Home(to)


@contextmanager
def mutated(path: Path, content: bytes) -> Iterator[None]:
    """Put bytes in the place of a file's, and the file back afterwards."""
    good = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(good)


@dataclass(frozen=True)
class Trial:
    """A mutation of a kind of file, and what each reader made of it: `refused` or what it read."""

    kind: str
    mutation: str
    outcomes: dict[str, str]


def run_trials(home: Home, seed: int, count: int) -> list[Trial]:
    """Return `count` mutations of the files of a home, as evenly over the kinds as they go."""
    rng = random.Random(seed)  # noqa: S311 - drawn to be drawn again
    by_kind: dict[str, list[Target]] = {}
    for target in targets(home):
        by_kind.setdefault(target.kind, []).append(target)
    plan = [(kind, name) for kind in by_kind for name in MUTATIONS]
    return [_trial(by_kind[kind], name, rng) for kind, name in (plan * count)[:count]]


def _trial(some: Sequence[Target], name: str, rng: random.Random) -> Trial:
    while True:
        target, other = rng.choice(some), rng.choice(some)
        good = target.path.read_bytes()
        if name == "older" and target.kind == "registry" and target.path.name == EVIDENCE:
            continue  # it has no version of its own
        bad = MUTATIONS[name](good, other.path.read_bytes(), rng)
        if bad != good:
            break
    for read in target.readers.values():
        read()  # what refuses a whole file as well shows nothing
    with mutated(target.path, bad):
        outcomes = {reader: _outcome(target, read) for reader, read in target.readers.items()}
    return Trial(target.kind, name, outcomes)


def _outcome(target: Target, read: Reader) -> str:
    try:
        read()
    except REFUSALS as error:
        return "refused" if target.path.name.split(".")[0] in str(error) else "unnamed"
    return "read"


def table(trials: Sequence[Trial]) -> str:
    """Return how often each reader of a kind of file refused each mutation."""
    asked, refused = Counter[Any](), Counter[Any]()
    for trial in trials:
        for reader, outcome in trial.outcomes.items():
            cell = (trial.kind, reader, trial.mutation)
            asked[cell] += 1
            refused[cell] += outcome == "refused"
    rows = list(dict.fromkeys((kind, reader) for kind, reader, _ in asked))
    lines = [
        "| file | reader | " + " | ".join(MUTATIONS) + " |",
        "|---" * (2 + len(MUTATIONS)) + "|",
    ]
    for row in rows:
        cells = [f"{refused[(*row, m)]} of {asked[(*row, m)]}" for m in MUTATIONS]
        lines.append(f"| {' | '.join([*row, *cells])} |")
    whole = sum(all(o == "refused" for o in trial.outcomes.values()) for trial in trials)
    return "\n".join([*lines, f"{whole} of {len(trials)} mutations refused by every reader"])


def main() -> None:
    """Print the table of a seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=300)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = copied(Home(asked.home.resolve()), Path(scratch) / "home")
        print(table(run_trials(home, asked.seed, asked.count)))


if __name__ == "__main__":
    main()
