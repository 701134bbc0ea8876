"""A home holds one simulated market: a seed and a strength, which it knows by itself."""

from pathlib import Path

import pytest

from ingestion.lake.simulation import FIRST, Simulation, chosen, held, hold
from market.errors import InputError

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


def test_a_home_from_before_the_record_takes_what_comes(tmp_path: Path) -> None:
    hold(tmp_path, OURS, landed=True)
    assert held(tmp_path) == OURS


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
