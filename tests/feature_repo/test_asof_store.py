"""The offline store by way of Feast: real registry, real lake, brute force as the oracle."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, ValueType
from feast.errors import SavedDatasetLocationAlreadyExists
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Float64, Int64, String
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from feature_repo.errors import InputError, SchemaViolation
from feature_repo.manifest import read_manifest
from feature_repo.repo_config import repo_config
from ingestion.lake import Lake

BASE = datetime(2024, 3, 8, 21, tzinfo=UTC)
LANDED = pd.Timestamp("2025-01-01", tz="UTC")
TTL = {"alpha": timedelta(seconds=3), "beta": None}
KEYS = {"alpha": ["ticker"], "beta": ["ticker", "lot"]}
FEATURES = {"alpha": ["a1", "a2"], "beta": ["b1"]}
REFS = ["alpha:a1", "alpha:a2", "beta:b1"]
Rows = list[dict[str, Any]]


def at(seconds: float) -> datetime:
    return BASE + timedelta(seconds=seconds)


@dataclass
class Home:
    """A data folder and the store over it."""

    data: Path
    store: FeatureStore

    def write(self, view: str, rows: Rows, key: str | None = None) -> None:
        """Make the rows the whole content of a view, a file for each ticker."""
        names = [*KEYS[view], "event_timestamp", "created_timestamp", *FEATURES[view]]
        time = pl.Datetime("us", "UTC")
        types = {"ticker": pl.String, "lot": pl.Int64, "event_timestamp": time}
        types |= {"created_timestamp": time} | dict.fromkeys(FEATURES[view], pl.Float64)
        made = pl.DataFrame(
            [{name: row.get(name) for name in names} for row in rows],
            schema={name: types[name] for name in names},
        ).with_columns(pl.col("event_timestamp").dt.date().alias("session"))
        with Lake(self.data) as lake:
            lake.open_view(view, "ticker", "hash", rebuild=True)
            held = {k for name, k in lake.manifest.entries if name == view}
            for ticker in held | {"none", *(row["ticker"] or "none" for row in rows)}:
                mine = (
                    pl.col("ticker").is_null() if ticker == "none" else pl.col("ticker") == ticker
                )
                lake.write_features(view, ticker, made.filter(mine), LANDED)
            lake.commit("simulated")

    def read(self, frame: pd.DataFrame, refs: list[str] | None = None, **kwargs: Any) -> Any:
        return self.store.get_historical_features(frame, refs or REFS, **kwargs)


def make_home(data: Path, **changes: Any) -> Home:
    """A store with two views: alpha by ticker, living three seconds; beta by ticker and lot."""
    config = repo_config(data, None)
    config.offline_config = {**config.offline_config, **changes}
    store = FeatureStore(config=config)
    ticker = Entity(name="ticker", join_keys=["ticker"], value_type=ValueType.STRING)
    lot = Entity(name="lot", join_keys=["lot"], value_type=ValueType.INT64)
    keys = {"ticker": Field(name="ticker", dtype=String), "lot": Field(name="lot", dtype=Int64)}
    views = [
        FeatureView(
            name=name,
            entities=[ticker, lot][: len(KEYS[name])],
            ttl=TTL[name],
            schema=[
                *(keys[key] for key in KEYS[name]),
                *(Field(name=f, dtype=Float64) for f in FEATURES[name]),
            ],
            source=FileSource(
                name=name,
                path=str(data / "features" / name),
                timestamp_field="event_timestamp",
                created_timestamp_column="created_timestamp",
            ),
        )
        for name in KEYS
    ]
    (data / "feast").mkdir(parents=True)
    store.apply([ticker, lot, *views])
    return Home(data, store)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    yield make_home(tmp_path_factory.mktemp("home") / "data")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Two sessions of ticker A, the first one corrected after the second; one of B."""
    made = make_home(tmp_path / "data")
    made.write("alpha", ALPHA)
    made.write("beta", BETA)
    return made


def alpha(
    ticker: str | None, event: float, known: float, a1: float | None, a2: float = 0.5
) -> dict:
    times = {"event_timestamp": at(event), "created_timestamp": at(known)}
    return {"ticker": ticker, **times, "a1": a1, "a2": a2}


