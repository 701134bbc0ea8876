"""A historical read in shards of its keys: each shard is answered by itself, then put in place.

A row's answer depends on the rows of its own key alone, so the shards give what the whole would,
value for value. Each reads only the files of its keys, and may do so in another process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pyarrow as pa

from feature_repo.store.entities import Entities
from feature_repo.store.shard_runs import LOCAL, Placement, each
from feature_repo.store.view import Sight, ViewRead, answer
from market.arrays import IntArray


@dataclass(frozen=True)
class Question:
    """What is asked of every shard: the views, and what a read may see."""

    reads: tuple[ViewRead, ...]
    sight: Sight


def answer_in_shards(
    rows: Entities,
    reads: Sequence[ViewRead],
    sight: Sight,
    shards: int = 1,
    placement: Placement = LOCAL,
) -> pa.Table:
    """Return what `view.answer` returns, worked out in shards of keys.

    Parameters
    ----------
    rows, reads, sight
        As in `view.answer`.
    shards
        The most shards; keys are spread over them evenly. One is no sharding.
    placement
        Where shards are answered.
    """
    parts = split(rows, reads, shards)
    if len(parts) < 2 and placement.engine == "local":
        return answer(rows, reads, sight)
    question = Question(tuple(reads), sight)
    taken = [_taken(rows, positions) for positions in parts]
    return _in_place(rows.table, list(each(_answered, question, taken, placement)), parts)


def split(rows: Entities, reads: Sequence[ViewRead], shards: int) -> list[IntArray]:
    """Return the positions of the rows of each shard, every row of a key in one of them.

    The key is the join key with the most values in the frame. One shard holds all rows if there
    are not two values.
    """
    columns = dict.fromkeys(column for read in reads for column in read.keys.values())
    numbered = [_numbered(rows.table[column]) for column in columns]
    codes = max(numbered, key=lambda found: found.max(initial=0), default=None)
    count = 0 if codes is None else int(codes.max(initial=-1)) + 1
    if codes is None or min(shards, count) < 2:
        return [np.arange(rows.table.num_rows)]
    shard = codes * min(shards, count) // count
    return [np.flatnonzero(shard == number) for number in range(min(shards, count))]


def _numbered(column: pa.ChunkedArray) -> IntArray:
    """Return the number of each row's value in order of first appearance; null counts as 0."""
    encoded = column.combine_chunks().dictionary_encode()
    codes = pl.Series(encoded.indices).cast(pl.Int64).fill_null(0).to_numpy()
    # A dictionary that came with the frame may hold values that no row has.
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _taken(rows: Entities, positions: IntArray) -> Entities:
    moments = rows.moments.gather(pl.Series(positions))
    return replace(rows, table=rows.table.take(positions), moments=moments)


def _answered(question: Question, rows: Entities) -> Iterator[pa.Table]:
    """Yield the added columns of one shard."""
    table = answer(rows, question.reads, question.sight)
    yield table.select(range(rows.table.num_columns, table.num_columns))


def _in_place(table: pa.Table, answers: Sequence[pa.Table], parts: Sequence[IntArray]) -> pa.Table:
    """Return the table with the shards' columns added, each row where it stood."""
    place = np.argsort(np.concatenate(parts))
    in_order = np.array_equal(place, np.arange(len(place)))
    columns = [dict(zip(one.column_names, one.columns, strict=True)) for one in answers]
    types = {field.name: field.type for field in answers[0].schema}
    del answers
    for name, kind in types.items():
        # Column by column, and the shards' own given up as they go: no more than one stands twice.
        chunks = [chunk for held in columns for chunk in held.pop(name).chunks]
        column = pa.chunked_array(chunks, type=kind)
        table = table.append_column(name, column if in_order else column.take(place))
    return table
