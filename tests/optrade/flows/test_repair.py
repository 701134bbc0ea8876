"""What `optrade repair` says of each thing: one that fails takes no other out of the list."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from home.layout import Home
from home.manifest import Entry, Manifest, TableState
from market.errors import StoreUnavailable
from optrade.flows import repair
from optrade.runtime import Runtime
from optrade.settings import Settings


def test_an_online_store_that_cannot_be_filled_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("Redis does not answer: start it")

    run = Runtime(Settings(), Home(tmp_path), pd.Timestamp("2024-11-18T15:00Z"))
    run.home.data.mkdir()
    run.home.files.serving.write_text("{}")
    tables = {"technical": TableState(("ticker",))}
    entries = {("technical", "SPY"): None}
    manifest = Manifest("simulated", None, tables, entries)
    monkeypatch.setattr(repair, "read_manifest", lambda _: manifest)
    monkeypatch.setattr(repair, "publish", refuse)
    monkeypatch.setattr(Runtime, "as_of", lambda _: run.now)
    (told,) = repair._online(run)
    assert (told.what, told.state) == ("online store", "lost")
    assert told.words == "Redis does not answer: start it; then run `optrade repair` again"


@pytest.mark.parametrize("folder", [True, False])
def test_a_registry_that_cannot_be_mended_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool
) -> None:
    def refuse(_: Path) -> None:
        raise StoreUnavailable("another process has held it")

    run = Runtime(Settings(), Home(tmp_path), pd.Timestamp("2024-11-18T15:00Z"))
    path = run.home.files.registry
    path.parent.mkdir(parents=True)
    if folder:
        path.mkdir()
    else:
        monkeypatch.setattr(repair, "mend", refuse)
    (told,) = repair._registry(run)
    assert (told.what, told.state) == (str(path.relative_to(run.home.data)), "lost")
    words = "is a folder, allowed is a file" if folder else "another process has held it"
    assert words in told.words
    assert told.words.endswith("; then run `optrade repair` again")


def test_a_folder_in_the_place_of_features_is_named_and_nothing_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Runtime(Settings(), Home(tmp_path), pd.Timestamp("2024-11-18T15:00Z"))
    broken = [
        Entry("technical", key, 1, f"{key}.parquet", 1, "", "", "0" * 64, "")
        for key in ("SPY", "QQQ")
    ]
    (run.home.data / "SPY.parquet").mkdir(parents=True)
    lake = SimpleNamespace(manifest=Manifest())
    monkeypatch.setattr(repair, "Lake", lambda _: nullcontext(lake))
    monkeypatch.setattr(repair, "damaged_entries", lambda *_: broken)
    monkeypatch.setattr(repair, "_lacks_rows", lambda *_: False)
    monkeypatch.setattr(repair, "_drop", lambda *_: pytest.fail("dropped"))
    spy, qqq = repair._lake(run, lambda *_: None, drop_raw=False)
    assert (spy.state, qqq.state) == ("lost", "lost")
    assert spy.words == (
        f"{run.home.data}/SPY.parquet is a folder, allowed is a file; move it away, "
        "then run `optrade repair` again"
    )
    assert qqq.words == repair.CLEARED
