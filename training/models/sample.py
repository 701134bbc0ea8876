"""What a model is fitted on, and what a row of the registry says about a model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from market.arrays import DateArray, FloatArray, IntArray


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
    values: FloatArray
    labels: IntArray
    n_classes: int
    sessions: DateArray
    label_ends: DateArray
    ahead: FloatArray


@dataclass(frozen=True)
class Model:
    """A model type: one row of the registry.

    Attributes
    ----------
    tasks
        What it can forecast: `direction`, `regime`.
    fit
        Returns a fitted estimator.
    probabilities
        Probability of every class from an estimator, features (n_rows, n_features), the number
        of classes and that of rows it was fitted on; shape (n_rows, n_classes), rows sum to 1.
    decision
        Log-odds of the second class of two; shape (n_rows,). None for a model of regimes only.
    parameters
        The estimator as plain data for the serving artifact, given the features' names; its
        `kind` says how it is evaluated.
    converged
        Whether the fit reached its optimum.
    inputs
        The features it reads; None where they are selected by information (Decision 8).
    calibrated
        Whether its own fit calibrates its log-odds on out-of-fold forecasts (Decision 6): a second
        curve through a few hundred more would only add noise.
    """

    word: str
    tasks: tuple[str, ...]
    fit: Callable[[Sample], Any]
    probabilities: Callable[[Any, FloatArray, int, int], FloatArray]
    parameters: Callable[[Any, tuple[str, ...]], dict[str, Any]]
    decision: Callable[[Any, FloatArray], FloatArray] | None = None
    converged: Callable[[Any], bool] = field(default=lambda _: True)
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
