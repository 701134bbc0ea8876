"""What becomes of a trained model: its verdict, its alias, and whether it serves. Pure.

The rules of promotion and serving (Decisions 11, 20 and 21) are `gate.judge`, `alias_of` and
`serves`: nothing else decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd

from home.records.training.evidence import TrainingEvidence
from home.records.training.judged import Verdict
from training.judge.against_champion import Champion, comparison
from training.judge.gate import judge
from training.judge.trials import trials_evidence

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"


@dataclass(frozen=True)
class Decision:
    """What becomes of a model.

    Attributes
    ----------
    alias
        `champion` or `challenger`.
    evidence
        The final evidence: trials counted, champion compared, verdict made anew.
    """

    verdict: Verdict
    alias: str
    serves: bool
    evidence: TrainingEvidence


def decide(
    evidence: TrainingEvidence,
    losses: pd.DataFrame,
    champion: Champion | None,
    trials: Sequence[pd.DataFrame] | None = None,
) -> Decision:
    """Return what becomes of a candidate.

    Parameters
    ----------
    evidence
        As `evidence.assemble` makes it.
    losses
        Of the candidate, as `out_of_fold.losses` gives them.
    champion
        Whom it has to stand up to, None if there is none.
    trials
        Losses of all other trials of the model; None keeps the trials that the evidence holds.
    """
    resamples, seed = evidence.count("resamples"), evidence.count("seed")
    compared = None if champion is None else comparison(losses, champion, resamples, seed)
    counted = evidence.trials
    if trials is not None:
        counted = trials_evidence(losses, trials, resamples, seed)
    verdict = judge(evidence.gate, compared, counted)
    alias = alias_of(verdict)
    final = evidence.model_copy(
        update={"champion": compared, "trials": counted, "verdict": verdict}
    )
    return Decision(verdict, alias, serves(alias, champion), final)


def alias_of(verdict: Verdict) -> str:
    """Return the alias that a verdict gives."""
    return CHAMPION if verdict.promoted else CHALLENGER


def serves(alias: str, champion: Champion | None) -> bool:
    """Return whether a new version serves: a challenger only as long as there is no champion."""
    return alias == CHAMPION or champion is None
