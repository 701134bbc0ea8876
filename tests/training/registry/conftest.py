"""A home with an MLflow database of its own, and trainings to register in it."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from training.registry.register import Registered, register
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.walk import Trained, walk

Frames = Callable[..., tuple[pd.DataFrame, pd.DataFrame]]
SETTINGS = Settings("SPY", resamples=100)
AT = pd.Timestamp("2024-11-29 21:30", tz="UTC")


class Home:
    """A home with an MLflow database of its own."""

    def __init__(self, folder: Path) -> None:
        self.mlruns, self.models = folder / "mlruns", folder / "models"
        self.reports = folder / "reports"
        self.paths = {"mlruns_dir": self.mlruns, "models_dir": self.models}
        self.count = 0

    def register(self, trained: Trained, **change: Any) -> Registered:
        self.count += 1
        given = {"definition_hash": "feed", "trained_at": AT + pd.Timedelta(hours=self.count)}
        return register(trained, **self.paths, reports_dir=self.reports, **(given | change))

    def cut_short(self, trained: Trained) -> None:
        """Register a training, and die before anything of it serves."""

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr("training.registry.register._write", die)
            self.register(trained)

    def served(self, name: str = "direction_SPY") -> dict[str, Any]:
        return json.loads((self.models / "serving" / f"{name}.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory: pytest.TempPathFactory, tracking_database: Path) -> Path:
    """A folder with a database without a run."""
    folder = tmp_path_factory.mktemp("mlruns")
    shutil.copy(tracking_database, folder)
    return folder


@pytest.fixture
def home(tmp_path: Path, tracking_database: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    made = Home(tmp_path / "home")
    made.mlruns.mkdir(parents=True)
    shutil.copy(tracking_database, made.mlruns)
    return made


@pytest.fixture(scope="session")
def noise(make_direction: Frames) -> Trained:
    """A training that found nothing."""
    return walk(DIRECTION, *make_direction(500, 1, 0.0), SETTINGS)


def worse(of: Trained) -> Trained:
    """Return a training that did significantly worse than the baseline."""
    figures = {"improvement": -0.4, "interval": [-0.6, -0.2], "bound": -0.55}
    gate = of.evidence.gate.model_copy(update=figures)
    return replace(of, evidence=of.evidence.model_copy(update={"gate": gate}))
