"""The rules of a table, generated from its declaration, in words and as data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from home.strict_json import Json
from ingestion.gate.adjustment import disagreement, reinvestable
from ingestion.gate.chains import ALIVE, MARKET, ROOT, quote_rules
from ingestion.gate.levels import in_range, not_away, not_repeated
from ingestion.gate.order import in_order, rightly_labelled
from ingestion.gate.sequences import Stored, held, no_split_missing
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, OPTION_CHAINS, PRICES
from ingestion.tables.declare import Column, Pair, Splits, Table
from ingestion.tables.frames import KEY_PATTERN
from market.calendar import sessions

# Tables by what is known of their levels; what a person may vouch for is declared otherwise.
_BARS: Final = (PRICES, INDICES)
_LEVELS: Final = {INDICES: "close", MACRO_SERIES: "value"}
AGAIN: Final = "open, high, low, close: another bar than that of the session before"
LARGEST: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Rule:
    """One expectation: in words, as Great Expectations names it, and its arguments.

    That of a judged rule is empty: a column under its words says which rows keep it.
    """

    words: str
    expectation: str = ""
    arguments: Mapping[str, Json] = field(default_factory=dict, compare=False)

    @property
    def is_judged(self) -> bool:
        """Whether a column of the frame says which rows keep it."""
        return not self.expectation


def row_rules(table: Table) -> list[Rule]:
    """Return the rules that each row keeps or breaks, in the order of columns, pairs and key."""
    unique = Rule(
        f"{', '.join(table.key)}: once",
        "ExpectCompoundColumnsToBeUnique",
        {"column_list": list(table.key), "ignore_row_if": "never"},
    )
    columns = [rule for column in table.columns for rule in _column_rules(table, column)]
    ordered = [Rule(_order_words(table))] if table.by_session else []
    quotes = [Rule(words) for words in (ROOT, ALIVE, MARKET) if is_of_quotes(table)]
    return [*columns, *map(_pair_rule, table.pairs), *ordered, *quotes, unique]


def sequence_rules(table: Table) -> list[Rule]:
    """Return the rules that a row keeps or breaks beside the rows before it that are right."""
    words = [_alone_words(table)] if table.alone else []
    if table.splits is not None:
        words += [_split_words(table.splits), vendor_words(table.splits), paid_words(table.splits)]
    words += [AGAIN] if table in _BARS else []
    words += [_range_words_of(table), _away_words(table)] if table in _LEVELS else []
    return [Rule(rule) for rule in words]


def with_sequence(
    table: Table, frame: pd.DataFrame, right: pd.DataFrame, stored: Stored
) -> pd.DataFrame:
    """Return the rows that keep the other rules, and the columns that `sequence_rules` need.

    These are whether a row is at the level of those before it, whether its adjusted return is not
    grossly unlike the vendor's, and, of the rows that are right so far, whether its dividend can be
    reinvested; of events, whether a row is the only one of its day, or the one that is labelled in
    order; of bars, whether it is not the one before told again; of indices and series, whether
    their level is possible, and not one of another unit for days.

    Parameters
    ----------
    table
        A declaration.
    frame
        All rows of the answer.
    right
        Those of them that keep the rules of `row_rules`.
    stored
        What the lake holds.
    """
    if table.alone:
        return right.assign(**{_alone_words(table): rightly_labelled(table, right)})
    if table in _LEVELS:
        possible = in_range(table, right, stored)
        near = not_away(table, right[possible], stored).reindex(right.index, fill_value=True)
        right = right.assign(**{_range_words_of(table): possible, _away_words(table): near})
    if table in _BARS:
        right = right.assign(**{AGAIN: not_repeated(table, right, stored)})
    if table.splits is None:
        return right
    level = no_split_missing(table, right, stored)
    # A row that the lake holds was right, or has been vouched for.
    unlike = disagreement(table, frame)["refused"].reindex(right.index)
    agreed = ~unlike | held(table, right, stored)
    paid = reinvestable(table, right[level & agreed], stored).reindex(right.index, fill_value=True)
    return right.assign(
        **{
            _split_words(table.splits): level,
            vendor_words(table.splits): agreed,
            paid_words(table.splits): paid,
        }
    )


def with_judged(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame and the columns that rules need beside the declared ones.

    These are whether a date is one (and a session, where declared), whether a partition can name a
    file, for each pair the lesser column lowered by the tolerance, whether a row is in order, and
    of quotes of options whether `quote_rules` hold.
    """
    judged = {}
    for column in table.columns:
        values = frame[column.name]
        if column.dtype == "date":
            judged[_date_words(column)] = _is_date(column, values)
        if column.name == table.partition:
            judged[_name_words(column)] = values.map(_can_name, na_action="ignore").fillna(True)
    for pair in table.pairs:
        judged[_lowered(pair)] = frame[pair.lesser] * (1.0 - pair.tolerance)
    if table.by_session:
        dated = frame[judged[_date_words(table.dating)]]
        ordered = in_order(table, dated).reindex(frame.index, fill_value=True)
        judged[_order_words(table)] = ordered
    if is_of_quotes(table):
        judged |= {
            words: pd.Series(kept, frame.index) for words, kept in quote_rules(frame).items()
        }
    return frame.assign(**judged)


