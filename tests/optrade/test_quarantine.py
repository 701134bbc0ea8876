"""`optrade quarantine`: what was refused is listed, shown and released, by people and programs."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from home.layout import Home
from home.manifest import current_rows, read_manifest
from ingestion.build.build import build_features
from ingestion.gate.expectations import gate
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import INDICES, PRICES
from market.calendar import decision_time, sessions
from market.errors import InputError
from optrade.cli.store import quarantine as commands
from optrade.flows import quarantine

DAYS = sessions("2024-01-02", "2024-12-31")[:30]
AT = decision_time(DAYS[-1:])[0]
REASON = "high >= open (to 30.00%)"
LIST = ["table", "key", "reason", "refused_at", "rows", "released", "first", "last"]


def bars(table: Any, key: str, level: float) -> pd.DataFrame:
    frame = pd.DataFrame({table.partition: key, "session": DAYS.as_unit("ns")})
    closes = level * (1.0 + 0.001 * np.arange(len(DAYS)))  # a bar is no repetition of another
    frame = frame.assign(open=closes, high=closes + 1, low=closes - 1, close=closes)
    extra = {"volume": 1e6, "dividend": 0.0, "split": 1.0, "adj_close": closes}
    return frame.assign(**{k: v for k, v in extra.items() if k in table.names})


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Return a recorded home with two openings of VIX in quarantine, to be copied."""
    home = Home(tmp_path_factory.mktemp("template") / "home")
    indices = pd.concat([bars(INDICES, name, 20.0) for name in ("VIX", "VIX3M")])
    indices = indices.reset_index(drop=True)
    indices.loc[[10, 12], "open"] = [90.0, 95.0]
    with Lake(home.data) as lake:
        for table, frame in ((PRICES, bars(PRICES, "SPY", 400.0)), (INDICES, indices)):
            good, bad = gate(table, frame)
            lake.land(table, good, "recorded", AT, bad)
        build_features(lake, ["SPY"], AT)
    return home


