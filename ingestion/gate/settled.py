"""Expectations that write down their configuration once.

Great Expectations builds an expectation's configuration anew each time it reads one argument, a
third of the processor time of a gate. A rule of a table does not change while a frame is held
against it, so a subclass keeps the first one; what it checks and how stays theirs.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation


@cache
def settled(name: str) -> "Callable[..., Expectation]":
    """Return an expectation's class whose instances build their configuration once.

    Parameters
    ----------
    name
        As Great Expectations names the class, such as `ExpectColumnValuesToNotBeNull`. The subclass
        is named apart: by its name it stands in their registry, out of which they make instances.
    """
    import great_expectations as gx
    from great_expectations.compatibility.pydantic import PrivateAttr

    base = getattr(gx.expectations, name)

    def configuration(self: Any) -> object:  # noqa: ANN401
        if self._configuration is None:
            self._configuration = base.configuration.fget(self)
        return self._configuration

    members = {
        "__module__": __name__,
        "__doc__": base.__doc__,
        "_configuration": PrivateAttr(None),
        "configuration": property(configuration),
    }
    return type(base)(f"Settled{name}", (base,), members)  # type: ignore[no-any-return]
