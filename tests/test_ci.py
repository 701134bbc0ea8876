"""CI: what it does before the tests, with stand-ins for programs, and that no test is left out."""

import os
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RUN = ROOT / ".ci" / "run"
INSTALL = "apt-get install -y -qq --no-install-recommends chromium redis-server"


def run(folder: Path, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it with a PATH of a few programs of the system and these stand-ins."""
    for name in ("bash", "dirname", "timeout"):
        (folder / name).symlink_to(shutil.which(name))
    for name, body in {"make": 'echo "make $*"', **programs}.items():
        (folder / name).write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (folder / name).chmod(0o700)
    environment = {**os.environ, "PATH": str(folder)}
    return subprocess.run([RUN], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("programs", "called", "said"),
    [
        ({"id": "echo 0", "apt-get": 'echo "apt-get $*"'}, INSTALL, ""),
        ({"id": "echo 0", "apt-get": "exit 100"}, "make test", "could not install chromium"),
        ({"id": "echo 1000", "apt-get": "exit 1"}, "make test", "no chromium redis-server, and no"),
        ({"id": "echo 0"}, "make test", "going on without"),
        ({"chromium": "", "redis-server": ""}, "make test", ""),
    ],
    ids=["root", "no network", "no root", "no apt-get", "both there"],
)
def test_what_is_missing_is_installed_where_that_is_possible(
    tmp_path: Path, programs: dict[str, str], called: str, said: str
) -> None:
    done = run(tmp_path, programs)
    assert done.returncode == 0, done.stderr
    assert called in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1] == "make test"
    assert said in done.stderr if said else done.stderr == ""


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    """By its own default pytest looks into no folder named build, dist or venv."""
    passed_over = pytestconfig.getini("norecursedirs")
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert ROOT / "tests" / "ingestion" / "build" in folders
    assert not [
        str(folder)
        for folder in folders
        for name in folder.relative_to(ROOT).parts
        if any(fnmatch(name, pattern) for pattern in passed_over)
    ]
