"""What CI runs before the tests, with programs that only say what they were called with."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).resolve().parents[1] / ".ci" / "run"
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