def is_of_quotes(table: Table) -> bool:
    """Whether the rows of a table are quotes of options."""
    # By its name: a declaration may be less strict, as that of released rows is.
    return table.name == OPTION_CHAINS.name


def _order_words(table: Table) -> str:
    return f"{table.dated}: in order with the rows beside it"


def _split_words(splits: Splits) -> str:
    return f"{splits.prices[-1]}: no jump, here or before, by a split unlike the one in its row"


def _alone_words(table: Table) -> str:
    labels = ", ".join(table.key[1:])
    return f"{', '.join(table.alone)}: under one {labels}, that in order with the others"


def _range_words_of(table: Table) -> str:
    return f"{_LEVELS[table]}: in the range of its kind, in its unit"


def _away_words(table: Table) -> str:
    return f"{_LEVELS[table]}: no leap that another one undoes within days"


def vendor_words(splits: Splits) -> str:
    """Return the rule that an adjusted return keeps beside the vendor's, in words."""
    return f"{splits.adjusted}: a return near that of {splits.prices[-1]} and {splits.dividend}"


def paid_words(splits: Splits) -> str:
    """Return the rule that a dividend keeps, in words."""
    return f"{splits.dividend}: below the {splits.prices[-1]} before"


def _column_rules(table: Table, column: Column) -> list[Rule]:
    name = {"column": column.name}
    rules = []
    if not column.nullable:
        rules.append(Rule(f"{column.name}: not null", "ExpectColumnValuesToNotBeNull", name))
    if column.dtype == "date":
        rules.append(Rule(_date_words(column)))
    if column.dtype == "string":
        rules.append(
            Rule(f"{column.name}: text", "ExpectColumnValuesToBeOfType", {**name, "type_": "str"})
        )
    if column.dtype in ("float", "int"):
        rules.append(Rule(_range_words(column), "ExpectColumnValuesToBeBetween", _range(column)))
    if column.allowed is not None:
        allowed = list(column.allowed)
        words = f"{column.name}: one of {', '.join(allowed)}"
        rules.append(Rule(words, "ExpectColumnValuesToBeInSet", {**name, "value_set": allowed}))
    if column.name == table.partition:
        rules.append(Rule(_name_words(column)))
    return rules


def _range(column: Column) -> dict[str, Json]:
    # A side without a bound is bounded by the largest number: an infinite value is never one.
    return {
        "column": column.name,
        "min_value": -LARGEST if column.minimum is None else column.minimum,
        "max_value": LARGEST if column.maximum is None else column.maximum,
        "strict_min": column.strict_minimum,
        "strict_max": column.strict_maximum,
    }


def _range_words(column: Column) -> str:
    low = None if column.minimum is None else f"{'>' if column.strict_minimum else '>='} "
    high = None if column.maximum is None else f"{'<' if column.strict_maximum else '<='} "
    sides = [
        f"{sign}{bound:g}"
        for sign, bound in ((low, column.minimum), (high, column.maximum))
        if sign is not None
    ]
    return f"{column.name}: {' and '.join(sides) or 'finite'}"


def _pair_rule(pair: Pair) -> Rule:
    return Rule(
        f"{pair.greater} >= {pair.lesser} (to {pair.tolerance:.2%})",
        "ExpectColumnPairValuesAToBeGreaterThanB",
        {
            "column_A": pair.greater,
            "column_B": _lowered(pair),
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        },
    )


def _lowered(pair: Pair) -> str:
    return f"{pair.lesser} less {pair.tolerance:g}"


def _date_words(column: Column) -> str:
    return f"{column.name}: {'an XNYS session' if column.session else 'a date without a time'}"


def _is_date(column: Column, values: pd.Series) -> pd.Series:
    if column.session and values.notna().any():
        return values.isin(sessions(values.min(), values.max())) | values.isna()
    midnight: pd.Series = values == values.dt.normalize()
    return values.isna() | midnight


def _name_words(column: Column) -> str:
    return f"{column.name}: a name of letters, digits and . _ = -, at most 32"


def _can_name(value: object) -> bool:
    # What is no text breaks another rule.
    return not isinstance(value, str) or re.fullmatch(KEY_PATTERN, value) is not None
