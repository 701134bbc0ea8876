"""The gate before the lake: the rules of a table, those of its declaration by Great Expectations.

Bad rows are told apart with the rules that each breaks; good rows go on. A table without its
declared columns and types, or a rule that could not be checked, lets nothing through.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from ingestion.gate.chains import LATER, quoted_later
from ingestion.gate.missing_bars import on_whole_bars
from ingestion.gate.rules import (
    Rule,
    is_of_quotes,
    row_rules,
    sequence_rules,
    with_judged,
    with_sequence,
)
from ingestion.gate.sequences import Stored, nothing_stored
from ingestion.gate.settled import settled
from ingestion.tables.declare import Table
from market.errors import SchemaViolation

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.core.batch_definition import BatchDefinition

REASON: Final = "reason"
REPEATED: Final = "row: not a repetition of an earlier one"
SEPARATOR: Final = "; "
#: Rows that are judged together where a table lets them be parted: a few days of an index's chain.
CHUNK: Final = 131_072
# The rows that break a rule by their number, not their values.
RESULT_FORMAT: Final = {"result_format": "COMPLETE", "include_unexpected_rows": False}


def gate(
    table: Table,
    frame: pd.DataFrame,
    stored: Stored = nothing_stored,
    known: pd.Timestamp | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows that keep every rule of their table from those that do not.

    Of rows that repeat each other in every column the first is kept; rows of one key that differ
    are all refused, since none is known to be the right one. What happened to a share in a session
    without a bar counts in the good rows at the next one, see `on_whole_bars`.

    Parameters
    ----------
    table
        The declaration.
    frame
        Rows as a source gives them.
    stored
        A key to the stored versions of its rows, such as `Lake.stored` of the table: what a first
        row is held against, and the bars that have been vouched for.
    known
        The latest time, with a zone, that quotes of options may be of; None for any.

    Returns
    -------
    tuple
        The good rows, and the bad rows with the rules they break in a column `reason`; the
        declared columns, numbered from 0.

    Raises
    ------
    SchemaViolation
        If a column is missing, undeclared or of another type, or if a rule could not be checked:
        nothing may land.
    """
    _check_names(table, frame)
    rows = table.check(frame[list(table.names)].reset_index(drop=True))
    reasons: defaultdict[int, list[str]] = defaultdict(list)
    repeated = rows.duplicated()
    for row in rows.index[repeated]:
        reasons[row].append(REPEATED)
    if known is not None and is_of_quotes(table):
        for row in rows.index[quoted_later(rows, known)]:
            reasons[row].append(LATER)
    told = on_whole_bars(table, rows[~repeated] if repeated.any() else rows)
    for part in _parts(table, told):
        _judge(table, part, stored, reasons)
    bad = rows.loc[sorted(reasons)]
    bad = bad.assign(**{REASON: [SEPARATOR.join(reasons[row]) for row in bad.index]})
    good = told.drop(index=[row for row in reasons if row in told.index])
    return good.reset_index(drop=True), bad.reset_index(drop=True)


def _parts(table: Table, rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield rows that are judged together, so that the memory beside them is flat.

    Only a table whose rows are judged by themselves is parted, and rows of one key stay together.
    """
    whole = sequence_rules(table) or table.by_session or table.dated not in table.key
    if whole or len(rows) <= CHUNK:
        yield rows
        return
    moments, _ = pd.factorize(rows[table.dated])
    counts = np.bincount(moments + 1)
    part_of = (np.cumsum(counts) - counts) // CHUNK
    of_row = part_of[moments + 1]
    for part in np.unique(of_row):
        yield rows[of_row == part]


def _judge(
    table: Table, rows: pd.DataFrame, stored: Stored, reasons: defaultdict[int, list[str]]
) -> None:
    """Add to each row the rules that it breaks."""
    judged = with_judged(table, rows)
    for rule, row in _broken_rules(table, judged, row_rules(table)):
        reasons[row].append(rule.words)
    sequence = sequence_rules(table)
    if not sequence:
        return
    # What a row is beside those before it is asked of rows that are right by themselves.
    right = judged.drop(index=[row for row in reasons if row in judged.index])
    beside = with_sequence(table, judged, right, stored)
    for rule, row in _broken_rules(table, beside, sequence):
        reasons[row].append(rule.words)


def _broken_rules(
    table: Table, frame: pd.DataFrame, rules: Sequence[Rule]
) -> Iterator[tuple[Rule, int]]:
    """Yield each rule with each row that breaks it, in the order of the rules."""
    answers = dict(validate(frame, [rule for rule in rules if not rule.is_judged]))
    for rule in rules:
        # What was judged before says so itself.
        rows = (
            frame.index[frame[rule.words].eq(False)]
            if rule.is_judged
            else _unexpected_rows(table, rule, answers[rule])
        )
        for row in rows:
            yield rule, row


def validate(
    frame: pd.DataFrame, rules: Sequence[Rule]
) -> Iterator[tuple[Rule, "ExpectationValidationResult"]]:
    """Yield each rule with what Great Expectations found, in the order of the rules.

    Raises
    ------
    SchemaViolation
        At a rule that raised inside Great Expectations, or was not answered.
    """
    if not rules:
        return
    import great_expectations as gx

    suite = gx.ExpectationSuite(
        name="gate",
        expectations=[
            settled(rule.expectation)(**rule.arguments, meta={"rule": number})
            for number, rule in enumerate(rules)
        ],
    )
    batch = whole_frame().get_batch({"dataframe": frame})
    results = batch.validate(suite, result_format=RESULT_FORMAT).results
    answers = {
        configuration.meta["rule"]: result
        for result in results
        if (configuration := result.expectation_config) is not None
    }
    for number, rule in enumerate(rules):
        result = answers.get(number)
        problems = ["no answer"] if result is None else _raised(result.exception_info)
        if result is None or problems:
            raise SchemaViolation(f"rule {rule.words!r} could not be checked: {problems[0]:.200}")
        yield rule, result


def whole_frame() -> "BatchDefinition[Any]":
    """Return a definition of batches out of a context that keeps, sends and shows nothing."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    configuration = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    context = gx.get_context(mode="ephemeral", project_config=configuration)
    asset = context.data_sources.add_pandas("gate").add_dataframe_asset("rows")
    return asset.add_batch_definition_whole_dataframe("all")


def _unexpected_rows(
    table: Table, rule: Rule, result: "ExpectationValidationResult"
) -> Sequence[int]:
    if result.success:
        return ()
    rows: list[int] = result.result.get("unexpected_index_list") or []
    if not rows:
        raise SchemaViolation(
            f"table {table.name}: got {result.result.get('observed_value')}, allowed is "
            f"{rule.words}; no row is named"
        )
    return rows


def _check_names(table: Table, frame: pd.DataFrame) -> None:
    """Refuse a frame with other columns than the declared ones, in any order; types are next."""
    got = [str(name) for name in frame.columns]
    missing = [name for name in table.names if name not in got]
    extra = [name for name in got if name not in table.names]
    found = {"missing": missing, "not declared": extra}
    words = [f"{what} {', '.join(names)}" for what, names in found.items() if names]
    if words:
        raise SchemaViolation(
            f"table {table.name}: columns: {'; '.join(words)}; "
            f"allowed are exactly {', '.join(table.names)}"
        )


def _raised(info: Mapping[str, Any]) -> list[str]:
    """Return the messages of exceptions inside a result: one, or one for each metric."""
    parts = [info] if "raised_exception" in info else list(info.values())
    return [str(part["exception_message"]) for part in parts if part["raised_exception"]]
