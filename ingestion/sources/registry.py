"""The sources of a home by name. Adding one is a room and a word here; a vendor, see `live`."""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from ingestion.sources.base import Source
from market.errors import UnknownName

# "module:Class", so that a source is imported only when it is opened.
SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "live": "ingestion.sources.live:open_live",
        "recorded": "ingestion.sources.recorded.source:Recorded",
        "simulated": "ingestion.sources.simulated.source:Simulated",
    }
)


def open_source(name: str, **options: Any) -> Source:  # noqa: ANN401 - each source has its own
    """Return the source of a name, made with its own options.

    Raises
    ------
    InputError
        If no source has the name, or the source refuses its options.
    """
    if name not in SOURCES:
        raise UnknownName("unknown source", name, SOURCES)
    module, _, attribute = SOURCES[name].partition(":")
    source: Source = getattr(import_module(module), attribute)(**options)
    return source
