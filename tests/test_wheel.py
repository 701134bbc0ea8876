"""The wheel works without the checkout: whole, nothing of the tests, a home of the user's own."""

import json
import os
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
    "wheel"
]["packages"]
MAIN = "import sys; from optrade.cli import main; main()"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without fetching anything."""
    to = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(to)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(to.glob("*.whl"))


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="module")
def installed(
    wheel: Path, users: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `optrade` out of the unpacked wheel, with the user's folders below a temporary one."""
    site = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(site)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OPTRADE", "REDIS"))}
    environment |= {"PYTHONPATH": str(site), "XDG_DATA_HOME": str(users), "HOME": str(users)}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", MAIN, *words]
        return subprocess.run(command, cwd=users, env=environment, capture_output=True, text=True)

    return run


def test_a_wheel_holds_the_rooms_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    rooms = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert rooms == set(ROOMS)
    assert {f"{room}/py.typed" for room in ROOMS} <= set(names)
    for data in ("training/report/page.html.j2", "feature_repo/feature_store.yaml"):
        assert data in names
    assert "feature_repo/.feastignore" in names


def test_an_installed_version_is_that_of_the_project(installed) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert installed("--version").stdout.strip() == version


@pytest.mark.integration
def test_an_installed_project_keeps_its_home_in_the_users_folder(installed, users: Path) -> None:
    words = ("ingest", "--source", "simulated", "--tickers", "SPY", "--json")
    ingest = installed(*words)
    try:
        assert ingest.returncode == 0, ingest.stderr
        assert json.loads(ingest.stdout)
        (manifest,) = users.glob("optrade/data/manifest.json")
        assert json.loads(manifest.read_text())["origin"] == "simulated"
    finally:
        stopped = installed("redis", "stop")
    assert stopped.returncode == 0, stopped.stderr
