"""Element by element over arrays that broadcast, a chunk at a time.

So the memory beside the answer is flat, and a chunk's arrays stay in the processor's cache.
"""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from market.arrays import BoolArray, FloatArray
from market.errors import InputError

CHUNK: Final = 16384  # elements

Numbers = FloatArray | Sequence[float] | float


class Allowed(NamedTuple):
    """The numbers that an input may be, both ends included; NaN is unknown, and always allowed."""

    words: str
    low: float
    high: float


_LARGEST = float(np.finfo(np.float64).max)
ABOVE_0: Final = Allowed("finite numbers above 0", float(np.nextafter(0.0, 1.0)), _LARGEST)
FROM_0: Final = Allowed("finite numbers from 0", 0.0, _LARGEST)
FINITE: Final = Allowed("finite numbers", -_LARGEST, _LARGEST)


def by_chunks(
    kernel: Callable[..., object], inputs: Sequence[Numbers], kinds: Sequence[type]
) -> tuple[NDArray[Any], ...]:
    """Return what a kernel writes into its outputs, of the shape that the inputs broadcast to.

    Parameters
    ----------
    kernel
        Takes a chunk of each input, then of each output, which it fills.
    inputs
        Numbers; they broadcast.
    kinds
        The type of each output.

    Raises
    ------
    InputError
        If the shapes of the inputs do not broadcast.
    """
    given = [np.asarray(one, dtype=np.float64) for one in inputs]
    try:
        shape = np.broadcast_shapes(*(one.shape for one in given))
    except ValueError:
        shapes = ", ".join(str(one.shape) for one in given)
        raise InputError(f"shapes: got {shapes}, allowed are those that broadcast") from None
    outputs = _empty(shape, kinds)
    size = prod(shape)
    if size <= CHUNK:  # spread at once: an iterator that broadcasts takes as long as a kernel
        if size:
            with np.errstate(all="ignore"):
                kernel(*(_spread(one, shape) for one in given), *(one.ravel() for one in outputs))
        return tuple(outputs)
    chunks = np.nditer(
        [*given, *outputs],
        flags=["external_loop", "buffered"],
        op_flags=[["readonly"]] * len(given) + [["writeonly"]] * len(outputs),  # type: ignore[arg-type]
        buffersize=CHUNK,
    )
    with chunks, np.errstate(all="ignore"):
        for chunk in chunks:
            kernel(*chunk)
    return tuple(outputs)


def _spread(values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    """Return the elements of an array that broadcasts to a shape; one alone is not copied."""
    if values.size == 1:
        return np.broadcast_to(values.reshape(()), (prod(shape),))
    return np.broadcast_to(values, shape).ravel()


def _empty(shape: tuple[int, ...], kinds: Sequence[type]) -> list[NDArray[Any]]:
    """Return an empty array of each type; those of one type lie in one block of memory.

    A large block comes in large pages: asking for it takes half the time.
    """
    blocks: dict[type, NDArray[Any]] = {
        kind: np.empty((kinds.count(kind), *shape), dtype=kind) for kind in set(kinds)
    }
    return [blocks[kind][kinds[:at].count(kind), ...] for at, kind in enumerate(kinds)]


def check(name: str, values: FloatArray, allowed: Allowed) -> None:
    """Check that every number of an input is an allowed one, or NaN.

    Raises
    ------
    InputError
        Says the first that is not.
    """
    values = _told(values)
    if np.minimum.reduce(values) >= allowed.low and np.maximum.reduce(values) <= allowed.high:
        return
    _refuse(name, values, (values < allowed.low) | (values > allowed.high), allowed.words)


def _told(values: FloatArray) -> FloatArray:
    """Return the numbers that a chunk was given: one, where it is spread over all its places."""
    return values[:1] if values.strides == (0,) else values


def check_sign(sign: FloatArray) -> None:
    """Check that every sign is 1 or -1, or NaN.

    Raises
    ------
    InputError
        Says the first that is not.
    """
    size = np.abs(sign)
    if np.minimum.reduce(size) == 1.0 == np.maximum.reduce(size):
        return
    _refuse("sign", sign, (size != 1.0) & (size == size), "1 for a call and -1 for a put")


def _refuse(name: str, values: FloatArray, wrong: BoolArray, words: str) -> None:
    if wrong.any():
        got = values[wrong][0]
        raise InputError(f"{name}: got {got:g}, allowed are {words}, and NaN for unknown")
