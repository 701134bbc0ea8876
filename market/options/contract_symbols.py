"""Symbols of option contracts: OCC's 21 characters, Yahoo's without blanks, Polygon's with `O:`."""

import re
from datetime import date
from typing import Final, NamedTuple

from market.errors import InputError

ROOT_LENGTH: Final = 6
PREFIX: Final = "O:"
LARGEST_STRIKE: Final = 99_999.999
KINDS: Final = {1: "C", -1: "P"}
_FORM: Final = re.compile(
    r"(?P<root>[A-Z]{1,6}[0-9]?) *"
    r"(?P<expiration>[0-9]{6})(?P<kind>[CP])(?P<strike>[0-9]{8})"
)
_ALLOWED: Final = "SPY   250718P00550000 (OCC), SPY250718P00550000 (Yahoo), O:SPY250718P00550000"


class Contract(NamedTuple):
    """What a symbol names.

    Attributes
    ----------
    root
        Capital letters: `SPY`, `SPX` (settled in the morning), `SPXW` (in the afternoon), `XSP`.
    expiration
        The day in the symbol.
    sign
        1 for a call, -1 for a put.
    strike
        USD, in tenths of a cent.
    """

    root: str
    expiration: date
    sign: int
    strike: float

    def occ(self) -> str:
        """Return the symbol of 21 characters, its root filled up with blanks."""
        return f"{standard_root(self.root):{ROOT_LENGTH}}{self._tail()}"

    def compact(self) -> str:
        """Return the symbol without blanks, as Yahoo writes it."""
        return f"{standard_root(self.root)}{self._tail()}"

    def prefixed(self) -> str:
        """Return the compact symbol after `O:`, as Polygon writes it."""
        return f"{PREFIX}{self.compact()}"

    def _tail(self) -> str:
        mills = round(self.strike * 1000.0) if 0.0 < self.strike <= LARGEST_STRIKE else 0
        if not mills or mills / 1000.0 != self.strike:
            raise InputError(
                f"strike: got {self.strike}, allowed are tenths of a cent "
                f"above 0 and up to {LARGEST_STRIKE:,}"
            )
        if self.sign not in KINDS:
            raise InputError(f"sign: got {self.sign}, allowed are 1 for a call and -1 for a put")
        if self.expiration.year // 100 != 20:
            raise InputError(f"expiration: got {self.expiration}, allowed are days of 2000 to 2099")
        return f"{self.expiration:%y%m%d}{KINDS[self.sign]}{mills:08d}"


def parse_contract(symbol: str) -> Contract:
    """Return the contract that a symbol names, in any of the three forms.

    Raises
    ------
    InputError
        If it is no such symbol, or its root is that of an adjusted or a mini contract, which do not
        deliver 100 shares.
    """
    contract = written_contract(symbol)
    standard_root(contract.root)
    return contract


def written_contract(symbol: str) -> Contract:
    """Return the contract that a symbol names, be its root that of a standard one or not.

    Raises
    ------
    InputError
        If it is no symbol in any of the three forms.
    """
    found = _FORM.fullmatch(symbol.strip().removeprefix(PREFIX))
    if found is None:
        raise InputError(f"option symbol: got {symbol!r:.40}, allowed are forms as {_ALLOWED}")
    text = found["expiration"]
    try:
        expiration = date(2000 + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        raise InputError(
            f"option symbol {symbol!r:.40}: got the day {text}, allowed are days as YYMMDD"
        ) from None
    strike = int(found["strike"]) / 1000.0
    if strike == 0.0:
        raise InputError(f"option symbol {symbol!r:.40}: got the strike 0, allowed are those above")
    return Contract(found["root"], expiration, 1 if found["kind"] == "C" else -1, strike)


def standard_root(root: str) -> str:
    """Return a root if it is that of a standard contract.

    Raises
    ------
    InputError
        If it is none, or that of an adjusted or a mini contract, which do not deliver 100 shares.
    """
    if not re.fullmatch(r"[A-Z]{1,5}[A-Z0-9]?", root):
        raise InputError(f"root: got {root!r:.40}, allowed are 1 to {ROOT_LENGTH} capital letters")
    if root[-1].isdigit():
        kind = (
            "a mini contract" if root[-1] == "7" else "a contract adjusted after a corporate action"
        )
        raise InputError(
            f"root: got {root}, {kind}, which does not deliver 100 shares; "
            f"allowed are standard contracts, such as those of {root[:-1]}"
        )
    return root
