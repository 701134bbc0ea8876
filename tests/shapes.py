"""Shapes and types of arrays as signatures state them, checked at every call of a test run."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from functools import partial, wraps
from pathlib import Path
from typing import Any, Final, get_args

import jaxtyping
from beartype import beartype
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import AbstractArray, TypeCheckError, install_import_hook
from jaxtyping._storage import pop_shape_memo, push_shape_memo

ROOT: Final = Path(__file__).resolve().parents[1]
#: Rooms with modules whose signatures state shapes.
ROOMS: Final = ("feature_repo", "forecasters", "market", "monitoring", "trading", "training")


def check_shapes() -> None:
    """Check every function and data class of the modules that state shapes, from their import on.

    Not those of the others, and no function without an array in its signature: a call that nothing
    is checked of would cost as much.
    """
    install_import_hook([*stating_shapes()], "tests.shapes.checked")
    # What the hook writes above every function and class.
    jaxtyping.jaxtyped = partial(decorator, jaxtyping.jaxtyped)


def stating_shapes() -> Iterator[str]:
    """Give the dotted names of the modules that state shapes."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "from jaxtyping import" in path.read_text("utf-8"):
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts)


def decorator(jaxtyped: Callable, *, typechecker: Callable) -> Callable:
    """Return a decorator that leaves alone what has no array to check."""

    def decorate(target: Any) -> Any:
        called = target.__init__ if inspect.isclass(target) else target
        hints = getattr(called, "__annotations__", {})
        told = [hint for hint in hints.values() if isinstance(hint, str) or _holds_array(hint)]
        if not told:
            return target
        # jaxtyping alone reads words, knows axes that arguments tell, and checks a generator when
        # it is called.
        if inspect.isgeneratorfunction(target) or any(
            isinstance(hint, str) or "{" in repr(hint) for hint in told
        ):
            return jaxtyped(target, typechecker=typechecker)
        if not inspect.isclass(target):
            return _checked_once(target)
        if is_dataclass(target) and "__init__" in vars(target):
            target.__init__ = _checked_once(target.__init__)
        return target

    return decorate


def _checked_once(function: Callable) -> Callable:
    """Return a function that checks its arrays as jaxtyping does, each of them once.

    jaxtyping checks arguments again with what is returned, so as to tell which of them is wrong.
    """
    if hasattr(function, "checks_arrays"):
        return function
    hints = function.__annotations__
    checking = checked(function)
    function.__annotations__ = hints

    @wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        push_shape_memo({})
        try:
            return checking(*arguments, **named)
        except BeartypeCallHintViolation as error:
            raise TypeCheckError(str(error)) from error
        finally:
            pop_shape_memo()

    run.checks_arrays = True
    return run


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
