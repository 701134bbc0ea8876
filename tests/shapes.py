"""Shapes and types of arrays as signatures state them, checked at every call of a test run."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, get_args

from beartype import beartype
from jaxtyping import AbstractArray, install_import_hook

ROOT: Final = Path(__file__).resolve().parents[1]
#: Rooms with modules whose signatures state shapes.
ROOMS: Final = ("feature_repo", "forecasters", "market", "monitoring", "trading", "training")


def check_shapes() -> None:
    """Check every function and data class of the modules that state shapes, from their import on.

    Not those of the others: a call that nothing is checked of would cost as much.
    """
    install_import_hook([*stating_shapes()], "tests.shapes.checked")


def stating_shapes() -> Iterator[str]:
    """Give the dotted names of the modules that state shapes."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "from jaxtyping import" in path.read_text("utf-8"):
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


def checked(function: Callable) -> Callable:
    """Return a function that checks its arrays.

    Everything else in a signature is mypy's: tests pass whole numbers for fractions, and stand-ins.
    """
    hints = function.__annotations__
    function.__annotations__ = {name: hint for name, hint in hints.items() if _holds_array(hint)}
    return beartype(function)


def _holds_array(hint: object) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_holds_array(part) for part in get_args(hint))
