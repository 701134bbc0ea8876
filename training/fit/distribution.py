"""A distribution of returns fitted on a training part."""

from dataclasses import dataclass

import numpy as np

from forecasters.returns import Returns
from training.fit.selection import Selection
from training.frames.return_rows import ReturnRows
from training.models.returns import INPUTS, WORD, fit_returns
from training.models.sample import Estimate


@dataclass(frozen=True)
class ReturnsFit:
    """The fitted model; `dropped` rows had a feature null."""

    model: Returns
    rows: int
    dropped: int
    first: np.datetime64
    last: np.datetime64

    @property
    def word(self) -> str:
        """Model type."""
        return WORD

    @property
    def fits(self) -> tuple["ReturnsFit", ...]:
        """The fit itself, as a mixture of one."""
        return (self,)

    @property
    def parameters(self) -> Returns:
        """The model as it scores and serves."""
        return self.model

    @property
    def estimate(self) -> Estimate:
        """The model for people who load it in Python: no library fitted it."""
        return Estimate(self.model, self.model)

    @property
    def selection(self) -> Selection:
        """The features it names itself."""
        places = np.arange(len(INPUTS), dtype=np.int64)
        return Selection(INPUTS, places, (np.nan,) * len(INPUTS), {}, (), {})


@dataclass(frozen=True)
class Distribution:
    """A forecaster of the distribution: nothing is chosen out of fold."""

    fit: ReturnsFit


def fit_distribution(rows: ReturnRows) -> Distribution:
    """Fit a training part.

    Raises
    ------
    UnfittableError
        If the forecast ticker has too few usable rows.
    """
    usable = rows.usable
    model = fit_returns(rows.where(usable))
    used = rows.sessions[usable]
    count = int(usable.sum())
    return Distribution(ReturnsFit(model, count, len(usable) - count, used[0], used[-1]))
