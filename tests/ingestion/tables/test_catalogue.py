"""Every raw table keeps the promises that the gate, the lake and the sources rely on."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from ingestion.tables.catalogue import INDEX_OPENING, TABLES
from ingestion.tables.declare import PANDAS_DTYPES, ROUNDING, Column, Pair, Table
from market.availability import SERIES
from market.errors import SchemaViolation

EXAMPLES = {
    "string": ["SPY"],
    "date": [pd.Timestamp("2024-01-02")],
    "timestamp": [pd.Timestamp("2024-01-02 21:00", tz="UTC")],
    "float": [1.5],
    "int": [1],
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def one_row(table: Table) -> pd.DataFrame:
    values = {c.name: EXAMPLES[c.dtype] for c in table.columns}
    return pd.DataFrame(values).astype(table.dtypes)


def test_the_tables_of_the_raw_layer() -> None:
    assert set(TABLES) >= {"prices", "indices", "macro_series"}
    assert TABLES["prices"].names == (
        "ticker", "session", "open", "high", "low", "close", "volume", "dividend", "split",
        "adj_close",
    )  # fmt: skip
    assert TABLES["indices"].names == ("symbol", "session", "open", "high", "low", "close")
    assert TABLES["macro_series"].names == ("series", "observation_date", "vintage_date", "value")


@every_table
def test_is_registered_under_its_name_and_described(table: Table) -> None:
    assert TABLES[table.name] is table
    assert table.known
    assert table.revision
    assert table.tier in ("free", "paid")
    assert all(column.unit for column in table.columns)


@every_table
def test_key_and_partition_are_its_columns(table: Table) -> None:
    assert len(set(table.names)) == len(table.names)
    assert set(table.key) <= set(table.names)
    assert table.key[0] == table.partition
    assert table.dated in {c.name for c in table.columns if c.dtype in ("date", "timestamp")}


@every_table
def test_only_the_vintage_may_be_unknown_in_a_key(table: Table) -> None:
    columns = {column.name: column for column in table.columns}
    nullable = {name for name in table.key if columns[name].nullable}
    assert nullable <= {"vintage_date"}
    assert not columns[table.partition].nullable


@every_table
def test_every_bound_leaves_room_and_fits_its_dtype(table: Table) -> None:
    for column in table.columns:
        bounds = (column.minimum, column.maximum)
        if column.dtype in ("float", "int"):
            assert None not in bounds, f"{column.name}: infinity must not pass"
            assert bounds[0] < bounds[1]
        else:
            assert bounds == (None, None)
        assert column.dtype == "string" or column.allowed is None
        assert column.dtype == "date" or not column.session
        assert column.minimum is not None or not column.strict_minimum
        assert column.maximum is not None or not column.strict_maximum


@every_table
def test_pairs_compare_numbers_of_the_table(table: Table) -> None:
    columns = {column.name: column for column in table.columns}
    for pair in table.pairs:
        assert columns[pair.greater].dtype == columns[pair.lesser].dtype == "float"
        assert 0.0 <= pair.tolerance < 1.0


@every_table
def test_a_share_of_nulls_is_declared_where_there_may_be_nulls(table: Table) -> None:
    for column in table.columns:
        assert column.null_share is None or column.nullable, column.name
        assert column.null_share is None or 0.0 <= column.null_share < 1.0, column.name


@every_table
def test_splits_scale_prices_of_the_table_by_session(table: Table) -> None:
    if table.splits is None:
        assert table.name != "prices"
        return
    columns = {column.name: column for column in table.columns}
    for name in (table.splits.ratio, *table.splits.prices):
        assert columns[name].dtype == "float"
        assert not columns[name].nullable
        assert columns[name].strict_minimum
        assert columns[name].minimum == 0.0
    assert (table.splits.prices[0], table.splits.prices[-1]) == ("open", "close")
    assert table.by_session


@every_table
def test_a_missing_session_is_a_gap_where_a_row_is_one_session(table: Table) -> None:
    assert table.dating.name == table.dated
    assert table.by_session is (table.name in ("prices", "indices"))


@every_table
def test_no_table_has_the_name_of_a_view(table: Table) -> None:
    assert table.name not in {*GROUPS, *ON_DEMAND}


@every_table
def test_is_frozen(table: Table) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.name = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        TABLES["more"] = table  # type: ignore[index]


@every_table
def test_an_empty_frame_has_its_shape(table: Table) -> None:
    frame = table.empty()
    assert len(frame) == 0
    assert table.check(frame) is frame
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == table.dtypes


@every_table
def test_a_right_frame_passes_unchanged(table: Table) -> None:
    frame = one_row(table)
    pd.testing.assert_frame_equal(table.check(frame), frame)


@every_table
def test_a_missing_added_or_moved_column_is_refused(table: Table) -> None:
    frame = one_row(table)
    for wrong in (
        frame.drop(columns=table.names[-1]),
        frame.assign(extra=1.0),
        frame[list(reversed(table.names))],
        pd.DataFrame(),
    ):
        with pytest.raises(SchemaViolation, match=f"table {table.name}: got columns") as caught:
            table.check(wrong)
        assert ", ".join(table.names) in str(caught.value)


@every_table
def test_every_other_dtype_is_refused_by_name(table: Table) -> None:
    for column in table.columns:
        wrong = one_row(table)
        wrong[column.name] = pd.Series([True])
        with pytest.raises(SchemaViolation) as caught:
            table.check(wrong)
        assert str(caught.value) == (
            f"table {table.name}, column {column.name}: got dtype bool, "
            f"allowed is {PANDAS_DTYPES[column.dtype]}"
        )


def test_a_zone_in_a_date_is_refused() -> None:
    table = TABLES["prices"]
    frame = one_row(table)
    frame["session"] = frame["session"].dt.tz_localize("UTC")
    with pytest.raises(SchemaViolation, match=r"column session: got dtype datetime64\[ns, UTC\]"):
        table.check(frame)


def test_the_series_allowed_are_those_with_a_known_lag() -> None:
    column = next(c for c in TABLES["macro_series"].columns if c.name == "series")
    assert set(column.allowed or ()) == set(SERIES)


def test_bounds_named_by_the_domain() -> None:
    prices = {column.name: column for column in TABLES["prices"].columns}
    for name in ("open", "high", "low", "close", "split"):
        assert (prices[name].minimum, prices[name].strict_minimum) == (0.0, True)
        assert not prices[name].nullable
    for name in ("volume", "dividend"):
        assert (prices[name].minimum, prices[name].strict_minimum) == (0.0, False)
    levels = {column.name: column for column in TABLES["indices"].columns}
    assert [levels[name].nullable for name in ("open", "high", "low", "close")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert (levels["close"].maximum, levels["close"].strict_maximum) == (300.0, True)
    assert prices["session"].session
    assert levels["session"].session


@given(
    greater=st.none() | st.floats(0.01, 1e4),
    lesser=st.none() | st.floats(0.01, 1e4),
    tolerance=st.sampled_from([0.0, ROUNDING, INDEX_OPENING]),
)
def test_a_pair_holds_up_to_its_tolerance_and_passes_nulls(
    greater: float | None, lesser: float | None, tolerance: float
) -> None:
    frame = pd.DataFrame({"high": [greater], "low": [lesser]}, dtype="float64", index=[7])
    held = Pair("high", "low", tolerance).holds(frame)
    expected = None in (greater, lesser) or greater >= lesser * (1 - tolerance)
    assert held.tolist() == [expected]
    assert held.index.tolist() == [7]
    assert held.dtype == bool


@pytest.mark.parametrize(
    ("bar", "broken"),
    [
        ((100.0, 101.0, 99.0, 100.5), set()),
        ((100.0, 100.0, 100.0, 100.0), set()),
        ((100.0, 99.995, 99.0, 99.5), set()),  # the vendor's rounding
        ((98.5, 98.5, 99.0, 98.5), {("high", "low"), ("open", "low"), ("close", "low")}),
        ((100.0, 99.0, 98.0, 98.5), {("high", "open")}),
        ((97.0, 99.0, 98.0, 98.5), {("open", "low")}),
        ((98.5, 99.0, 98.0, 99.5), {("high", "close")}),
        ((98.5, 99.0, 98.0, 97.5), {("close", "low")}),
        ((np.nan, 99.0, np.nan, 98.0), set()),
    ],
)
def test_order_of_a_bar(bar: tuple[float, ...], broken: set[tuple[str, str]]) -> None:
    frame = pd.DataFrame([bar], columns=["open", "high", "low", "close"])
    found = {(p.greater, p.lesser) for p in TABLES["prices"].pairs if not p.holds(frame).iloc[0]}
    assert found == broken


def test_another_table_is_one_row() -> None:
    table = Table(
        name="mentions",
        key=("ticker", "seen_at"),
        partition="ticker",
        dated="seen_at",
        columns=(
            Column("ticker", "string", "stock"),
            Column("seen_at", "timestamp", "time of the snapshot"),
            Column("mentions", "int", "count", minimum=0, maximum=1e9),
        ),
        known="when seen",
        revision="never",
        tier="free",
    )
    late = pd.DataFrame({"seen_at": pd.to_datetime(["2024-03-05T01:00:00Z"])})
    assert table.days(late).tolist() == [pd.Timestamp("2024-03-04")]  # still Monday in New York
    assert table.values == ("mentions",)
    assert table.check(table.empty()).dtypes.astype(str).tolist() == [
        "object", "datetime64[ns, UTC]", "int64",
    ]  # fmt: skip
