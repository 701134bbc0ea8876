"""Milliseconds of a forecast at serving for every model type, beside bare numpy; one thread.

`python -m benchmarks.forecast [--rounds 2000] [--json]` fits every model type of the registry on
6,000 made rows, writes its served document to a scratch folder, and asks it for one row at a time
through what a request goes through: the look at the file, then the forecast. The floor is the
arithmetic of a path simulation and nothing else: numpy on ready arrays, without inputs by name,
checks or interval. The goal of 2 ms is the path simulation's.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from feature_repo.features.services import VOLATILITY_INPUTS
from forecasters.base import CLASSES, Parameters, Task
from forecasters.document import FORMAT
from forecasters.mixtures import Ensemble, Pool
from forecasters.paths import INPUTS
from home.strict_json import signed
from market.iv_rank import REGIME_CUTS
from market.targets import HORIZON
from serving.reading.artifact import ArtifactFiles, artifact_path
from training.models.catalogue import MODELS, members
from training.models.sample import Sample

GOAL_MS = 2.0
ROWS = 6_000
NAMES = tuple(dict.fromkeys((*INPUTS, *VOLATILITY_INPUTS)))
DEFINITIONS = "0" * 64
FLOOR = "numpy alone"


@dataclass(frozen=True)
class Figure:
    """Size of a document (kB), and milliseconds: to parse it, and of a forecast."""

    kilobytes: float
    parse_ms: float
    p50_ms: float
    p95_ms: float


def made_sample(n_classes: int) -> Sample:
    """Return rows as of 8 years of three indices; classes follow the rank, with as much noise."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((ROWS, len(NAMES)))
    low, high = 11 + 2 * rng.random(ROWS), 25 + 30 * rng.random(ROWS)
    values[:, :3] = np.column_stack([low + (high - low) * rng.random(ROWS), high, low])
    values[:, 3:7] = rng.uniform(0.03, 0.15, (ROWS, 4))
    values[:, 7:11] *= 0.2
    rank = 100 * (values[:, 0] - low) / (high - low)
    values[:, NAMES.index("iv_rank")] = rank
    sessions = np.arange(ROWS).astype("datetime64[D]")
    ahead = np.cumsum(0.07 * rng.standard_normal((ROWS, HORIZON)), axis=1)
    cuts = (50.0,) if n_classes == 2 else REGIME_CUTS
    labels = np.searchsorted(cuts, rank + 25 * rng.standard_normal(ROWS)).astype(np.int64)
    return Sample(NAMES, values, labels, n_classes, sessions, sessions + 7, ahead)


def parameters(word: str, sample: Sample) -> Parameters:
    """Return a fitted model type; members of a mixture weigh the same."""
    models = []
    for member in members(MODELS[word]):
        names = member.inputs or VOLATILITY_INPUTS
        columns = [NAMES.index(name) for name in names]
        own = replace(sample, names=names, values=sample.values[:, columns])
        models.append(member.fit(own).parameters)
    if len(models) == 1:
        return models[0]
    kind = Ensemble if sample.n_classes == 2 else Pool
    return kind(weights=[1 / len(models)] * len(models), members=models)


def document(task: Task, word: str, model: Parameters) -> dict[str, Any]:
    """Return the served document of a model, as the registry would write it."""
    direction = task == "direction"
    gate = {"metric": "log_loss", "baseline": "none", "improvement": None, "interval": None}
    return signed(
        {
            "format": FORMAT, "name": f"{task}_SPY", "task": task, "model": word,
            "ticker": "SPY", "version": 1, "run_id": "0", "alias": "challenger",
            "feature_service": "volatility_paths", "definition_hash": DEFINITIONS,
            "features": list(model.names()),
            "parameters": model.model_dump(), "classes": list(CLASSES[task]),
            "calibration": {"slope": 1.0, "intercept": 0.0} if direction else None,
            "threshold": 0.5 if direction else None,
            "call_weights": None if direction else [1.0, 1.0, 1.0],
            "trained": {"start": "2010-01-04", "end": "2018-01-04", "rows": ROWS},
            "evidence": {"proven": False, "verdict": "not measured", **gate},
        }
    )  # fmt: skip


