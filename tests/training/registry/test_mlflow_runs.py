from collections.abc import Callable

import pandas as pd
import pytest

from home.records.training.evidence import Pooled, TrainingEvidence
from tests.training.evidences import bare, gate
from training.registry.mlflow_runs import figures
from training.settings import Settings
from training.tasks.catalogue import TASKS
from training.tasks.direction import DIRECTION
from training.tasks.regime import REGIME
from training.walk import walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]


def evidence(improvement: float | None = 0.01, bound: float | None = -0.005) -> TrainingEvidence:
    interval = None if bound is None else [-0.01, 0.03]
    return bare(gate(bound, interval, improvement)).model_copy(
        update={
            "pooled": Pooled(
                scores={"log_loss": 0.6, "precision": None},
                fold_mean={"log_loss": 0.61, "f1": None},
            ),
            "baselines": {
                "class_prior": {"log_loss": 0.61, "f1": None},
                "always_up": {"f1": 0.7},
            },
        }
    )


def test_metrics_are_flat_known_figures_each_beside_its_baseline() -> None:
    assert figures(evidence()) == {
        "log_loss": 0.6,
        "class_prior.log_loss": 0.61,
        "fold_mean.log_loss": 0.61,
        "improvement": 0.01,
        "improvement_low": -0.01,
        "improvement_high": 0.03,
        "improvement_bound": -0.005,
    }


def test_what_could_not_be_measured_is_no_metric() -> None:
    found = figures(evidence(improvement=None, bound=None))
    assert not [name for name in found if name.startswith("improvement")]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_figures_with_the_gates_among_them(
    task: str, make_direction: Frames, make_regime: Callable[..., pd.DataFrame]
) -> None:
    if task == "regime":
        trained = walk(REGIME, make_regime(500), None, Settings("SPY", resamples=50))
    else:
        settings = Settings("SPY", resamples=50)
        trained = walk(DIRECTION, *make_direction(500), settings)
    found = figures(trained.evidence)
    baseline = trained.tested.gate
    gain = found[f"{baseline}.log_loss"] - found["log_loss"]
    assert found["improvement"] == pytest.approx(gain)
    assert found["improvement_low"] <= found["improvement_bound"] <= found["improvement_high"]
    assert all(isinstance(value, float) for value in found.values())
