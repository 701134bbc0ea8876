"""A model fitted on a training part, and a mixture of several: nothing else is looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from jaxtyping import Float64, Int64

from feature_repo.features.catalogue import names as feature_names
from forecasters.base import Parameters
from forecasters.mixtures import Ensemble, Pool, weighted_mean
from market.arrays import FloatArray
from training.fit.selection import N_BINS, Selection, select
from training.frames.rows import Rows
from training.models.catalogue import members
from training.models.sample import Estimate, Mixture, Model, Sample, UnfittableError

MIN_ROWS: Final = N_BINS  # fewer rows than bins of the selection tell no feature from another
#: Made for the path simulation: never selected for another model (Decision 2).
AUXILIARY: Final = frozenset(feature_names("iv_path"))


@dataclass(frozen=True)
class Fit:
    """A fitted model and the features chosen for it; `dropped` rows had one of them null."""

    model: Model
    selection: Selection
    estimate: Estimate
    rows: int
    dropped: int
    n_classes: int
    first: np.datetime64
    last: np.datetime64

    @property
    def word(self) -> str:
        """Model type."""
        return self.model.word

    @property
    def fits(self) -> tuple["Fit", ...]:
        """The fit itself, as a mixture of one."""
        return (self,)

    @property
    def parameters(self) -> Parameters:
        """The model as it scores and serves."""
        return self.estimate.parameters

    @property
    def converged(self) -> bool:
        """Whether the fit reached its optimum."""
        return self.estimate.converged

    def decision(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the log-odds of the second class, NaN for unusable rows; shape (n_rows,)."""
        return self._of_usable(values, (), self.parameters.decision)

    def probabilities(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, "n_rows n_classes"]:
        """Return the probability of every class, NaN for unusable rows; (n_rows, n_classes)."""
        return self._of_usable(
            values,
            (self.n_classes,),
            lambda chosen: self.parameters.chances(chosen).probabilities,
        )

    def _of_usable(
        self,
        values: Float64[np.ndarray, "n_rows n_features"],
        width: tuple[int, ...],
        say: Callable[[FloatArray], FloatArray],
    ) -> Float64[np.ndarray, "n_rows ..."]:
        usable = self.selection.usable(values)
        found = np.full((len(values), *width), np.nan)
        if usable.any():
            found[usable] = say(values[usable][:, self.selection.columns])
        return found


@dataclass(frozen=True)
class Mixed:
    """Several fits of one training part, and the weight of each; weights sum to 1."""

    model: Mixture
    fits: tuple[Fit, ...]
    weights: tuple[float, ...]

    @property
    def word(self) -> str:
        """Model type."""
        return self.model.word

    @property
    def converged(self) -> bool:
        """Whether every fit reached its optimum."""
        return all(fit.converged for fit in self.fits)

    @property
    def rows(self) -> int:
        """Rows that the member with the most features null was fitted on."""
        return min(fit.rows for fit in self.fits)

    @property
    def dropped(self) -> int:
        """Rows that this member dropped."""
        return max(fit.dropped for fit in self.fits)

    @property
    def first(self) -> np.datetime64:
        """First session fitted on."""
        return min(fit.first for fit in self.fits)

    @property
    def last(self) -> np.datetime64:
        """Last session fitted on."""
        return max(fit.last for fit in self.fits)

    @cached_property
    def selection(self) -> Selection:
        """The features of all members, each once, those of the first member first."""
        chosen: dict[str, tuple[int, float]] = {}
        for fit in self.fits:
            one = fit.selection
            for name, column, nats in zip(one.names, one.columns, one.information, strict=True):
                chosen.setdefault(name, (int(column), nats))
        first = self.fits[0].selection
        columns, information = zip(*chosen.values(), strict=True)
        return Selection(
            tuple(chosen),
            np.array(columns, dtype=np.int64),
            information,
            first.left_out,
            first.constant,
            first.twins,
        )

    def decision(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, " n_rows"]:
        """Return the mean log-odds of the second class, NaN for unusable rows; (n_rows,)."""
        return weighted_mean(self.weights, [fit.decision(values) for fit in self.fits])

    def probabilities(
        self, values: Float64[np.ndarray, "n_rows n_features"]
    ) -> Float64[np.ndarray, "n_rows n_classes"]:
        """Return the mean probability of every class, NaN for unusable rows; as of a fit."""
        return weighted_mean(self.weights, [fit.probabilities(values) for fit in self.fits])

    @cached_property
    def parameters(self) -> Parameters:
        """The mixture as it serves."""
        direction = "direction" in self.model.tasks
        kind, word = (Ensemble, "ensemble") if direction else (Pool, "pool")
        members = [fit.parameters for fit in self.fits]
        return kind.model_validate(
            {"kind": word, "weights": list(self.weights), "members": members}
        )


def fit_rows(
    rows: Rows, train: Int64[np.ndarray, " n_train"], model: Model | Mixture, n_features: int
) -> Fit | Mixed:
    """Fit a model, or each member of a mixture with equal weights, on a training part.

    Raises
    ------
    UnfittableError
        If the usable rows are too few or hold fewer than two classes.
    """
    fits = tuple(_fit(rows, train, one, n_features) for one in members(model))
    if isinstance(model, Model):
        return fits[0]
    return Mixed(model, fits, (1.0 / len(fits),) * len(fits))


def _fit(rows: Rows, train: Int64[np.ndarray, " n_train"], model: Model, n_features: int) -> Fit:
    """Select features and fit a model on the decided rows of a training part."""
    decided = train[rows.labels[train] >= 0]
    _require_classes(rows, decided)
    selection = _selection(rows, decided, model, n_features)
    complete = selection.usable(rows.values[decided])
    used = decided[complete]
    _require_classes(rows, used)
    sample = Sample(
        selection.names,
        rows.values[np.ix_(used, selection.columns)],
        rows.labels[used],
        rows.n_classes,
        rows.sessions[used],
        rows.label_ends[used],
        rows.ahead[used],
    )
    return Fit(
        model,
        selection,
        model.fit(sample),
        len(used),
        int((~complete).sum()),
        rows.n_classes,
        rows.sessions[used[0]],
        rows.sessions[used[-1]],
    )


def _selection(
    rows: Rows, decided: Int64[np.ndarray, " n_decided"], model: Model, n_features: int
) -> Selection:
    if model.inputs is None:
        open_to_all = [at for at, name in enumerate(rows.names) if name not in AUXILIARY]
        return select(
            rows.values[decided], rows.names, rows.labels[decided], n_features, open_to_all
        )
    missing = [name for name in model.inputs if name not in rows.names]
    if missing:
        raise UnfittableError(
            f"a {model.word} model reads {', '.join(missing)}, which the frame lacks; "
            "read the volatility_paths service"
        )
    columns = np.array([rows.names.index(name) for name in model.inputs], dtype=np.int64)
    unmeasured = (np.nan,) * len(columns)
    return Selection(model.inputs, columns, unmeasured, {}, (), {})


def _require_classes(rows: Rows, used: Int64[np.ndarray, " n_used"]) -> None:
    classes = len(np.unique(rows.labels[used]))
    if len(used) >= MIN_ROWS and classes >= 2:
        return
    span = "none"
    if len(used):
        span = f"{rows.sessions[used[0]]:.10} to {rows.sessions[used[-1]]:.10}"
    raise UnfittableError(
        f"a training part is too small: got {len(used)} usable rows of {classes} classes "
        f"({span}), needed {MIN_ROWS} rows of 2; train on a longer period (--period, --start)"
    )
