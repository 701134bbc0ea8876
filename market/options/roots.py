"""Whose chains there are, and the roots that the contracts of each are listed under."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from market.errors import UnknownName
from market.options.contract_symbols import standard_root
from market.underlyings import UNDERLYINGS, underlying

#: Of the indices: SPX settles in the morning, SPXW and SPXPM, which it replaced, in the afternoon.
INDEX_ROOTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"SPX": ("SPX", "SPXW", "SPXPM")}
)


def chain_keys(ticker: str) -> tuple[str, ...]:
    """Return whose chains may price the options of a ticker: its own, then an index's.

    Raises
    ------
    InputError
        If the ticker is no underlying.
    """
    listed = underlying(ticker).options
    index = None if listed is None else listed.scaled_from
    return (ticker,) if index is None else (ticker, index)


def chain_roots(name: str) -> tuple[str, ...]:
    """Return the roots of the standard contracts on an underlying, or on such an index.

    Raises
    ------
    InputError
        If the name is neither.
    """
    if name in UNDERLYINGS:
        listed = UNDERLYINGS[name].options
        return (name,) if listed is None else (listed.root,)
    indices = _indices()
    if name not in indices:
        raise UnknownName(
            "unknown underlying",
            name,
            [*UNDERLYINGS, *indices],
            "an underlying is one row in market/underlyings.py",
        )
    return INDEX_ROOTS.get(name, (name,))


def check_root(name: str, root: str) -> None:
    """Check that contracts of a root are standard ones on an underlying, or on such an index.

    Raises
    ------
    InputError
        If they are adjusted or mini contracts, or on something else.
    """
    if root not in chain_roots(name):
        standard_root(root)
        raise UnknownName(f"root of a contract on {name}", root, chain_roots(name))


def _indices() -> tuple[str, ...]:
    listed = (row.options for row in UNDERLYINGS.values())
    return tuple(dict.fromkeys(row.scaled_from for row in listed if row and row.scaled_from))