ALPHA = [
    alpha("A", 0, 0, 1.0),
    alpha("A", 2, 2, 2.0),
    alpha("A", 0, 4, 1.5),
    alpha("B", 1, 1, None, 7.0),
]
BETA = [
    {"ticker": t, "lot": n, "event_timestamp": at(0), "created_timestamp": at(0), "b1": b}
    for t, n, b in [("A", 1, 10.0), ("A", 2, 20.0), ("B", 1, 30.0)]
]


def asked(*rows: tuple[str | None, int | None, float | None]) -> pd.DataFrame:
    tickers, lots, moments = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "ticker": pd.Series(tickers, dtype=object),
            "lot": pd.Series(lots, dtype="Int64"),
            "event_timestamp": pd.DatetimeIndex(
                [pd.NaT if m is None else at(m) for m in moments], tz="UTC"
            ),
        }
    )


def oracle(frame: pd.DataFrame, stored: dict[str, Rows]) -> pd.DataFrame:
    """For each entity row and view, look at every stored row."""
    answer: dict[str, list] = {name: [] for view in FEATURES for name in FEATURES[view]}
    for row in frame.to_dict("records"):
        for view, rows in stored.items():
            best = best_row(row, rows, KEYS[view], TTL[view])
            for name in FEATURES[view]:
                answer[name].append(best[name] if best else None)
    return pd.DataFrame({name: np.array(values, dtype=float) for name, values in answer.items()})


def best_row(row: dict, rows: Rows, keys: list[str], ttl: timedelta | None) -> dict | None:
    moment = row["event_timestamp"]
    if moment is pd.NaT or any(pd.isna(row[key]) for key in keys):
        return None
    seen = [
        (stored["event_timestamp"], stored["created_timestamp"], position)
        for position, stored in enumerate(rows)
        if all(stored[key] == row[key] for key in keys)
        and stored["event_timestamp"] <= moment
        and stored["created_timestamp"] <= moment
    ]
    if not seen or (ttl and moment - max(seen)[0] > ttl):
        return None
    return rows[max(seen)[2]]


SECONDS = st.integers(0, 6)
MAYBE = st.one_of(st.none(), st.floats(-5, 5), st.floats(-5, 5))
TICKERS = st.sampled_from(["A", "B", "C", None])


@st.composite
def stored_rows(draw: DrawFn, view: str) -> Rows:
    def row() -> dict:
        times = {"event_timestamp": at(draw(SECONDS)), "created_timestamp": at(draw(SECONDS))}
        keys = {"ticker": draw(TICKERS), "lot": draw(st.sampled_from([1, 2, None]))}
        return {**keys, **times, **{name: draw(MAYBE) for name in FEATURES[view]}}

    return [row() for _ in range(draw(st.integers(0, 8)))]


ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_feast_answers_as_brute_force_does(shared: Home, data: st.DataObject) -> None:
    stored = {view: data.draw(stored_rows(view), view) for view in KEYS}
    for view, rows in stored.items():
        shared.write(view, rows)
    entity = st.tuples(
        st.sampled_from(["A", "B", "X", None]), st.sampled_from([1, 2, None]), st.integers(-1, 9)
    )
    frame = asked(*data.draw(st.lists(entity, max_size=8)))
    frame["event_timestamp"] = frame["event_timestamp"].dt.tz_convert(
        data.draw(st.sampled_from(ZONES))
    )
    frame.index = pd.Index(range(50, 50 + len(frame)))
    before = frame.copy()

    found = shared.read(frame).to_df()

    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_frame_equal(found[list(before.columns)], before.reset_index(drop=True))
    # Lake files are by ticker: rows of one ticker keep their order, which is all that ties need.
    pd.testing.assert_frame_equal(found[oracle(frame, stored).columns], oracle(frame, stored))