@pytest.fixture
def home(tmp_path: Path, template: Home) -> Home:
    """Return a home of its own for the test."""
    shutil.copytree(template.root, tmp_path / "home")
    return Home(tmp_path / "home")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function of arguments that runs the command in the home."""
    import optrade.cli

    if "quarantine" not in {group.name for group in optrade.cli.app.registered_groups}:
        optrade.cli.app.add_typer(commands.app, name="quarantine")

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("OPTRADE_HOME", str(home.root))
        monkeypatch.setattr(sys, "argv", ["optrade", "quarantine", *arguments])
        with pytest.raises(SystemExit) as left:
            optrade.cli.main()
        said = capsys.readouterr()
        code = left.value.code
        return (code if isinstance(code, int) else 0), said.out, said.err

    return call


def test_list_counts_by_reason(run: Run) -> None:
    code, out, _ = run("list", "--json")
    assert code == 0
    (row,) = json.loads(out)
    assert list(row) == LIST
    assert (row["table"], row["key"], row["reason"]) == ("indices", "VIX", REASON)
    assert (row["rows"], row["released"]) == (2, 0)
    assert (row["first"], row["last"]) == (str(DAYS[10].date()), str(DAYS[12].date()))
    assert pd.Timestamp(row["refused_at"]) == AT
    assert json.loads(run("list", "--table", "prices", "--json")[1]) == []
    assert "quarantine: none" in run("list", "--key", "VXN")[1]
    assert REASON in run("list")[1]


def test_show_gives_the_rows_and_their_ids(run: Run) -> None:
    code, out, _ = run("show", "--table", "indices", "--json")
    assert code == 0
    rows = json.loads(out)
    assert len({row["id"] for row in rows}) == 2
    assert [row["row"]["open"] for row in rows] == [90.0, 95.0]
    assert rows[0]["row"]["session"] == str(DAYS[10].date())
    assert {row["released_at"] for row in rows} == {None}
    assert json.loads(run("show", "--reason", "low >= ", "--json")[1]) == []
    assert rows[1]["id"] in run("show")[1]


def test_a_damaged_file_of_one_key_leaves_the_rows_of_the_others(run: Run, home: Home) -> None:
    bad = bars(INDICES, "VIX3M", 20.0).assign(reason="planted")
    with Lake(home.data) as lake:
        lake.land(INDICES, INDICES.empty(), "recorded", AT, bad)
        spoiled = home.data / lake.manifest.entries["quarantine/indices", "VIX"].path
    spoiled.write_bytes(b"no rows")
    for arguments in (("list",), ("show",)):
        code, out, err = run(*arguments, "--json")
        assert code == 3
        assert {row["key"] for row in json.loads(out)} == {"VIX3M"}
        assert err.startswith(f"optrade: {spoiled} is damaged: ")
        assert "optrade repair" in err
    assert run("list", "--key", "VIX3M", "--json")[0] == 0
    code, _, err = run("release", "--table", "indices", "--key", "VIX", "--json")
    assert (code, err.count("\n")) == (2, 1)


def test_release_lands_the_rows_and_builds_their_views(run: Run, home: Home) -> None:
    code, out, _ = run("release", "--table", "indices", "--key", "VIX", "--json")
    assert code == 0
    done = json.loads(out)
    assert (done["released"], done["rows_new"], done["rows_corrected"]) == (2, 2, 0)
    generations = {row["view"]: row["generation"] for row in done["features"]}
    assert generations["technical"] == 1
    assert (generations["iv"], generations["iv_lags"]) == (2, 2)
    assert current_rows(home.data, "iv")["vix_close"].null_count() == 0
    assert json.loads(run("list", "--json")[1])[0]["released"] == 2
    shown = json.loads(run("show", "--json")[1])
    assert {row["released_at"] for row in shown} == {done["released_at"]} == {AT.isoformat()}


def test_rows_can_be_released_one_by_one(run: Run, home: Home) -> None:
    ids = [row["id"] for row in json.loads(run("show", "--json")[1])]
    choice = ("release", "--table", "indices", "--key", "VIX", "--row", ids[1])
    code, out, _ = run(*choice)
    assert code == 0
    assert "optrade materialize" in out
    assert current_rows(home.data, "iv")["vix_close"].null_count() == 1
    code, _, err = run(*choice)
    assert (code, err.count("\n")) == (2, 1)
    assert "none of them still to be released" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "bonds", "--key", "VIX"), "--table: got 'bonds', allowed are prices"),
        (("--table", "indices", "--key", "VXN"), "got key 'VXN', it holds VIX"),
        (("--table", "prices", "--key", "SPY"), "it holds no row"),
        (("--table", "indices", "--key", "VIX", "--row", "x"), "--row: got x, allowed are"),
        (("--table", "indices", "--key", "VIX", "--reason", "x"), "got 0 rows chosen"),
        (("--table", "indices"), "--key"),
        (("--key", "VIX"), "--table"),
    ],
)
def test_a_wrong_choice_gets_one_line_and_changes_nothing(
    run: Run, home: Home, arguments: tuple[str, ...], words: str
) -> None:
    before = read_manifest(home.data)
    code, out, err = run("release", *arguments, "--json")
    assert (code, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert read_manifest(home.data) == before


def test_a_release_that_was_cut_short_is_taken_up_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    def release() -> quarantine.Release:
        choice = (None, ())
        return quarantine.release(home, "indices", "VIX", choice, AT, lambda *_step: None)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(quarantine, "build_features", dies)
        release()
    assert current_rows(home.data, "iv")["vix_close"].null_count() == 2
    done = release()
    assert done.released == 0
    assert current_rows(home.data, "iv")["vix_close"].null_count() == 0
    with pytest.raises(InputError, match="none of them still to be released"):
        release()


def test_before_anything_is_built_there_is_nothing_to_rebuild(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    frame = bars(PRICES, "SPY", 400.0)
    with Lake(home.data) as lake:
        lake.land(PRICES, PRICES.empty(), "recorded", AT, frame.assign(reason="planted"))
    done = quarantine.release(home, "prices", "SPY", (None, ()), AT, lambda *_step: None)
    assert (done.rows_new, done.features) == (30, [])


def test_an_empty_home_says_what_to_do(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for call in (quarantine.counts, quarantine.refused):
        with pytest.raises(InputError, match="optrade ingest"):
            call(home)
