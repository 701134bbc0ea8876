"""An oracle of the tables' rules in plain Python, and what every parser's fuzz test shares.

The oracle knows the declarations alone: it judges a row cell by cell, without pandas' comparisons
and without Great Expectations, so that it can tell whether the gate let a bad row through.
"""

import math
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import exchange_calendars
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.gate.expectations import gate
from ingestion.tables.catalogue import TABLES
from ingestion.tables.declare import Column, Table
from market.errors import InputError, SourceUnavailable

SESSIONS = frozenset(exchange_calendars.get_calendar("XNYS", start="1990-01-02").sessions)
LETTERS = frozenset(string.ascii_letters + string.digits)
# A day later than any drawn one: nothing is held back, so that the gate sees all of it.
END = pd.Timestamp("2025-06-30")
DRAWN = pd.Timestamp("2024-01-01")
# Examples of each parser: the normal run, and the long profile (50,000 over all parsers).
SHORT, LONG = 40, 4_000

Row = dict[str, Any]
Read = Callable[[Any], pd.DataFrame]


# --- the oracle ---------------------------------------------------------------------------------


def unknown(value: object) -> bool:
    return value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def cell_fault(table: Table, column: Column, value: Any) -> str | None:
    """What is wrong with one cell, None for nothing."""
    if unknown(value):
        return None if column.nullable else "null"
    if column.dtype in ("float", "int"):
        return number_fault(column, value)
    if column.dtype == "string":
        return text_fault(table, column, value)
    if column.dtype == "date" and (value.hour, value.minute, value.nanosecond) != (0, 0, 0):
        return "a time of day"
    return "no session" if column.session and value not in SESSIONS else None


def number_fault(column: Column, value: float) -> str | None:
    if not math.isfinite(value):
        return "not finite"
    low, high = column.minimum, column.maximum
    if low is not None and (value < low or (column.strict_minimum and value == low)):
        return "too small"
    if high is not None and (value > high or (column.strict_maximum and value == high)):
        return "too large"
    return None


def text_fault(table: Table, column: Column, value: object) -> str | None:
    if not isinstance(value, str):
        return "no text"
    if column.allowed is not None and value not in column.allowed:
        return "not allowed"
    if column.name == table.partition:
        fits = 1 <= len(value) <= 32 and value[0] in LETTERS
        if not fits or not set(value) <= LETTERS | set("._=-"):
            return "no name of a file"
    return None


def faults(table: Table, row: Row) -> list[str]:
    """All that is wrong with a row by itself."""
    found = [
        f"{column.name}: {fault}"
        for column in table.columns
        if (fault := cell_fault(table, column, row[column.name])) is not None
    ]
    for pair in table.pairs:
        greater, lesser = row[pair.greater], row[pair.lesser]
        known = not unknown(greater) and not unknown(lesser)
        if known and greater < lesser * (1.0 - pair.tolerance):
            found.append(f"{pair.greater} < {pair.lesser}")
    return found


def key_of(table: Table, row: Row) -> tuple[Any, ...]:
    return tuple(None if unknown(row[name]) else row[name] for name in table.key)


def rows_of(frame: pd.DataFrame) -> list[Row]:
    return frame.to_dict("records")


def assert_good(table: Table, good: pd.DataFrame) -> None:
    """No row breaks its table, by itself or by its key."""
    rows = rows_of(good)
    for row in rows:
        assert faults(table, row) == [], f"the gate let {row} into {table.name}"
    twice = [key for key, count in Counter(key_of(table, row) for row in rows).items() if count > 1]
    assert twice == [], f"the gate let keys in twice: {twice}"


# --- a fuzz test --------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What became of the payloads of one fuzz test."""

    parsed: list[pd.DataFrame]
    refused: Counter[str]


