"""A diagnosis of a home's recipe, beside the look-ahead audit's verdict."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pandas as pd

from audit.lookahead import leaks
from home.strict_json import Json
from optrade.flows.train.jobs import home_recipe, job_of, landed_prices
from optrade.periods import training_window
from training.diagnose.diagnose import diagnose
from training.diagnose.found import Diagnosis
from training.locked.window import locked_sessions, window_start

if TYPE_CHECKING:
    from optrade.runtime import Runtime

CUTS = 3  # of the audit, as before a training


@dataclass(frozen=True)
class DiagnosedWindow:
    """The sessions looked at, as ISO dates and counts."""

    start: str
    end: str
    sessions: int
    locked_sessions: int


@dataclass(frozen=True)
class Audited:
    """What the look-ahead audit found: `features` are those that read later sessions."""

    findings: int
    compared: int
    features: list[str]


@dataclass(frozen=True)
class HomeDiagnosis:
    """A diagnosis of a home's recipe; `score` is the name of the learning curve's second score."""

    ticker: str
    task: str
    model: str
    pooled: bool
    window: DiagnosedWindow
    score: str
    found: Diagnosis
    audit: Audited

    @property
    def suspects(self) -> list[str]:
        """Features that alone say implausibly much."""
        return [one.name for one in self.found.features if one.suspect]

    def document(self) -> dict[str, Json]:
        """Return the diagnosis as plain values."""
        found, late = self.found, self.audit.features
        return {
            "ticker": self.ticker,
            "task": self.task,
            "model": self.model,
            "pooled": self.pooled,
            "window": asdict(self.window),
            "score": self.score,
            "learning_curve": [one.document(self.score) for one in found.learning_curve],
            "second_opinion": asdict(found.second_opinion),
            "features": [
                {**asdict(one), "reads_later_sessions": one.name in late} for one in found.features
            ],
            "drift": [asdict(one) for one in found.drift],
            "worst_days": [asdict(one) for one in found.worst_days],
            "suspects": self.suspects,
            "audit": asdict(self.audit),
        }


def diagnose_home(
    run: "Runtime",
    task: str,
    ticker: str,
    model_type: str,
    window: tuple[str, str | None, str | None],
    *,
    pooled: bool,
) -> HomeDiagnosis:
    """Return a diagnosis of the recipe of a home.

    Parameters
    ----------
    window
        Period, start and end as asked for. Without an end it ends before the home's locked
        window: a diagnosis is development.

    Raises
    ------
    InputError
        If the home lacks what a training needs, or the window is too short for its folds.
    """
    job = job_of(task, ticker, model_type, pooled=pooled)
    entry = landed_prices(run, ticker)
    last = pd.Timestamp(entry.last)
    period, start, end = window
    unlocked = (window_start(last) - pd.Timedelta(days=1)).date().isoformat()
    begin, stop = training_window(period, start, end or unlocked, entry.first, entry.last)
    made = home_recipe(run, job, begin, stop)
    found = diagnose(made)
    audited = leaks(run.home.data, [ticker], CUTS, seed=0)
    mine = made.rows.sessions[made.rows.tested]
    return HomeDiagnosis(
        ticker=ticker,
        task=task,
        model=model_type,
        pooled=pooled,
        window=DiagnosedWindow(
            start=f"{mine[0]:.10}",
            end=f"{mine[-1]:.10}",
            sessions=len(mine),
            locked_sessions=locked_sessions(mine, last),
        ),
        score=job.task.headline[1],
        found=found,
        audit=Audited(
            findings=len(audited.leaks),
            compared=audited.compared,
            features=sorted({leak.feature for leak in audited.leaks}),
        ),
    )
