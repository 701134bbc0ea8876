"""What becomes of a trained model: its verdict, its alias, and what serves after it. Pure.

The rules of promotion and serving (Decisions 11, 20 and 21) are `place`, over what `gate` finds:
nothing else decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from home.records.evidence import Standing
from home.records.training.evidence import TrainingEvidence
from home.records.training.judged import Verdict
from training.judge.against_champion import Champion, comparison
from training.judge.gate import beats_champion, stand
from training.judge.trials import trials_evidence

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
#: What serves where no version is at least unrefuted.
BASELINE: Final = "baseline"

Alias = Literal["champion", "challenger"]
#: A candidate beside the champion: there is none, it takes the place, or the champion keeps it.
Contest = Literal["none", "won", "lost"]
#: What serves after a training: the candidate, what served before, or the gate's baseline.
Serves = Literal["candidate", "incumbent", "baseline"]


@dataclass(frozen=True)
class Place:
    """The alias that a version gets, and what serves now."""

    alias: Alias | None
    serves: Serves


@dataclass(frozen=True)
class Incumbents:
    """Who was there before a candidate.

    Attributes
    ----------
    champion
        Whom it has to stand up to, None if there is none, or it is refuted.
    same_recipe
        Whether the candidate is the champion's recipe, trained again.
    unrefuted
        Whether an unrefuted version of the model is registered that may serve.
    """

    champion: Champion | None = None
    same_recipe: bool = False
    unrefuted: bool = False


@dataclass(frozen=True)
class Decision:
    """What becomes of a model.

    Attributes
    ----------
    evidence
        The final evidence: trials counted, champion compared, verdict made anew.
    """

    verdict: Verdict
    place: Place
    evidence: TrainingEvidence


def place(standing: Standing, contest: Contest, *, unrefuted: bool, trial: bool = False) -> Place:
    """Return a candidate's alias and what serves after it.

    Parameters
    ----------
    standing
        Of the candidate.
    contest
        What came of it beside the champion.
    unrefuted
        Whether another unrefuted version may serve.
    trial
        A trial is judged and registered, and changes nothing.
    """
    if trial:
        return Place(None, "incumbent")
    if standing == "refuted":
        return Place(None, "incumbent" if unrefuted or contest != "none" else "baseline")
    if standing == "proven" and contest != "lost":
        return Place("champion", "candidate")
    return Place("challenger", "candidate" if contest == "none" else "incumbent")


def decide(
    evidence: TrainingEvidence,
    losses: pd.DataFrame,
    before: Incumbents,
    trials: Sequence[pd.DataFrame] | None = None,
    *,
    trial: bool = False,
) -> Decision:
    """Return what becomes of a candidate.

    Parameters
    ----------
    evidence
        As `evidence.assemble` makes it.
    losses
        Of the candidate, as `out_of_fold.losses` gives them.
    before
        Who was there before it.
    trials
        Losses of all other trials of the model; None keeps the trials that the evidence holds.
    trial
        Whether it is judged alone, and never serves.
    """
    resamples, seed = evidence.count("resamples"), evidence.count("seed")
    champion = before.champion
    compared = None if champion is None else comparison(losses, champion, resamples, seed)
    counted = evidence.trials
    if trials is not None:
        counted = trials_evidence(losses, trials, resamples, seed)
    standing, words = stand(evidence.gate, counted)
    contest: Contest = "none"
    if compared is not None:
        metric = evidence.gate.metric
        wins, beside = beats_champion(compared, same_recipe=before.same_recipe, metric=metric)
        contest, words = "won" if wins else "lost", f"{words}; {beside}"
    found = place(standing, contest, unrefuted=before.unrefuted, trial=trial)
    verdict = Verdict(
        proven=standing == "proven",
        standing=standing,
        promoted=found.alias == CHAMPION,
        words=f"{words}; {_ending(found, contest, trial=trial)}",
    )
    final = evidence.model_copy(
        update={"champion": compared, "trials": counted, "verdict": verdict}
    )
    return Decision(verdict, found, final)


def _ending(found: Place, contest: Contest, *, trial: bool) -> str:
    if trial:
        return "a trial: what serves stays"
    if found.serves == "baseline":
        return "not promoted, the baseline serves"
    if found.alias == CHAMPION:
        return "no champion to compare with" if contest == "none" else "promoted"
    return "not promoted"