def parsed_or_refused(table: Table, read: Read, payloads: st.SearchStrategy, count: int) -> Outcome:
    """Every payload either parses into the table's shape, or is refused in one line."""
    outcome = Outcome([], Counter())

    @settings(
        max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(payloads)
    def run(payload: object) -> None:
        try:
            frame = read(payload)
        except (InputError, SourceUnavailable) as error:
            assert str(error).strip()
            assert len(str(error)) < 1_000, "an error repeats the whole payload"
            outcome.refused[type(error).__name__] += 1
            return
        outcome.parsed.append(table.check(frame))

    run()
    return outcome


def apart(table: Table, frames: Iterable[pd.DataFrame], distinguish: str) -> pd.DataFrame:
    """Put the rows of all payloads into one frame, those of each under keys of their own.

    The gate costs a quarter of a second whatever it is given, so it is asked once for all.
    """
    named = []
    for number, frame in enumerate(frames):
        column = frame[distinguish]
        if table.dtypes[distinguish] == "object":
            marked = column.map(lambda name, n=number: f"{name}{n}", na_action="ignore")
        else:  # drawn days lie within one month, so that no two payloads meet
            marked = column.copy()
            drawn = column >= DRAWN.tz_localize(column.dt.tz)
            marked[drawn] = column[drawn] - pd.Timedelta(days=31 * number)
        named.append(frame.assign(**{distinguish: marked}))
    rows = pd.concat([table.empty(), *named], ignore_index=True)
    return rows.astype(table.dtypes)


def assert_gated(table: Table, outcome: Outcome, distinguish: str) -> None:
    """What parsed goes through the gate: no row is lost, and no good row breaks its table."""
    rows = apart(table, outcome.parsed, distinguish)
    good, bad = gate(table, rows)
    assert len(good) + len(bad) == len(rows)
    assert_good(table, good)
    assert len(good), "nothing parsed that is good: the payloads are not in the vendor's shape"
    assert outcome.refused, "no payload was refused: the mutations do not reach the parser"
    # And one payload by itself, under the keys that it came with.
    assert_good(table, gate(table, next(filter(len, outcome.parsed)))[0])


# --- the oracle itself --------------------------------------------------------------------------


def sample(column: Column) -> Any:
    """A possible value of a column."""
    if column.dtype == "string":
        return column.allowed[0] if column.allowed else "SPY"
    if column.dtype in ("date", "timestamp"):
        return pd.Timestamp("2024-01-02", tz="UTC" if column.dtype == "timestamp" else None)
    bounds = [bound for bound in (column.minimum, column.maximum) if bound is not None]
    middle = 1.0 if not column.minimum else min(column.minimum + 1.0, max(bounds))
    return int(middle) if column.dtype == "int" else middle


def sample_row(table: Table) -> Row:
    return {column.name: sample(column) for column in table.columns}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_oracle_finds_no_fault_where_there_is_none(table: Table) -> None:
    assert faults(table, sample_row(table)) == []


def wrong_values(column: Column) -> Sequence[Any]:
    if column.dtype in ("float", "int"):
        beyond = [math.inf, -math.inf]
        beyond += [] if column.minimum is None else [column.minimum - 1]
        return beyond + ([] if column.maximum is None else [column.maximum + 1])
    if column.dtype == "string":
        return [7, *(["nothing of it"] if column.allowed else [])]
    noon = pd.Timestamp("2024-01-02 12:00")
    return [noon, *([pd.Timestamp("2024-01-01")] if column.session else [])] if (
        column.dtype == "date"
    ) else []  # fmt: skip


WRONG = [
    (table, column, value)
    for table in TABLES.values()
    for column in table.columns
    for value in (*wrong_values(column), *([] if column.nullable else [None]))
]


@pytest.mark.parametrize(
    ("table", "column", "value"), WRONG, ids=[f"{t.name}-{c.name}-{v}" for t, c, v in WRONG]
)
def test_oracle_finds_the_fault(table: Table, column: Column, value: object) -> None:
    found = faults(table, {**sample_row(table), column.name: value})
    assert any(fault.startswith(column.name) for fault in found)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.pairs], ids=lambda t: t.name)
def test_oracle_finds_a_broken_pair(table: Table) -> None:
    for pair in table.pairs:
        row = {**sample_row(table), pair.greater: 1.0, pair.lesser: 2.0}
        assert f"{pair.greater} < {pair.lesser}" in faults(table, row)
        unread = faults(table, {**row, pair.greater: math.nan})
        assert f"{pair.greater} < {pair.lesser}" not in unread


@pytest.mark.parametrize("name", ["", "-A", "../A", "A/B", "A" * 33, "é", "A B"])
def test_oracle_refuses_what_cannot_name_a_file(name: str) -> None:
    table = TABLES["prices"]
    assert faults(table, {**sample_row(table), "ticker": name}) == ["ticker: no name of a file"]


def test_oracle_finds_a_key_twice() -> None:
    table = TABLES["macro_series"]
    row = {**sample_row(table), "vintage_date": pd.NaT}
    with pytest.raises(AssertionError, match="keys in twice"):
        assert_good(table, pd.DataFrame([row, row]))
