"""Opening the locked window of a home for a model family, once."""

from typing import TYPE_CHECKING

import pandas as pd

from audit.lookahead import refuse_leaks
from feature_repo.features.definition_hash import definition_hash
from optrade.clock import utc_now
from optrade.flows.train.jobs import Job, home_recipe, job_of, landed_prices
from training.locked.run import record_opening
from training.locked.window import Opening, Score, locked_fold, open_once, openings, scored

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def open_locked(run: "Runtime", task: str, model: str, ticker: str, *, pooled: bool) -> Opening:
    """Fit a family on all that was known before the locked window, and score the window.

    Raises
    ------
    InputError
        If the family was scored before, or the home lacks what it needs: nothing is looked at then.
    """
    job = job_of(task, ticker, model, pooled=pooled)
    tags = {"origin": run.home.origin()}
    return open_once(
        run.home.files.locked_log,
        {"task": task, "model": model, "ticker": ticker},
        {"definition_hash": definition_hash(), "settings": job.document()},
        utc_now,
        lambda: _prepared(run, job),
        lambda opening: record_opening(opening, run.home.mlruns, tags),
    )


def locked_openings(run: "Runtime") -> tuple[Opening, ...]:
    """Return every opening of the home's locked window."""
    return openings(run.home.files.locked_log)


def _prepared(run: "Runtime", job: Job) -> Score:
    entry = landed_prices(run, job.settings.ticker)
    refuse_leaks(run.home.data, job.settings.ticker)
    first, last = pd.Timestamp(entry.first), pd.Timestamp(entry.last)
    made = home_recipe(run, job, first, last)
    rows, settings = made.rows, made.settings
    fold = locked_fold(rows.sessions, rows.label_ends, last, rows.tested)
    return lambda: scored(made.task, made.evaluate(fold), settings.resamples, settings.seed)