def test_rows_stay_in_place_duplicates_and_unanswered_ones_included(home: Home) -> None:
    frame = asked(("B", 1, 3), ("A", 1, 3), ("A", 1, 3), ("X", 1, 3), (None, None, 3), ("A", 1, -9))
    found = home.read(frame).to_df()
    assert found["ticker"].tolist() == ["B", "A", "A", "X", None, "A"]
    np.testing.assert_array_equal(found["a1"], [np.nan, 2, 2, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["a2"], [7, 0.5, 0.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["b1"], [30, 10, 10, np.nan, np.nan, np.nan])


def test_late_correction_neither_leaks_nor_hides(home: Home) -> None:
    made = [("A", 1, t) for t in (0, 1.5, 2, 4, 5)]
    assert home.read(asked(*made), ["alpha:a1"]).to_df()["a1"].tolist() == [1, 1, 2, 2, 2]
    home.write("alpha", [alpha("A", 0, 0, 1.0), alpha("A", 0, 2, 1.5)])
    assert home.read(asked(*made[:3]), ["alpha:a1"]).to_df()["a1"].tolist() == [1, 1, 1.5]


def test_known_at_can_be_switched_off_in_the_configuration_only(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data", known_at=False)
    home.write("alpha", [alpha("A", 0, 0, 1.0), alpha("A", 0, 9, 1.5)])
    frame = asked(("A", 1, 1))
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.5]
    found = home.read(frame, ["alpha:a1"], filter_by_created_timestamp=True).to_df()
    assert found["a1"].tolist() == [1.0]


def test_ttl_ends_with_its_last_microsecond(home: Home) -> None:
    home.write("alpha", [alpha("A", 0, 0, 1.0)])
    frame = asked(("A", 1, 3), ("A", 1, 3.000001))
    np.testing.assert_array_equal(home.read(frame, ["alpha:a1"]).to_df()["a1"], [1.0, np.nan])


def test_same_moment_across_the_clock_change_is_the_same_answer(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    # 01:30 in New York comes twice on 2024-11-03: 05:30 and 06:30 UTC.
    first, second = (
        datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
        datetime(2024, 11, 3, 6, 30, tzinfo=UTC),
    )
    rows = [{**alpha("A", 0, 0, a1), "event_timestamp": t, "created_timestamp": t}
            for a1, t in ((1.0, first), (2.0, second))]  # fmt: skip
    home.write("alpha", rows)
    local = pd.DatetimeIndex([first, second]).tz_convert("America/New_York")
    assert [str(t.time()) for t in local] == ["01:30:00"] * 2
    frame = pd.DataFrame({"ticker": ["A", "A"], "event_timestamp": local})
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.0, 2.0]


def test_moments_of_several_zones_in_one_column(home: Home) -> None:
    moments = [pd.Timestamp(at(1)).tz_convert(zone) for zone in ("Asia/Kolkata", "US/Eastern")]
    moments.append(at(2).astimezone(tz=None))
    frame = pd.DataFrame({"ticker": "A", "event_timestamp": pd.Series(moments, dtype=object)})
    found = home.read(frame, ["alpha:a1"]).to_df()
    assert found["a1"].tolist() == [1, 1, 2]
    assert (pd.to_datetime(found["event_timestamp"], utc=True) == moments).all()


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pd.to_datetime(["2024-03-08 21:00"]), "without one the moment is not known"),
        (pd.Series([datetime(2024, 3, 8)], dtype=object), "timestamps with a zone"),  # noqa: DTZ001
        (pd.Series(["2024-03-08T21:00Z"]), "timestamps with a zone"),
        (pd.Series([20240308]), "timestamps with a zone"),
        (pd.Series([datetime(9999, 1, 1, tzinfo=UTC)], dtype=object), "years 1678 to 2261"),
    ],
)
def test_moment_that_is_none_is_refused(home: Home, column: Any, words: str) -> None:
    frame = pd.DataFrame({"ticker": ["A"], "event_timestamp": column})
    with pytest.raises(InputError, match=words):
        home.read(frame, ["alpha:a1"])


