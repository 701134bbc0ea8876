"""Feast without typeguard, which rewrites the syntax trees of its classes at import.

That is four fifths of the processor time of Feast's import, in each command that reads features.
As under `python -O`, typeguard does nothing in our processes: Feast gets its arguments from our
code, which mypy has checked. `benchmarks.commands` shows what it is worth.
"""

import sys
from importlib.abc import MetaPathFinder


def _as_it_is(target: object = None, **_: object) -> object:
    return (lambda one: one) if target is None else target


class _BeforeFeast(MetaPathFinder):
    """Finds nothing; puts typeguard's decorator aside when Feast is first asked for.

    Done so and not at once, as most commands need neither.
    """

    def find_spec(self, name: str, *_: object) -> None:
        if name == "feast":
            sys.meta_path.remove(self)
            import typeguard

            typeguard.typechecked = _as_it_is  # type: ignore[assignment]


def leave_unchecked() -> None:
    """Import Feast without typeguard from here on; nothing if Feast is imported already."""
    installed = any(isinstance(finder, _BeforeFeast) for finder in sys.meta_path)
    if not installed and "feast" not in sys.modules:
        sys.meta_path.insert(0, _BeforeFeast())
