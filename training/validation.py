"""Walk-forward folds over sessions, purged by label end (Decision 8). Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from feature_repo.errors import InputError

IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]

N_FOLDS: Final = 5  # Decision 8


@dataclass(frozen=True)
class Fold:
    """One fold: positions of the rows that are fitted on, and of the rows that are forecast."""

    train: IntArray
    test: IntArray


def walk_forward(
    sessions: DateArray,
    label_ends: DateArray,
    n_folds: int = N_FOLDS,
    min_test_sessions: int = 1,
) -> tuple[Fold, ...]:
    """Return expanding folds by unique session, each training part purged by label end.

    The last `n_folds` stretches of n // (n_folds + 1) unique sessions are the test parts. A
    row belongs to the training part of a fold if its session and its label end both lie
    before the first test session; with an unbroken calendar that leaves a gap of as many
    sessions as the label looks ahead (Lopez de Prado 2018, chapter 7).

    Parameters
    ----------
    sessions
        Session of each row, in any order, several rows a session allowed; shape (n_rows,).
    label_ends
        Session at whose close the row's label is known; NaT is never trained on; (n_rows,).
    n_folds
        Number of folds, at least 1.
    min_test_sessions
        Sessions that each test part needs.

    Raises
    ------
    InputError
        If there are too few sessions for the folds.
    """
    unique = np.unique(sessions)
    length = len(unique) // (n_folds + 1)
    if n_folds < 1 or length < min_test_sessions or length < 1:
        needed = max(min_test_sessions, 1) * (max(n_folds, 1) + 1)
        raise InputError(
            f"too few sessions for {n_folds} folds: got {len(unique)} labelled sessions, "
            f"needed at least {needed}; train on a longer period (--period, --start)"
        )
    starts = range(len(unique) - n_folds * length, len(unique), length)
    return tuple(_fold(sessions, label_ends, unique[at : at + length]) for at in starts)


def _fold(sessions: DateArray, label_ends: DateArray, tested: DateArray) -> Fold:
    first, last = tested[0], tested[-1]
    known = (sessions < first) & (label_ends < first)
    return Fold(
        train=np.flatnonzero(known).astype(np.int64),
        test=np.flatnonzero((sessions >= first) & (sessions <= last)).astype(np.int64),
    )