def test_missing_moment_is_answered_with_nulls(home: Home) -> None:
    assert home.read(asked(("A", 1, None))).to_df()[["a1", "b1"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (asked(("A", 1, 1)).drop(columns="lot"), r"lacks join key 'lot' of view beta"),
        (asked(("A", 1, 1)).assign(a1=1.0), r"column 'a1' would stand twice"),
        (asked(("A", 1, 1)).drop(columns="event_timestamp"), "no column event_timestamp"),
        (asked(("A", 1, 1)).assign(ticker=[1]), r"entity key ticker: got Int64, stored is String"),
        (asked(("A", 1, 1), ("B", 1, 1)).assign(ticker=[1, "A"]), "several kinds of values"),
        (pl.DataFrame({"ticker": ["A"]}), "got DataFrame, allowed is pandas"),
    ],
)
def test_frame_that_does_not_fit_is_refused(home: Home, frame: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        home.read(frame).to_df()


def test_sql_is_refused(home: Home) -> None:
    with pytest.raises(NotImplementedError, match="pandas frame"):
        home.read("select 1")


def test_only_timestamps_may_have_another_name(home: Home) -> None:
    frame = asked(("A", 1, 1)).rename(columns={"event_timestamp": "decided_at"})
    assert home.read(frame, ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]


def test_full_names_and_chosen_columns(home: Home) -> None:
    job = home.read(asked(("A", 1, 1)), ["alpha:a2", "beta:b1"], full_feature_names=True)
    found = job.to_df()
    assert list(found)[3:] == ["alpha__a2", "beta__b1"]
    assert job.full_feature_names


def test_keys_may_be_categories_or_floats(home: Home) -> None:
    frame = asked(("A", 1, 1), ("B", 2, 1))
    frame = frame.assign(ticker=frame["ticker"].astype("category"), lot=[1.0, np.nan])
    found = home.read(frame).to_df()
    np.testing.assert_array_equal(found["b1"], [10, np.nan])
    np.testing.assert_array_equal(found["a2"], [0.5, 7])


def test_join_key_under_another_name(home: Home) -> None:
    view = home.store.get_feature_view("alpha").with_name("peer")
    view = view.with_join_key_map({"ticker": "peer_ticker"})
    from feast import FeatureService

    home.store.apply([FeatureService(name="pair", features=[view[["a2"]]])])
    frame = asked(("A", 1, 1)).assign(peer_ticker="B")
    service = home.store.get_feature_service("pair")
    found = home.store.get_historical_features(frame, service, full_feature_names=True).to_df()
    assert found["peer__a2"].tolist() == [7.0]


def test_on_demand_view_is_computed_from_the_answer(home: Home) -> None:
    source = home.store.get_feature_view("alpha")

    @on_demand_feature_view(
        sources=[source], schema=[Field(name="doubled", dtype=Float64)], mode="pandas"
    )
    def twice(inputs: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"doubled": inputs["a1"] * 2})

    home.store.apply([twice])
    found = home.read(asked(("A", 1, 1)), ["twice:doubled"]).to_df()
    assert found["doubled"].tolist() == [2.0]


def without_beta(data: Path, tags: dict[str, str]) -> Home:
    """A home in which nothing has landed in beta, a view of the ticker alone with these tags."""
    made = make_home(data)
    made.write("alpha", ALPHA)
    view = made.store.get_feature_view("beta")
    view.tags, view.entities = tags, ["ticker"]
    view.entity_columns = view.entity_columns[:1]
    made.store.apply([view])
    return made


def test_optional_view_in_which_nothing_has_landed_is_null(tmp_path: Path) -> None:
    home = without_beta(tmp_path / "data", {"optional": "true"})
    frame = asked(("A", 1, 1), ("B", 1, 1), (None, None, None))
    found = home.read(frame, REFS).to_df()
    assert found["a1"].tolist()[0] == 1.0
    assert found["b1"].isna().all()
    assert found["b1"].dtype == "float64"
    assert home.read(frame, ["beta:b1"]).to_arrow().num_rows == 3
    assert home.read(frame[:0], ["beta:b1"]).to_df().empty


