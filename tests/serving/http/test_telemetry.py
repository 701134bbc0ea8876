"""BentoML's usage reports: every way from the command line to a report, in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
# BentoML's command decorates itself with its report; what it would send is written down instead.
SCRIPT = """
import sys
import click, httpx
sent = []
httpx.post = lambda url, **_: sent.append(url)
from bentoml._internal.utils.analytics import usage_stats
from bentoml_cli.utils import BentoMLCommandGroup

@click.group(cls=BentoMLCommandGroup, name="bentoml")
def cli(): pass

@cli.command(name="serve")
def serve():
    from _bentoml_impl.loader import load
    if {load}:
        load({service!r}, {root!r})
    if {start}:
        service = load({service!r}, {root!r})
        with usage_stats.track_serve(service):
            pass

try:
    cli(["serve"], standalone_mode=False)
except Exception as error:
    print("failed", type(error).__name__)
print("reports", len(sent))
"""


def run(load=True, start=True, service="serving.service:SignalService", **environment):
    kept = {k: v for k, v in os.environ.items() if not k.endswith("DO_NOT_TRACK")}
    code = SCRIPT.format(load=load, start=start, service=service, root=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_a_command_that_loads_no_service_would_report():
    """The control: the script sees reports where there are some."""
    assert run(load=False, start=False).endswith("reports 1\n")


def test_serving_reports_nothing():
    assert run() == "reports 0\n"


def test_a_service_that_fails_to_load_reports_nothing(tmp_path):
    # A Feast that cannot be loaded stands for any broken installation.
    (tmp_path / "feast.py").write_text("raise RuntimeError")
    said = run(PYTHONPATH=str(tmp_path))
    assert said == "failed RuntimeError\nreports 0\n"


def test_a_user_who_wants_to_report_may():
    assert run(BENTOML_DO_NOT_TRACK="False").endswith("reports 2\n")
