"""What vouches for a row in the online store: a hash of each of its values, beside them.

Feast keeps a row of a view as fields of a Redis hash: `_ts:<view>` for its time, and one field of
four bytes a feature. `_check:<view>` holds, for each of these fields, its name and a hash of time,
name and value: a value that changed, or that is of another row, is told from one that was written.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

TIME: Final = "_ts:"
CHECK: Final = "_check:"
NAME: Final = 4  # bytes of a field's name, a murmur3 hash
HASH: Final = 8  # bytes


def check_of(moment: bytes, values: Mapping[bytes, bytes]) -> bytes:
    """Return the check of a row: its time and its values as Redis holds them, by field."""
    return b"".join(name + _hash(moment, name, value) for name, value in sorted(values.items()))


def with_check(row: Mapping[str | bytes, bytes]) -> dict[str | bytes, bytes]:
    """Return the fields of a row of one view with its check among them."""
    times = [name for name in row if isinstance(name, str) and name.startswith(TIME)]
    (time,) = times
    values = {name: value for name, value in row.items() if isinstance(name, bytes)}
    return {**row, CHECK + time.removeprefix(TIME): check_of(row[time], values)}


def changed(moment: bytes, values: Mapping[bytes, bytes], check: bytes) -> list[bytes]:
    """Return the fields whose value is not the one that was written with the check."""
    written = dict(_parsed(check))
    return [
        name for name, value in values.items() if written.get(name) != _hash(moment, name, value)
    ]


def _parsed(check: bytes) -> Iterator[tuple[bytes, bytes]]:
    for start in range(0, len(check), NAME + HASH):
        part = check[start : start + NAME + HASH]
        yield part[:NAME], part[NAME:]


def _hash(moment: bytes, name: bytes, value: bytes) -> bytes:
    sizes = len(moment).to_bytes(4) + len(name).to_bytes(4)
    return blake2b(sizes + moment + name + value, digest_size=HASH).digest()