def test_events_are_those_of_the_views_that_have_landed(tmp_path: Path) -> None:
    home = without_beta(tmp_path / "data", {"optional": "true"})
    period = {"start_date": at(0), "end_date": at(9)}
    found = home.store.get_historical_features(None, REFS, **period).to_df()
    alone = home.store.get_historical_features(None, REFS[:2], **period).to_df()
    pd.testing.assert_frame_equal(found.drop(columns="b1"), alone)
    assert found["b1"].isna().all()
    with pytest.raises(InputError, match="nothing has landed in view beta"):
        home.store.get_historical_features(None, ["beta:b1"], **period).to_df()


@pytest.mark.parametrize("tags", [{}, {"optional": "false"}])
def test_any_other_view_in_which_nothing_has_landed_is_refused(
    tmp_path: Path, tags: dict[str, str]
) -> None:
    home = without_beta(tmp_path / "data", tags)
    with pytest.raises(InputError, match="nothing has landed in view beta"):
        home.read(asked(("A", 1, 1)), REFS).to_df()


def test_optional_view_that_has_landed_is_read_as_any_other(home: Home) -> None:
    view = home.store.get_feature_view("beta")
    before = home.read(asked(("A", 1, 1)), REFS).to_df()
    view.tags = {"optional": "true"}
    home.store.apply([view])
    pd.testing.assert_frame_equal(home.read(asked(("A", 1, 1)), REFS).to_df(), before)


def test_files_that_the_manifest_does_not_name_do_not_exist(home: Home) -> None:
    (named,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    pl.read_parquet(named).with_columns(a1=pl.lit(99.0)).write_parquet(named.with_name("Z.parquet"))
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]


