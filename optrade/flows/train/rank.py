"""The IV rank with an interval, for a ticker: evidence, kept as a run in MLflow."""

from typing import TYPE_CHECKING, Any, Final

from audit.lookahead import refuse_leaks
from optrade.flows.train.models import Window
from optrade.flows.train.recipes import landed_prices, training_inputs
from optrade.periods import training_window
from training.registry.mlflow_runs import EVIDENCE, open_client
from training.registry.mlflow_runs import run as tracked
from training.settings import RegimeSettings
from training.tasks.rank import rank_evidence

if TYPE_CHECKING:
    from optrade.runtime import Runtime

EXPERIMENT: Final = "rank"


def judge_rank(run: "Runtime", settings: RegimeSettings, window: Window) -> dict[str, Any]:
    """Return the evidence of the rank forecast of a ticker, recorded as a run.

    Nothing is registered: the regime model of the same paths carries the forecast into signals.

    Raises
    ------
    InputError
        If the window or the data does not allow a training, or a feature reads later sessions.
    """
    entry = landed_prices(run, settings.ticker)
    start, end = training_window(window.period, window.start, window.end, entry.first, entry.last)
    refuse_leaks(run.home.data, settings.ticker)
    store = run.feature_store(online=False)
    frame, _ = training_inputs(run, store, settings, start, end)
    evidence = rank_evidence(frame, settings, start)
    _record(run, settings, evidence)
    return evidence


def _record(run: "Runtime", settings: RegimeSettings, evidence: dict[str, Any]) -> None:
    from mlflow.entities import Metric, Param

    client = open_client(run.home.mlruns)
    tags = {
        "mlflow.runName": f"rank_{settings.ticker}",
        "ticker": settings.ticker,
        "task": EXPERIMENT,
        "origin": run.home.origin(),
        "proven": str(evidence["verdict"]["proven"]).lower(),
        "verdict": evidence["verdict"]["words"],
    }
    with tracked(client, run.home.mlruns, EXPERIMENT, tags) as run_id:
        params = [Param(name, str(value)) for name, value in evidence["settings"].items()]
        metrics = [Metric(name, value, 0, 0) for name, value in evidence["pooled"].items()]
        client.log_batch(run_id, metrics=metrics, params=params)
        client.log_dict(run_id, evidence, EVIDENCE)
