"""The gate: every declared rule finds its planted row, and nothing unchecked comes through."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

from ingestion.gate import expectations
from ingestion.gate.expectations import REPEATED, gate
from ingestion.gate.rules import Rule, row_rules, sequence_rules, with_judged
from ingestion.gate.settled import settled
from ingestion.sources.recorded.source import Recorded
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Column, Pair, Table
from market.availability import SERIES
from market.errors import SchemaViolation
from tests.ingestion.clean_rows import clean

TABLE_LIST = list(TABLES.values())


def bounds(table: Table) -> Iterator[tuple[Column, float, bool]]:
    """Yield a column, a value at or beyond one of its bounds, and whether it is allowed."""
    for column in table.columns:
        if column.dtype not in ("float", "int"):
            continue
        for bound, strict, away in (
            (column.minimum, column.strict_minimum, -np.inf),
            (column.maximum, column.strict_maximum, np.inf),
        ):
            if column.dtype == "int":
                yield column, int(bound), not strict
                yield column, int(bound + np.sign(away)), False
                continue
            if bound is not None:
                yield column, bound, not strict
                yield column, float(np.nextafter(bound, away)), False
            yield column, away, False


COLUMNS = [
    pytest.param(table, column, id=f"{table.name}-{column.name}")
    for table in TABLE_LIST
    for column in table.columns
]


def reasons(table: Table, frame: pd.DataFrame) -> dict[int, list[str]]:
    """Return the rules broken by each bad row of a frame, by the row's number."""
    good, bad = gate(table, frame)
    assert len(good) + len(bad) == len(frame)
    assert list(good.columns) == list(table.names)
    assert list(bad.columns) == [*table.names, "reason"]
    table.check(good)
    rows = frame.reset_index(drop=True)
    numbers = bad.drop(columns="reason").apply(lambda row: position(rows, row), axis=1)
    return dict(zip(numbers, bad["reason"].str.split("; "), strict=True)) if len(bad) else {}


def position(rows: pd.DataFrame, row: pd.Series) -> int:
    same = [(rows[name] == row[name]) | (rows[name].isna() & pd.isna(row[name])) for name in rows]
    return int(np.flatnonzero(np.logical_and.reduce(same))[-1])


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_clean_rows_all_pass(table: Table) -> None:
    frame = clean(table)
    good, bad = gate(table, frame)
    pd.testing.assert_frame_equal(good, frame)
    assert bad.empty
    assert gate(table, table.empty())[0].empty


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_values_beyond_a_bound_are_told_apart(table: Table) -> None:
    planted = list(bounds(table))
    frame = clean(table, len(planted))
    for row, (column, value, _) in enumerate(planted):
        frame.loc[row, column.name] = value
    # The rules of pairs, neighbours and levels are tested on their own; here they would speak too.
    found = reasons(replace(table, pairs=(), splits=None, known="of no table with levels"), frame)
    assert set(found) == {row for row, (_, _, allowed) in enumerate(planted) if not allowed}
    for row, words in found.items():
        assert len(words) == 1
        assert words[0].startswith(f"{planted[row][0].name}: ")


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_a_broken_order_is_told_apart(table: Table) -> None:
    for row, pair in enumerate(table.pairs):
        frame = clean(table)
        frame.loc[row, pair.greater] = lowered(frame, row, pair) * (1 - 1e-6)
        words = f"{pair.greater} >= {pair.lesser} (to {pair.tolerance:.2%})"
        assert reasons(replace(table, pairs=(pair,)), frame) == {row: [words]}


def lowered(frame: pd.DataFrame, row: int, pair: Pair) -> float:
    return float(frame.loc[row, pair.lesser] * (1 - pair.tolerance))


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_an_order_holds_up_to_its_tolerance_and_through_nulls(table: Table) -> None:
    nullable = tuple(replace(column, nullable=True) for column in table.columns)
    for pair in table.pairs:
        frame = clean(table)
        frame.loc[4, pair.greater] = lowered(frame, 4, pair)
        frame.loc[6, pair.greater] = np.nan
        frame.loc[7, pair.lesser] = np.nan
        assert reasons(replace(table, columns=nullable, pairs=(pair,)), frame) == {}


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_a_null_is_told_apart_unless_declared(table: Table) -> None:
    frame = clean(table, len(table.columns))
    # A column of integers has no null: one would be another type.
    columns = [(row, c) for row, c in enumerate(table.columns) if c.dtype != "int"]
    for row, column in columns:
        frame.loc[row, column.name] = None
    expected = {row: [f"{c.name}: not null"] for row, c in columns if not c.nullable}
    assert reasons(table, frame) == expected


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_missing_column_lands_nothing(table: Table, column: Column) -> None:
    with pytest.raises(SchemaViolation, match=rf"missing {column.name}; allowed are"):
        gate(table, clean(table).drop(columns=column.name))


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_an_undeclared_column_lands_nothing(table: Table) -> None:
    with pytest.raises(SchemaViolation, match=f"table {table.name}: columns: not declared extra"):
        gate(table, clean(table).assign(extra=1.0))


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_renamed_column_lands_nothing_and_both_names_are_told(
    table: Table, column: Column
) -> None:
    words = f"table {table.name}: columns: missing {column.name}; not declared {column.name}_usd;"
    with pytest.raises(SchemaViolation, match=words):
        gate(table, clean(table).rename(columns={column.name: f"{column.name}_usd"}))


