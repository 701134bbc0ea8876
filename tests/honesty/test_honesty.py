"""Training on markets of known signal, in short; `python -m benchmarks.honesty` is the whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from feast import FeatureStore, RepoConfig

from audit.lookahead import refuse_leaks
from benchmarks.honesty import (
    STRENGTH,
    Row,
    Span,
    Trial,
    null_row,
    planted_row,
    run_trial,
    table,
    training_frame,
)
from feature_repo.features.macro.group import DAILY, MONTHLY
from feature_repo.store.repo_config import REPO, document
from ingestion.build.build import build_features
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import TABLES
from ingestion.views.iv import index_symbols
from market.calendar import decision_time, sessions
from market.errors import InputError
from training.frames.dataset import load_frame

SHORT = Span("2000-01-03", "2010-01-04", "2022-12-30")
LAST = "2023-06-30"
KEYS = {
    "prices": ["SPY"],
    "indices": list(dict.fromkeys(index_symbols("SPY").values())),
    "macro_series": [*DAILY, *MONTHLY],
}


@pytest.fixture(scope="module")
def source() -> Simulated:
    return Simulated(5, 0.3, decision_time(pd.DatetimeIndex([LAST]))[0], "2021-01-04")


@pytest.fixture(scope="module")
def home(source: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("honest") / "data"
    with Lake(data) as lake:
        for name, keys in KEYS.items():
            rows = source.fetch(name, keys, None, source.last_session())
            lake.land(TABLES[name], rows, "simulated", source.as_of)
        build_features(lake, ["SPY"], source.as_of)
    return data


def test_the_frame_without_a_home_is_the_stores(source: Simulated, home: Path) -> None:
    store = FeatureStore(config=RepoConfig(repo_path=REPO, **document(home, None)))
    apply(store, home)
    read = load_frame(store, "direction", ["SPY"], sessions("2021-01-04", LAST))
    made = training_frame(source, "SPY")[list(read.columns)]
    assert len(read.columns) == 2 + 135
    assert read.notna().mean(axis=None) > 0.7
    pd.testing.assert_frame_equal(made, read, check_exact=True, check_freq=False)


def test_a_planted_leak_stops_training(source: Simulated, home: Path) -> None:
    refuse_leaks(home, "SPY")
    with Lake(home) as lake:
        build_features(lake, ["SPY"], source.as_of, plant_leak=True)
    with pytest.raises(InputError, match=r"read later sessions .*technical:returns_1d"):
        refuse_leaks(home, "SPY")


def test_without_a_signal_nothing_is_found_or_promoted() -> None:
    trials = [run_trial(seed, 0.0, "ridge", SHORT) for seed in range(2)]
    assert not any(trial.promoted for trial in trials)
    assert abs(np.mean([trial.auc for trial in trials]) - 0.5) < 0.04


def test_a_planted_signal_is_found_and_promoted() -> None:
    trials = [run_trial(seed, STRENGTH, "ridge", SHORT) for seed in range(2)]
    assert all(trial.promoted for trial in trials)
    for trial in trials:
        assert 0.72 < trial.expected < 0.80
        assert trial.auc > trial.best - 0.05


# ---------------------------------------------------------------- the bounds

NULL = Trial(0, 0.5, 0.51, best=0.5, expected=0.5, promoted=False)
FOUND = Trial(0, 0.69, 0.7, best=0.7, expected=0.7, promoted=True)


def spread(trial: Trial, count: int, around: float, promoted: int) -> list[Trial]:
    aucs = around + 0.02 * np.resize([1.0, -1.0], count)
    each = enumerate(aucs.tolist())
    return [replace(trial, seed=at, auc=auc, promoted=at < promoted) for at, auc in each]


@pytest.mark.parametrize(
    ("around", "promoted", "holds"),
    [(0.5, 10, True), (0.5, 11, False), (0.505, 0, False), (0.495, 0, False), (0.503, 3, True)],
)
def test_the_bound_without_a_signal(around: float, promoted: int, holds: bool) -> None:
    row = null_row(spread(NULL, 100, around, promoted))
    assert row.holds is holds
    assert row.error == pytest.approx(0.002, rel=0.01)


@pytest.mark.parametrize(
    ("around", "promoted", "holds"),
    [(0.69, 20, True), (0.69, 19, False), (0.679, 20, False), (0.75, 20, True)],
)
def test_the_bound_with_a_signal(around: float, promoted: int, holds: bool) -> None:
    assert planted_row(spread(FOUND, 20, around, promoted)).holds is holds


def test_the_table_says_which_bound_broke() -> None:
    rows: list[Row] = [null_row(spread(NULL, 100, 0.5, 0)), planted_row(spread(FOUND, 20, 0.6, 20))]
    lines = table(rows).splitlines()
    assert lines[1].endswith("promoted <= 10: holds")
    assert lines[2].endswith("promoted 20: BROKEN")
