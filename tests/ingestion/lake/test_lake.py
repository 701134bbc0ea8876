"""Landing: origin, append, corrections, quarantine, generations, one writer."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from home.manifest import MANIFEST, current_rows, damaged, read_manifest, read_rows
from ingestion.lake.lake import Lake, Landing
from ingestion.tables.catalogue import MACRO_SERIES, PRICES, TABLES
from market.calendar import sessions
from market.errors import InputError, SchemaViolation

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
AT = pd.Timestamp("2024-07-01T20:30Z")
LATER = AT + pd.Timedelta(days=1)


def land(data: Path, frame: pd.DataFrame, at: pd.Timestamp = AT, **options: object) -> Landing:
    with Lake(data) as lake:
        return lake.land(PRICES, frame, "recorded", at, **options)


def test_rows_land_and_are_read_back(tmp_path: Path, prices: Frame) -> None:
    frame = pd.concat([prices("SPY"), prices("QQQ", count=3)], ignore_index=True)
    landing = land(tmp_path, frame)
    assert landing == Landing("prices", 8, 0, 0, ("SPY", "QQQ"))
    rows = read_rows(tmp_path, "prices", ["QQQ", "SPY"])
    assert rows.columns == [*PRICES.names, "landed_at"]
    assert rows["landed_at"].unique().to_list() == [AT.to_pydatetime()]
    back = rows.filter(ticker="SPY").drop("landed_at").to_pandas()
    pd.testing.assert_frame_equal(
        back.assign(session=back["session"].astype("datetime64[ns]")), prices("SPY")
    )
    entry = read_manifest(tmp_path).entries["prices", "QQQ"]
    days = prices(count=3)["session"].dt.strftime("%Y-%m-%d")
    assert (entry.rows, entry.first, entry.last) == (3, days.iloc[0], days.iloc[-1])
    assert entry.path == f"raw/prices/QQQ.{entry.sha256[:12]}.parquet"
    assert entry.landed_at == "2024-07-01T20:30:00+00:00"
    assert damaged(tmp_path) == []


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_an_empty_landing_writes_nothing(tmp_path: Path, table: object, tree: Tree) -> None:
    with Lake(tmp_path) as lake:
        landing = lake.land(table, table.empty(), "recorded", AT)
    assert (landing.rows_new, landing.keys) == (0, ())
    assert tree(tmp_path) == {}
    assert read_manifest(tmp_path).origin is None


def test_landing_twice_changes_no_byte_and_no_time(
    tmp_path: Path, prices: Frame, tree: Tree
) -> None:
    bad = prices("QQQ", count=2).assign(reason="planted")
    land(tmp_path, prices(), rejected=bad)
    land(tmp_path, prices(count=7), LATER, rejected=bad)
    before = tree(tmp_path)
    landing = land(tmp_path, prices(count=7), LATER + pd.Timedelta(days=9), rejected=bad)
    assert landing == Landing("prices", 0, 0, 0, ())
    assert tree(tmp_path) == before


def test_new_sessions_are_appended(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, prices(count=3))
    landing = land(tmp_path, prices(count=5).tail(3), LATER)
    assert (landing.rows_new, landing.rows_corrected) == (2, 0)
    rows = read_rows(tmp_path, "prices", ["SPY"])
    assert rows["landed_at"].to_list() == [AT.to_pydatetime()] * 3 + [LATER.to_pydatetime()] * 2
    assert np.allclose(rows["close"], prices(count=5)["close"])


def test_a_correction_keeps_both_rows(tmp_path: Path, prices: Frame) -> None:
    land(tmp_path, prices())
    changed = prices()
    changed.loc[2, "close"] *= 1 + 1e-7
    landing = land(tmp_path, changed, LATER)
    assert (landing.rows_new, landing.rows_corrected) == (0, 1)
    rows = read_rows(tmp_path, "prices", ["SPY"])
    assert rows.height == 6
    assert current_rows(tmp_path, "prices")["close"].to_list() == changed["close"].to_list()
    known = current_rows(tmp_path, "prices", known_by=AT.to_pydatetime())
    assert known["close"].to_list() == prices()["close"].to_list()


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume", "dividend", "split"])
def test_every_value_column_can_be_corrected(tmp_path: Path, prices: Frame, column: str) -> None:
    land(tmp_path, prices())
    changed = prices()
    changed.loc[4, column] = changed.loc[4, column] * 1.001 + 0.001
    assert land(tmp_path, changed, LATER).rows_corrected == 1


def test_the_vendor_restating_its_adjustment_is_no_correction(
    tmp_path: Path, prices: Frame
) -> None:
    land(tmp_path, prices())
    restated = prices().assign(adj_close=lambda frame: frame["adj_close"] * 0.99)
    assert land(tmp_path, restated, LATER).keys == ()


def test_a_landing_scaled_for_its_own_split_brings_only_the_split(
    tmp_path: Path, prices: Frame
) -> None:
    frame = prices(count=8)
    land(tmp_path, frame.head(6))
    names = ["open", "high", "low", "close"]
    frame.loc[6, "split"] = 4.0
    scaled = frame.copy()
    scaled.loc[:5, names] = scaled.loc[:5, names] / 4
    scaled.loc[:5, "volume"] *= 4
    assert land(tmp_path, scaled, LATER) == Landing("prices", 2, 0, 0, ("SPY",))
    assert current_rows(tmp_path, "prices")["close"].to_list() == frame["close"].to_list()


def test_a_null_vintage_is_a_key_like_any_other(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "series": "UNRATE",
            "observation_date": pd.to_datetime(["2024-01-01"] * 2),
            "vintage_date": pd.to_datetime([None, "2024-02-02"]),
            "value": [3.7, 3.8],
        }
    ).astype(MACRO_SERIES.dtypes)
    with Lake(tmp_path) as lake:
        assert lake.land(MACRO_SERIES, frame, "recorded", AT).rows_new == 2
        assert lake.land(MACRO_SERIES, frame, "recorded", LATER).keys == ()
        changed = frame.assign(value=[3.6, 3.8])
        assert lake.land(MACRO_SERIES, changed, "recorded", LATER).rows_corrected == 1


@pytest.mark.parametrize(("held", "other"), [("recorded", "live"), ("live", "simulated")])
def test_a_home_has_one_origin(tmp_path: Path, prices: Frame, held: str, other: str) -> None:
    with Lake(tmp_path) as lake:
        lake.land(PRICES, prices(), held, AT)
        with pytest.raises(InputError, match=f"holds {held} data, got {other} data"):
            lake.land(PRICES, prices(count=7), other, LATER)
    assert read_rows(tmp_path, "prices").height == 5
    assert read_manifest(tmp_path).origin == held


def test_an_unknown_origin_is_refused(tmp_path: Path, prices: Frame) -> None:
    with Lake(tmp_path) as lake, pytest.raises(InputError, match="allowed are live, recorded"):
        lake.land(PRICES, prices(), "invented", AT)


def test_the_first_live_landing_is_kept(tmp_path: Path, prices: Frame) -> None:
    with Lake(tmp_path) as lake:
        assert lake.first_live is None
        lake.land(PRICES, prices().head(0), "live", AT - pd.Timedelta(days=1))
        assert lake.first_live is None
        lake.land(PRICES, prices(), "live", AT)
        lake.land(PRICES, prices(count=8), "live", LATER)
        assert lake.first_live == AT.to_pydatetime()
    assert read_manifest(tmp_path).first_live_landing == "2024-07-01T20:30:00+00:00"


@pytest.mark.parametrize("origin", ["recorded", "simulated"])
def test_other_origins_have_no_live_landing(tmp_path: Path, prices: Frame, origin: str) -> None:
    with Lake(tmp_path) as lake:
        lake.land(PRICES, prices(), origin, AT)
    assert read_manifest(tmp_path).first_live_landing is None


def test_a_landing_without_a_zone_is_refused(tmp_path: Path, prices: Frame) -> None:
    with pytest.raises(InputError, match="without a zone"):
        land(tmp_path, prices(), pd.Timestamp("2024-07-01"))


def test_undeclared_shapes_are_refused(tmp_path: Path, prices: Frame) -> None:
    for frame in (prices().drop(columns="split"), prices().assign(more=1)):
        with pytest.raises(SchemaViolation, match="allowed are exactly"):
            land(tmp_path, frame)
    with pytest.raises(SchemaViolation, match="column volume: got dtype int64"):
        land(tmp_path, prices().astype({"volume": "int64"}))
    with pytest.raises(SchemaViolation, match="more than once"):
        land(tmp_path, pd.concat([prices(), prices()], ignore_index=True))
    assert read_manifest(tmp_path).entries == {}


@pytest.mark.parametrize("ticker", ["../SPY", "a/b", "", ".", "..", "x" * 33, "SPY\n", "S PY"])
def test_what_cannot_name_a_file_is_refused(tmp_path: Path, prices: Frame, ticker: str) -> None:
    frame = pd.concat([prices(), prices().assign(ticker=ticker)], ignore_index=True)
    with Lake(tmp_path) as lake:
        with pytest.raises(InputError, match="pass the frame through the gate"):
            lake.land(PRICES, frame, "recorded", AT)
        assert lake.manifest.entries == {}
        lake.land(PRICES, prices("QQQ"), "recorded", AT)
        assert set(lake.manifest.entries) == {("prices", "QQQ")}


def test_rejected_rows_are_kept_once_with_their_reason(tmp_path: Path, prices: Frame) -> None:
    bad = pd.concat(
        [prices("SPY", count=2), prices("SPY", count=2), prices("../x", count=1)],
        ignore_index=True,
    ).assign(close=np.nan, reason=["a", "a", "a", "b", "c"])
    assert land(tmp_path, prices("QQQ"), rejected=bad).rows_quarantined == 4
    assert land(tmp_path, PRICES.empty(), LATER, rejected=bad).rows_quarantined == 0
    rows = read_rows(tmp_path, "quarantine/prices")
    assert rows.columns == [*PRICES.names, "reason", "landed_at", "released_at", "replaced"]
    assert sorted(rows["reason"]) == ["a", "a", "b", "c"]
    assert rows["close"].null_count() == 4
    manifest = read_manifest(tmp_path)
    assert manifest.keys("quarantine/prices") == ("SPY", "_")
    assert all(
        manifest.entries["quarantine/prices", key].path.startswith("quarantine/prices/")
        for key in ("SPY", "_")
    )


def test_a_rejected_row_that_the_vendor_restates_is_the_same_row(
    tmp_path: Path, prices: Frame
) -> None:
    bad = prices(count=2).assign(reason="planted")
    assert land(tmp_path, PRICES.empty(), rejected=bad).rows_quarantined == 2
    restated = bad.assign(adj_close=bad["adj_close"] * 0.99)
    assert land(tmp_path, PRICES.empty(), LATER, rejected=restated).rows_quarantined == 0
    moved = bad.assign(volume=bad["volume"] + 1)
    assert land(tmp_path, PRICES.empty(), LATER, rejected=moved).rows_quarantined == 2


def test_only_rejected_rows_still_make_a_home(tmp_path: Path, prices: Frame) -> None:
    bad = prices(count=1).assign(reason="planted")
    bad.loc[0, "ticker"] = None
    land(tmp_path, PRICES.empty(), rejected=bad)
    assert read_manifest(tmp_path).origin == "recorded"
    assert read_rows(tmp_path, "quarantine/prices")["ticker"].to_list() == [None]


def test_files_no_longer_named_go_with_the_next_session_that_writes(
    tmp_path: Path, prices: Frame
) -> None:
    folder = tmp_path / "raw" / "prices"
    with Lake(tmp_path) as lake:
        lake.land(PRICES, prices(count=3), "recorded", AT)
        lake.land(PRICES, prices(count=4), "recorded", AT)
    assert len(list(folder.iterdir())) == 2  # the first stays for readers under way
    (folder / ".SPY.x.parquet.tmp").write_bytes(b"cut short")
    land(tmp_path, prices(count=4), LATER)
    assert len(list(folder.iterdir())) == 3  # nothing new, nothing touched
    land(tmp_path, prices(count=5), LATER)
    land(tmp_path, prices("QQQ"), LATER)
    assert sorted(path.name.split(".")[0] for path in folder.iterdir()) == ["QQQ", "SPY"]


@pytest.mark.parametrize("words", ["damaged", "missing"])
def test_a_file_that_is_not_whole_is_told_with_its_cure(
    tmp_path: Path, prices: Frame, words: str
) -> None:
    land(tmp_path, prices("SPY"))
    land(tmp_path, prices("IWM"))
    with Lake(tmp_path) as lake:
        path = tmp_path / lake.manifest.entries["prices", "IWM"].path
        assert lake.fault("prices", "IWM") is None
        if words == "damaged":
            path.write_bytes(path.read_bytes()[:-1])
        else:
            path.unlink()
        assert re.search(f"{path} is {words}.*optrade repair", lake.fault("prices", "IWM"))
        assert lake.fault("prices", "SPY") is None
        assert lake.fault("prices", "QQQ") is None


def test_other_files_of_the_home_are_left_alone(tmp_path: Path, prices: Frame) -> None:
    for name in ("ledger.db", "feast/feature_store.yaml", "processed/x.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"mine")
    land(tmp_path, prices())
    land(tmp_path, prices(count=6), LATER)
    assert (tmp_path / "ledger.db").exists()
    assert (tmp_path / "processed/x.parquet").exists()


def features(count: int, value: float = 1.0) -> pl.DataFrame:
    days = sessions("2024-01-02", "2024-12-31")[:count]
    times = [AT.to_pydatetime()] * count
    return pl.DataFrame(
        {
            "ticker": ["SPY"] * count,
            "session": list(days.date),
            "event_timestamp": times,
            "created_timestamp": times,
            "x": [value] * count,
        }
    )


def test_features_switch_generation_when_complete(tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        lake.open_view("iv", "ticker", "one")
        assert not lake.is_new_generation("iv")
        for key in ("SPY", "QQQ"):
            lake.write_features("iv", key, features(3), AT)
        assert lake.commit()
    with Lake(tmp_path) as lake:
        lake.open_view("iv", "ticker", "one")
        assert not lake.is_new_generation("iv")
        assert lake.stored("iv", "SPY").height == 3
        state = lake.open_view("iv", "ticker", "two")
        assert (state.generation, state.definition_hash) == (2, "two")
        assert lake.is_new_generation("iv")
        assert lake.stored("iv", "SPY") is None
        lake.write_features("iv", "SPY", features(3, 2.0), AT)
        with pytest.raises(InputError, match="generation 2 of iv lacks QQQ"):
            lake.commit()
        lake.write_features("iv", "QQQ", features(3, 2.0), AT)
        assert read_rows(tmp_path, "iv")["x"].unique().to_list() == [1.0]
        lake.commit()
    manifest = read_manifest(tmp_path)
    assert read_rows(tmp_path, "iv")["x"].unique().to_list() == [2.0]
    assert manifest.tables["iv"].definition_hash == "two"
    assert manifest.entries["iv", "SPY"].path.startswith("features/iv/g2/SPY.")


def test_a_generation_can_be_asked_for(tmp_path: Path) -> None:
    with Lake(tmp_path) as lake:
        for generation in (1, 2, 3):
            assert lake.open_view("iv", "ticker", "one", rebuild=True).generation == generation
            lake.write_features("iv", "SPY", features(2), AT)
            lake.commit()


def test_nothing_is_written_outside_a_with_block(tmp_path: Path, prices: Frame) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(InputError, match="not held for writing"):
        lake.land(PRICES, prices(), "recorded", AT)
    with lake:
        lake.land(PRICES, prices(), "recorded", AT)
    with pytest.raises(InputError, match="not held for writing"):
        lake.commit()


def test_a_second_writer_is_refused_at_once(tmp_path: Path, prices: Frame) -> None:
    with Lake(tmp_path) as lake:
        with pytest.raises(InputError, match="another process is writing"), Lake(tmp_path):
            pass
        lake.land(PRICES, prices(), "recorded", AT)
    land(tmp_path, prices(count=6), LATER)


def test_a_second_process_is_refused_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ingestion.lake.lake import Lake\n"
        "with Lake(Path(sys.argv[1])): print('held')"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with Lake(tmp_path):
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "InputError: another process is writing to" in refused.stderr
    won = subprocess.run(command, capture_output=True, text=True, check=True)
    assert won.stdout == "held\n"


def test_a_broken_manifest_lets_go_of_the_lock(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{")
    for _ in range(2):
        with pytest.raises(InputError, match="no manifest"), Lake(tmp_path):
            pass


values = st.sampled_from([1.0, 1.0 + 1e-12, 1.0 + 1e-6, 2.0])
batches = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from(["SPY", "QQQ"]), st.integers(0, 3)), values, max_size=6
    ),
    max_size=4,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(batches=batches)
def test_a_home_agrees_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, prices: Frame, batches: list[dict]
) -> None:
    data = tmp_path_factory.mktemp("home")
    base = prices(count=4)
    model: dict[tuple[str, int], list[float]] = {}
    for step, batch in enumerate(batches):
        rows = [base.iloc[[day]].assign(ticker=key, close=v) for (key, day), v in batch.items()]
        land(
            data, pd.concat([PRICES.empty(), *rows]).astype(PRICES.dtypes), AT + step * (LATER - AT)
        )
        for key, value in batch.items():
            versions = model.setdefault(key, [])
            if not versions or abs(value - versions[-1]) > 1e-9 * versions[-1]:
                versions.append(value)
    assert damaged(data) == []
    if model:
        days = dict(enumerate(base["session"].dt.date))
        rows = read_rows(data, "prices")
        for (key, day), versions in model.items():
            assert rows.filter(ticker=key, session=days[day])["close"].to_list() == versions
        assert rows.height == sum(map(len, model.values()))
        assert current_rows(data, "prices").height == len(model)
