"""A home holds one simulated market: a seed and a strength, which it knows by itself."""

from pathlib import Path

import pandas as pd
import pytest

from ingestion.lake.lake import Lake
from ingestion.lake.simulation import FIRST, Simulation, chosen, held, hold
from ingestion.tables.catalogue import MACRO_SERIES
from market.errors import DamagedFile, InputError

OURS = Simulation(seed=3, signal_strength=0.5)


def test_the_market_that_landed_is_the_homes_for_good(tmp_path: Path) -> None:
    hold(tmp_path, OURS, landed=False)
    hold(tmp_path, OURS, landed=True)
    for other in ({"seed": 4}, {"signal_strength": 0.0}):
        with pytest.raises(InputError, match="holds the simulated market of --seed 3 --signal-str"):
            hold(tmp_path, OURS.model_copy(update=other), landed=True)
    assert held(tmp_path) == OURS


def test_a_market_of_which_nothing_landed_binds_nobody(tmp_path: Path) -> None:
    hold(tmp_path, OURS, landed=False)
    hold(tmp_path, FIRST, landed=False)
    assert held(tmp_path) == FIRST


def land(data: Path, origin: str) -> None:
    with Lake(data) as lake:
        row = {"series": "DGS10", "observation_date": "2024-11-14", "vintage_date": pd.NaT}
        frame = pd.DataFrame([row | {"value": 4.0}]).astype(MACRO_SERIES.dtypes)
        lake.land(MACRO_SERIES, frame, origin, pd.Timestamp("2024-11-15T21:30Z"))


def test_a_record_that_is_lost_lets_no_other_market_land(tmp_path: Path) -> None:
    hold(tmp_path, OURS, landed=False)
    land(tmp_path, "simulated")
    (tmp_path / "simulation.json").unlink()
    for seed in (None, OURS.seed):
        with pytest.raises(
            DamagedFile, match=r"simulation\.json is missing; .*restore it.*new home"
        ):
            chosen(tmp_path, seed, None)
    with pytest.raises(DamagedFile, match=r"simulation\.json is missing"):
        hold(tmp_path, OURS, landed=True)
    assert not (tmp_path / "simulation.json").exists()
    (tmp_path / "simulation.json").write_text('{"seed": 3, "signal_strength": 0.5}')
    assert chosen(tmp_path, None, None) == OURS


def test_a_home_of_another_origin_lacks_no_record(tmp_path: Path) -> None:
    land(tmp_path, "live")
    assert held(tmp_path) is None


def test_what_is_not_named_is_the_homes_own(tmp_path: Path) -> None:
    assert chosen(tmp_path, None, None) == FIRST
    hold(tmp_path, OURS, landed=False)
    assert chosen(tmp_path, None, None) == OURS
    assert chosen(tmp_path, 4, None) == Simulation(seed=4, signal_strength=0.5)
    assert chosen(tmp_path, None, 0.0) == Simulation(seed=3, signal_strength=0.0)


def test_a_strength_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="signal_strength"):
        chosen(tmp_path, None, float("nan"))


def test_a_damaged_record_is_refused_by_name(tmp_path: Path) -> None:
    hold(tmp_path, OURS, landed=False)
    (tmp_path / "simulation.json").write_text('{"seed":')
    with pytest.raises(InputError, match=r"simulation\.json"):
        chosen(tmp_path, None, None)
