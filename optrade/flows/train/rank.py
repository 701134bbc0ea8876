"""The IV rank with an interval, for a ticker: evidence, kept as a run in MLflow."""

from typing import TYPE_CHECKING, Final

from audit.lookahead import refuse_leaks
from home.records.training.rank import RankEvidence
from optrade.flows.train.jobs import landed_prices, training_inputs
from optrade.flows.train.window import Window
from optrade.periods import training_window
from training.registry.mlflow_runs import EVIDENCE, log_document
from training.registry.mlflow_runs import run as tracked
from training.registry.tracking_database import tracking
from training.settings import Settings
from training.tasks.rank import RANK
from training.walk import walk_rank

if TYPE_CHECKING:
    from optrade.runtime import Runtime

EXPERIMENT: Final = RANK.name


def judge_rank(run: "Runtime", settings: Settings, window: Window) -> RankEvidence:
    """Return the evidence of the rank forecast of a ticker, recorded as a run.

    Nothing is registered: the regime model of the same paths carries the forecast into signals.

    Raises
    ------
    InputError
        If the window or the data does not allow a training, or a feature reads later sessions.
    """
    resolved = RANK.resolve(settings)
    entry = landed_prices(run, resolved.ticker)
    start, end = training_window(window.period, window.start, window.end, entry.first, entry.last)
    refuse_leaks(run.home.data, resolved.ticker)
    store = run.feature_store(online=False)
    frame, _ = training_inputs(run, store, RANK, resolved, start, end)
    evidence = walk_rank(frame, resolved, start)
    _record(run, resolved, evidence)
    return evidence


def _record(run: "Runtime", settings: Settings, evidence: RankEvidence) -> None:
    from mlflow.entities import Metric, Param

    tags = {
        "mlflow.runName": f"rank_{settings.ticker}",
        "ticker": settings.ticker,
        "task": EXPERIMENT,
        "origin": run.home.origin(),
        "proven": str(evidence.verdict.proven).lower(),
        "standing": evidence.verdict.standing,
        "verdict": evidence.verdict.words,
    }
    mlruns = run.home.mlruns
    with tracking(mlruns) as client, tracked(client, mlruns, EXPERIMENT, tags) as run_id:
        params = [Param(name, str(value)) for name, value in evidence.settings.items()]
        metrics = [Metric(name, value, 0, 0) for name, value in evidence.pooled.items()]
        client.log_batch(run_id, metrics=metrics, params=params)
        log_document(client, run_id, evidence.document(), EVIDENCE)
