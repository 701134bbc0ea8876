"""The store under the name that a Feast project gives it, by Feast's own commands."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from feast import FeatureStore
from feast.repo_config import load_repo_config

from feature_repo.asof_store import AsofOfflineStore
from feature_repo.store.repo_config import REPO, STORE, write_feature_store_yaml

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "asof_store.md").read_text()
FEAST = Path(sys.executable).with_name("feast")
OLD = "feature_repo.asof_store.AsofOfflineStore"
# What the command line needs, and a store in another project does not.
HEAVY = ("optrade.cli", "typer", "mlflow", "bentoml", "sklearn", "redis", "great_expectations")


def run(folder: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def block(language: str, start: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.S)
    (found,) = (text for text in blocks if text.startswith(start))
    return found


def project(folder: Path) -> Path:
    """The project of the guide: `feature_repo` with its configuration, definitions and a file."""
    repo = folder / "feature_repo"
    (repo / "data" / "rating").mkdir(parents=True)
    (repo / "__init__.py").touch()
    (repo / "feature_store.yaml").write_text(block("yaml", "project: rides"))
    (repo / "definitions.py").write_text(block("python", "from datetime"))
    times = pd.DatetimeIndex([datetime(2024, 3, 8, 12, tzinfo=UTC)] * 2)
    created = times + pd.to_timedelta([0, 24], unit="h")
    rows = {"driver": ["ann", "ann"], "event_timestamp": times, "created_timestamp": created}
    frame = pd.DataFrame({**rows, "stars": [4.0, 5.0]})
    frame.to_parquet(repo / "data" / "rating" / "2024.parquet")
    return repo


@pytest.mark.integration
def test_commands_of_the_guide_work_in_a_project_named_as_feast_names_it(tmp_path: Path) -> None:
    repo = project(tmp_path)
    commands = [line.split()[1:] for line in block("sh", "feast apply").splitlines()]
    assert [command[0] for command in commands] == ["apply", "materialize", "monitor"]
    told = [run(repo, str(FEAST), *command) for command in commands]
    assert "Created feature view rating" in told[0]
    assert "Status: completed" in told[2]
    # Beside the project its folder is the package `feature_repo`: found first, and not in the way.
    script = """
import json
from datetime import UTC, datetime
from feast import FeatureStore
import feature_repo.definitions
store = FeatureStore("feature_repo")
import pandas as pd
hours = [datetime(2024, 3, 8, 13, tzinfo=UTC), datetime(2024, 3, 9, 12, tzinfo=UTC)]
frame = pd.DataFrame({"driver": "ann", "event_timestamp": hours})
found = store.get_historical_features(frame, ["rating:stars"]).to_df()["stars"].tolist()
online = store.get_online_features(["rating:stars"], [{"driver": "ann"}]).to_dict()["stars"]
print(json.dumps([found, online]))
"""
    answer = run(tmp_path, sys.executable, "-c", script).splitlines()[-1]
    assert json.loads(answer) == [[4.0, 5.0], [5.0]]


def test_importing_the_store_is_light() -> None:
    script = f"import sys, optrade.offline_store; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(ROOT, sys.executable, "-c", script).splitlines()[-1] == "[]"


def test_a_home_names_the_store_so_and_an_older_one_still_works(tmp_path: Path) -> None:
    path = write_feature_store_yaml(tmp_path, None)
    assert f'"type": "{STORE}"' in path.read_text()
    for text in (path.read_text(), path.read_text().replace(STORE, OLD)):
        path.write_text(text)
        store = FeatureStore(config=load_repo_config(REPO, path))
        assert isinstance(store._get_provider().offline_store, AsofOfflineStore)
        assert store.config.offline_store.known_at is True
