"""What the composition root hands to the sources: keys, folders, the clock, the scorer."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from pydantic import SecretStr

from feature_repo.features.catalogue import GROUPS
from home.layout import Home
from home.manifest import MANIFEST, Entry, Manifest, TableState
from ingestion.lake import simulation
from ingestion.online.feast_registry import apply
from ingestion.tables.frames import manifest_bytes
from market.errors import ConfigurationError, InputError, MissingCredential
from optrade.runtime import OpenedSource, Runtime
from optrade.settings import Settings, load_settings

NOW = pd.Timestamp("2024-03-05 22:00", tz="UTC")
KEY = "abcdefghij0123456789"
SCORER = "OPTRADE_HEADLINE_SCORER"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., OpenedSource]:
    """Open a source as a command does, under the environment given."""
    for name in ("FRED_API_KEY", "FINNHUB_API_KEY", SCORER):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "vendors"
    (folder / "yahoo").mkdir(parents=True)
    (folder / "yahoo/SPY.csv").write_text(
        "Date,Open,High,Low,Close,Adj Close,Volume,Dividends\n2024-01-02,1,1,1,1,1,1,0\n"
    )

    def open_it(name: str = "live", as_of: str | None = None, **environment: str) -> OpenedSource:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        run = Runtime(load_settings(), Home(tmp_path), NOW)
        recorded = folder if name == "recorded" else None
        return run.source(name, recorded, seed=1, signal_strength=0.0, as_of=as_of)

    return open_it


def test_live_gets_keys_folder_and_clock(
    opened: Callable[..., OpenedSource], tmp_path: Path
) -> None:
    sources = opened(FINNHUB_API_KEY=KEY, FRED_API_KEY="0" * 32).source.sources
    assert sources["finnhub"]._key == SecretStr(KEY)
    assert sources["fred"]._key == SecretStr("0" * 32)
    assert sources["finnhub"].rate.folder == tmp_path / "data/cache/finnhub"
    clocks = {sources[word].now.__name__ for word in ("finnhub", "apewisdom")}
    assert clocks == {"utc_now"}


def test_what_is_read_now_is_not_recorded_in_the_past(opened: Callable[..., OpenedSource]) -> None:
    found = opened(as_of="2024-02-01T22:00:00Z")
    assert found.as_of == pd.Timestamp("2024-02-01 22:00", tz="UTC")
    assert found.source.sources["finnhub"].now() > NOW


@pytest.mark.parametrize("name", ["live", "recorded", "simulated"])
def test_the_scorer_named_goes_to_every_source(
    name: str, opened: Callable[..., OpenedSource]
) -> None:
    with pytest.raises(ConfigurationError, match="OPTRADE_HEADLINE_SCORER: got 'oracle'"):
        opened(name, **{SCORER: "oracle"})


@pytest.mark.parametrize("value", [None, ""])
def test_no_key_and_no_scorer_are_the_defaults(
    value: str | None, opened: Callable[..., OpenedSource]
) -> None:
    given = {} if value is None else {"FINNHUB_API_KEY": value, SCORER: value}
    source = opened(**given).source
    assert source.sources["finnhub"].scorer.name.startswith("vader ")
    with pytest.raises(MissingCredential, match="set FINNHUB_API_KEY"):
        source.fetch("news", ["market"], None, pd.Timestamp("2024-03-05"))


def test_keys_are_not_in_what_the_settings_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINNHUB_API_KEY", KEY)
    assert KEY not in repr(Settings())


def hold(home: Path, origin: str, *last: str) -> None:
    """Say in a home's manifest that prices up to these days have landed."""
    entries = {
        ("prices", f"T{at}"): Entry(
            "prices", f"T{at}", 1, "raw/none", 1, "2024-01-02", day, "0" * 64, NOW.isoformat()
        )
        for at, day in enumerate(last)
    }
    (home / "data").mkdir()
    tables = {"prices": TableState(("ticker", "session"))}
    live = NOW.isoformat() if origin == "live" else None
    held = manifest_bytes(Manifest(origin, live, tables, entries))
    simulation.hold(home / "data", simulation.FIRST, landed=False)
    (home / "data" / MANIFEST).write_bytes(held)


def test_a_simulated_home_does_not_age(opened: Callable[..., OpenedSource], tmp_path: Path) -> None:
    """By the wall clock a new one begins; a later `--as-of` takes it on."""
    assert opened("simulated").end == pd.Timestamp("2024-03-05")
    hold(tmp_path, "simulated", "2024-02-01", "2024-02-02")
    found = opened("simulated")
    assert found.end == pd.Timestamp("2024-02-02")
    assert found.as_of == found.landed_at == pd.Timestamp("2024-02-02 21:30", tz="UTC")
    assert opened("simulated", "2024-02-05").end == pd.Timestamp("2024-02-05")


@pytest.mark.parametrize("origin", ["simulated", "recorded", "live"])
def test_no_home_goes_back(
    origin: str, opened: Callable[..., OpenedSource], tmp_path: Path
) -> None:
    hold(tmp_path, origin, "2024-02-02")
    assert opened(origin, "2024-02-02").end == pd.Timestamp("2024-02-02")
    for early in ("2024-02-01", "2024-02-02T20:00Z", "2014-01-02"):
        with pytest.raises(InputError, match="up to 2024-02-02 and goes forward alone") as refused:
            opened(origin, early)
        assert repr(early) in str(refused.value)


def test_a_recorded_clock_needs_one_price_file_that_can_be_read(
    opened: Callable[..., OpenedSource], tmp_path: Path
) -> None:
    (tmp_path / "vendors/yahoo/QQQ.csv").write_text("Too many requests")
    assert opened("recorded").end == pd.Timestamp("2024-01-02")
    (tmp_path / "vendors/yahoo/SPY.csv").write_text("")
    with pytest.raises(InputError, match=r"no price file can be read: yahoo/SPY\.csv: the file is"):
        opened("recorded")


def test_single_vendors_are_no_source_of_a_home(opened: Callable[..., OpenedSource]) -> None:
    with pytest.raises(InputError, match="unknown source: got 'finnhub', allowed are live, rec"):
        opened("finnhub")


def test_store_over_a_registry_cut_short_answers_from_the_kept_copy(tmp_path: Path) -> None:
    run = Runtime(load_settings(), Home(tmp_path), NOW)
    apply(run.feature_store(online=False), run.home.data)
    path = run.home.files.registry
    path.write_bytes(path.read_bytes()[:1000])
    held = run.feature_store(online=False).list_feature_views()
    assert {view.name for view in held} == set(GROUPS)
