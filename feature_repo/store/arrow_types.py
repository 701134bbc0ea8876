"""Arrow types as Feast names them: the plain ones, whatever wrote or read the columns.

Feast knows `string` and `list<item: double>`. What polars writes and hands out (`large_string`,
`large_list`), dictionaries and the item names of other writers it takes for something else, or
stops at.
"""

import pyarrow as pa


def plain_type(dtype: pa.DataType) -> pa.DataType:
    """Return the type with its values in the plain form: no offsets of 64 bits, no dictionary."""
    found = dtype
    if isinstance(dtype, pa.BaseExtensionType):
        found = plain_type(dtype.storage_type)
    elif pa.types.is_dictionary(dtype):
        found = plain_type(dtype.value_type)
    elif pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        found = pa.string()
    elif pa.types.is_large_binary(dtype) or pa.types.is_binary_view(dtype):
        found = pa.binary()
    elif pa.types.is_fixed_size_list(dtype):
        found = pa.list_(plain_type(dtype.value_type), dtype.list_size)
    elif pa.types.is_list(dtype) or pa.types.is_large_list(dtype):
        found = pa.list_(plain_type(dtype.value_type))
    elif pa.types.is_struct(dtype):
        found = pa.struct([(field.name, plain_type(field.type)) for field in dtype])
    elif pa.types.is_map(dtype):
        found = pa.map_(plain_type(dtype.key_type), plain_type(dtype.item_type))
    return found


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return the columns of a schema with their plain types, without metadata."""
    return pa.schema([(column.name, plain_type(column.type)) for column in schema])


def as_types(table: pa.Table, types: pa.Schema) -> pa.Table:
    """Return a table whose columns named in `types` have those types, the others plain ones.

    Raises
    ------
    pyarrow.ArrowInvalid
        If a column does not fit its type.
    """
    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        known = field.name in types.names
        columns[field.name] = _cast(column, types.field(field.name).type if known else None)
    return pa.table(columns)


def _cast(column: pa.ChunkedArray, dtype: pa.DataType | None) -> pa.ChunkedArray:
    wanted = plain_type(column.type) if dtype is None else dtype
    if column.type == wanted:
        return column
    if pa.types.is_map(wanted) and not pa.types.is_map(column.type):
        # Frames of polars hold a map as a list of pairs, and Arrow casts none to a map.
        pairs = pa.list_(pa.struct([("key", wanted.key_type), ("value", wanted.item_type)]))
        chunks = [_map(chunk, wanted) for chunk in column.cast(pairs).chunks]
        return pa.chunked_array(chunks, type=wanted)
    return column.cast(wanted)


def _map(pairs: pa.ListArray, dtype: pa.MapType) -> pa.MapArray:
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pairs.value_lengths().fill_null(0)])
    ends = pa.array(offsets.to_numpy().cumsum(), pa.int32())
    values = pairs.flatten()
    return pa.MapArray.from_arrays(
        ends, values.field("key"), values.field("value"), type=dtype, mask=pairs.is_null()
    )
