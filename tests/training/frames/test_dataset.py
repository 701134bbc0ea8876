from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import FeatureStore

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, OPTIONAL_GROUPS, names
from feature_repo.features.services import SERVICES, VOLATILITY_INPUTS
from feature_repo.store.repo_config import repo_config
from ingestion.lake.lake import Lake
from ingestion.online.feast_registry import apply
from market.calendar import close, sessions
from market.errors import InputError
from training.frames.dataset import load_frame, load_prices

DAYS = sessions("2024-11-20", "2024-12-06")  # Thanksgiving and a half day lie in here
LANDED = pd.Timestamp("2025-01-02", tz="UTC")
KEYS = {"ticker": ("SPY", "QQQ"), "market": ("US",)}
WORTH = {"SPY": 1e6, "QQQ": 2e6, "US": 3e6}


def value(key: str, view: str, place: int, day: int) -> float:
    """A number that names its ticker, view, feature and session."""
    return WORTH[key] + 1e5 * list(GROUPS).index(view) + 1e2 * place + day


def view_rows(view: str, key: str, days: pd.DatetimeIndex) -> pl.DataFrame:
    entity = GROUPS[view].entity
    at = close(days)
    stamps = {"session": days, "event_timestamp": at, "created_timestamp": at}
    features = {
        name: [value(key, view, place, day) for day in range(len(days))]
        for place, name in enumerate(names(view))
    }
    made = pl.from_pandas(pd.DataFrame({entity: key} | stamps | features))
    return made.with_columns(
        pl.col("session").cast(pl.Date),
        pl.col("event_timestamp", "created_timestamp").cast(pl.Datetime("us", "UTC")),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    data = tmp_path_factory.mktemp("home") / "data"
    with Lake(data) as lake:
        for view, group in GROUPS.items():
            lake.open_view(view, group.entity, "hash")
            for key in KEYS[group.entity]:
                lake.write_features(view, key, view_rows(view, key, DAYS), LANDED)
        lake.commit("recorded")
    made = FeatureStore(config=repo_config(data, None))
    apply(made, data)
    return made


def computed(view: str, name: str, stored: dict[str, np.ndarray]) -> np.ndarray:
    """An on-demand feature by its own function, of the stored columns of the same frame."""
    (row,) = (row for row in ON_DEMAND[view].features if row.name == name)
    return row.compute(*[stored[source] for source in row.inputs])


@pytest.mark.parametrize("service", SERVICES)
def test_a_frame_is_the_service_as_known_at_each_decision(
    store: FeatureStore, service: str
) -> None:
    frame = load_frame(store, service, ["SPY", "QQQ"], DAYS)
    wanted = [reference.split(":") for reference in SERVICES[service]]
    assert set(frame.columns) == {"ticker", "session", *(name for _, name in wanted)}
    assert frame.columns[:2].tolist() == ["ticker", "session"]
    assert len(frame) == 2 * len(DAYS)
    for ticker in ("SPY", "QQQ"):
        mine = frame[frame["ticker"] == ticker]
        assert mine["session"].tolist() == DAYS.tolist()
        stored = {name: mine[name].to_numpy() for view, name in wanted if view in GROUPS}
        for view, name in wanted:
            if view in ON_DEMAND:
                expected = computed(view, name, stored)
                np.testing.assert_array_equal(mine[name], expected, name)
                continue
            key = ticker if GROUPS[view].entity == "ticker" else "US"
            place = names(view).index(name)
            expected = [value(key, view, place, day) for day in range(len(DAYS))]
            assert mine[name].tolist() == expected, name


def test_features_are_floats_and_a_session_without_a_row_is_null(store: FeatureStore) -> None:
    frame = load_frame(store, "volatility", ["SPY"], sessions("2024-12-05", "2024-12-10"))
    assert (frame.dtypes.iloc[2:] == np.float64).all()
    assert frame.iloc[:2, 2:].notna().all(axis=None)
    assert frame.iloc[2:, 2:].isna().all(axis=None), "no row is carried into a later session"


def test_sessions_may_be_asked_in_any_order(store: FeatureStore) -> None:
    one = load_frame(store, "volatility", ["SPY"], DAYS)
    other = load_frame(store, "volatility", ["SPY"], DAYS[::-1])
    pd.testing.assert_frame_equal(one, other)


def test_a_service_that_is_not_there_is_refused(store: FeatureStore) -> None:
    with pytest.raises(InputError, match=r"got 'moon', the store knows direction, .*, volatility"):
        load_frame(store, "moon", ["SPY"], DAYS)


def test_a_frame_is_kept_until_something_that_it_was_read_from_lands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    store = without(data)
    first = load_frame(store, "volatility", ["SPY"], DAYS, data)
    pd.testing.assert_frame_equal(first, load_frame(store, "volatility", ["SPY"], DAYS))
    with monkeypatch.context() as patched:
        patched.setattr(store, "get_historical_features", None)
        kept = load_frame(store, "volatility", ["SPY"], DAYS, data)
    pd.testing.assert_frame_equal(kept, first, check_exact=True)
    corrected = view_rows("iv", "SPY", DAYS).with_columns(pl.col("iv_rank") + 0.5)
    with Lake(data) as lake:
        lake.open_view("iv", "ticker", "hash")
        lake.write_features("iv", "SPY", corrected, LANDED)
        lake.commit("recorded")
    found = load_frame(store, "volatility", ["SPY"], DAYS, data)
    assert (found["iv_rank"] == first["iv_rank"] + 0.5).all()


@pytest.mark.parametrize(("tickers", "days"), [([], DAYS), (["SPY"], DAYS[:0])])
def test_nothing_asked_is_refused(
    store: FeatureStore, tickers: list[str], days: pd.DatetimeIndex
) -> None:
    with pytest.raises(InputError, match="nothing to read from direction"):
        load_frame(store, "direction", tickers, days)


def without(data: Path, *views: str) -> FeatureStore:
    """A store over a home in which some views never landed."""
    with Lake(data) as lake:
        for view in GROUPS.keys() - set(views):
            entity = GROUPS[view].entity
            lake.open_view(view, entity, "hash")
            for key in KEYS[entity]:
                lake.write_features(view, key, view_rows(view, key, DAYS), LANDED)
        lake.commit("recorded")
    made = FeatureStore(config=repo_config(data, None))
    apply(made, data)
    return made


def test_a_view_that_a_home_may_lack_is_null_where_it_does(tmp_path: Path) -> None:
    store = without(tmp_path / "data", "earnings")
    frame = load_frame(store, "direction_sentiment_earnings", ["SPY", "QQQ"], DAYS)
    about_earnings = [*names("earnings"), "earnings_iv_runup", "earnings_iv_crush_setup"]
    assert frame[about_earnings].isna().all(axis=None)
    assert frame.drop(columns=about_earnings).notna().all(axis=None)


@pytest.mark.parametrize(
    ("service", "lacking"),
    [("direction_sentiment", "earnings"), ("direction_earnings", "sentiment")],
)
def test_a_service_does_not_need_the_other_optional_view(
    tmp_path: Path, store: FeatureStore, service: str, lacking: str
) -> None:
    found = load_frame(without(tmp_path / "data", lacking), service, ["SPY", "QQQ"], DAYS)
    pd.testing.assert_frame_equal(found, load_frame(store, service, ["SPY", "QQQ"], DAYS))
    assert found.notna().all(axis=None)
    assert not set(found) & set(names(lacking)), "what Feast joins for the view cross is dropped"


def test_a_view_that_a_home_must_have_is_refused_where_it_lacks(tmp_path: Path) -> None:
    store = without(tmp_path / "data", "macro", *OPTIONAL_GROUPS)
    with pytest.raises(InputError, match="nothing has landed in view macro"):
        load_frame(store, "direction", ["SPY"], DAYS)
    assert len(load_frame(store, "volatility", ["SPY"], DAYS).columns) == 2 + len(VOLATILITY_INPUTS)


def test_prices_are_the_current_raw_rows(tmp_path: Path) -> None:
    from ingestion.tables.catalogue import TABLES

    rows = pd.DataFrame(
        {
            "ticker": "SPY",
            "session": DAYS[:3],
            "open": 10.0,
            "high": 11.0,
            "low": 9.0,
            "close": [10.0, 10.5, 9.5],
            "volume": 100.0,
            "dividend": [0.0, 0.1, 0.0],
            "split": [1.0, 1.0, 2.0],
            "adj_close": np.nan,
        }
    )
    with Lake(tmp_path / "data") as lake:
        lake.land(TABLES["prices"], rows, origin="recorded", landed_at=LANDED)
    corrected = rows.assign(close=[10.0, 10.25, 9.5])
    with Lake(tmp_path / "data") as lake:
        lake.land(
            TABLES["prices"], corrected, origin="recorded", landed_at=LANDED + pd.Timedelta("1D")
        )
    found = load_prices(tmp_path / "data", "SPY")
    assert found["close"].tolist() == [10.0, 10.25, 9.5], "a correction replaces its row"
    assert found["session"].tolist() == DAYS[:3].tolist()
    assert found["session"].dtype == "datetime64[ns]"
    assert found[["dividend", "split"]].to_numpy().tolist() == [[0, 1], [0.1, 1], [0, 2]]


def test_prices_never_landed_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SPY"):
        load_prices(tmp_path, "SPY")


def test_a_row_that_landed_while_a_signal_could_be_given_is_read(tmp_path: Path) -> None:
    """As a live home lands it: after the decision time, within the settle time or beyond."""
    data = tmp_path / "data"
    late = {DAYS[0]: pd.Timedelta(minutes=31), DAYS[1]: pd.Timedelta(hours=3)}
    known = pl.Series(
        [close(DAYS[[d]])[0] + late.get(day, pd.Timedelta(0)) for d, day in enumerate(DAYS)]
    )
    with Lake(data) as lake:
        for view, group in GROUPS.items():
            lake.open_view(view, group.entity, "hash")
            for key in KEYS[group.entity]:
                rows = view_rows(view, key, DAYS)
                times = known.cast(pl.Datetime("us", "UTC")).alias("created_timestamp")
                lake.write_features(view, key, rows.with_columns(times), LANDED)
        lake.commit("live")
    made = FeatureStore(config=repo_config(data, None))
    apply(made, data)
    frame = load_frame(made, "volatility", ["SPY"], DAYS)
    assert frame["iv_rank"].notna().tolist() == [True, False, *[True] * (len(DAYS) - 2)]
