"""The naive reading of feature files, and the comparison of frames, by hand."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.frames import SHOWN, differences, naive_frame
from feature_repo.features.catalogue import names
from feature_repo.store.join import AS_OF, EVENT, KNOWN, TIME, seen_at
from ingestion.lake.lake import Lake
from market.calendar import close, read_time, sessions

DAYS = sessions("2024-11-25", "2024-12-03")  # Thanksgiving and a half day lie in here
TTL = timedelta(hours=20)
FEATURE = names("iv_lags")[0]
REFERENCES = [f"iv_lags:{FEATURE}"]


def home(folder: Path, *rows: tuple[int, float, float]) -> Path:
    """A view of SPY: place of the session, hours from its close to being known, the value."""
    at = close(DAYS)
    frame = pd.DataFrame({
        "ticker": "SPY",
        "session": [DAYS[place] for place, *_ in rows],
        "event_timestamp": [at[place] for place, *_ in rows],
        "created_timestamp": [at[place] + pd.Timedelta(hours=late) for place, late, _ in rows],
        **{name: [value for *_, value in rows] for name in names("iv_lags")},
    })  # fmt: skip
    made = pl.from_pandas(frame).with_columns(
        pl.col("session").cast(pl.Date),
        pl.col("event_timestamp", "created_timestamp").cast(pl.Datetime("us", "UTC")),
    )
    with Lake(folder) as lake:
        lake.open_view("iv_lags", "ticker", "hash")
        lake.write_features("iv_lags", "SPY", made, pd.Timestamp("2025-01-01", tz="UTC"))
        lake.commit("recorded")
    return folder


def read(folder: Path) -> tuple[list[float], int]:
    found = naive_frame(folder, REFERENCES, {"iv_lags": TTL}, ["SPY"], DAYS)
    return found.values[FEATURE].tolist(), found.not_yet_known


def test_each_session_sees_its_own_row_as_known_at_the_decision(tmp_path: Path) -> None:
    got, late = read(home(
        tmp_path, (0, 0.0, 1.0), (0, 2.5, 1.5), (0, 2.6, 9.0), (1, 2.6, 2.0), (2, 0.0, 3.0),
        (4, 0.25, 5.0), (4, 0.1, 4.0),
    ))  # fmt: skip
    # A correction counts up to the end of the settle time; a row known later than that is none.
    np.testing.assert_array_equal(got, [1.5, np.nan, 3.0, np.nan, 5.0, np.nan])
    assert late == 1


def test_a_view_that_never_landed_is_null(tmp_path: Path) -> None:
    home(tmp_path, (0, 0.0, 1.0))
    found = naive_frame(
        tmp_path, [*REFERENCES, "cross:a", "iv:iv_rank"], {"iv_lags": TTL, "iv": TTL},
        ["SPY", "QQQ"], DAYS,
    )  # fmt: skip
    assert found.values["iv_rank"].isna().all()
    assert found.values.loc[found.values["ticker"] == "QQQ", FEATURE].isna().all()
    assert found.on_demand == ("a",)
    assert len(found.values) == 2 * len(DAYS)


stored = st.lists(
    st.tuples(st.integers(0, len(DAYS) - 1), st.integers(0, 40)), min_size=1, max_size=20
)


@given(stored)
@settings(max_examples=25, deadline=None)
def test_the_store_and_the_naive_reading_see_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int]]
) -> None:
    numbered = [(place, late / 10, float(n)) for n, (place, late) in enumerate(rows)]
    got, _ = read(home(tmp_path_factory.mktemp("home"), *numbered))
    at = close(DAYS)
    times = pl.DataFrame({
        "ticker": "SPY",
        EVENT: [at[place] for place, *_ in numbered],
        KNOWN: [at[place] + pd.Timedelta(hours=late) for place, late, _ in numbered],
    }).with_columns(pl.col(EVENT, KNOWN).cast(TIME))  # fmt: skip
    asked = pl.DataFrame({"ticker": "SPY", AS_OF: list(read_time(DAYS))})
    seen = seen_at(asked.with_columns(pl.col(AS_OF).cast(TIME)), times, ["ticker"], TTL)
    np.testing.assert_array_equal(got, [np.nan if row is None else float(row) for row in seen])


def frame(change: Callable[[np.ndarray], None] | None = None) -> pd.DataFrame:
    values = np.arange(2.0 * len(DAYS)).reshape(-1, 2)
    values[3, 1] = np.nan
    if change is not None:
        change(values)
    return pd.DataFrame({"ticker": "SPY", "session": DAYS, "a": values[:, 0], "b": values[:, 1]})


def test_equal_frames_have_no_mismatch_in_any_order() -> None:
    found = differences(frame()[::-1].assign(other=1.0), frame())
    assert (found.compared, found.mismatches, found.first) == (2 * len(DAYS), 0, ())


@pytest.mark.parametrize(
    ("got", "feature", "expected"), [(99.0, "a", 4.0), (np.nan, "a", 4.0), (0.0, "b", None)]
)
def test_a_mismatch_names_both_values(got: float, feature: str, expected: float | None) -> None:
    row = 2 if feature == "a" else 3

    def change(values: np.ndarray) -> None:
        values[row, "ab".index(feature)] = got

    (found,) = differences(frame(change), frame()).first
    assert (found.ticker, found.session) == ("SPY", str(DAYS[row].date()))
    assert found.feature == feature
    assert found.got == (None if np.isnan(got) else got)
    assert found.expected == expected


def test_all_mismatches_are_counted_and_some_named() -> None:
    many = pd.concat([frame().assign(ticker=ticker) for ticker in ("A", "B", "C")])
    found = differences(many.assign(a=-1.0, b=-1.0), many)
    assert found.mismatches == 6 * len(DAYS)
    assert len(found.first) == SHOWN


def test_rounding_passes_where_it_is_allowed() -> None:
    moved = frame().assign(a=lambda rows: rows["a"] * (1 + 1e-12))
    assert differences(moved, frame()).mismatches > 0
    assert differences(moved, frame(), 1e-9).mismatches == 0


def test_a_feature_that_is_missing_is_a_mismatch_and_other_sessions_are_an_error() -> None:
    assert differences(frame().drop(columns="a"), frame()).mismatches == len(DAYS)
    with pytest.raises(ValueError, match="frames of other sessions"):
        differences(frame()[:-1], frame())
