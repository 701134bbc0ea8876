"""A diagnosis of a home's recipe, beside the look-ahead audit's verdict."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from audit.lookahead import leaks
from optrade.flows.train.jobs import home_recipe, job_of, landed_prices
from optrade.periods import training_window
from training.diagnose.diagnose import diagnose
from training.locked.window import locked_sessions, window_start

if TYPE_CHECKING:
    from optrade.runtime import Runtime

CUTS = 3  # of the audit, as before a training


def diagnose_home(
    run: "Runtime",
    task: str,
    ticker: str,
    model_type: str,
    window: tuple[str, str | None, str | None],
    *,
    pooled: bool,
) -> dict[str, Any]:
    """Return a diagnosis as one JSON-ready document.

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
    leaking = {leak.feature for leak in audited.leaks}
    features = [
        {**row, "reads_later_sessions": row["name"] in leaking} for row in found["features"]
    ]
    mine = made.rows.sessions[made.rows.tested]
    return {
        "ticker": ticker,
        "task": task,
        "model": model_type,
        "pooled": pooled,
        "window": {
            "start": f"{mine[0]:.10}",
            "end": f"{mine[-1]:.10}",
            "sessions": len(mine),
            "locked_sessions": locked_sessions(mine, last),
        },
        "score": job.task.headline[1],
        **found,
        "features": features,
        "suspects": [row["name"] for row in features if row["suspect"]],
        "audit": {
            "findings": len(audited.leaks),
            "compared": audited.compared,
            "features": sorted(leaking),
        },
    }
