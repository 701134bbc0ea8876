"""Model files that are damaged or gone: found by what the registry knows, and written anew."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from home.layout import next_model, serving_model
from home.served_model import read_served
from market.errors import DamagedFile, InputError
from optrade.flows.doctor.models import check_models
from tests.training.registry.conftest import Home, worse
from training.registry.model_files import faults
from training.registry.restore import restore
from training.registry.what_serves import open_registry
from training.walk import Trained

NAME = "direction_SPY"


def files(home: Home) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in (home.models / "serving").rglob("*.*")}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def standby_of(home: Home) -> Path:
    (path,) = (home.models / "serving" / "standby" / NAME).glob("*.json")
    return path


def lose(path: Path) -> None:
    path.unlink()
    path.with_suffix(".sha256").unlink()


SPOILS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a flipped bit": (flip, "is damaged"),
    "nothing left in it": (lambda path: path.write_bytes(b""), "is damaged"),
    "its hash gone": (lambda path: path.with_suffix(".sha256").unlink(), "is damaged"),
    "the file gone": (Path.unlink, "is gone"),
    "both gone": (lose, "is gone"),
}


def mended(home: Home) -> list[str]:
    """Restore every fault, and return what was faulty."""
    found = faults(home.mlruns, home.models)
    assert {restore(home.mlruns, home.models, fault) for fault in found} == {1}
    assert faults(home.mlruns, home.models) == []
    return [fault.what for fault in found]


def test_every_file_of_a_version_is_found_and_restored(home: Home, noise: Trained) -> None:
    home.register(noise)
    good = files(home)
    assert faults(home.mlruns, home.models) == []
    for what in (serving_model(home.models, NAME), standby_of(home)):
        for spoil, words in SPOILS.values():
            spoil(what)
            (fault,) = faults(home.mlruns, home.models)
            assert words in fault.words
            findings = {one.check: one for one in check_models(home.mlruns, home.models)}
            assert findings[fault.what].level == "error"
            if fault.standby or words == "is gone":
                assert "optrade repair" in findings[fault.what].found
            mended(home)
            assert files(home) == good


def test_a_home_that_lost_its_models_folder_has_all_of_them_again(
    home: Home, noise: Trained
) -> None:
    home.register(noise)
    good, standby = files(home), standby_of(home).name
    shutil.rmtree(home.models / "serving")
    assert mended(home) == [f"model {NAME}", f"model {NAME} on standby, {standby}"]
    assert files(home) == good


def test_the_baseline_is_restored_too(home: Home, noise: Trained) -> None:
    home.register(worse(noise))
    good = files(home)
    lose(serving_model(home.models, NAME))
    assert mended(home) == [f"model {NAME}"]
    assert files(home) == good


def test_a_trial_and_what_was_cut_short_lack_nothing(
    home: Home, noise: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.register(noise, trial=True)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("training.registry.register._write", die)
        with pytest.raises(KeyboardInterrupt):
            home.register(noise)
    assert faults(home.mlruns, home.models) == []


def test_what_is_about_to_serve_and_is_damaged_never_does(home: Home, noise: Trained) -> None:
    home.register(noise)
    good = files(home)
    path = serving_model(home.models, NAME)
    shutil.copy(path, next_model(path))  # as a kill leaves it
    flip(next_model(path))
    with pytest.raises(DamagedFile, match="optrade repair"), open_registry(**home.paths):
        pass
    assert mended(home) == [f"model {NAME}"]
    assert files(home) == good
    assert read_served(path)


def test_what_the_registry_does_not_know_is_lost(home: Home, noise: Trained) -> None:
    home.register(noise)
    stray = standby_of(home).with_name("0123456789abcdef.json")
    shutil.copy(standby_of(home), stray)
    (fault,) = faults(home.mlruns, home.models)
    assert (fault.path, fault.what) == (stray, f"model {NAME} on standby, {stray.name}")
    with pytest.raises(InputError, match=f"no version of {NAME} with these settings: remove"):
        restore(home.mlruns, home.models, fault)


def test_no_registry_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path / "mlruns", tmp_path / "models") == []
    assert list(tmp_path.iterdir()) == []
