"""Shapes and types of arrays as signatures state them, checked at every call of a test run."""

from collections.abc import Callable
from typing import Final, get_args

from beartype import beartype
from jaxtyping import AbstractArray, install_import_hook

#: Rooms and modules whose signatures state shapes.
CHECKED: Final = (
    "feature_repo.features",
    "forecasters",
    "market",
    "monitoring.drift.null",
    "monitoring.drift.psi",
    "training.fit",
    "training.frames",
    "training.judge",
    "training.models",
    "training.tasks",
)


def check_shapes() -> None:
    """Check every function and data class of `CHECKED` that is imported from here on."""
    install_import_hook(CHECKED, "tests.shapes.checked")


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
