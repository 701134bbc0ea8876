"""A locked window's result as an MLflow run, beside the trainings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from home.records.training.locked import LockedResult
from training.locked.window import Opening, words_of
from training.registry.mlflow_runs import run
from training.registry.tracking_database import tracking

EXPERIMENT: Final = "locked"
RESULT: Final = "result.json"


def record_opening(opening: Opening, mlruns_dir: Path, tags: Mapping[str, str]) -> str:
    """Write a kept result to the experiment `locked`; return the id of the run.

    Parameters
    ----------
    tags
        More tags of the run, such as the origin of the data.
    """
    from mlflow.entities import Metric, Param

    result = opening.result
    if result is None:
        raise TypeError("an opening that was cut off has no result to record")
    known = {
        "mlflow.runName": words_of(opening.family),
        "definition_hash": result.definition_hash,
        "opened_at": opening.opened_at[0],
        **opening.family,
        **tags,
    }
    with tracking(mlruns_dir) as client, run(client, mlruns_dir, EXPERIMENT, known) as run_id:
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, 0, 0) for name, value in _figures(result).items()],
            params=[Param(name, str(value)) for name, value in result.settings.items()],
        )
        client.log_dict(run_id, opening.document(), RESULT)
    return run_id


def _figures(result: LockedResult) -> dict[str, float]:
    """Return the scores, the gate baseline's beside them, and the difference with its interval."""
    gate = result.gate
    low, high = gate.interval or (None, None)
    found = dict(result.scores)
    found |= {f"{gate.baseline}.{k}": v for k, v in result.baselines[gate.baseline].items()}
    found |= {"improvement": gate.improvement, "improvement_bound": gate.bound}
    found |= {"improvement_low": low, "improvement_high": high}
    return {name: value for name, value in found.items() if value is not None}
