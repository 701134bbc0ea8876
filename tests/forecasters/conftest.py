"""Every model of the training registry, fitted on one made sample, and its document."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.serving.conftest import documents, reseal, write  # noqa: F401 - fixtures
from training.models import MODELS, Mixture, Sample, members
from training.models.paths import INPUTS

NAMES = (*INPUTS, "iv_rank", "hv_20", "iv_hv_spread")
ROWS = 400


def made_values(count: int, seed: int) -> np.ndarray:
    """Index levels that fit each other, and noise."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, len(NAMES)))
    low, high = 11 + 2 * rng.random(count), 25 + 30 * rng.random(count)
    values[:, 0] = low + (high - low) * rng.random(count)
    values[:, 1], values[:, 2] = high, low
    values[:, 3:7] = rng.uniform(0.0, 0.2, (count, 4))
    values[:, 7:11] *= 0.3
    values[:, NAMES.index("iv_rank")] = 100 * (values[:, 0] - low) / (high - low)
    return values


def made_sample(n_classes: int) -> Sample:
    rng = np.random.default_rng(5)
    values = made_values(ROWS, 4)
    score = values[:, NAMES.index("iv_rank")] + 20 * rng.standard_normal(ROWS)
    labels = np.searchsorted([50.0] if n_classes == 2 else [30.0, 60.0], score).astype(np.int64)
    sessions = np.arange(ROWS).astype("datetime64[D]")
    ahead = np.cumsum(0.07 * rng.standard_normal((ROWS, 5)), axis=1)
    return Sample(NAMES, values, labels, n_classes, sessions, sessions + 7, ahead)


@dataclass(frozen=True)
class Fitted:
    """A model type as training has it: what it says of rows, and what it writes."""

    word: str
    task: str
    parameters: dict[str, Any]
    say: Callable[[np.ndarray], np.ndarray]

    @property
    def features(self) -> list[str]:
        """The union of what is read."""
        parts = self.parameters.get("members", [self.parameters])
        return list(dict.fromkeys(name for part in parts for name in part["features"]))


def fit_model(word: str, task: str) -> Fitted:
    sample = made_sample(2 if task == "direction" else 3)
    row, said, written = MODELS[word], [], []
    for member in members(row):
        names = member.inputs or sample.names
        columns = [sample.names.index(name) for name in names]
        own = replace(sample, names=names, values=sample.values[:, columns])
        estimator = member.fit(own)
        written.append(member.parameters(estimator, names))
        said.append(lambda v, m=member, e=estimator, c=columns: saying(m, e, v[:, c], sample))
    if not isinstance(row, Mixture):
        return Fitted(word, task, written[0], said[0])
    weights = np.arange(1.0, 1.0 + len(said)) / sum(range(1, 1 + len(said)))
    kind = "ensemble" if task == "direction" else "pool"
    parameters = {"kind": kind, "weights": weights.tolist(), "members": written}
    return Fitted(
        word, task, parameters, lambda v: np.tensordot(weights, [one(v) for one in said], axes=1)
    )


def saying(member, estimator, values, sample):
    if sample.n_classes == 2:
        return member.decision(estimator, values)
    return member.probabilities(estimator, values, sample.n_classes, ROWS)


@pytest.fixture(scope="session")
def fitted() -> Callable[[str, str], Fitted]:
    """Fits a model type for a task, once."""
    known: dict[tuple[str, str], Fitted] = {}

    def fit(word: str, task: str) -> Fitted:
        if (word, task) not in known:
            known[word, task] = fit_model(word, task)
        return known[word, task]

    return fit


@pytest.fixture(scope="session")
def fitted_document(fitted, documents) -> Callable[..., dict]:  # noqa: F811
    """Makers of the sealed document of a fitted model type."""

    def make(word: str, task: str, **changes: object) -> dict:
        model = fitted(word, task)
        given = {"model": word, "features": model.features, "parameters": model.parameters}
        return documents[task](**given | changes)

    return make


@pytest.fixture(scope="session")
def new_rows() -> tuple[np.ndarray, list[dict[str, float]]]:
    """Rows that no model was fitted on: as an array, and by name."""
    values = made_values(120, 9)
    return values, [dict(zip(NAMES, row.tolist(), strict=True)) for row in values]
