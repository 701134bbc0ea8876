"""The rules of the house: import-linter's contracts, and what pure rooms may not do."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
# What gives a module eyes on the world: files, the environment, the clock, the network.
IMPURE_MODULES = {
    "os", "io", "pathlib", "socket", "subprocess", "time", "urllib", "requests", "httpx", "redis",
    "httpx2", "sqlite3", "feast", "mlflow", "optrade", "tempfile", "shutil", "pydantic_settings",
}  # fmt: skip
IMPURE_CALLS = {"open", "print", "input"}
IMPURE_METHODS = {"now", "today", "utcnow", "to_csv", "to_parquet"}
# Frames are values; what carries them to or from a disk is not.
IMPURE_WORDS = ("read_", "scan_", "write_", "sink_")
# The rooms, and the modules of other rooms, that compute and do nothing else.
PURE = (
    "market", "forecasters", "home/records", "feature_repo/features",
    "ingestion/views", "ingestion/tables", "ingestion/gate/rules.py", "ingestion/gate/order.py",
    "ingestion/gate/sequences.py", "ingestion/gate/missing_bars.py", "ingestion/gate/adjustment.py",
    "ingestion/gate/levels.py", "ingestion/gate/chains.py",
    "training/frames", "training/judge", "training/fit", "training/tasks", "training/explain",
    "trading/strategies", "trading/structures", "trading/exports", "trading/judgement",
    "trading/backtest", "trading/report", "trading/paper",
    "trading/ledger/timing.py",
    "serving/answer/signals.py", "serving/answer/predictions.py", "serving/reading/freshness.py",
    "serving/answer/structure.py", "serving/http/examples.py", "serving/http/structure_example.py",
    "monitoring/drift/psi.py", "monitoring/drift/null.py", "monitoring/drift/quality.py",
)  # fmt: skip
EXEMPT = {
    "trading/report/page.py": "reads the template beside it",
    "feature_repo/features/definition_hash.py": "reads source text, to hash the definitions",
    "ingestion/views/reader.py": "the door between the lake and the views",
    "ingestion/tables/frames.py": "makes the bytes of a parquet file, in memory",
    "training/frames/cache.py": "keeps frames on the disk",
    "training/frames/dataset.py": "the door between the feature store and the frames",
}


def pure_files() -> list[str]:
    rooms = [ROOT / entry for entry in PURE]
    files = [f for room in rooms for f in (sorted(room.rglob("*.py")) if room.is_dir() else [room])]
    names = [str(f.relative_to(ROOT)) for f in files]
    return [name for name in names if name not in EXEMPT]


def impurities(name: str) -> list[str]:
    """Return what a module imports or calls that a pure one may not."""
    faults = []
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        if isinstance(node, ast.Import):
            faults += [a.name for a in node.names if a.name.split(".")[0] in IMPURE_MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module:
            faults += [node.module] if node.module.split(".")[0] in IMPURE_MODULES else []
        elif isinstance(node, ast.Call):
            target = node.func
            if isinstance(target, ast.Name) and target.id in IMPURE_CALLS:
                faults.append(target.id)
            if isinstance(target, ast.Attribute) and (
                target.attr in IMPURE_METHODS or target.attr.startswith(IMPURE_WORDS)
            ):
                faults.append(target.attr)
    return faults


@pytest.mark.parametrize("name", pure_files())
def test_pure_module_does_no_io_and_reads_no_clock(name: str) -> None:
    faults = impurities(name)
    assert not faults, f"{name} is pure: it may not use {', '.join(faults)}"


@pytest.mark.parametrize("name", EXEMPT)
def test_an_exemption_is_needed(name: str) -> None:
    assert impurities(name), f"{name} is pure by itself: take it out of EXEMPT"


def test_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]


def test_every_package_is_under_contract() -> None:
    built = set(CONFIG["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    ruled = set(CONFIG["tool"]["importlinter"]["root_packages"])
    assert built == ruled