def test_only_the_files_and_columns_asked_for_are_read(home: Home) -> None:
    (other,) = read_manifest(home.data).paths(home.data, "alpha", ["B"])
    other.write_bytes(b"not parquet")
    (mine,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    pl.read_parquet(mine).drop("a2").write_parquet(mine)
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [1.0]
    with pytest.raises(SchemaViolation, match="the files of alpha do not hold what was asked for"):
        home.read(asked(("A", 1, 1)), ["alpha:a2"]).to_df()


def test_replaced_file_is_read_from_its_successor(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = read_manifest(home.data)
    home.write("alpha", [alpha("A", 0, 0, 3.0)])
    for path in stale.paths(home.data, "alpha"):
        path.unlink(missing_ok=True)
    read = iter([stale])
    monkeypatch.setattr(
        "feature_repo.asof_source.read_manifest", lambda folder: next(read, read_manifest(folder))
    )
    assert home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()["a1"].tolist() == [3.0]


def test_missing_file_is_named(home: Home) -> None:
    (named,) = read_manifest(home.data).paths(home.data, "alpha", ["A"])
    named.unlink()
    with pytest.raises(InputError, match=r"a file of alpha is missing: .*parquet"):
        home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()


def test_view_without_any_landing_is_named(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    with pytest.raises(InputError, match="nothing has landed in view alpha"):
        home.read(asked(("A", 1, 1)), ["alpha:a1"]).to_df()


def test_without_entities_every_event_is_answered_as_known_at_the_end(home: Home) -> None:
    job = home.store.get_historical_features(None, ["alpha:a1"], start_date=at(0), end_date=at(4))
    found = job.to_df().set_index(["ticker", "event_timestamp"])["a1"]
    assert found.to_dict() == pytest.approx(
        {("A", at(0)): 1.5, ("A", at(2)): 2.0, ("B", at(1)): np.nan}, nan_ok=True
    )
    early = home.store.get_historical_features(
        None, ["alpha:a1"], start_date=at(0), end_date=at(3)
    ).to_df()
    assert early.sort_values("event_timestamp")["a1"].tolist()[0] == 1.0


def test_without_entities_the_views_need_the_same_keys_and_a_period(home: Home) -> None:
    with pytest.raises(InputError, match="different join keys"):
        home.store.get_historical_features(None, REFS, start_date=at(0), end_date=at(4))
    with pytest.raises(InputError, match="needs start_date"):
        home.store.get_historical_features(None, ["alpha:a1"], end_date=at(4))
    with pytest.raises(InputError, match=r"end_date: got .* without a zone"):
        naive = at(4).replace(tzinfo=None)
        home.store.get_historical_features(None, ["alpha:a1"], start_date=at(0), end_date=naive)


def pull(home: Home, method: str, start: float, end: float, **changes: Any) -> pd.DataFrame:
    view = home.store.get_feature_view("alpha")
    store = home.store._get_provider().offline_store
    arguments = {
        "config": home.store.config,
        "data_source": view.batch_source,
        "join_key_columns": ["ticker"],
        "feature_name_columns": ["a1"],
        "timestamp_field": "event_timestamp",
        "created_timestamp_column": "created_timestamp",
        "start_date": at(start),
        "end_date": at(end),
    }
    return getattr(store, method)(**{**arguments, **changes})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stored_rows("alpha"), SECONDS, SECONDS)
def test_newest_rows_are_what_was_newest_and_known(
    shared: Home, rows: Rows, start: int, length: int
) -> None:
    shared.write("alpha", rows)
    end = start + length
    expected = {}
    for position, row in enumerate(rows):
        event, known = row["event_timestamp"], row["created_timestamp"]
        if row["ticker"] and at(start) <= event <= at(end) and known <= at(end):
            rank = (event, known, position)
            expected[row["ticker"]] = max(expected.get(row["ticker"], rank), rank)
    found = pull(shared, "pull_latest_from_table_or_query", start, end).to_arrow()
    assert all(column.num_chunks <= 1 for column in found.columns)
    values = {row["ticker"]: row["a1"] for row in found.to_pylist()}
    assert values == {ticker: rows[rank[2]]["a1"] for ticker, rank in expected.items()}


def test_all_rows_of_a_period_as_known_at_its_end(home: Home) -> None:
    found = pull(home, "pull_all_from_table_or_query", 0, 3).to_df()
    assert sorted(found["a1"].fillna(-1)) == [-1, 1, 2]
    found = pull(home, "pull_all_from_table_or_query", 0, 4, start_date=None, end_date=None).to_df()
    assert len(found) == len(ALPHA)
    assert list(found) == ["ticker", "a1", "event_timestamp", "created_timestamp"]


def test_pull_of_a_view_without_rows_is_empty(tmp_path: Path) -> None:
    home = make_home(tmp_path / "data")
    for method in ("pull_latest_from_table_or_query", "pull_all_from_table_or_query"):
        assert pull(home, method, 0, 9).to_arrow().num_rows == 0


def test_saved_dataset_comes_back_as_it_was(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "training.parquet"
    job = home.read(asked(("A", 1, 1), ("B", 1, 2), ("X", 9, 2)))
    storage = SavedDatasetFileStorage(path=str(path))
    saved = home.store.create_saved_dataset(job, "training", storage)
    expected = job.to_df().drop(columns="lot")
    found = saved.to_df()[list(expected)]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    with pytest.raises(SavedDatasetLocationAlreadyExists):
        job.persist(storage)
    job.persist(storage, allow_overwrite=True)
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ""] == ["training.parquet"]


def test_saved_dataset_of_many_files_is_refused(home: Home, tmp_path: Path) -> None:
    job = home.read(asked(("A", 1, 1)))
    with pytest.raises(InputError, match=r"path ends in \.parquet"):
        job.persist(SavedDatasetFileStorage(path=str(tmp_path)))


def test_feature_files_are_not_written_by_feast(home: Home) -> None:
    rows = pd.DataFrame(ALPHA).assign(session=BASE.date())
    with pytest.raises(NotImplementedError, match="lake"):
        home.store.write_to_offline_store("alpha", rows)


def test_other_sources_are_refused(home: Home) -> None:
    remote = FileSource(name="far", path="s3://bucket/alpha", timestamp_field="event_timestamp")
    offline = home.store._get_provider().offline_store
    with pytest.raises(InputError, match="allowed is a local FileSource"):
        offline.validate_data_source(home.store.config, remote)


def test_manifest_that_is_none_is_refused(home: Home) -> None:
    (home.data / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(InputError, match="no manifest of format"):
        home.read(asked(("A", 1, 1))).to_df()
