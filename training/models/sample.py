"""What a model is fitted on, what a fit gives, and what a row of the registry says of a model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from forecasters.base import Parameters
from market.errors import InputError


class UnfittableError(InputError):
    """A training part that holds too little to fit anything on."""


@dataclass(frozen=True)
class Sample:
    """The usable rows of a training part, by session.

    Attributes
    ----------
    names
        Of the features; length n_features.
    values
        Without nulls; shape (n_rows, n_features).
    labels
        Class codes; shape (n_rows,).
    n_classes
        Classes of the task, also those that no row has.
    sessions, label_ends
        Session of each row, and the one at whose close its label is known; shape (n_rows,).
    ahead
        Log change of the volatility index to each of the next sessions, null where not known;
        shape (n_rows, horizon).
    """

    names: tuple[str, ...]
    values: Float64[np.ndarray, "n_rows n_features"]
    labels: Int64[np.ndarray, " n_rows"]
    n_classes: int
    sessions: Shaped[np.ndarray, " n_rows"]
    label_ends: Shaped[np.ndarray, " n_rows"]
    ahead: Float64[np.ndarray, "n_rows horizon"]

    @property
    def absent(self) -> list[int]:
        """Codes of the classes that no row has."""
        seen = set(self.labels.tolist())
        return [code for code in range(self.n_classes) if code not in seen]


@dataclass(frozen=True)
class Estimate:
    """What a fit gives.

    Attributes
    ----------
    parameters
        The model, for scoring and for serving.
    estimator
        The fitted object of the library, for people who load it in Python; the parameters
        themselves where no library fitted them.
    converged
        Whether the fit reached its optimum.
    """

    parameters: Parameters
    estimator: Any
    converged: bool = True


@dataclass(frozen=True)
class Model:
    """A model type: one row of the registry.

    Attributes
    ----------
    tasks
        What it can forecast: `direction`, `regime`.
    fit
        Fits its parameters on a sample.
    inputs
        The features it reads; None where they are selected by information (Decision 8).
    calibrated
        Whether its own fit calibrates its log-odds on out-of-fold forecasts (Decision 6): a second
        curve through a few hundred more would only add noise.
    """

    word: str
    tasks: tuple[str, ...]
    fit: Callable[[Sample], Estimate]
    inputs: tuple[str, ...] | None = None
    calibrated: bool = False


@dataclass(frozen=True)
class Mixture:
    """A model made of others: the weighted mean of what they say.

    The log-odds of a direction are averaged with equal weights and calibrated together; the
    probabilities of a regime with weights from the training part's inner folds.
    """

    word: str
    tasks: tuple[str, ...]
    members: tuple[str, ...]
    calibrated: bool = False