def test_a_column_twice_lands_nothing() -> None:
    frame = clean(TABLES["prices"])
    twice = pd.concat([frame, frame[["close"]]], axis=1)
    with pytest.raises(SchemaViolation, match=r"got columns .*low, close, close, volume"):
        gate(TABLES["prices"], twice)


RETYPED = {
    "string": "category",
    "date": "datetime64[s]",
    "timestamp": "datetime64[us, UTC]",
    "float": "float32",
    "int": "int32",
}


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_retyped_column_lands_nothing(table: Table, column: Column) -> None:
    frame = clean(table)
    with pytest.raises(SchemaViolation, match=column.name):
        gate(table, frame.astype({column.name: RETYPED[column.dtype]}))
    with pytest.raises(SchemaViolation, match=column.name):
        gate(table, frame.assign(**{column.name: [True] * len(frame)}))


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_columns_in_another_order_are_put_in_order(table: Table) -> None:
    good, _ = gate(table, clean(table)[list(table.names)[::-1]])
    pd.testing.assert_frame_equal(good, clean(table))


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_rows_of_one_key_that_differ_are_all_refused(table: Table) -> None:
    frame = pd.concat([clean(table), clean(table).tail(1)], ignore_index=True)
    last = len(frame) - 1
    number = next(c.name for c in table.columns if c.dtype == "float" and c.name not in table.key)
    frame.loc[last, number] *= 1.0001
    words = f"{', '.join(table.key)}: once"
    assert reasons(replace(table, pairs=()), frame) == {last - 1: [words], last: [words]}


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_of_equal_rows_one_is_kept(table: Table) -> None:
    frame = pd.concat([clean(table), clean(table).tail(2)], ignore_index=True)
    good, bad = gate(table, frame)
    pd.testing.assert_frame_equal(good, clean(table))
    assert bad["reason"].to_list() == [REPEATED, REPEATED]


@pytest.mark.parametrize("table", [TABLES["prices"], TABLES["indices"]], ids=lambda t: t.name)
def test_a_day_without_trading_is_no_session(table: Table) -> None:
    frame = clean(table)
    # In no order: a day that is no session is out of no order.
    days = ["2024-07-04", "2024-07-06", "2024-12-25", "2024-12-24 09:30"]
    frame.loc[:3, "session"] = pd.to_datetime(days, format="ISO8601")
    assert reasons(table, frame) == {row: ["session: an XNYS session"] for row in range(4)}


def test_macro_days_need_no_session_but_a_date() -> None:
    table = TABLES["macro_series"]
    frame = clean(table)
    frame.loc[0, "observation_date"] = pd.Timestamp("2023-12-25")
    frame.loc[2, "observation_date"] += pd.Timedelta(hours=5)
    assert reasons(table, frame) == {2: ["observation_date: a date without a time"]}


def test_only_known_series_land() -> None:
    table = TABLES["macro_series"]
    frame = clean(table)
    frame.loc[1, "series"] = "GDP"
    assert reasons(table, frame) == {1: [f"series: one of {', '.join(SERIES)}"]}


def test_a_key_must_be_able_to_name_a_file() -> None:
    frame = clean(TABLES["prices"])
    frame.loc[:5, "ticker"] = ["../SPY", "S/P", "", "SPY\n", "x" * 33, ".SPY"]
    words = "ticker: a name of letters, digits and . _ = -, at most 32"
    assert reasons(TABLES["prices"], frame) == {row: [words] for row in range(6)}


def test_what_is_no_text_is_told_apart() -> None:
    frame = clean(TABLES["prices"])
    frame.loc[1, "ticker"] = 7
    assert reasons(TABLES["prices"], frame) == {1: ["ticker: text"]}


def test_a_row_tells_every_rule_that_it_breaks() -> None:
    frame = clean(TABLES["prices"])
    frame.loc[1, ["high", "volume"]] = [-1.0, np.nan]
    found = reasons(TABLES["prices"], frame)[1]
    assert {"volume: not null", "high: > 0 and <= 1e+07", "high >= low (to 0.01%)"} <= set(found)


@pytest.mark.parametrize("table", TABLE_LIST, ids=lambda table: table.name)
def test_the_suite_follows_the_declaration(table: Table) -> None:
    rules = [*row_rules(table), *sequence_rules(table)]
    words = [rule.words for rule in rules]
    assert len(words) == len(set(words))
    for column in table.columns:
        assert (f"{column.name}: not null" in words) is not column.nullable
    assert sum(rule.expectation.startswith("ExpectColumnPair") for rule in rules) == len(
        table.pairs
    )


