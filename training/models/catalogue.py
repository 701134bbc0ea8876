"""Every model that can be trained: one row each, in a module of its own."""

from typing import Final

from market.errors import InputError
from training.models.logistic import LOGISTIC
from training.models.paths import PATHS
from training.models.returns import WORD as LOG_HAR
from training.models.ridge import RIDGE
from training.models.sample import Mixture, Model
from training.models.transition_table import TABLE
from training.models.trees import TREES

ENSEMBLE: Final = Mixture("ensemble", ("direction",), ("logistic", "trees"))
BLEND: Final = Mixture("blend", ("regime",), ("logistic", "table", "trees", "paths"))

#: In the order that a task's are trained in, the preferred last: it serves while none is champion.
MODELS: Final[dict[str, Model | Mixture]] = {
    row.word: row for row in (TABLE, TREES, ENSEMBLE, RIDGE, LOGISTIC, BLEND, PATHS)
}


#: The model type of the distribution of returns, which is fitted on rows of its own.
DISTRIBUTION: Final = "distribution"


def words(task: str) -> tuple[str, ...]:
    """Return the model types of a task."""
    if task == DISTRIBUTION:
        return (LOG_HAR,)
    return tuple(word for word, row in MODELS.items() if task in row.tasks)


def model_type(task: str, word: str) -> Model | Mixture:
    """Return the row of a model type.

    Raises
    ------
    InputError
        If the task has no such model.
    """
    if word not in words(task):
        allowed = ", ".join(words(task))
        raise InputError(f"unknown {task} model type: got {word!r:.40}, allowed: {allowed}")
    return MODELS[word]


def members(row: Model | Mixture) -> tuple[Model, ...]:
    """Return the models that a row is made of: itself, unless it is a mixture."""
    if isinstance(row, Model):
        return (row,)
    found = [MODELS[word] for word in row.members]
    return tuple(model for model in found if isinstance(model, Model))
