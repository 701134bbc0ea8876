"""Every model of the training registry, fitted on one made sample, and its document."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from forecasters.base import Parameters
from forecasters.mixtures import Ensemble, Pool
from forecasters.paths import INPUTS
from tests.serving.conftest import documents, reseal, write  # noqa: F401 - fixtures
from training.models.catalogue import MODELS, members
from training.models.sample import Mixture, Sample

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
    model: Parameters

    @property
    def parameters(self) -> dict[str, Any]:
        """As a document holds them."""
        return self.model.model_dump()

    def say(self, values: np.ndarray) -> np.ndarray:
        """The decision values or the probabilities of a batch of rows of all features."""
        chosen = values[:, [NAMES.index(name) for name in self.model.names()]]
        if self.task == "direction":
            return self.model.decision(chosen)
        return self.model.chances(chosen).probabilities

    @property
    def features(self) -> list[str]:
        """The union of what is read."""
        return list(self.model.names())


def fit_model(word: str, task: str) -> Fitted:
    sample = made_sample(2 if task == "direction" else 3)
    row, models = MODELS[word], []
    for member in members(row):
        names = member.inputs or sample.names
        columns = [sample.names.index(name) for name in names]
        own = replace(sample, names=names, values=sample.values[:, columns])
        models.append(member.fit(own).parameters)
    if not isinstance(row, Mixture):
        return Fitted(word, task, models[0])
    weights = np.arange(1.0, 1.0 + len(models)) / sum(range(1, 1 + len(models)))
    kind = Ensemble if task == "direction" else Pool
    return Fitted(word, task, kind(weights=weights.tolist(), members=models))


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