def timed(ask: Callable[[int], object], rounds: int) -> tuple[float, float]:
    """Return median and 95th percentile of the milliseconds of a call, the first tenth left out."""
    found = []
    for at in range(rounds + rounds // 10):
        start = time.perf_counter()
        ask(at)
        found.append((time.perf_counter() - start) * 1e3)
    cuts = statistics.quantiles(found[rounds // 10 :], n=20, method="inclusive")
    return cuts[9], cuts[18]


def served(folder: Path, task: Task, word: str, rows: list[dict[str, float]], n: int) -> Figure:
    """Return the figures of one model type, asked as a request asks it."""
    sample = made_sample(len(CLASSES[task]))
    text = json.dumps(document(task, word, parameters(word, sample)))
    path = artifact_path(folder, task, "SPY")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    os.utime(path, (0, 0))
    parse_ms, _ = timed(lambda _: ArtifactFiles(folder, DEFINITIONS).load(task, "SPY"), 10)
    files = ArtifactFiles(folder, DEFINITIONS)

    def ask(at: int) -> object:
        model, row = files.load(task, "SPY"), rows[at % len(rows)]
        return model.probability_up(row) if task == "direction" else model.regime(row)

    return Figure(len(text) / 1e3, parse_ms, *timed(ask, n))


def numpy_alone(rows: list[dict[str, float]], n: int) -> Figure:
    """Return the figures of the bare arithmetic on as many paths."""
    paths = np.asfortranarray(np.random.default_rng(1).standard_normal((5_000, HORIZON)))
    inputs = [np.array([row[name] for name in INPUTS]) for row in rows]
    weights, steps = np.full(8, 0.01), np.arange(1, HORIZON + 1) / HORIZON

    def ask(at: int) -> object:
        x = inputs[at % len(inputs)]
        scale = np.exp(-2.5 + np.concatenate([np.log(x[3:7]), x[7:]]) @ weights)
        path = scale * (paths + (x[7:] @ weights[:4]) * steps)
        ends = x[0] * np.exp(np.stack([path[:, -1], path.max(axis=1), path.min(axis=1)]))
        bottom = np.minimum(x[2], ends[2])
        ranks = 100 * (ends[0] - bottom) / (np.maximum(x[1], ends[1]) - bottom)
        return np.bincount(np.searchsorted(REGIME_CUTS, ranks, side="right"), minlength=3) / 5_000

    return Figure(0.0, 0.0, *timed(ask, n))


def measure(rounds: int) -> dict[str, Figure]:
    """Return the figures of the floor and of every model type."""
    sample = made_sample(3)
    rows = [dict(zip(NAMES, row.tolist(), strict=True)) for row in sample.values[:200]]
    figures = {FLOOR: numpy_alone(rows, rounds)}
    with tempfile.TemporaryDirectory() as folder:
        for word, row in MODELS.items():
            for task in CLASSES:
                if task in row.tasks:
                    figures[f"{task} {word}"] = served(Path(folder), task, word, rows, rounds)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not 100 <= arguments.rounds <= 1_000_000:
        parser.error(f"--rounds: got {arguments.rounds}, allowed are 100 to 1,000,000")
    figures = measure(arguments.rounds)
    floor = figures[FLOOR].p50_ms
    if arguments.json:
        rows = {
            name: vars(one) | {"times_floor": one.p50_ms / floor} for name, one in figures.items()
        }
        print(json.dumps({"goal_ms": GOAL_MS, "models": rows}, indent=2))
        return
    print(f"{'one row':20}{'kB':>8}{'parse ms':>10}{'p50 ms':>9}{'p95 ms':>9}{'x floor':>9}")
    for name, one in figures.items():
        size = f"{one.kilobytes:8.0f}{one.parse_ms:10.1f}" if one.kilobytes else " " * 18
        print(f"{name:20}{size}{one.p50_ms:9.3f}{one.p95_ms:9.3f}{one.p50_ms / floor:9.2f}")
    print(f"goal: {GOAL_MS} ms for 'regime paths'")


if __name__ == "__main__":
    main()