def test_a_side_without_a_bound_still_refuses_infinity() -> None:
    columns = (Column("k", "string", ""), Column("d", "date", ""), Column("x", "float", "any"))
    table = Table("t", ("k", "d"), "k", "d", columns, known="", revision="", tier="free")
    frame = clean(table)
    frame.loc[[1, 2], "x"] = [np.inf, -np.inf]
    frame.loc[3, "x"] = 1e300
    assert reasons(table, frame) == {1: ["x: finite"], 2: ["x: finite"]}


def test_an_exception_inside_a_result_lands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Rule("nowhere: not null", "ExpectColumnValuesToNotBeNull", {"column": "nowhere"})
    rules = row_rules(TABLES["prices"])
    monkeypatch.setattr(expectations, "row_rules", lambda _table: [*rules, broken])
    with pytest.raises(SchemaViolation, match=r"'nowhere: not null' could not be checked: .*exist"):
        gate(TABLES["prices"], clean(TABLES["prices"]))


def test_a_raising_library_lands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError("inside")

    import great_expectations.datasource.fluent.interfaces as fluent

    monkeypatch.setattr(fluent.Batch, "validate", fails)
    with pytest.raises(ZeroDivisionError):
        gate(TABLES["prices"], clean(TABLES["prices"]))


def answering(monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Any]], list[Any]]) -> None:
    """Let Great Expectations answer with other results than it found."""
    import great_expectations.datasource.fluent.interfaces as fluent

    validate = fluent.Batch.validate

    def changed(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = validate(self, *arguments, **options)
        answer.results = change(answer.results)
        return answer

    monkeypatch.setattr(fluent.Batch, "validate", changed)


def test_a_rule_without_an_answer_lands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda results: results[:-1])
    with pytest.raises(SchemaViolation, match="could not be checked: no answer"):
        gate(TABLES["prices"], clean(TABLES["prices"]))


def test_a_failure_that_names_no_row_lands_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(results: list[Any]) -> list[Any]:
        for result in results:
            result.result.pop("unexpected_index_list", None)
        return results

    frame = clean(TABLES["prices"])
    frame.loc[1, "close"] = -1.0
    answering(monkeypatch, nameless)
    with pytest.raises(SchemaViolation, match="no row is named"):
        gate(TABLES["prices"], frame)


def test_the_frame_is_left_as_it_was() -> None:
    frame = clean(TABLES["prices"]).set_index(np.arange(12) * 7)
    frame.loc[7, "close"] = -1.0
    before = frame.copy(deep=True)
    good, bad = gate(TABLES["prices"], frame)
    pd.testing.assert_frame_equal(frame, before)
    assert (len(good), len(bad)) == (11, 1)


def test_importing_the_gate_imports_no_heavy_library() -> None:
    code = (
        "import ingestion.build.build, sys; print({*sys.modules} & {'great_expectations', 'scipy'})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_gate_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    gate(TABLES["prices"], clean(TABLES["prices"]))
    assert tuple(capfd.readouterr()) == ("", "")


@pytest.mark.recorded
def test_recorded_rows_that_are_refused(recorded_dir: Path) -> None:
    source = Recorded(recorded_dir)
    end = source.last_session()
    keys = {
        "prices": ["SPY", "QQQ", "IWM"],
        "indices": ["VIX", "VXN", "RVX", "VIX3M"],
        "macro_series": list(SERIES),
    }
    refused = {
        name: gate(TABLES[name], source.fetch(name, keys[name], None, end))[1] for name in keys
    }
    assert refused["prices"].empty
    assert refused["macro_series"].empty
    # Two openings of VIX outside the day's range by more than 30 %: 2.58 and 41.60.
    found = refused["indices"]
    assert found["symbol"].to_list() == ["VIX", "VIX"]
    assert found["session"].dt.strftime("%Y-%m-%d").to_list() == ["2004-11-08", "2006-02-08"]
    assert found["reason"].to_list() == ["open >= low (to 30.00%)", "high >= open (to 30.00%)"]


def test_a_settled_expectation_finds_what_the_one_it_is_made_of_finds() -> None:
    """A configuration that is built once names the same rows, for every kind of rule."""
    one_of_each = {
        rule.expectation: (table, rule)
        for table in TABLE_LIST
        for rule in row_rules(table)
        if not rule.is_judged
    }
    for table, rule in one_of_each.values():
        frame = with_judged(table, clean(table)).iloc[::-1].reset_index(drop=True)
        broken = frame.mask(np.random.default_rng(7).random(frame.shape) < 0.2)
        rows = [
            unexpected(make(**rule.arguments), broken)
            for make in (getattr(gx.expectations, rule.expectation), settled(rule.expectation))
        ]
        assert rows[0] == rows[1], (table.name, rule.words)


def unexpected(expectation: Any, frame: pd.DataFrame) -> tuple[bool, list[int]]:
    """Return whether Great Expectations is content with a frame, and the rows it names."""
    batch = expectations.whole_frame().get_batch({"dataframe": frame})
    result = batch.validate(expectation, result_format=expectations.RESULT_FORMAT)
    return bool(result.success), list(result.result.get("unexpected_index_list") or [])
